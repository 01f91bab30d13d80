//! At most so many requests in a sliding time.

use std::collections::VecDeque;
use std::time::Duration;

use super::moment::Moment;

pub(super) struct RateLimit {
    requests: usize,
    period_ms: i64,
    answered: VecDeque<Moment>,
}

impl RateLimit {
    pub(super) fn new(requests: u32, period: Duration) -> Self {
        Self {
            requests: usize::try_from(requests).unwrap_or(usize::MAX),
            period_ms: i64::try_from(period.as_millis()).unwrap_or(i64::MAX),
            answered: VecDeque::new(),
        }
    }

    /// Counts a request, or says in how many whole seconds the next one will be answered.
    pub(super) fn take(&mut self, now: Moment) -> Result<(), i64> {
        while self
            .answered
            .front()
            .is_some_and(|first| now.since(*first) >= self.period_ms)
        {
            self.answered.pop_front();
        }
        if self.answered.len() < self.requests {
            self.answered.push_back(now);
            return Ok(());
        }
        let waited = self.answered.front().map_or(0, |first| now.since(*first));
        Err(((self.period_ms - waited) + 999).div_euclid(1000).max(1))
    }
}
