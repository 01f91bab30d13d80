//! Tables in Markdown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::measure::{Row, Times};
use crate::scenarios::Scenario;

const BEGIN: &str = "<!-- bench-mapping:begin -->";
const END: &str = "<!-- bench-mapping:end -->";

pub struct Report {
    text: String,
    others: String,
}

impl Report {
    pub fn new(core: Option<usize>, rounds: usize) -> Report {
        let pinned = core.map_or("not pinned to a core".to_owned(), |core| {
            format!("pinned to core {core}")
        });
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or("an unknown processor");
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let rustc = Command::new("rustc")
            .arg("--version")
            .output()
            .map(|output| output.stdout)
            .unwrap_or_default();
        let text = format!(
            "{}, opt-level 3, thin LTO, one codegen unit; {}, load {} at the start, {pinned}; \
             {rounds} interleaved rounds (half as many in the second table).\n\n",
            String::from_utf8_lossy(&rustc).trim(),
            cpu.trim_matches([' ', '\t', ':']),
            load.split(' ').next().unwrap_or_default(),
        );
        Report {
            text,
            others: String::new(),
        }
    }

    /// The scenario that the goals are about.
    pub fn main(&mut self, scenario: &Scenario, rows: &[Row]) {
        let out = &mut self.text;
        let (count, title) = (scenario.documents.len(), &scenario.title);
        let _ = writeln!(
            out,
            "**{count} times a {title}**, to a normal form of 9 fields. µs a document: least (median), and the ratio \
             of the least to ours.\n\n\
             | Engine | Text to text | | Already parsed | | Compile | Allocations | Remark |\n\
             |---|--:|--:|--:|--:|--:|--:|---|"
        );
        let ours = &rows[0];
        for row in rows {
            let _ = writeln!(
                out,
                "| {} {} | {} | {} | {} | {} | {} | {} | {} |",
                row.name,
                row.version,
                times(row.text),
                ratio(row.text, ours.text),
                times(row.parsed),
                ratio(row.parsed, ours.parsed),
                times(row.compile),
                row.allocations
                    .map_or("".to_owned(), |count| format!("{count:.0}")),
                row.remark.as_deref().unwrap_or_default(),
            );
        }
        let _ = writeln!(out, "\n{}", goals(rows));
    }

    /// One of the other scenarios: a line in the second table.
    pub fn other(&mut self, scenario: &Scenario, rows: &[Row]) {
        let out = &mut self.others;
        if out.is_empty() {
            let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
            let _ = writeln!(
                out,
                "**Other sizes, shapes and contents**, text to text: ours in µs, the others as ratios to it; the most \
                 memory that ours takes at once, input included, as a ratio to the input.\n\n\
                 | Documents | {} | memory |\n|---|{}--:|",
                names.join(" | "),
                "--:|".repeat(names.len()),
            );
        }
        let _ = write!(out, "| {} |", scenario.title);
        for (position, row) in rows.iter().enumerate() {
            let cell = match (position, row.text) {
                (0, text) => times(text),
                (_, Some(_)) => ratio(row.text, rows[0].text),
                (_, None) => "–".to_owned(),
            };
            let _ = write!(out, " {cell} |");
        }
        let largest = scenario.documents.iter().map(String::len).max().unwrap_or(1) as f64;
        let peak = rows[0].peak.map_or(String::new(), |peak| {
            format!("{:.1}", 1.0 + peak as f64 / largest)
        });
        let _ = writeln!(out, " {peak} |");
        for row in rows.iter().filter(|row| row.text.is_none()) {
            eprintln!(
                "{}: {}: {}",
                scenario.title,
                row.name,
                row.remark.as_deref().unwrap_or_default()
            );
        }
    }

    pub fn finish(self) -> String {
        self.text + "\n" + &self.others
    }
}

fn times(times: Option<Times>) -> String {
    times.map_or("".to_owned(), |Times { least, median }| {
        format!("{:.2} ({:.2})", least / 1000.0, median / 1000.0)
    })
}

fn ratio(times: Option<Times>, ours: Option<Times>) -> String {
    match (times, ours) {
        (Some(times), Some(ours)) => format!("{:.2}", times.least / ours.least),
        _ => String::new(),
    }
}

fn goals(rows: &[Row]) -> String {
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let (text, parsed, compile): (fn(&Row) -> _, fn(&Row) -> _, fn(&Row) -> _) =
        (|row| row.text, |row| row.parsed, |row| row.compile);
    let goals: [(&str, &str, f64, fn(&Row) -> Option<Times>); 6] = [
        ("text to text", "VRL", 0.5, text),
        ("text to text", "jaq", 1.0 / 6.0, text),
        ("text to text", "JSONBender", 0.1, text),
        ("text to text", "hand-written structs", 2.0, text),
        ("already parsed", "VRL", 0.8, parsed),
        ("compile", "VRL", 0.1, compile),
    ];
    let mut out = "| Goal | Found (of the medians) | |\n|---|--:|---|\n".to_owned();
    for (what, other, most, times) in goals {
        let (Some(ours), Some(other_times)) = (times(&rows[0]), find(other).and_then(times)) else {
            continue;
        };
        let (least, median) = (ours.least / other_times.least, ours.median / other_times.median);
        let reached = match least / most {
            ..=1.0 => "reached".to_owned(),
            times => format!("missed: {times:.2} times the goal"),
        };
        let _ = writeln!(
            out,
            "| {what}: at most {most:.2} of {other} | {least:.2} ({median:.2}) | {reached} |"
        );
    }
    out
}

/// Replaces what stands between the marks.
pub fn put_into(path: &Path, tables: &str) {
    let page = fs::read_to_string(path).unwrap();
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("the page has the mark of the beginning");
    let (_, after) = rest.split_once(END).expect("the page has the mark of the end");
    fs::write(path, format!("{before}{BEGIN}\n{tables}{END}{after}")).unwrap();
}
