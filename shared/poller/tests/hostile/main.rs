//! The whole poller over real HTTP against the hostile sandbox: whatever that does, and however often workers are
//! dropped in the middle or run twice at once, no change is lost, repeated or out of order.
//!
//! Time is virtual: it moves with every request, with every tick, and by a minute where a worker is held up, so that
//! half an hour takes seconds and nothing waits. The world and the faults follow from the seed. At which `await` a worker
//! is dropped does not quite: how often it has to wait for an answer is up to the machine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, in its helping functions too"
)]

mod chance;
mod compare;
mod setting;
mod unreliable;
mod virtual_time;
mod workers;

use setting::{COVERED, List, Setting};

/// Changes of one run. One takes some seconds in a debug build; `HOSTILE_RUNS=10` makes ten times as many, each with a
/// seed of its own.
const CHANGES: u64 = 1500;

async fn check(list: List, seed: u64) {
    let runs = std::env::var("HOSTILE_RUNS").map_or(1, |runs| runs.parse().unwrap());
    for seed in (0..runs).map(|run| seed + 10 * run) {
        let setting = Setting::new(seed, list, COVERED).await;
        workers::run(&setting).await;
        let score = compare::compare(&setting).await;
        let told = format!(
            "{list:?}, seed {seed}: {score:#?}\n{:#?}\n{:#?}",
            setting.sandbox.faults(),
            setting.outcomes.lock().unwrap()
        );
        assert!(score.problems.is_empty(), "{told}");
        // That it was put to the test at all.
        assert!(score.changes >= CHANGES && score.events > CHANGES / 2, "{told}");
        assert!(
            score.commits > 15 && score.dropped + score.taken_over > 0,
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_sorted_list_with_cursors() {
    check(List::new("asc", "cursor", "included"), 1).await;
}

#[tokio::test]
async fn a_sorted_list_by_number() {
    check(List::new("asc", "offset", "included"), 2).await;
}

#[tokio::test]
async fn a_list_with_the_newest_first() {
    check(List::new("desc", "cursor", "excluded"), 3).await;
}

#[tokio::test]
async fn a_list_in_no_order_by_number() {
    check(List::new("none", "offset", "included"), 4).await;
}

#[tokio::test]
async fn a_feed_without_a_filter() {
    check(List::feed(), 5).await;
}

/// The comparison has eyes, and the guarantee the limits that it names (A1).
#[tokio::test]
async fn what_shows_later_than_look_back_and_settle_cover_is_lost() {
    let list = List::new("asc", "cursor", "included");
    let setting = Setting::new(6, list, COVERED * 20).await;
    workers::run(&setting).await;
    let problems = compare::compare(&setting).await.problems;
    assert!(!problems.is_empty(), "nothing was seen of it");
    for problem in problems {
        assert!(problem.starts_with("lost: "), "{problem}");
    }
}
