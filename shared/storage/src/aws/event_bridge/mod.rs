//! The bus that events go to: EventBridge.
//!
//! | Field of an entry | |
//! |---|---|
//! | `Source` | `ticket-gateway` |
//! | `DetailType` | `Ticket Created` or `Ticket Updated` |
//! | `Detail` | the event as JSON |
//! | `Time` | its `observed_at` |

mod entry;
mod set_aside;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};

use super::connection::Connection;
use super::failure::explain;
use crate::error::StorageError;
use crate::event_sink::{Acceptance, Event, EventSink};
use entry::{Entry, MOST_ENTRIES, MOST_IN_A_CALL};
use set_aside::SetAside;

/// Codes of an entry that are about the entry itself, so that it fares no better the next time. Of the others that AWS
/// calls not retryable, the operator can remove the cause: missing permissions, a wrong account (EventBridge's API
/// reference, `PutEventsResultEntry`).
const NEVER: [&str; 2] = ["InvalidArgument", "MalformedDetail"];

/// Why an event was set aside that goes to the bus without its ticket.
const TOO_LARGE: &str = "too large for the bus, even without comments";

/// Sends events to a bus.
///
/// One that is larger than the bus takes goes without its comments; if that is still too large, without its ticket and
/// changes, so that every change reaches the bus. Before the latter, what was cut is sent to a queue for the operator,
/// where one is given, without comments or, if that does not fit either, with no more than what goes to the bus.
///
/// An event that the bus would refuse however often it is offered is accepted once that queue has it: it would hold up
/// its stream for ever. Without a queue it is refused.
#[derive(Debug, Clone)]
pub struct EventBridgeSink {
    client: Client,
    bus: String,
    set_aside: Option<SetAside>,
}

impl EventBridgeSink {
    /// Sends to the bus of this name or ARN. `set_aside` is the URL of a standard SQS queue.
    pub fn new(connection: &Connection, bus: impl Into<String>, set_aside: Option<String>) -> Self {
        Self {
            client: Client::new(connection.config()),
            bus: bus.into(),
            set_aside: set_aside.map(|queue| SetAside::new(connection, queue)),
        }
    }

    /// The entry of an event, made as small as it has to be.
    async fn entry(&self, event: &Event) -> Result<Entry, StorageError> {
        let whole = Entry::new(event)?;
        if whole.size <= MOST_IN_A_CALL {
            return Ok(whole);
        }
        let without_comments = event.clone().without_comments();
        let entry = Entry::new(&without_comments)?;
        if entry.size <= MOST_IN_A_CALL {
            return Ok(entry);
        }
        tracing::warn!(
            integration = event.integration,
            event_id = event.event_id,
            bytes = whole.size,
            "an event is too large for the bus, even without comments; it goes without its ticket"
        );
        let without_ticket = event.clone().without_ticket();
        if let Some(queue) = &self.set_aside
            && let Err(error) = queue.keep(TOO_LARGE, &without_comments, &without_ticket).await
        {
            // What tells of the change goes on all the same.
            tracing::error!(event_id = event.event_id, %error, "what the bus does not take was not set aside");
        }
        Entry::new(&without_ticket)
    }

    /// Sends entries that fit into one call. An answer for each, or why there is none.
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Answer>, StorageError> {
        let doing = format!("cannot send events to the bus `{}`", self.bus);
        let answer = self
            .client
            .put_events()
            .set_entries(Some(entries.iter().map(|entry| entry.on(&self.bus)).collect()))
            .send()
            .await
            .map_err(|error| explain(&doing, &error))?;
        let answers: Vec<Answer> = answer.entries().iter().map(answered).collect();
        if answers.len() != entries.len() {
            let why = "EventBridge answered for another number of events than it was sent";
            return Err(StorageError::unavailable(doing, why));
        }
        Ok(answers)
    }

    /// What became of an event, once one that the bus never takes is in the queue for the operator.
    async fn settle(&self, event: &Event, answer: Answer) -> Acceptance {
        let why = match answer {
            Answer::Taken => return Acceptance::Accepted,
            Answer::NotNow(why) => return Acceptance::Refused(why),
            Answer::Never(why) => why,
        };
        let Some(queue) = &self.set_aside else {
            return Acceptance::Refused(why);
        };
        let reason = format!("the bus refused it: {why}");
        match queue.keep(&reason, event, &event.clone().without_ticket()).await {
            Ok(()) => {
                tracing::error!(
                    integration = event.integration,
                    event_id = event.event_id,
                    why,
                    "the bus refused an event for good; it was set aside"
                );
                Acceptance::Accepted
            }
            Err(error) => Acceptance::Refused(format!("{why}; {error}")),
        }
    }
}

#[async_trait]
impl EventSink for EventBridgeSink {
    fn batch_size(&self) -> usize {
        MOST_ENTRIES
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        let (mut entries, mut answers) = (Vec::new(), Vec::with_capacity(events.len()));
        for event in events {
            entries.push(self.entry(event).await?);
        }
        let (mut failure, mut offered) = (None, events.iter());
        for call in calls(&entries) {
            let of_events = offered.by_ref().take(call.len());
            match self.put(call).await {
                Ok(of_call) => {
                    for (event, answer) in of_events.zip(of_call) {
                        answers.push(self.settle(event, answer).await);
                    }
                }
                // What other calls were answered must not be lost: they would be repeated.
                Err(error) => {
                    let why = Acceptance::Refused(error.to_string());
                    answers.extend(of_events.map(|_| why.clone()));
                    failure = Some(error);
                }
            }
        }
        match failure {
            Some(error) if !answers.contains(&Acceptance::Accepted) => Err(error),
            _ => Ok(answers),
        }
    }
}

/// The entries in runs that each fit into a call.
fn calls(entries: &[Entry]) -> Vec<&[Entry]> {
    let (mut calls, mut rest) = (Vec::new(), entries);
    while !rest.is_empty() {
        let mut size = 0;
        let fitting = rest.iter().take(MOST_ENTRIES).take_while(|entry| {
            size += entry.size;
            size <= MOST_IN_A_CALL
        });
        let (call, others) = rest.split_at(fitting.count().clamp(1, rest.len()));
        calls.push(call);
        rest = others;
    }
    calls
}

/// What the bus said of one entry.
#[derive(Debug)]
enum Answer {
    Taken,
    /// Not this time, and why.
    NotNow(String),
    /// Neither this time nor any other, and why.
    Never(String),
}

fn answered(answer: &PutEventsResultEntry) -> Answer {
    let code = answer.error_code();
    if code.is_none() && answer.event_id().is_some() {
        return Answer::Taken;
    }
    let why = format!(
        "{}: {}",
        code.unwrap_or("no event id"),
        answer.error_message().unwrap_or("without a message")
    );
    match code {
        Some(code) if NEVER.contains(&code) => Answer::Never(why),
        _ => Answer::NotNow(why),
    }
}

impl Entry {
    fn on(&self, bus: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(entry::SOURCE)
            .detail_type(self.kind.name())
            .detail(&self.detail)
            .time(self.time)
            .build()
    }
}
