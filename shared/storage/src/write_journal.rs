//! Which writes to the ticketing system were our own, so that the change event of one can say so.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StorageError;

/// How long a write is remembered, from its end.
pub const WRITES_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How many of a ticket's writes are remembered at least, the newest.
pub const WRITES_KEPT_OF_A_TICKET: usize = 20;

/// A write that a ticket action made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalledWrite {
    /// Id of the ticket, as the poller sees it.
    pub ticket_id: String,
    /// The request id of the call.
    pub request_id: String,
    /// When the call began, by our clock.
    pub from: Timestamp,
    /// When the call ended, by our clock.
    pub until: Timestamp,
}

/// Remembers the gateway's own writes for [`WRITES_KEPT`].
#[async_trait]
pub trait WriteJournal: Send + Sync {
    /// Adds a write. The same `ticket_id` and `request_id` again replaces it.
    ///
    /// # Errors
    /// When the store fails.
    async fn note(&self, integration: &str, write: &JournalledWrite) -> Result<(), StorageError>;

    /// The remembered writes to at most 100 tickets, in any order; of each ticket at least the
    /// [`WRITES_KEPT_OF_A_TICKET`] newest. One batch read.
    ///
    /// # Errors
    /// When the store fails.
    async fn writes(
        &self,
        integration: &str,
        ticket_ids: &[&str],
    ) -> Result<Vec<JournalledWrite>, StorageError>;
}

/// The end of the oldest write that is still remembered.
#[cfg(any(feature = "aws", feature = "embedded"))]
pub(crate) fn oldest_kept(now: Timestamp) -> Timestamp {
    now.checked_sub(WRITES_KEPT).unwrap_or(Timestamp::MIN)
}
