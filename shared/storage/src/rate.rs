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
    /// So many of them are for [`Lane::Action`] alone.
    pub reserved: u32,
}

impl RateLimit {
    /// No limit of our own: nothing is counted, and only what [`RateBudget::observe`] was told blocks.
    pub const UNLIMITED: Self = Self {
        requests: u32::MAX,
        per: Duration::ZERO,
        reserved: 0,
    };

    /// How many requests of a window a lane may use.
    pub fn of(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Action => self.requests,
            Lane::Poll => self.requests.saturating_sub(self.reserved),
        }
    }
}

/// Who asks: a person who waits goes before a poll, which comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A ticket action.
    Action,
    /// The poller.
    Poll,
}

/// What [`RateBudget::take`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// The request may start now and is counted.
    Granted,
    /// It may not, by our own limit; nothing was counted.
    Exhausted {
        /// After this time a request may start again, if nobody else takes it.
        retry_after: Duration,
    },
    /// It may not, because the ticketing system said so ([`RateBudget::observe`]); nothing was counted.
    Blocked {
        /// After this time the system takes requests again.
        retry_after: Duration,
    },
}

/// What an answer of the ticketing system said about its own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observation {
    /// So many requests are left until the reset.
    pub remaining: Option<u32>,
    /// Time until the count begins anew.
    pub resets_in: Option<Duration>,
    /// It refused a request (429) and wants none before this time is over.
    pub retry_after: Option<Duration>,
}

/// Counts requests per integration.
#[async_trait]
pub trait RateBudget: Send + Sync {
    /// Takes one request of `integration` from its budget.
    ///
    /// # Errors
    /// When the store cannot be reached.
    async fn take(&self, integration: &str, limit: RateLimit, lane: Lane) -> Result<Budget, StorageError>;

    /// Takes into account what the ticketing system said: nothing is granted before `retry_after` is over, nor
    /// before the reset once nothing remains.
    ///
    /// # Errors
    /// When the store cannot be reached.
    async fn observe(&self, integration: &str, observation: Observation) -> Result<(), StorageError>;
}
