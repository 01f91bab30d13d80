//! Requests that a process took ahead, so that it need not write for each.

use std::time::Duration;

use super::window::milliseconds;
use crate::rate::RateLimit;

/// A request that was granted is sent by then.
const MARGIN: u64 = 5;
/// How long the write of a batch may take, as part of the window and at the least and most; longer where the last one
/// took more than half of it. A grant that comes later would start in a window in which it is not counted.
const WRITE: (u32, Duration, Duration) = (20, Duration::from_millis(100), Duration::from_secs(1));
/// How long a batch of several can be used.
const USE: (u32, Duration, Duration) = (10, Duration::from_millis(100), Duration::from_secs(10));
/// A batch is at most this part of the limit, and of what is free.
const PART_OF_LIMIT: u64 = 10;
const PART_OF_FREE: u64 = 4;

/// The requests of one lane that a process holds, and how many it takes at a time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// A batch of another limit is worthless.
    limit: Option<RateLimit>,
    left: u64,
    used: u64,
    size: u64,
    taken_at: u64,
    usable_until: u64,
}

impl Batch {
    /// Uses one of the requests it holds, where there is one.
    pub(super) fn spend(&mut self, now: u64, limit: RateLimit) -> bool {
        if self.limit != Some(limit) || self.left == 0 || now + MARGIN >= self.usable_until {
            return false;
        }
        self.left -= 1;
        self.used += 1;
        true
    }

    /// How many to take now, and until when they can be used. Twice as many as before where those were used up in
    /// their time; else as many as were used. `writing`: how many ms the last write took.
    pub(super) fn plan(&self, now: u64, limit: RateLimit, free: u64, writing: u64) -> (u64, u64) {
        let in_time = now < self.taken_at + part(USE, limit.per);
        let wanted = match self.limit {
            Some(before) if before == limit && in_time => self.size * 2,
            Some(before) if before == limit => self.used,
            _ => 1,
        };
        let most = (u64::from(limit.requests) / PART_OF_LIMIT).min(free / PART_OF_FREE);
        let size = wanted.min(most).max(1);
        let write = part(WRITE, limit.per).max(writing.saturating_mul(2));
        let usable = if size > 1 {
            part(USE, limit.per).max(write)
        } else {
            write
        };
        (size, now + usable)
    }

    /// The batch was written.
    pub(super) fn hold(&mut self, taken_at: u64, limit: RateLimit, size: u64, usable_until: u64) {
        *self = Self {
            limit: Some(limit),
            left: size,
            used: 0,
            size,
            taken_at,
            usable_until,
        };
    }
}

fn part((divisor, least, most): (u32, Duration, Duration), per: Duration) -> u64 {
    milliseconds((per / divisor).clamp(least, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit {
        requests: 100,
        per: Duration::from_secs(60),
        reserved: 20,
    };

    /// Takes one request and says whether that needed a write.
    fn take(batch: &mut Batch, now: u64, free: u64) -> bool {
        if batch.spend(now, LIMIT) {
            return false;
        }
        let (size, until) = batch.plan(now, LIMIT, free, 5);
        batch.hold(now, LIMIT, size, until);
        assert!(batch.spend(now, LIMIT));
        true
    }

    #[test]
    fn batches_grow_to_a_tenth_of_the_limit_under_load() {
        let mut batch = Batch::default();
        let mut sizes = Vec::new();
        for now in 0..45 {
            if take(&mut batch, now, 100) {
                sizes.push(batch.size);
            }
        }
        assert_eq!(sizes, [1, 2, 4, 8, 10, 10, 10]);
    }

    #[test]
    fn a_batch_is_small_when_little_is_left() {
        let mut batch = Batch::default();
        for now in 0..45 {
            take(&mut batch, now, 100);
        }
        let size = |free| batch.plan(45, LIMIT, free, 5).0;
        assert_eq!([size(100), size(20), size(4), size(1)], [10, 5, 1, 1]);
    }

    #[test]
    fn a_slow_store_is_given_more_time() {
        let until = |writing| Batch::default().plan(0, LIMIT, 100, writing).1;
        assert_eq!([until(5), until(400), until(900)], [1000, 1000, 1800]);
    }

    #[test]
    fn a_batch_that_was_not_used_up_is_followed_by_a_smaller_one() {
        let mut batch = Batch::default();
        for now in 0..16 {
            take(&mut batch, now, 100);
        }
        assert_eq!((batch.size, batch.used), (10, 1));
        assert!(take(&mut batch, 20_000, 100));
        assert_eq!(batch.size, 1);
    }

    #[test]
    fn a_batch_is_worthless_after_its_time_and_for_another_limit() {
        let mut batch = Batch::default();
        batch.hold(0, LIMIT, 10, 6000);
        assert!(batch.spend(5000, LIMIT));
        assert!(!batch.spend(6000, LIMIT));
        assert!(!batch.spend(
            5000,
            RateLimit {
                requests: 50,
                ..LIMIT
            }
        ));
    }
}
