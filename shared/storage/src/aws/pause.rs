//! Waiting before another attempt.

use std::time::Duration;

use rand::Rng;

const FIRST: u64 = 10;
const LONGEST: u64 = 200;

/// Waits for a random time of at most 10 ms, then 20, 40 … 200 ms, so that those who met do not meet again.
pub(super) async fn pause(attempt: u32) {
    let most = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    let milliseconds = rand::rng().random_range(1..=most);
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
