//! Rate budgets: how many requests may start in a window.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::StorageError;

/// At most `requests` starts in any window of the length `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in a window; 0 allows none.
    pub requests: u32,
    /// Length of the window.
    pub per: Duration,
}

/// What [`RateBudget::take`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// The request may start now and is counted.
    Granted,
    /// It may not; nothing was counted.
    Exhausted {
        /// After this time a request may start again, if nobody else takes it.
        retry_after: Duration,
    },
}

/// Counts requests per integration.
#[async_trait]
pub trait RateBudget: Send + Sync {
    /// Takes one request of `integration` from its budget.
    ///
    /// # Errors
    /// When the store cannot be reached.
    async fn take(&self, integration: &str, limit: RateLimit) -> Result<Budget, StorageError>;
}
