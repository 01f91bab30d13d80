//! Which writes to the ticketing system were our own, so that the change event of one can say so.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StorageError;

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

/// Remembers the gateway's own writes for a day.
#[async_trait]
pub trait WriteJournal: Send + Sync {
    /// Adds a write. The same `ticket_id` and `request_id` again replaces it.
    ///
    /// # Errors
    /// When the store fails.
    async fn note(&self, integration: &str, write: &JournalledWrite) -> Result<(), StorageError>;

    /// The remembered writes to at most 100 tickets, in any order; of each ticket at least the 20 newest. One batch
    /// read.
    ///
    /// # Errors
    /// When the store fails.
    async fn writes(
        &self,
        integration: &str,
        ticket_ids: &[&str],
    ) -> Result<Vec<JournalledWrite>, StorageError>;
}
