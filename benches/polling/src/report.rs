//! The tables.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::measure::{Found, Plan, Run};

const MARKS: [&str; 2] = ["<!-- bench-polling:begin -->\n", "<!-- bench-polling:end -->\n"];

pub fn text(plan: &Plan, found: &Found) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}; load {} at the end.\n", machine(plan), load());
    memory(found, &mut text);
    processor(plan, found, &mut text);
    idle(found, &mut text);
    text
}

fn memory(found: &Found, text: &mut String) {
    let _ = writeln!(
        text,
        "**Memory**: one window, everything the function does (log, bus, journal).\n"
    );
    let _ = writeln!(text, "| Changed tickets | Peak (VmHWM), MB |\n|--:|--:|");
    for (count, run) in &found.memory {
        let _ = writeln!(text, "| {count} | {:.1} |", run.peak_kb as f64 / 1024.0);
    }
    if let [(_, few), (_, many)] = found.memory.as_slice() {
        let ratio = many.peak_kb as f64 / few.peak_kb as f64;
        let _ = writeln!(
            text,
            "\n{}\n",
            goal(ratio <= 1.3, &format!("at most 1.3 times: {ratio:.2}"))
        );
    }
}

fn processor(plan: &Plan, found: &Found, text: &mut String) {
    let tickets = plan.tickets;
    let _ = writeln!(
        text,
        "**Processor time**: {tickets} new tickets, then a change of each; user and system time of the worker's process, \
         without its start. The least of {} rounds (the median).\n",
        plan.rounds
    );
    let _ = writeln!(
        text,
        "| Worker | New: µs a ticket | Changed: µs a ticket | Changed tickets a processor second | Requests a ticket | Peak, MB |\n\
         |---|--:|--:|--:|--:|--:|"
    );
    let mut rates = Vec::new();
    for (name, runs) in &found.workers {
        let Some(last) = runs.last() else { continue };
        let [new, changed] = [0, 1].map(|phase| {
            let mut costs: Vec<f64> = runs.iter().map(|runs| micros(&runs[phase], tickets)).collect();
            costs.sort_by(f64::total_cmp);
            (costs[0], costs[costs.len() / 2])
        });
        let requests: u64 = last[1].requests.values().sum();
        let _ = writeln!(
            text,
            "| {name} | {:.0} ({:.0}) | {:.0} ({:.0}) | {:.0} | {:.2} | {:.0} |",
            new.0,
            new.1,
            changed.0,
            changed.1,
            1e6 / changed.0,
            requests as f64 / tickets as f64,
            last[1].peak_kb as f64 / 1024.0,
        );
        rates.push((*name, changed.0));
    }
    let cost = |wanted: &str| {
        rates
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, cost)| *cost)
    };
    match (cost("ours"), cost("Python")) {
        (Some(ours), Some(python)) => {
            let ratio = python / ours;
            let _ = writeln!(
                text,
                "\n{}\n",
                goal(ratio >= 20.0, &format!("at least 20 times Python: {ratio:.1}"))
            );
        }
        _ => {
            let why = found.without_python.as_deref().unwrap_or_default();
            let _ = writeln!(text, "\nPython could not be run: {why}\n");
        }
    }
}

fn micros(run: &Run, tickets: usize) -> f64 {
    run.cpu * 1e6 / tickets as f64
}

fn idle(found: &Found, text: &mut String) {
    let _ = writeln!(text, "**An idle poll**\n");
    let _ = writeln!(
        text,
        "| Tickets in the look-back | Reads | Writes | Calls of the ticketing system | |\n|--:|--:|--:|--:|---|"
    );
    for (count, requests) in &found.idle {
        let of = |names: &[&str]| -> u64 { names.iter().filter_map(|name| requests.get(*name)).sum() };
        let reads = of(&["GetItem", "BatchGetItem", "Query", "TransactGetItems"]);
        let writes = of(&["PutItem", "UpdateItem", "TransactWriteItems"]);
        let calls = of(&["upstream"]);
        let others: u64 = requests.values().sum::<u64>() - reads - writes - calls;
        let is_met = reads <= 2 && writes <= 1 && calls == 1 && others == 0;
        let _ = writeln!(
            text,
            "| {count} | {reads} | {writes} | {calls} | {} |",
            goal(is_met, "2, 1, 1 at most")
        );
    }
}

fn goal(is_met: bool, what: &str) -> String {
    format!("Goal, {what}: {}.", if is_met { "reached" } else { "missed" })
}

fn machine(plan: &Plan) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default();
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    let profile = match std::env::var("PROFILE").as_deref() {
        Ok("fast") => "opt-level 3, fat LTO, one codegen unit",
        _ => "the product's release profile (opt-level z, fat LTO, one codegen unit)",
    };
    let python = plan.python.as_deref().map_or_else(String::new, |python| {
        let versions = "import sys, boto3, requests; print(f'Python {sys.version.split()[0]}, boto3 {boto3.__version__}, requests {requests.__version__}')";
        format!("{}; ", first_line(python, &["-c", versions]))
    });
    format!(
        "{}, {profile}; {python}{cpu}",
        first_line("rustc", &["--version"])
    )
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn load() -> String {
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
