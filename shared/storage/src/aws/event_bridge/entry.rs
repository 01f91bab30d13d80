//! One event as the bus takes it, and what that may weigh.

use aws_smithy_types::DateTime;

use crate::error::StorageError;
use crate::event_sink::{Event, EventKind};

/// Where events come from, in the words of the bus.
pub(super) const SOURCE: &str = "ticket-gateway";

/// Entries in a call (EventBridge's API reference, `PutEvents`).
pub(super) const MOST_ENTRIES: usize = 10;

/// Bytes of all entries of a call. EventBridge took 256 KB until January 2026 and takes 1 MB since (its user guide,
/// "PutEvents event entry size"; the announcement on the AWS Compute blog of 29 January 2026).
pub(super) const MOST_IN_A_CALL: usize = 1_000_000;

/// What `Time` counts for, however it is written (the same page of the user guide).
const TIME: usize = 14;

/// An event that is ready to be sent.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: EventKind,
    pub(super) detail: String,
    pub(super) time: DateTime,
    /// As EventBridge counts: `Time`, `Source`, `DetailType` and `Detail` in UTF-8.
    pub(super) size: usize,
}

impl Entry {
    pub(super) fn new(event: &Event) -> Result<Self, StorageError> {
        let detail = serde_json::to_string(event)
            .map_err(|error| StorageError::failed("cannot write an event as JSON", error))?;
        let observed = event.observed_at;
        Ok(Self {
            kind: event.kind,
            // Whole seconds: that is what the bus keeps.
            time: DateTime::from_secs(observed.as_second()),
            size: TIME + SOURCE.len() + event.kind.name().len() + detail.len(),
            detail,
        })
    }
}
