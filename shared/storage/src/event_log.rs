//! Events that are kept for a while and can be read by cursor.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::StorageError;
use crate::event_sink::{Event, EventSink};

/// How long an event can be read.
pub const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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

/// A sink that keeps each event once, by `event_id`, for [`EVENTS_KEPT`]. An event that is offered again after that
/// time is a new one to it.
///
/// The order is that of acceptance, per integration: an event that is accepted later is never found before one
/// that was already read, so that a reader that goes on from its cursor misses none.
#[async_trait]
pub trait EventLog: EventSink {
    /// At most `limit` events of `integration` after `after` (from the oldest one without it), oldest first; fewer
    /// where they are large. Empty at the end, or with a limit of 0.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when what follows `after` is no longer kept; [`StorageError::is_invalid`] when
    /// `after` is no cursor of this log; otherwise when the store fails.
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

/// Digits of a cursor: enough for a million events a second for three hundred years.
#[cfg(any(feature = "aws", feature = "embedded"))]
const DIGITS: usize = 16;

/// The cursor after the event of this number, counted from 1 in its integration. Cursors sort as their numbers do.
#[cfg(any(feature = "aws", feature = "embedded"))]
pub(crate) fn cursor(number: u64) -> EventCursor {
    EventCursor(format!("{number:0DIGITS$}"))
}

/// The number of the event that a cursor is after, in a log whose newest event has the number `last`.
#[cfg(any(feature = "aws", feature = "embedded"))]
pub(crate) fn number(integration: &str, cursor: &EventCursor, last: u64) -> Result<u64, StorageError> {
    let EventCursor(text) = cursor;
    let is_ours = text.len() == DIGITS && text.bytes().all(|digit| digit.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_ours).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        StorageError::invalid(format!(
            "`{shown}` is no cursor of the event log; give one that the log gave, or none to read from the oldest event"
        ))
    })?;
    if number > last {
        return Err(StorageError::not_found(format!(
            "the event log of `{integration}` ends before the cursor {text}: it was emptied since; read without a \
             cursor to begin with the oldest event"
        )));
    }
    Ok(number)
}

/// The error of a reader that comes too late.
#[cfg(any(feature = "aws", feature = "embedded"))]
pub(crate) fn no_longer_kept(integration: &str, cursor: &EventCursor) -> StorageError {
    let days = EVENTS_KEPT.as_secs() / (24 * 60 * 60);
    StorageError::not_found(format!(
        "the events of `{integration}` after the cursor {} are no longer kept: they can be read for {days} days; read \
         without a cursor to begin with the oldest event",
        cursor.0
    ))
}
