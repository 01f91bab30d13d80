//! A short run of the simulation; `examples/simulate` is the long one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "shared with the example, which stops at what surprises it"
)]

#[path = "../examples/simulate/simulation/mod.rs"]
mod simulation;

use simulation::Simulation;
use simulation::truth::Score;
use simulation::world::Faults;

fn simulate(seed: u64, changes: u64, rate: f64) -> Score {
    let faults = Faults {
        rate,
        kill: rate / 2.0,
        outages: rate > 0.0,
    };
    Simulation::new(seed, changes, faults).run()
}

fn assert_clean(seed: u64, changes: u64, rate: f64) {
    let score = simulate(seed, changes, rate);
    assert!(
        score.is_clean(),
        "seed {seed}, rate {rate}: {:?}",
        score.first_problem
    );
    assert!(score.changes >= changes && score.events > changes / 4);
}

#[test]
fn nothing_is_lost_or_repeated_without_faults() {
    assert_clean(1, 5000, 0.0);
}

#[test]
fn nothing_is_lost_or_repeated_under_faults() {
    assert_clean(2, 20_000, 0.004);
}

#[test]
fn nothing_is_lost_or_repeated_under_many_faults() {
    assert_clean(3, 20_000, 0.02);
}

#[test]
fn a_seed_gives_the_same_run_again() {
    assert_eq!(simulate(4, 2000, 0.01), simulate(4, 2000, 0.01));
}
