//! Adapters that live and die with the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::StorageError;
use crate::rate::{Budget, RateBudget, RateLimit};

/// A rate budget that remembers when each request of the last window started, so that no window of any
/// position holds too many. Memory: one instant per request of a window.
#[derive(Debug, Default)]
pub struct InProcessBudget {
    starts: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl InProcessBudget {
    /// A budget with nothing used.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl RateBudget for InProcessBudget {
    async fn take(&self, integration: &str, limit: RateLimit) -> Result<Budget, StorageError> {
        let now = Instant::now();
        let mut all = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let starts = all.entry(integration.to_owned()).or_default();
        while starts
            .front()
            .is_some_and(|start| now.duration_since(*start) >= limit.per)
        {
            starts.pop_front();
        }
        if starts.len() < limit.requests as usize {
            starts.push_back(now);
            return Ok(Budget::Granted);
        }
        // With a limit that became smaller, the oldest start is not the one to wait for.
        let blocking = starts
            .len()
            .checked_sub(limit.requests as usize)
            .and_then(|index| starts.get(index));
        let retry_after = blocking.map_or(limit.per, |start| {
            limit.per.saturating_sub(now.duration_since(*start))
        });
        Ok(Budget::Exhausted { retry_after })
    }
}

#[cfg(test)]
mod contract {
    use super::InProcessBudget;

    crate::rate_budget_contract!(InProcessBudget::new());
}
