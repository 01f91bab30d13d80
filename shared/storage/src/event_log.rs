//! Events that are kept for a while and can be read by cursor.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::StorageError;
use crate::event_sink::{Event, EventSink};

/// A place in the log of one integration. Its text is the store's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventCursor(pub String);

/// An event and the cursor after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedEvent {
    /// Reading after this cursor goes on behind the event.
    pub cursor: EventCursor,
    /// The event.
    pub event: Event,
}

/// A sink that keeps each event once, by `event_id`, for a time of its own (7 days by default).
///
/// The order is that of acceptance, per integration: an event that is accepted later is never found before one
/// that was already read, so that a reader that goes on from its cursor misses none.
#[async_trait]
pub trait EventLog: EventSink {
    /// At most `limit` events of `integration` after `after` (from the oldest one without it), oldest first.
    /// Empty at the end.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when what follows `after` is no longer kept; otherwise when the store fails.
    async fn read(
        &self,
        integration: &str,
        after: Option<&EventCursor>,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StorageError>;

    /// The cursor behind the newest event: where a reader starts that wants only what comes.
    ///
    /// # Errors
    /// When the store fails.
    async fn end(&self, integration: &str) -> Result<Option<EventCursor>, StorageError>;
}
