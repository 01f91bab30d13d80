//! The tables.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::job::Job;
use crate::measure::{CONNECTIONS, Found, Latency, Load, Plan, Row};
use crate::servers::{Kind, Yard};

const MARKS: [&str; 2] = ["<!-- bench-action:begin -->\n", "<!-- bench-action:end -->\n"];

pub fn text(plan: &Plan, yard: &Yard, load: &str, found: &Found) -> String {
    let mut text = format!("{}; load {load} at the start.\n\n", machine(yard));
    latency(plan, found, &mut text);
    throughput(plan, found, &mut text);
    memory(plan, found, &mut text);
    goals(found, &mut text);
    text
}

impl Found {
    fn row(&self, wanted: Kind) -> Option<&Row> {
        self.measured()
            .find_map(|(kind, row)| (kind == wanted).then_some(row))
    }

    fn measured(&self) -> impl Iterator<Item = (Kind, &Row)> {
        self.rows
            .iter()
            .filter_map(|(kind, row)| Some((*kind, row.as_ref().ok()?)))
    }
}

fn latency(plan: &Plan, found: &Found, text: &mut String) {
    let _ = writeln!(
        text,
        "**One request after the other** on one connection, {} and {} requests to each in {} rounds: ms; own is what \
         remains without the direct call to the ticketing system.\n",
        plan.rounds * plan.requests[0],
        plan.rounds * plan.requests[1],
        plan.rounds,
    );
    let [by_id, by_time] = Job::ALL.map(Job::title);
    let _ = writeln!(
        text,
        "| | {by_id}: p50 | p99 | own p50 | own p99 | {by_time}: p50 | p99 | own p50 | own p99 |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    let [one, list] = found.direct;
    let _ = writeln!(
        text,
        "| the direct call | {} | {} | | | {} | {} | | |",
        ms(one.p50),
        ms(one.p99),
        ms(list.p50),
        ms(list.p99)
    );
    for (kind, row) in &found.rows {
        match row {
            Ok(row) => {
                let _ = write!(text, "| {} |", kind.name());
                for (latency, direct) in row.latency.iter().zip(&found.direct) {
                    let own = own(latency, direct);
                    let all = [latency.p50, latency.p99, own.p50, own.p99].map(ms);
                    let _ = write!(text, " {} |", all.join(" | "));
                }
                text.push('\n');
            }
            Err(why) => {
                let _ = writeln!(
                    text,
                    "| {}: not measured: {} | | | | | | | | |",
                    kind.name(),
                    one_line(why)
                );
            }
        }
    }
    text.push('\n');
}

fn throughput(plan: &Plan, found: &Found, text: &mut String) {
    let _ = writeln!(
        text,
        "**{CONNECTIONS} connections**, each with its next request as soon as the last is answered: the best of {} rounds \
         of {} s (the median). Processor time is user and system time of the server's process.\n",
        plan.loads,
        plan.load_time.as_secs(),
    );
    for (place, job) in Job::ALL.into_iter().enumerate() {
        let _ = writeln!(
            text,
            "| {} | Requests a second | Requests a processor second | Ours to it | Core of the bench in use |\n\
             |---|--:|--:|--:|--:|",
            job.title()
        );
        let ours = best(&found.row(Kind::Ours).expect("ours was measured").loads[place]);
        for (kind, row) in found.measured() {
            let loads = &row.loads[place];
            let (rate, efficiency) = (
                spread(loads, |load| load.per_second),
                spread(loads, |load| load.per_processor_second),
            );
            let busiest = loads.iter().map(|load| load.bench).fold(0.0, f64::max);
            let _ = writeln!(
                text,
                "| {} | {:.0} ({:.0}) | {:.0} ({:.0}) | {:.2} | {:.0} % |",
                kind.name(),
                rate.0,
                rate.1,
                efficiency.0,
                efficiency.1,
                ours / efficiency.0,
                busiest * 100.0
            );
        }
        text.push('\n');
    }
}

fn memory(plan: &Plan, found: &Found, text: &mut String) {
    let page = found.page_bytes as f64;
    let _ = writeln!(
        text,
        "**Memory**, MB. At rest is after one request; under load is at the end of a round (its peak). A page is the \
         growth of the peak over rest by one list of 100 tickets, {:.0} KB, the median of {} fresh processes.\n",
        page / 1e3,
        plan.starts
    );
    let [by_id, by_time] = Job::ALL.map(Job::title);
    let _ = writeln!(
        text,
        "| | At rest | {CONNECTIONS} connections, {by_id} | {CONNECTIONS} connections, {by_time} | A page | Times its bytes |\n\
         |---|--:|--:|--:|--:|--:|"
    );
    for (kind, row) in found.measured() {
        let [by_id, by_time] = row.loads.each_ref().map(|loads| {
            let last = loads.last().expect("there was a round").memory;
            format!("{} ({})", mb(last.resident), mb(last.peak))
        });
        let growth = median(&row.growth);
        let _ = writeln!(
            text,
            "| {} | {} | {by_id} | {by_time} | {} | {:.2} |",
            kind.name(),
            mb(row.at_rest.resident),
            mb(growth),
            growth as f64 * 1024.0 / page
        );
    }
    text.push('\n');
}

fn goals(found: &Found, text: &mut String) {
    let _ = writeln!(text, "| Goal | Found | |\n|---|--:|---|");
    let ours = found.row(Kind::Ours).expect("ours was measured");
    let mut goal = |what: String, found: f64, is_reached: bool| {
        let end = if is_reached { "reached" } else { "missed" };
        let _ = writeln!(text, "| {what} | {found:.2} | {end} |");
    };
    for (place, job) in Job::ALL.into_iter().enumerate() {
        let own = own(&ours.latency[place], &found.direct[place]).p50 as f64 / 1e6;
        goal(format!("{}: own p50 at most 1 ms", job.title()), own, own <= 1.0);
    }
    for other in [Kind::Python, Kind::Node] {
        let Some(theirs) = found.row(other) else { continue };
        for (place, job) in Job::ALL.into_iter().enumerate() {
            let ratio = best(&ours.loads[place]) / best(&theirs.loads[place]);
            let what = format!(
                "{}: at least 10 times the requests a processor second of {}",
                job.title(),
                other.name()
            );
            goal(what, ratio, ratio >= 10.0);
        }
    }
    let ratio = median(&ours.growth) as f64 * 1024.0 / found.page_bytes as f64;
    goal(
        "peak memory of a page at most 3 times its bytes".to_owned(),
        ratio,
        ratio <= 3.0,
    );
}

fn own(latency: &Latency, direct: &Latency) -> Latency {
    Latency {
        p50: latency.p50.saturating_sub(direct.p50),
        p99: latency.p99.saturating_sub(direct.p99),
    }
}

/// The best of the rounds.
fn best(loads: &[Load]) -> f64 {
    spread(loads, |load| load.per_processor_second).0
}

/// The most, and the median.
fn spread(loads: &[Load], of: fn(&Load) -> f64) -> (f64, f64) {
    let mut all: Vec<f64> = loads.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() - 1], all[all.len() / 2])
}

