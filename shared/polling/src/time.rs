//! Arithmetic on instants that stops at the ends of time instead of failing.

use std::time::Duration;

use jiff::Timestamp;

pub(crate) fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn from_microseconds(value: i64) -> Timestamp {
    let (first, last) = (Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond());
    Timestamp::from_microsecond(value.clamp(first, last)).unwrap_or(Timestamp::MAX)
}

pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    from_microseconds(time.as_microsecond().saturating_add(microseconds(by)))
}

pub(crate) fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    from_microseconds(time.as_microsecond().saturating_sub(microseconds(by)))
}

/// A time of our clock as a clock shows it that is ahead by `skew_milliseconds`.
pub(crate) fn shifted(time: Timestamp, skew_milliseconds: i64) -> Timestamp {
    from_microseconds(
        time.as_microsecond()
            .saturating_add(skew_milliseconds.saturating_mul(1000)),
    )
}

/// The last multiple of `step` that is not after `time`.
pub(crate) fn floor(time: Timestamp, step: Duration) -> Timestamp {
    let (value, step) = (time.as_microsecond(), microseconds(step).max(1));
    from_microseconds(value.div_euclid(step).saturating_mul(step))
}

/// The first multiple of `step` that is not before `time`.
pub(crate) fn ceiling(time: Timestamp, step: Duration) -> Timestamp {
    let down = floor(time, step);
    if down < time { later(down, step) } else { down }
}

/// `later` minus `earlier`; zero if it is not later.
pub(crate) fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    let gap = later.as_microsecond().saturating_sub(earlier.as_microsecond());
    Duration::from_micros(u64::try_from(gap).unwrap_or(0))
}
