//! Runs the workers.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::process::Command;

use crate::stub::{self, Stub, Tickets};

/// What is asked for.
pub struct Plan {
    pub tickets: usize,
    pub rounds: usize,
    pub python: Option<String>,
}

/// One run of a worker, as it says itself.
#[derive(Debug, Clone)]
pub struct Run {
    pub published: u64,
    pub cpu: f64,
    pub peak_kb: u64,
    pub requests: BTreeMap<String, u64>,
}

/// What was found.
pub struct Found {
    /// Changed tickets in one window, and the run that polled them.
    pub memory: Vec<(usize, Run)>,
    /// Who, and its runs: new tickets first, then a change of each.
    pub workers: Vec<(&'static str, Vec<[Run; 2]>)>,
    /// Why Python is missing.
    pub without_python: Option<String>,
    /// What an idle poll asked for, with this many tickets in the look-back.
    pub idle: Vec<(usize, BTreeMap<String, u64>)>,
}

/// When the first poll is.
fn noon() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().expect("a time")
}

struct Bench {
    stub: Arc<Stub>,
    url: String,
    program: String,
}

/// Who polls.
#[derive(Clone, Copy)]
enum Who<'p> {
    Ours { log: bool },
    Python(&'p str),
}

impl Bench {
    async fn start() -> Self {
        let stub = Arc::new(Stub::default());
        let url = stub::start(&stub).await;
        let program = std::env::current_exe().expect("this program");
        Self {
            stub,
            url,
            program: program.display().to_string(),
        }
    }

    /// All tickets have changed for the `round`th time in the minute and a half before `now`.
    fn change(&self, count: usize, round: usize, now: Timestamp) {
        *self.stub.tickets.lock().expect("no thread panicked") = Tickets {
            count,
            round,
            from: now - SignedDuration::from_secs(115),
            within: SignedDuration::from_secs(95),
        };
    }

    async fn poll(&self, who: Who<'_>, now: Timestamp) -> Result<Run, String> {
        let mut command = match who {
            Who::Ours { .. } => Command::new(&self.program),
            Who::Python(python) => Command::new(python),
        };
        match who {
            Who::Ours { log } => command.args(["worker", "--log", if log { "yes" } else { "no" }]),
            Who::Python(_) => command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/worker.py")),
        };
        let table = match who {
            Who::Ours { .. } => "ours",
            Who::Python(_) => "python",
        };
        let arguments = [
            "--upstream",
            &self.url,
            "--aws",
            &self.url,
            "--table",
            table,
            "--now",
        ];
        command.args(arguments).arg(now.to_string());
        self.stub.take_requests();
        self.stub.set_clock(now);
        let output = command
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let found: Value = text
            .lines()
            .last()
            .and_then(|line| serde_json::from_str(line).ok())
            .ok_or_else(|| format!("no result: {text} {}", String::from_utf8_lossy(&output.stderr)))?;
        if found["outcome"] != "CaughtUp" {
            return Err(format!("it did not catch up: {found}"));
        }
        let number = |name: &str| found[name].as_f64().unwrap_or_default();
        Ok(Run {
            published: number("published") as u64,
            cpu: number("cpu"),
            peak_kb: number("peak_kb") as u64,
            requests: self.stub.take_requests(),
        })
    }

    /// New tickets, then a change of each.
    async fn both(&self, who: Who<'_>, count: usize) -> Result<([Run; 2], stub::Events), String> {
        self.stub.forget_tables();
        self.stub.take_events();
        self.change(count, 1, noon());
        let first = self.poll(who, noon()).await?;
        let later = noon() + SignedDuration::from_mins(30);
        self.change(count, 2, later);
        let second = self.poll(who, later).await?;
        let events = self.stub.take_events();
        let expected = 2 * count as u64;
        let repeated = events.values().filter(|event| event.1 > 1).count();
        if first.published + second.published != expected || events.len() as u64 != expected || repeated > 0 {
            return Err(format!(
                "{} events of {expected}, {repeated} repeated",
                events.len()
            ));
        }
        Ok(([first, second], events))
    }

    async fn idle(&self, count: usize) -> BTreeMap<String, u64> {
        let ours = Who::Ours { log: true };
        self.stub.forget_tables();
        self.change(count, 1, noon());
        self.poll(ours, noon()).await.expect("a first poll");
        // The tickets are in the look-back still.
        let next = noon() + SignedDuration::from_secs(30);
        self.poll(ours, next).await.expect("an idle poll").requests
    }
}

/// Measures all there is.
pub async fn measure(plan: &Plan) -> Found {
    let bench = Bench::start().await;
    let mut memory = Vec::new();
    for count in [1_000, 100_000] {
        eprintln!("memory: {count} tickets");
        let ours = Who::Ours { log: true };
        let (mut least, mut times) = (None::<Run>, 0);
        while times < if count < 10_000 { 3 } else { 1 } {
            bench.stub.forget_tables();
            bench.stub.take_events();
            bench.change(count, 1, noon());
            let run = bench.poll(ours, noon()).await.expect("a poll");
            assert_eq!(run.published, count as u64);
            least = Some(least.filter(|least| least.peak_kb <= run.peak_kb).unwrap_or(run));
            times += 1;
        }
        memory.extend(least.map(|run| (count, run)));
    }

    let bus = Who::Ours { log: false };
    let mut workers = vec![
        ("ours", Vec::new()),
        ("ours, with log and journal", Vec::new()),
        ("Python", Vec::new()),
    ];
    let mut without_python = plan.python.is_none().then(|| "no --python".to_owned());
    for round in 0..plan.rounds {
        eprintln!("processor time: round {}", round + 1);
        let (runs, events) = bench.both(bus, plan.tickets).await.expect("ours polls");
        workers[0].1.push(runs);
        let (runs, with_log) = bench
            .both(Who::Ours { log: true }, plan.tickets)
            .await
            .expect("ours polls");
        workers[1].1.push(runs);
        assert_eq!(events, with_log, "the same events");
        if let (Some(python), None) = (&plan.python, &without_python) {
            match bench.both(Who::Python(python), plan.tickets).await {
                Ok((runs, theirs)) => {
                    let differ = events
                        .iter()
                        .filter(|(key, event)| theirs.get(*key) != Some(*event))
                        .count();
                    assert_eq!(differ, 0, "of {} events", events.len());
                    workers[2].1.push(runs);
                }
                Err(error) => without_python = Some(error),
            }
        }
    }

    eprintln!("idle polls");
    let mut idle = Vec::new();
    for count in [0, 80] {
        idle.push((count, bench.idle(count).await));
    }
    Found {
        memory,
        workers,
        without_python,
        idle,
    }
}

/// The stand-ins, until they are stopped.
pub async fn serve(count: usize) {
    let bench = Bench::start().await;
    bench.change(count, 1, noon());
    println!(
        "{} worker --upstream {url} --aws {url} --table ours --now {}",
        bench.program,
        noon(),
        url = bench.url
    );
    std::future::pending().await
}
