//! The events of ticket changes and where they go.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::StorageError;
use crate::poll_state::TicketVersion;

/// What happened to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// The ticket was made.
    #[serde(rename = "Ticket Created")]
    Created,
    /// The ticket was changed.
    #[serde(rename = "Ticket Updated")]
    Updated,
}

impl EventKind {
    /// Its name on the bus (EventBridge calls it the detail type).
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "Ticket Created",
            Self::Updated => "Ticket Updated",
        }
    }
}

/// A change of a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The same for the same version of the same ticket, whoever publishes it and how often.
    pub event_id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// Name of the integration.
    pub integration: String,
    /// The destination that was polled; none where the integration has no destinations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Id of the ticket.
    pub ticket_id: String,
    /// Which version of it.
    pub version: TicketVersion,
    /// The window in which it was found, by the ticketing system's clock.
    pub window: EventWindow,
    /// When it was found, by our clock.
    pub observed_at: Timestamp,
    /// The normalised ticket.
    pub ticket: Map<String, Value>,
    /// What differs from the last version that was seen; none if no earlier version is known.
    pub changes: Option<Vec<Change>>,
    /// The request id of our own call that made the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// Fields that were left out because the event would have been too large.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<String>,
}

/// A stretch of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventWindow {
    /// First moment.
    pub start: Timestamp,
    /// Last moment.
    pub end: Timestamp,
}

/// A field that has another value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The field: `state`, or `custom_data.impact`.
    pub field: String,
    /// Its value before; null if it was not there.
    pub before: Value,
    /// Its value after; null if it is gone.
    pub after: Value,
}

impl Event {
    /// The event without the ticket's comments, for a sink that refuses its size. `omitted` says so.
    #[must_use]
    pub fn without_comments(mut self) -> Self {
        self.ticket.remove("comments");
        if let Some(changes) = &mut self.changes {
            for change in changes.iter_mut().filter(|change| change.field == "comments") {
                (change.before, change.after) = (Value::Null, Value::Null);
            }
        }
        self.omitted.push("comments".to_owned());
        self
    }

    /// The event without what the ticket holds and what changed of it, for a sink that refuses its size even without
    /// comments: which version of which ticket it is, and the times. `omitted` says so.
    #[must_use]
    pub fn without_ticket(mut self) -> Self {
        self.ticket.retain(|field, _| field == "id");
        self.changes = None;
        self.omitted = vec!["ticket".to_owned(), "changes".to_owned()];
        self
    }
}

/// What a sink did with one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// It has the event, now or from an earlier time, and will not lose it.
    Accepted,
    /// It does not have it; offer it again later. With the reason.
    Refused(String),
}

/// Takes events: the event log, a bus, webhooks.
///
/// An event is offered again, with the same `event_id` and the same content, until it is accepted. A sink that
/// knows the ids it has (the event log) accepts a repeat without adding it and so has every event exactly once.
/// One that does not (EventBridge) may pass it on twice, in the cases that `docs/polling.md` names; its
/// consumers drop a repeat by its id.
///
/// Refusing is for what passes. An event that a sink can never take, it sets aside (a dead-letter queue) and
/// accepts; otherwise that ticket stops its stream.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// How many events one call takes: 10 for EventBridge. What was accepted is noted after each call.
    fn batch_size(&self) -> usize;

    /// Offers at most [`EventSink::batch_size`] events, of different tickets, and answers for each, in order.
    ///
    /// # Errors
    /// When the sink fails; it may have accepted any of them.
    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError>;
}
