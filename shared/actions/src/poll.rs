//! The query by time range as the poller asks it: one page of the ticketing system at a time, from the poller's share of
//! the rate budget, and with rows that are no tickets set apart instead of failing the page.
//!
//! Context, mappings, states and ticket schema are those of the action. Where the integration hands the page token on to
//! a list with `paginate.start_from`, a call reads one page of that list, so that no more is ever in memory and nothing
//! that was read is lost when time or rate budget runs out. Lists that take no token, such as one of all people, are read
//! as a whole.

use integration::contract::TasAction;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::action::ActionDefinition;
use crate::check::{found, shown};
use crate::context::Call;
use crate::engine::Engine;
use crate::error::{ApiError, ErrorCode, FieldProblem};
use crate::gateway::{Gateway, RequestMeta, meta_info};
use crate::installations::Installed;
use crate::output::Output;
use crate::range::Range;
use crate::safe_create;
use crate::time::canonical;

const ACTION: TasAction = TasAction::QueryTicketsByTimeRange;

/// How many problems of one row are told.
const TOLD: usize = 3;

/// What is asked for: a page of the tickets that changed in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollWindow {
    /// First moment of the stretch, as the integration's query gets it in `updated_start_ts`.
    pub start: Timestamp,
    /// Last moment, as in `updated_end_ts`.
    pub end: Timestamp,
    /// [`PolledPage::next`] of the page before, of the same stretch and destination; none for the first page.
    pub token: Option<String>,
}

/// A page of tickets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolledPage {
    /// The tickets, normalised and valid by the ticket schema, in the ticketing system's order.
    pub tickets: Vec<Map<String, Value>>,
    /// The token of the next page; none after the last one. An empty page can have one.
    pub next: Option<String>,
    /// The `Date` of the last answer that the page was made of.
    pub date: Option<Timestamp>,
    /// Rows that are no valid tickets: which, its id if that is known, and what is wrong with which field. No values.
    pub unusable: Vec<String>,
}

impl Gateway {
    /// Asks the ticketing system for one page of what changed, until `deadline` at the latest.
    ///
    /// # Errors
    /// As the action `query_tickets_by_time_range`. A page token that is not one of this window, or is refused by the
    /// ticketing system, is [`ErrorCode::InputValidationFailed`] or
    /// [`FromUpstream::Refused`](crate::FromUpstream::Refused).
    pub async fn poll_page(
        &self,
        installed: &Installed,
        destination: Option<&str>,
        page: &PollWindow,
        deadline: tokio::time::Instant,
    ) -> Result<PolledPage, ApiError> {
        let installation = &installed.installation;
        let environment = self.environment();
        let call = Call {
            action: ACTION,
            installation,
            environment: &environment,
        };
        if let Some(reason) = installation.refusal(ACTION) {
            return Err(ApiError::new(ErrorCode::ActionNotSupported, reason));
        }
        let compound = self.compound(call)?;
        let definition = ActionDefinition::of(ACTION)
            .ok_or_else(|| ApiError::internal(format!("{ACTION} is not in the table of actions")))?;
        let (context, query) = definition.context(input(destination, page), call)?.into_parts();
        let request = RequestMeta::new();
        let instance = Uuid::new_v4().to_string();
        let marker = safe_create::marker(installed.name(), &instance, None);
        let mut engine = Engine::new(
            &self.client,
            installation,
            &environment,
            Some(ACTION),
            meta_info(&request, &instance, &marker),
            deadline,
        )
        .for_poller()
        .watched_by(self.witness.as_deref());
        let context = Value::Object(context);
        let range = Range::of(compound, &context, installation);
        let mapped = engine
            .run(compound, context)
            .await
            .map_err(|failure| failure.error)?;
        if names_no_list(&mapped) {
            return Err(without_list());
        }
        let output = Output {
            range: range.as_ref(),
            action: ACTION,
            installation,
            schema: &self.schema,
            given: &Map::new(),
            query: query.as_ref(),
        };
        let list = output.list(mapped)?;
        if let (None, Some(unfinished)) = (&list.token, &engine.calls.unfinished) {
            return Err(without_rest(unfinished));
        }
        let mut polled = PolledPage {
            tickets: Vec::with_capacity(list.rows.len()),
            next: output.next_page(list.token)?,
            date: engine.calls.date.as_deref().and_then(http_date),
            unusable: Vec::new(),
        };
        for (index, mut row) in list.rows.into_iter().enumerate() {
            let problems = self.schema.ticket(&mut row, "", installation);
            if problems.is_empty() && !output.range.is_none_or(|range| range.has(&row)) {
                continue;
            }
            match row {
                Value::Object(ticket) if problems.is_empty() => polled.tickets.push(ticket),
                row => polled.unusable.push(why(index, &row, &problems)),
            }
        }
        tracing::debug!(
            integration = installed.name(),
            destination,
            tickets = polled.tickets.len(),
            unusable = polled.unusable.len(),
            last = polled.next.is_none(),
            upstream_calls = engine.calls.calls.len(),
            "polled a page"
        );
        Ok(polled)
    }
}

fn input(destination: Option<&str>, page: &PollWindow) -> Value {
    let mut input = json!({
        "updated_start_ts": canonical(page.start),
        "updated_end_ts": canonical(page.end),
    });
    if let Some(fields) = input.as_object_mut() {
        for (name, value) in [
            ("destination", destination),
            ("page_token", page.token.as_deref()),
        ] {
            if let Some(value) = value {
                fields.insert(name.to_owned(), json!(value));
            }
        }
    }
    input
}

/// Whether an `output_mapper` gave null in place of the tickets. In an action that is a list without any.
fn names_no_list(mapped: &Value) -> bool {
    match mapped {
        Value::Null => true,
        Value::Object(fields) => fields.get("raw_tickets").is_some_and(Value::is_null),
        _ => false,
    }
}

/// The answer may be another one than the list. Taking it for a list without tickets would lose those that are in it.
fn without_list() -> ApiError {
    ApiError::new(
        ErrorCode::ExternalRestError,
        format!(
            "the `output_mapper` of {ACTION} gave null instead of a list of tickets: the ticketing system answered \
             something else than a list; where it leaves an empty list out, map that to `[]`"
        ),
    )
}

/// There is more, and no token that leads to it. Taking the page for the last one would lose tickets.
fn without_rest(list: &str) -> ApiError {
    ApiError::internal(format!(
        "`{list}` has more pages than were read, and the answer of {ACTION} has no \
         `pagination_info.next_page_token` to go on with: give the HTTP action `paginate.start_from`, hand \
         `data.context.pagination_info.next_page_token` on to it, and answer with its `next_page_token`; or raise its \
         `max_pages`"
    ))
}

/// The time in a `Date` header, in the form that senders must use (RFC 9110 section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|date| date.timestamp())
}

/// ``row 3 (id `7`): updated_at: expected a time, found nothing``
fn why(index: usize, row: &Value, problems: &[FieldProblem]) -> String {
    let number = index + 1;
    let Some(fields) = row.as_object() else {
        return format!("row {number}: expected an object, found {}", found(row));
    };
    let id = match fields.get("id").and_then(Value::as_str) {
        Some(id) => format!("id `{}`", shown(id).escape_debug()),
        None => "no id".to_owned(),
    };
    let told: Vec<String> = problems
        .iter()
        .take(TOLD)
        .map(|problem| format!("{}: {}", problem.field, problem.message))
        .collect();
    let more = match problems.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("row {number} ({id}): {}{more}", told.join("; "))
}