fn median(sorted: &[u64]) -> u64 {
    sorted[sorted.len() / 2]
}

fn ms(nanoseconds: u64) -> String {
    format!("{:.2}", nanoseconds as f64 / 1e6)
}

fn mb(kilobytes: u64) -> String {
    format!("{:.1}", kilobytes as f64 / 1024.0)
}

/// For a cell of a table.
fn one_line(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    text.replace('\n', " ").replace('|', "/")
}

fn machine(yard: &Yard) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default();
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    let cores = match yard.cores {
        Some(cores) => format!(
            "servers on core {}, load and ticketing system on core {}",
            cores.servers.id, cores.bench.id
        ),
        None => "one core for all".to_owned(),
    };
    let mut parts = vec![
        first_line("rustc", &["--version"]),
        built(&yard.programs.gateway).to_owned(),
    ];
    if let Some(python) = &yard.programs.python {
        let versions = "import sys; from importlib.metadata import version as v; print(f'Python {sys.version.split()[0]}, ' \
            + ', '.join(f'{n} {v(n)}' for n in ('fastapi', 'uvicorn', 'uvloop', 'httptools', 'httpx', 'JSONBender')))";
        parts.push(first_line(&python.display().to_string(), &["-c", versions]));
    }
    if let Some(node) = &yard.programs.node {
        let versions = "import { createRequire } from 'node:module'; import { readFileSync } from 'node:fs'; \
            const of = (n) => `${n} ${JSON.parse(readFileSync(`${process.argv[1]}/node_modules/${n}/package.json`)).version}`; \
            console.log(`Node ${process.versions.node}, ${['fastify', 'undici', 'jsonata'].map(of).join(', ')}`)";
        let folder = node.display().to_string();
        parts.push(first_line(
            "node",
            &["--input-type=module", "-e", versions, &folder],
        ));
    }
    parts.extend([cpu.to_owned(), cores]);
    parts.join("; ")
}

/// Cargo puts what a profile builds into a folder of its name.
fn built(gateway: &Path) -> &'static str {
    match gateway.parent().is_some_and(|folder| folder.ends_with("release")) {
        true => "the product's release profile (opt-level z, fat LTO, one codegen unit)",
        false => "NOT a release build of the gateway",
    }
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The load of the last minute.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Replaces what is between the marks.
pub fn put_into(path: &Path, text: &str) {
    let page = fs::read_to_string(path).expect("the page");
    let (before, rest) = page.split_once(MARKS[0]).expect("the first mark");
    let (_, after) = rest.split_once(MARKS[1]).expect("the second mark");
    fs::write(path, format!("{before}{}{text}{}{after}", MARKS[0], MARKS[1])).expect("the page is written");
}
