//! Compares what the servers answer, then times them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::header::AUTHORIZATION;
use serde_json::Value;

use crate::client::{Connection, Target};
use crate::job::{self, Job, TICKETS};
use crate::process::{self, Memory};
use crate::servers::{Kind, Server, Yard};
use crate::upstream::Upstream;

pub const CONNECTIONS: usize = 64;
/// From which on the processor time counts, after the connections are there.
const WARM_UP: Duration = Duration::from_millis(500);

/// How much is done.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Of one request after the other, in which the servers take turns.
    pub rounds: usize,
    /// Requests of a server in a round, by id and by time.
    pub requests: [usize; 2],
    /// Requests before anything is timed, by id and by time: a just-in-time compiler has work to do.
    pub warm_up: [usize; 2],
    /// Of the load, in which the servers take turns.
    pub loads: usize,
    pub load_time: Duration,
    /// Fresh starts for the memory of one page.
    pub starts: usize,
}

impl Plan {
    pub const WHOLE: Plan = Plan {
        rounds: 40,
        requests: [100, 25],
        warm_up: [2000, 200],
        loads: 5,
        load_time: Duration::from_secs(3),
        starts: 5,
    };
    pub const QUICK: Plan = Plan {
        rounds: 5,
        requests: [40, 8],
        warm_up: [200, 20],
        loads: 1,
        load_time: Duration::from_secs(1),
        starts: 1,
    };
}

/// What was found.
pub struct Found {
    /// Of the same calls made to the ticketing system, by job.
    pub direct: [Latency; 2],
    pub rows: Vec<(Kind, Result<Row, String>)>,
    /// Bytes of the ticketing system's answer with 100 tickets.
    pub page_bytes: usize,
}

/// What was found of a server. Arrays are by job.
pub struct Row {
    pub latency: [Latency; 2],
    pub loads: [Vec<Load>; 2],
    /// After one request.
    pub at_rest: Memory,
    /// How much the peak grew over rest by one list of 100 tickets, in kilobytes: a fresh process each.
    pub growth: Vec<u64>,
}

/// In nanoseconds.
#[derive(Clone, Copy)]
pub struct Latency {
    pub p50: u64,
    pub p99: u64,
}

/// One run of 64 connections.
#[derive(Clone, Copy)]
pub struct Load {
    pub per_second: f64,
    pub per_processor_second: f64,
    /// The share of its core that the bench itself used.
    pub bench: f64,
    pub memory: Memory,
}

/// Measures all there is.
pub async fn measure(plan: Plan, yard: &Yard, upstream: &Upstream) -> Found {
    let direct = Target {
        address: upstream.address,
        header: (AUTHORIZATION, job::authorization()),
    };
    let mut left_out = Vec::new();
    let mut servers = Vec::new();
    for kind in Kind::ALL {
        eprintln!("{}: starting, comparing", kind.name());
        match start(kind, yard, upstream, &servers).await {
            Ok(started) => servers.push(started),
            Err(why) if kind == Kind::Ours => panic!("{why}"),
            Err(why) => left_out.push((kind, Err(why))),
        }
    }
    let mut rows: Vec<(Kind, Row)> = Vec::new();
    for (server, at_rest) in &servers {
        eprintln!("{}: memory of a page", server.kind.name());
        let mut growth = Vec::new();
        for _ in 0..plan.starts {
            growth.push(growth_by_a_page(server.kind, yard).await);
        }
        growth.sort_unstable();
        let row = Row {
            latency: [Latency { p50: 0, p99: 0 }; 2],
            loads: [Vec::new(), Vec::new()],
            at_rest: *at_rest,
            growth,
        };
        rows.push((server.kind, row));
    }
    let targets: Vec<&Target> = servers.iter().map(|(server, _)| &server.target).collect();
    let mut latency_of_direct = Vec::new();
    for (place, job) in Job::ALL.into_iter().enumerate() {
        eprintln!("{}: one after the other", job.title());
        let found = sequential(plan, place, job, &direct, &targets).await;
        latency_of_direct.push(found[0]);
        for ((_, row), latency) in rows.iter_mut().zip(&found[1..]) {
            row.latency[place] = *latency;
        }
        for round in 0..plan.loads {
            eprintln!("{}: {CONNECTIONS} connections, round {}", job.title(), round + 1);
            for ((server, _), (_, row)) in servers.iter().zip(&mut rows) {
                row.loads[place].push(load(server, job, plan.load_time).await);
            }
        }
    }
    let mut rows: Vec<_> = rows.into_iter().map(|(kind, row)| (kind, Ok(row))).collect();
    rows.extend(left_out);
    Found {
        direct: [latency_of_direct[0], latency_of_direct[1]],
        rows,
        page_bytes: upstream.page_bytes,
    }
}

/// Starts a server and makes sure that it does the job; gives its memory after its first request, too.
async fn start(
    kind: Kind,
    yard: &Yard,
    upstream: &Upstream,
    others: &[(Server, Memory)],
) -> Result<(Server, Memory), String> {
    let server = yard.start(kind).await?;
    let mut connection = Connection::open(&server.target).await;
    expect(&mut connection, &Job::ById.path(0), 200).await?;
    let at_rest = process::memory(server.pid);
    expect(&mut connection, "/v1/bench/tickets/there-is-none", 404).await?;
    let mut stranger = server.target.clone();
    stranger.header.1.push('x');
    expect(&mut Connection::open(&stranger).await, &Job::ById.path(0), 401).await?;

    let mut ours = match others.first() {
        Some((ours, _)) => Some(Connection::open(&ours.target).await),
        None => None,
    };
    let paths = (0..TICKETS).map(|number| Job::ById.path(number));
    for path in paths.chain([Job::ByTime.path(0), job::short_list()]) {
        upstream.take_requests();
        let answer = expect(&mut connection, &path, 200).await?;
        let calls = upstream.take_requests();
        if calls != 1 {
            return Err(format!("{path}: {calls} requests to the ticketing system"));
        }
        if let Some(ours) = &mut ours {
            let expected = expect(ours, &path, 200).await?;
            if expected != answer {
                return Err(format!("{path}: another answer: {answer} instead of {expected}"));
            }
        }
    }
    Ok((server, at_rest))
}

