//! Reading the events of an integration by cursor: a page at a time, and waiting for the next one.

use std::time::Duration;

use serde_json::Value;
use storage::{EVENTS_KEPT, Event, EventCursor, EventLog, LoggedEvent, StorageError};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::{ApiError, ErrorCode, FieldProblem};
use crate::gateway::Gateway;
use crate::installations::Installed;

/// As `after`: from the oldest event that is kept. It is also the cursor of a log in which nothing ever was.
pub(crate) const OLDEST: &str = "oldest";

/// As `after`: only what comes from now on.
pub(crate) const LATEST: &str = "latest";

/// The longest cursor, in characters.
pub(crate) const MAX_CURSOR_LENGTH: usize = 256;

/// The most events of one answer; as many, where the caller names no number.
pub(crate) const MAX_LIMIT: usize = 100;

/// The longest wait, in seconds. API Gateway gives up an answer after 29.
pub(crate) const MAX_WAIT: u64 = 20;

/// How often a reader who waits has the log looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long one look may take.
const LOOK_TIME: Duration = Duration::from_secs(5);

/// How long before the end of the request's time the last look begins.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How many events are read at once, so that what does not fit into the answer is not read in vain.
const READ_AT_ONCE: usize = 25;

/// The most bytes of one answer's events as Lambda counts them: its 6 MB hold the body as a JSON string.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Where a reader wants to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    /// The oldest event that is kept.
    Oldest,
    /// What comes from now on.
    Latest,
    /// Behind the place of an earlier answer.
    Cursor(EventCursor),
}

impl After {
    /// What the parameter `after` means: one of the two words, or a cursor.
    pub(crate) fn parse(text: &str) -> Result<Self, FieldProblem> {
        let is_cursor = (1..=MAX_CURSOR_LENGTH).contains(&text.len()) && text.bytes().all(is_visible);
        match text {
            OLDEST => Ok(After::Oldest),
            LATEST => Ok(After::Latest),
            _ if is_cursor => Ok(After::Cursor(EventCursor(text.to_owned()))),
            _ => Err(no_cursor()),
        }
    }
}

fn is_visible(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

fn no_cursor() -> FieldProblem {
    FieldProblem::new(
        "after",
        format!("expected the `cursor` of an earlier answer for this integration, `{OLDEST}` or `{LATEST}`"),
    )
}

/// What a reader asks for.
#[derive(Debug, Clone)]
pub(crate) struct EventsQuery {
    pub(crate) after: After,
    pub(crate) wait: Duration,
    pub(crate) limit: usize,
}

/// What a reader gets.
#[derive(Debug)]
pub(crate) struct EventsPage {
    /// Each as its JSON text.
    events: Vec<String>,
    /// Where the next request goes on.
    cursor: Option<EventCursor>,
}

impl EventsPage {
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// `{"events": [...], "cursor": "..."}`.
    pub(crate) fn to_json(&self) -> String {
        let cursor = self.cursor.as_ref().map_or(OLDEST, |cursor| cursor.0.as_str());
        format!(
            "{{\"events\":[{}],\"cursor\":{}}}",
            self.events.join(","),
            Value::from(cursor)
        )
    }
}

impl Gateway {
    /// The events of an integration after a place. Where there are none yet, waits for one: at most `query.wait`,
    /// and not beyond `until`.
    pub(crate) async fn events(
        &self,
        integration: &str,
        query: Result<EventsQuery, ApiError>,
        until: Option<Instant>,
    ) -> Result<EventsPage, ApiError> {
        let installed = self.installed(integration).await?;
        let Some(log) = self.events.as_deref() else {
            return Err(ApiError::new(
                ErrorCode::ActionNotSupported,
                "this gateway keeps no events",
            ));
        };
        let query = query?;
        let begun = Instant::now();
        let patience = begun + query.wait + LOOK_TIME;
        let reader = Reader {
            log,
            integration,
            until: until.map_or(patience, |until| until.min(patience)),
        };
        let after = match query.after {
            After::Oldest => None,
            After::Latest => reader.end().await?,
            After::Cursor(cursor) => Some(cursor),
        };
        let last_look = begun + query.wait;
        let last_look = until.map_or(last_look, |until| {
            last_look.min(until.checked_sub(LAST_LOOK).unwrap_or(begun))
        });
        loop {
            let page = reader.page(after.as_ref(), query.limit).await?;
            if !page.events.is_empty() {
                return Ok(page);
            }
            if !installed.is_polled() {
                return Err(not_polled(&installed));
            }
            let now = Instant::now();
            if now >= last_look {
                return Ok(page);
            }
            tokio::select! {
                () = sleep_until(last_look.min(now + LOOK_EVERY)) => {}
                () = self.stopping.wait() => return Ok(page),
            }
        }
    }
}

/// Reads the log of one integration.
struct Reader<'r> {
    log: &'r dyn EventLog,
    integration: &'r str,
    /// When a look is given up.
    until: Instant,
}

