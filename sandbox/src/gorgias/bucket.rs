//! A leaky bucket: each request fills it by one, and it leaks at an even rate.

use std::time::Duration;

use super::moment::Moment;

pub(super) struct Bucket {
    size: f64,
    /// Requests that leak out in a microsecond.
    rate: f64,
    level: f64,
    seen: Moment,
}

/// What a request found in the bucket.
pub(super) struct Turn {
    /// `used/limit`, for `X-Gorgias-Account-Api-Call-Limit`.
    pub(super) used: String,
    /// Whole seconds until the next request is answered; none where this one is.
    pub(super) wait: Option<u64>,
}

impl Bucket {
    /// Holds `size` requests and leaks all of them in `period`.
    pub(super) fn new(size: u32, period: Duration) -> Self {
        let size = f64::from(size.max(1));
        Self {
            size,
            rate: size / (period.as_secs_f64() * 1_000_000.0).max(1.0),
            level: 0.0,
            seen: Moment::START,
        }
    }

    pub(super) fn take(&mut self, now: Moment) -> Turn {
        let passed = now.since(self.seen).max(0) as f64;
        self.level = (self.level - passed * self.rate).max(0.0);
        self.seen = now;
        let wait = if self.level + 1.0 <= self.size {
            self.level += 1.0;
            None
        } else {
            let microseconds = (self.level + 1.0 - self.size) / self.rate;
            Some((microseconds / 1_000_000.0).ceil().max(1.0) as u64)
        };
        Turn {
            used: format!("{}/{}", self.level.ceil(), self.size),
            wait,
        }
    }
}
