//! The queue between the dispatcher of polls and their workers.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StorageError;
use crate::poll_state::StreamKey;

/// The order to poll a stream once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollMessage {
    /// What to poll.
    pub stream: StreamKey,
    /// For when the run was planned. A worker drops an order that is older than the stream's interval: the next one is
    /// there already.
    pub due_at: Timestamp,
}

/// Carries orders to workers, at least once, in any order.
#[async_trait]
pub trait PollQueue: Send + Sync {
    /// Sends each message so that it arrives after its delay, at most 15 minutes (the limit of SQS).
    ///
    /// # Errors
    /// When any of them was not taken; others may have been.
    async fn send(&self, messages: &[(PollMessage, Duration)]) -> Result<(), StorageError>;
}
