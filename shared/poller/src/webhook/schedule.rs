//! When a delivery that failed is tried again.

use std::time::Duration;

use rand::Rng;

/// The waits between attempts, as in the specification's section on retries; the last one is repeated.
const WAITS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    hours(2),
    hours(5),
    hours(10),
    hours(14),
    hours(20),
    hours(24),
];
/// The longest wait that a receiver may ask for.
const LONGEST_WAIT: Duration = hours(24);

/// A webhook without a success for this long is disabled.
pub const DISABLED_AFTER: Duration = hours(5 * 24);

/// How long to wait after so many failed attempts: the schedule's time and up to a tenth more, so that what failed
/// together does not come back together; longer where the receiver asked for it.
pub fn wait(failed_attempts: u32, asked: Option<Duration>) -> Duration {
    let step = usize::try_from(failed_attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let [.., last] = WAITS;
    let scheduled = WAITS.get(step).copied().unwrap_or(last);
    let jittered = scheduled.mul_f64(rand::rng().random_range(1.0..=1.1));
    jittered.max(asked.unwrap_or_default().min(LONGEST_WAIT))
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}