impl Reader<'_> {
    async fn end(&self) -> Result<Option<EventCursor>, ApiError> {
        self.in_time(self.log.end(self.integration)).await
    }

    /// At most `limit` events that fit into one answer, and at least one where there is one.
    async fn page(&self, after: Option<&EventCursor>, limit: usize) -> Result<EventsPage, ApiError> {
        let mut page = EventsPage {
            events: Vec::new(),
            cursor: after.cloned(),
        };
        let mut bytes = 0;
        while page.events.len() < limit {
            let wanted = READ_AT_ONCE.min(limit - page.events.len());
            let read = self.log.read(self.integration, page.cursor.as_ref(), wanted);
            let read = match self.in_time(read).await {
                Ok(read) => read,
                // What there is already is an answer; the next request meets the failure.
                Err(_) if !page.events.is_empty() => return Ok(page),
                Err(error) => return Err(error),
            };
            let is_last = read.len() < wanted;
            for LoggedEvent { cursor, event } in read {
                let text = fitting(event)?;
                bytes += size_as_json(&text);
                if bytes > MAX_BYTES && !page.events.is_empty() {
                    return Ok(page);
                }
                page.events.push(text);
                page.cursor = Some(cursor);
            }
            if is_last {
                break;
            }
        }
        Ok(page)
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, StorageError>>) -> Result<T, ApiError> {
        let integration = self.integration;
        match timeout_at(self.until, work).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) if error.is_not_found() => Err(expired()),
            Ok(Err(error)) if error.is_invalid() => Err(ApiError::invalid(&[no_cursor()])),
            Ok(Err(error)) => {
                tracing::error!(integration, %error, "the log of events cannot be read");
                Err(unavailable())
            }
            Err(_) => {
                tracing::error!(integration, "the log of events did not answer in time");
                Err(unavailable())
            }
        }
    }
}

/// The JSON of an event that fits into an answer: without its comments, or without its ticket, where it does not as it
/// is. An answer that Lambda refuses would be refused for ever, and the reader would never get behind the event.
fn fitting(event: Event) -> Result<String, ApiError> {
    let whole = json(&event)?;
    if size_as_json(&whole) <= MAX_BYTES {
        return Ok(whole);
    }
    let event = event.without_comments();
    let text = json(&event)?;
    if size_as_json(&text) <= MAX_BYTES {
        return Ok(text);
    }
    json(&event.without_ticket())
}

fn json(event: &Event) -> Result<String, ApiError> {
    serde_json::to_string(event).map_err(|error| {
        tracing::error!(%error, event_id = event.event_id, "an event cannot be written as JSON");
        unavailable()
    })
}

/// The length of a JSON text within a JSON string: it has no control characters.
fn size_as_json(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\'));
    text.len() + escaped.count() + 1
}

/// For how many days events are kept.
pub(crate) fn days_kept() -> u64 {
    EVENTS_KEPT.as_secs() / (24 * 60 * 60)
}

fn expired() -> ApiError {
    let days = days_kept();
    ApiError::new(
        ErrorCode::CursorExpired,
        format!(
            "after: what follows this cursor is not in the log any more (events are kept for {days} days), so some were \
             missed; begin anew with after={OLDEST} for those that are kept or after={LATEST} for what comes, and read the \
             tickets themselves for what was missed"
        ),
    )
}

fn not_polled(installed: &Installed) -> ApiError {
    let name = installed.name();
    ApiError::new(
        ErrorCode::ActionNotSupported,
        format!(
            "the integration {name} is not polled, so no events come: its `polling` is missing or not enabled"
        ),
    )
}

fn unavailable() -> ApiError {
    ApiError::internal("the events cannot be read at the moment; ask again with the same `after`")
        .retry_in(Some(Duration::from_secs(1)))
}
