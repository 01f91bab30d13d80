//! A clock that moves when it is told to, and a rate budget that waits by it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use polling::Clock;
use storage::{Budget, Lane, Observation, RateBudget, RateLimit, StorageError};

pub(crate) struct VirtualTime(AtomicI64);

impl VirtualTime {
    /// It begins now: what is kept for some days by the machine's clock is kept.
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(Timestamp::now().as_microsecond()))
    }

    pub(crate) fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Counts nothing, and keeps to the `Retry-After` of a 429 as the real ones do.
pub(crate) struct VirtualBudget {
    clock: Arc<VirtualTime>,
    until: Mutex<Timestamp>,
}

impl VirtualBudget {
    pub(crate) fn new(clock: Arc<VirtualTime>) -> Self {
        Self {
            clock,
            until: Mutex::new(Timestamp::MIN),
        }
    }
}

#[async_trait]
impl RateBudget for VirtualBudget {
    async fn take(&self, _: &str, _: RateLimit, _: Lane) -> Result<Budget, StorageError> {
        let left = self.until.lock().unwrap().duration_since(self.clock.now());
        Ok(match Duration::try_from(left) {
            Ok(retry_after) if retry_after > Duration::ZERO => Budget::Blocked { retry_after },
            _ => Budget::Granted,
        })
    }

    async fn observe(&self, _: &str, observation: Observation) -> Result<(), StorageError> {
        if let Some(wait) = observation.retry_after {
            *self.until.lock().unwrap() = self.clock.now() + wait;
        }
        Ok(())
    }
}
