//! Adapters that live and die with the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::StorageError;
use crate::rate::{Budget, Lane, Observation, RateBudget, RateLimit};

/// A rate budget that remembers when each request of the last window started, so that no window of any
/// position holds too many. Memory: one instant per request of a window.
#[derive(Debug, Default)]
pub struct InProcessBudget {
    integrations: Mutex<HashMap<String, Usage>>,
}

#[derive(Debug, Default)]
struct Usage {
    starts: VecDeque<Instant>,
    blocked_until: Option<Instant>,
}

impl InProcessBudget {
    /// A budget with nothing used.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl RateBudget for InProcessBudget {
    async fn take(&self, integration: &str, limit: RateLimit, lane: Lane) -> Result<Budget, StorageError> {
        let now = Instant::now();
        let mut all = self.integrations.lock().unwrap_or_else(PoisonError::into_inner);
        let usage = all.entry(integration.to_owned()).or_default();
        if let Some(until) = usage.blocked_until.filter(|until| *until > now) {
            return Ok(Budget::Blocked {
                retry_after: until.duration_since(now),
            });
        }
        let starts = &mut usage.starts;
        while starts
            .front()
            .is_some_and(|start| now.duration_since(*start) >= limit.per)
        {
            starts.pop_front();
        }
        let allowed = limit.of(lane) as usize;
        if starts.len() < allowed {
            starts.push_back(now);
            return Ok(Budget::Granted);
        }
        // With fewer allowed than were started, the oldest start is not the one to wait for.
        let blocking = starts
            .len()
            .checked_sub(allowed)
            .and_then(|index| starts.get(index));
        let retry_after = blocking.map_or(limit.per, |start| {
            limit.per.saturating_sub(now.duration_since(*start))
        });
        Ok(Budget::Exhausted { retry_after })
    }

    async fn observe(&self, integration: &str, observation: Observation) -> Result<(), StorageError> {
        let used_up = (observation.remaining == Some(0))
            .then_some(observation.resets_in)
            .flatten();
        let wait = observation.retry_after.max(used_up).unwrap_or(Duration::ZERO);
        if !wait.is_zero() {
            let until = Instant::now() + wait;
            let mut all = self.integrations.lock().unwrap_or_else(PoisonError::into_inner);
            let usage = all.entry(integration.to_owned()).or_default();
            usage.blocked_until = usage.blocked_until.max(Some(until));
        }
        Ok(())
    }
}

#[cfg(test)]
mod contract {
    use super::InProcessBudget;

    crate::rate_budget_contract!(InProcessBudget::new());
}
