//! Which requests count at a moment, and how many more fit. Nothing here waits or writes.
//!
//! Times are milliseconds since 1970, so that functions on several machines mean the same by them.

use std::time::Duration;

use crate::rate::{Lane, RateLimit};

/// A window is counted in so many slots. What starts in one slot counts until its last request is a window old:
/// the item stays small, and a request counts at most a slot too long.
const SLOTS: u64 = 32;
/// No time is later, so that sums of times stay in their type.
const LAST_TIME: u64 = u64::MAX / 4;

/// Requests that were taken from a budget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// (time, number): so many requests start at that time at the latest. In the order of time.
    starts: Vec<(u64, u64)>,
    /// The ticketing system wants no request before.
    blocked_until: u64,
    /// From when on nothing in it counts any more.
    over_at: u64,
}

impl Window {
    /// What an item holds, or none where that is not ours.
    pub(super) fn from_parts(starts: &str, blocked_until: u64, over_at: u64) -> Option<Self> {
        let mut starts: Vec<(u64, u64)> = serde_json::from_str(starts).ok()?;
        starts.sort_unstable();
        let is_sane = starts
            .iter()
            .all(|(time, count)| *time < LAST_TIME && *count <= u64::from(u32::MAX));
        (is_sane && starts.len() < 1000).then_some(Self {
            starts,
            blocked_until,
            over_at,
        })
    }

    /// As JSON: `[[time, number], …]`.
    pub(super) fn starts(&self) -> String {
        serde_json::json!(self.starts).to_string()
    }

    /// How many requests of `lane` can be taken now, at least one; or how long to wait for that.
    pub(super) fn free(&self, now: u64, limit: RateLimit, lane: Lane) -> Result<u64, Duration> {
        if self.blocked_until > now {
            return Err(Duration::from_millis(self.blocked_until - now));
        }
        let per = milliseconds(limit.per);
        let counting = || self.starts.iter().filter(|(time, _)| time + per > now);
        let used: u64 = counting().map(|(_, count)| count).sum();
        let allowed = u64::from(limit.of(lane));
        if used < allowed {
            return Ok(allowed - used);
        }
        // Enough of the oldest must be a window old.
        let mut left = used;
        let freeing = counting().find(|(_, count)| {
            left -= count;
            left < allowed
        });
        let wait = freeing.map_or(per, |(time, _)| time + per - now);
        Err(Duration::from_millis(wait))
    }

    /// Counts requests that start at `time` at the latest, and forgets those that no longer count.
    pub(super) fn count(&mut self, now: u64, time: u64, requests: u64, per: Duration) {
        let per = milliseconds(per);
        self.starts.retain(|(start, _)| start + per > now);
        let slot = (per / SLOTS).max(1);
        match self
            .starts
            .iter_mut()
            .find(|(start, _)| *start / slot == time / slot)
        {
            Some((start, count)) => {
                *start = time.max(*start);
                *count += requests;
            }
            None => {
                self.starts.push((time, requests));
            }
        }
        self.starts.sort_unstable();
        self.over_at = self.over_at.max(time + per);
    }

    /// Nothing starts before `until`.
    pub(super) fn block(&mut self, until: u64) {
        self.blocked_until = until.max(self.blocked_until);
        self.over_at = until.max(self.over_at);
    }

    /// Drops what is later than `latest`, which nobody writes whose clock is right: one wrong clock must not stop
    /// everybody. It is dropped and not cut, as it would be cut anew at each reading and so never be over.
    pub(super) fn forget_after(&mut self, latest: u64) {
        self.starts.retain(|(time, _)| *time <= latest);
        if self.blocked_until > latest {
            self.blocked_until = 0;
        }
    }

    /// The ticketing system wants no request before.
    pub(super) fn blocked_until(&self) -> u64 {
        self.blocked_until
    }

    /// From when on nothing in it counts any more.
    pub(super) fn over_at(&self) -> u64 {
        self.over_at
    }
}

/// A length of time; longer than time itself is cut.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(LAST_TIME)
        .min(LAST_TIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_A_SECOND: RateLimit = RateLimit {
        requests: 10,
        per: Duration::from_secs(1),
        reserved: 2,
    };

    fn free(window: &Window, now: u64) -> Result<u64, Duration> {
        window.free(now, TEN_A_SECOND, Lane::Action)
    }

    fn wait(milliseconds: u64) -> Result<u64, Duration> {
        Err(Duration::from_millis(milliseconds))
    }

    #[test]
    fn a_request_counts_for_a_window_from_its_latest_start() {
        let mut window = Window::default();
        window.count(1000, 1100, 10, TEN_A_SECOND.per);
        assert_eq!(free(&window, 1000), wait(1100));
        assert_eq!(free(&window, 2099), wait(1));
        assert_eq!(free(&window, 2100), Ok(10));
    }

    #[test]
    fn the_wait_ends_when_enough_of_the_oldest_are_a_window_old() {
        let mut window = Window::default();
        window.count(0, 0, 3, TEN_A_SECOND.per);
        window.count(500, 500, 7, TEN_A_SECOND.per);
        assert_eq!(free(&window, 600), wait(400));
        assert_eq!(free(&window, 1000), Ok(3));
        assert_eq!(window.free(600, TEN_A_SECOND, Lane::Poll), wait(400));
        let three = RateLimit {
            requests: 3,
            ..TEN_A_SECOND
        };
        assert_eq!(window.free(600, three, Lane::Action), wait(900));
    }

    #[test]
    fn polls_leave_the_reserve() {
        let mut window = Window::default();
        window.count(0, 0, 8, TEN_A_SECOND.per);
        assert_eq!(free(&window, 0), Ok(2));
        assert_eq!(window.free(0, TEN_A_SECOND, Lane::Poll), wait(1000));
    }

    #[test]
    fn a_block_is_over_at_its_time() {
        let mut window = Window::default();
        window.block(700);
        window.block(600);
        assert_eq!(free(&window, 0), wait(700));
        assert_eq!(free(&window, 700), Ok(10));
    }

    #[test]
    fn what_a_wrong_clock_wrote_stops_nobody() {
        let mut window = Window::default();
        window.block(90_000);
        window.count(80_000, 80_000, 10, TEN_A_SECOND.per);
        window.forget_after(60_000);
        assert_eq!(free(&window, 0), Ok(10));
        window.block(60_000);
        window.forget_after(60_000);
        assert_eq!(free(&window, 0), wait(60_000));
    }

    #[test]
    fn a_busy_window_stays_small() {
        let mut window = Window::default();
        for now in 0..20_000 {
            window.count(now, now, 1, TEN_A_SECOND.per);
        }
        assert!(window.starts().len() < 800, "{}", window.starts().len());
        let used: u64 = window.starts.iter().map(|(_, count)| count).sum();
        assert!((1000..=1064).contains(&used), "{used}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut window = Window::default();
        window.count(10, 10, 1, TEN_A_SECOND.per);
        window.count(900, 900, 2, TEN_A_SECOND.per);
        window.block(5000);
        let read = Window::from_parts(&window.starts(), window.blocked_until(), window.over_at());
        assert_eq!(read, Some(window));
        for other in [
            "",
            "{}",
            "[[1]]",
            r#"[["a", 1]]"#,
            "[[-1, 1]]",
            "[[18446744073709551615, 1]]",
        ] {
            assert_eq!(Window::from_parts(other, 0, 0), None, "{other}");
        }
    }
}
