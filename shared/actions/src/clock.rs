//! The time as the gateway sees it, so that tests can choose it.

use jiff::Timestamp;

/// Where the gateway reads the present moment: for `$TIME()` in mappings and for the age of
/// idempotency records.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Clock for Timestamp {
    /// A clock that stands still, for tests.
    fn now(&self) -> Timestamp {
        *self
    }
}
