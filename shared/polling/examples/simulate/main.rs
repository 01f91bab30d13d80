//! Compares what the poller publishes with what happened, in virtual time, under random faults:
//! `cargo run --release -p polling --example simulate -- --changes 1000000 --seed 1`.
//!
//! Ends with status 1 if anything was lost, repeated, out of order or wrong. The same seed gives the same run.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a simulation, run by hand: what surprises it stops it"
)]

mod simulation;

use std::process::ExitCode;
use std::time::Instant;

use simulation::Simulation;
use simulation::truth::quantile;
use simulation::world::Faults;

fn main() -> ExitCode {
    let (mut changes, mut seed, mut rate) = (100_000_u64, 1_u64, 0.004_f64);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let is_understood = match name.as_str() {
            "--changes" => value.parse().map(|value| changes = value).is_ok(),
            "--seed" => value.parse().map(|value| seed = value).is_ok(),
            "--fault-rate" => value.parse().map(|value| rate = value).is_ok(),
            _ => false,
        };
        if !is_understood {
            eprintln!("usage: simulate [--changes NUMBER] [--seed NUMBER] [--fault-rate SHARE (0.004)]");
            return ExitCode::from(2);
        }
    }
    let started = Instant::now();
    let faults = Faults {
        rate,
        kill: rate / 2.0,
        outages: rate > 0.0,
    };
    let score = Simulation::new(seed, changes, faults).run();
    println!("seed {seed}: {} changes, {} events", score.changes, score.events);
    println!(
        "  lost {}, repeated {}, out of order {}, wrong {}",
        score.lost, score.repeated, score.out_of_order, score.wrong
    );
    println!(
        "  sent again under the same id to a sink without memory: {}",
        score.resent
    );
    println!(
        "  {} runs, {} killed; {} upstream calls, {:.3} per change",
        score.runs,
        score.killed,
        score.upstream_calls,
        score.upstream_calls as f64 / score.changes as f64
    );
    println!(
        "  runs by outcome: {:?}; {} stale reads",
        score.outcomes, score.stale
    );
    for (which, latencies) in [
        ("", &score.latencies),
        (" outside of outages", &score.calm_latencies),
    ] {
        println!(
            "  detection latency{which} in virtual seconds: p50 {:.1}, p99 {:.1}, worst {:.1}",
            quantile(latencies, 0.5),
            quantile(latencies, 0.99),
            quantile(latencies, 1.0)
        );
    }
    println!("  took {:.1} s", started.elapsed().as_secs_f64());
    if let Some(problem) = &score.first_problem {
        println!("  first problem: {problem}");
    }
    if score.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