async fn expect(connection: &mut Connection, path: &str, status: u16) -> Result<Value, String> {
    let (found, body) = connection
        .get(path)
        .await
        .map_err(|error| format!("{path}: {error}"))?;
    let text = String::from_utf8_lossy(&body);
    if found != status {
        return Err(format!("{path}: {found} instead of {status}: {text}"));
    }
    serde_json::from_slice(&body).map_err(|error| format!("{path}: {error}: {text}"))
}

/// A process that answered both actions, the list with one ticket, lists a hundred.
async fn growth_by_a_page(kind: Kind, yard: &Yard) -> u64 {
    let server = yard.start(kind).await.expect("it started before");
    let mut connection = Connection::open(&server.target).await;
    for path in [Job::ById.path(0), job::short_list()] {
        assert!(connection.ask(&path).await.expect("an answer"));
    }
    process::forget_peak(server.pid);
    let before = process::memory(server.pid).resident;
    assert!(connection.ask(&Job::ByTime.path(0)).await.expect("an answer"));
    process::memory(server.pid).peak.saturating_sub(before)
}

/// Of the direct call, then of each target.
async fn sequential(
    plan: Plan,
    place: usize,
    job: Job,
    direct: &Target,
    targets: &[&Target],
) -> Vec<Latency> {
    let all: Vec<&Target> = std::iter::once(direct).chain(targets.iter().copied()).collect();
    let mut times = vec![Vec::new(); all.len()];
    for (which, target) in all.iter().enumerate() {
        visit(target, plan.warm_up[place], |number| path(which, job, number)).await;
    }
    for round in 0..plan.rounds {
        let first = round * plan.requests[place];
        for (which, target) in all.iter().enumerate() {
            let visit = visit(target, plan.requests[place], |number| {
                path(which, job, first + number)
            });
            times[which].extend(visit.await);
        }
    }
    times.into_iter().map(latency).collect()
}

fn path(which: usize, job: Job, number: usize) -> String {
    match which {
        0 => job.upstream_path(number),
        _ => job.path(number),
    }
}

/// The times of some requests on one connection. A server closes one that has nothing to do for a few seconds, and does
/// so with its own to the ticketing system: both are opened anew, by a request that does not count.
async fn visit(target: &Target, requests: usize, path: impl Fn(usize) -> String) -> Vec<u64> {
    let mut connection = Connection::open(target).await;
    assert!(connection.ask(&path(0)).await.expect("an answer"));
    let mut times = Vec::new();
    for number in 0..requests {
        let path = path(number);
        let begun = Instant::now();
        let is_good = connection.ask(&path).await.expect("an answer");
        times.push(begun.elapsed().as_nanos() as u64);
        assert!(is_good);
    }
    times
}

fn latency(mut times: Vec<u64>) -> Latency {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    Latency {
        p50: at(0.5),
        p99: at(0.99),
    }
}

async fn load(server: &Server, job: Job, time: Duration) -> Load {
    let (answered, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let paths: Arc<Vec<String>> = Arc::new((0..TICKETS).map(|number| job.path(number)).collect());
    let mut callers = Vec::new();
    for caller in 0..CONNECTIONS {
        let mut connection = Connection::open(&server.target).await;
        let (answered, stop, paths) = (Arc::clone(&answered), Arc::clone(&stop), Arc::clone(&paths));
        callers.push(tokio::spawn(async move {
            let mut number = caller * TICKETS / CONNECTIONS;
            while !stop.load(Ordering::Relaxed) {
                assert!(connection.ask(&paths[number % TICKETS]).await.expect("an answer"));
                answered.fetch_add(1, Ordering::Relaxed);
                number += 1;
            }
        }));
    }
    tokio::time::sleep(WARM_UP).await;
    process::forget_peak(server.pid);
    let now = || {
        let bench = process::processor_seconds_of_one(std::process::id());
        let server = process::processor_seconds(server.pid);
        (Instant::now(), answered.load(Ordering::Relaxed), server, bench)
    };
    let before = now();
    tokio::time::sleep(time).await;
    let after = now();
    let memory = process::memory(server.pid);
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no caller failed");
    }
    let seconds = (after.0 - before.0).as_secs_f64();
    let requests = (after.1 - before.1) as f64;
    Load {
        per_second: requests / seconds,
        per_processor_second: requests / (after.2 - before.2),
        bench: (after.3 - before.3) / seconds,
        memory,
    }
}

/// Nothing but load on the gateway, for a profiler.
pub async fn profile(job: Job, seconds: u64, yard: &Yard) {
    let server = yard.start(Kind::Ours).await.expect("the gateway starts");
    println!("{}", server.pid);
    let load = load(&server, job, Duration::from_secs(seconds)).await;
    eprintln!("{:.0} requests per processor second", load.per_processor_second);
}
