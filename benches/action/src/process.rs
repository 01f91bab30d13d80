//! What Linux says of a process: proc(5).

use std::fs;

/// Clock ticks in a second, as `/proc` counts them: 100 on every architecture that Rust's standard library knows.
const TICKS: f64 = 100.0;

/// Seconds of processor time of a process and its children, all threads, user and system.
pub fn processor_seconds(pid: u32) -> f64 {
    tree(pid).into_iter().map(processor_seconds_of_one).sum()
}

/// Memory in kilobytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// `VmRSS`.
    pub resident: u64,
    /// `VmHWM`, since the start or [`forget_peak`].
    pub peak: u64,
}

/// The memory of a process. With children, the sum; there the peak is of each at its own time.
pub fn memory(pid: u32) -> Memory {
    let mut sum = Memory::default();
    for pid in tree(pid) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
                .unwrap_or_default()
        };
        sum.resident += field("VmRSS:");
        sum.peak += field("VmHWM:");
    }
    sum
}

/// Begins the peak anew at what is resident now.
pub fn forget_peak(pid: u32) {
    for pid in tree(pid) {
        fs::write(format!("/proc/{pid}/clear_refs"), "5")
            .expect("the peak of an own process can be forgotten");
    }
}

fn tree(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    for task in tasks {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            all.extend(tree(child));
        }
    }
    all
}

/// Those of a process without its children.
pub fn processor_seconds_of_one(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name stands in brackets and may have spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}
