//! Where events are delivered by HTTP, and how far each delivery is.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StorageError;
use crate::event_log::EventCursor;
use crate::poll_state::{Lease, Swap};

/// An address that gets the events of an integration, and the state of the delivery. Its signing secrets are not
/// here but with the integration's other secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// `wh_` and letters and digits.
    pub id: String,
    /// Name of the integration whose events it gets.
    pub integration: String,
    /// Where they are sent.
    pub url: String,
    /// Counts the writes of this record; 0 if it was never stored.
    pub revision: u64,
    /// When it was added.
    pub created_at: Timestamp,
    /// Behind the last event that was delivered or given up; none for the beginning of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<EventCursor>,
    /// Failed attempts to deliver the event after the cursor.
    #[serde(default)]
    pub attempts: u32,
    /// No attempt before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Since when no attempt succeeded; none after a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// When it was disabled, by an operator or after days of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Why the last attempt failed, for the operator; none if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Who delivers now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
}

/// Keeps webhooks. Every write is a compare-and-swap on the revision.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// The webhooks of one integration, or all, by integration and id.
    ///
    /// # Errors
    /// When the store fails.
    async fn webhooks(&self, integration: Option<&str>) -> Result<Vec<Webhook>, StorageError>;

    /// Stores `webhook` with the next revision if its `revision` is the stored one, or is 0 and nothing is stored.
    ///
    /// # Errors
    /// When the store fails; it may have been written.
    async fn store_webhook(&self, webhook: &Webhook) -> Result<Swap, StorageError>;

    /// Removes a webhook. Whether there was one.
    ///
    /// # Errors
    /// When the store fails; it may have been removed.
    async fn remove_webhook(&self, integration: &str, id: &str) -> Result<bool, StorageError>;
}
