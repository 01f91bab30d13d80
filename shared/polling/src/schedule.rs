//! When a stream is due.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use storage::StreamKey;

use crate::settings::Settings;
use crate::time::{between, from_microseconds, later, microseconds, shifted};

/// The delays, counted from `from`, after which a run of the stream is due, for the time up to `from + span`.
///
/// The runs of a stream are `interval` apart for ever; where they lie in it is a hash of its name, so that a
/// thousand streams do not start together.
pub fn due(key: &StreamKey, interval: Duration, from: Timestamp, span: Duration) -> Vec<Duration> {
    let step = microseconds(interval).max(1);
    let phase = i64::try_from(hash(key) % u64::try_from(step).unwrap_or(1)).unwrap_or(0);
    let start = from.as_microsecond();
    // The first moment at or after `from` that is a multiple of the interval plus the phase.
    let first = start.saturating_add((phase - start).rem_euclid(step));
    let end = later(from, span);
    (0..)
        .map(|number: i64| from_microseconds(first.saturating_add(number.saturating_mul(step))))
        .take_while(|time| *time < end)
        .map(|time| between(from, time))
        .collect()
}

/// The wait after `times` failures: doubled each time up to `ceiling`, and of that between half and the whole,
/// so that streams that failed together do not come back together.
pub(crate) fn backoff(key: &StreamKey, times: u32, interval: Duration, ceiling: Duration) -> Duration {
    let doubled = interval.saturating_mul(2_u32.saturating_pow(times.saturating_sub(1)));
    let whole = doubled.min(ceiling);
    let spread = hash(key).rotate_left(times) % 1000;
    whole / 2 + (whole / 2).mul_f64(f64::from(u16::try_from(spread).unwrap_or(0)) / 1000.0)
}

/// How far behind a stream is: now minus its watermark.
pub fn lag(watermark: Timestamp, now: Timestamp) -> Duration {
    between(watermark, now)
}

/// How much further behind a stream is than one that is up to date and waits for its next run: zero for such a one.
///
/// A stream in which nothing happens is its look-back, settle time and interval behind by design, and one whose ticketing
/// system's clock is slow (`skew_milliseconds`, its clock minus ours) that much more.
pub fn overdue(
    watermark: Timestamp,
    now: Timestamp,
    skew_milliseconds: i64,
    settings: &Settings,
) -> Duration {
    let usual = settings.look_back + settings.settle + settings.granularity + settings.interval;
    lag(watermark, shifted(now, skew_milliseconds.min(0))).saturating_sub(usual)
}

fn hash(key: &StreamKey) -> u64 {
    let mut hash = Sha256::new();
    hash.update(&key.integration);
    hash.update([0]);
    hash.update(key.destination.as_deref().unwrap_or_default());
    hash.finalize()
        .iter()
        .take(8)
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}
