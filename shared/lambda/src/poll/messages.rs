//! What SQS hands to a function, and what the function answers ("Using Lambda with Amazon SQS").
//!
//! Of the crate for Lambda's events, its part for SQS would bring a dozen others for two fields of a message.

use serde::{Deserialize, Serialize};

/// Some messages of a queue.
#[derive(Debug, Clone, Deserialize)]
pub struct SqsEvent {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<SqsMessage>,
}

/// A message.
#[derive(Debug, Clone, Deserialize)]
pub struct SqsMessage {
    /// The queue's id of it.
    #[serde(rename = "messageId")]
    pub message_id: String,
    /// What was sent.
    #[serde(default)]
    pub body: String,
}

/// Which messages are to come again (`ReportBatchItemFailures`).
#[derive(Debug, Clone, Serialize)]
pub struct SqsBatchResponse {
    /// Those. The queue forgets the others.
    #[serde(rename = "batchItemFailures")]
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A message that is to come again.
#[derive(Debug, Clone, Serialize)]
pub struct BatchItemFailure {
    /// Its id.
    #[serde(rename = "itemIdentifier")]
    pub item_identifier: String,
}
