//! Polls the integration as the gateway would, with a memory of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use poller::GatewaySource;
use polling::{
    Limits, Outcome, Page, PageRequest, Ports, Report, Settings, Source, SourceError, SystemClock,
};
use storage::embedded::EmbeddedStore;
use storage::{Event, EventCursor, EventLog as _, StreamKey};

use crate::failure::Failure;
use crate::install::state;
use crate::live::Live;

/// Beyond two pages, a run may take so long.
const RUN_TIME: Duration = Duration::from_secs(60);
/// Half of it is the shortest time between two runs.
const INTERVAL: Duration = Duration::from_secs(1);
/// The longest wait until the ticketing system may be asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Publishing, beside a page's request.
const PUBLISHING: Duration = Duration::from_secs(10);
/// More pages than this, one look does not read.
const MOST_PAGES: usize = 50;

/// The poller of one stream.
pub(super) struct Poll {
    key: StreamKey,
    settings: Settings,
    source: Bounded,
    store: EmbeddedStore,
    read: Option<EventCursor>,
    seen: HashSet<String>,
    reserve: Duration,
    /// Whether the integration is polled at all, by its YAML.
    pub(super) is_on: bool,
    /// How far behind now the gateway would stay, by the YAML: what is younger may not be on the list yet.
    pub(super) settle: Duration,
}

/// The list, so far as one look reads it.
struct Bounded {
    source: GatewaySource,
    read: AtomicUsize,
}

#[async_trait]
impl Source for Bounded {
    async fn page(&self, request: &PageRequest) -> Result<Page, SourceError> {
        if self.read.fetch_add(1, Ordering::Relaxed) >= MOST_PAGES {
            return Err(SourceError::permanent(format!(
                "one look at the list took {MOST_PAGES} pages, and it has no end yet: does the system ignore the start of the range?"
            )));
        }
        self.source.page(request).await
    }
}

impl Poll {
    /// Of the stream that tickets of `destination` are in.
    ///
    /// # Errors
    /// When there is no room for its memory.
    pub(super) fn new(live: &Live, destination: Option<&str>) -> Result<Self, Failure> {
        let integration = &live.installed.installation.integration;
        let mut streams = poller::streams_of(integration);
        let is_on = !streams.is_empty();
        let position = streams
            .iter()
            .position(|stream| stream.key.destination.as_deref() == destination);
        let stream = match position {
            Some(position) => Some(streams.swap_remove(position)),
            None => streams.into_iter().next(),
        };
        let (key, settings) = match stream {
            Some(stream) => (stream.key, stream.settings),
            None => {
                let key = StreamKey {
                    integration: live.name.clone(),
                    destination: None,
                };
                (key, Settings::default())
            }
        };
        Ok(Self {
            source: Bounded {
                source: GatewaySource::new(
                    Arc::clone(&live.gateway),
                    Arc::clone(&live.installed),
                    key.destination.clone(),
                ),
                read: AtomicUsize::new(0),
            },
            key,
            settle: settings.settle,
            settings: Settings {
                // Nobody else waits for these events, so a change may be looked for at once. Without an interval at
                // all, a run would go on for ever.
                interval: INTERVAL,
                settle: Duration::ZERO,
                // What is not on the list at once is looked for until it would have settled.
                look_back: settings.look_back.saturating_add(settings.settle),
                ..settings
            },
            store: state::in_memory()?,
            read: None,
            seen: HashSet::new(),
            reserve: live.installed.installation.connector.action_timeout + PUBLISHING,
            is_on,
        })
    }

    /// Polls once; gives the new events of a ticket.
    ///
    /// # Errors
    /// Why the poll failed.
    pub(super) async fn changes_of(&mut self, ticket: &str) -> Result<Vec<Event>, String> {
        self.source.read.store(0, Ordering::Relaxed);
        let report = loop {
            let report = self.run().await;
            match report.outcome {
                Outcome::Failed(error) => return Err(error),
                // Another look is worth the wait: what was not asked for cannot be seen.
                Outcome::Throttled { until } | Outcome::NotDue { until } => {
                    let wait = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
                    if wait > LONGEST_WAIT {
                        let seconds = wait.as_secs();
                        return Err(format!(
                            "the ticketing system wants no more calls for {seconds} s"
                        ));
                    }
                    tokio::time::sleep(wait).await;
                }
                Outcome::MoreToDo => {}
                _ => break report,
            }
        };
        if let Some(reason) = report
            .unusable_reasons
            .iter()
            .find(|reason| reason.contains(ticket))
        {
            return Err(format!("the ticket cannot be made of its row: {reason}"));
        }
        let mut news = Vec::new();
        loop {
            let read = self
                .store
                .read(&self.key.integration, self.read.as_ref(), 100)
                .await;
            let read = read.map_err(|error| error.to_string())?;
            let Some(last) = read.last() else { break };
            self.read = Some(last.cursor.clone());
            for logged in read {
                if logged.event.ticket_id == ticket && self.seen.insert(logged.event.event_id.clone()) {
                    news.push(logged.event);
                }
            }
        }
        Ok(news)
    }

    async fn run(&self) -> Report {
        let limits = Limits {
            owner: "doctor".to_owned(),
            deadline: Timestamp::now()
                .saturating_add(RUN_TIME + self.reserve * 2)
                .unwrap_or(Timestamp::MAX),
            reserve: self.reserve,
        };
        let ports = Ports {
            source: &self.source,
            state: &self.store,
            sink: &self.store,
            journal: None,
            clock: &SystemClock,
        };
        polling::run(&self.key, &self.settings, ports, &limits).await
    }
}
