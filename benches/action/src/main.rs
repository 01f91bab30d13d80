//! What a warm action costs: latency, processor time and memory of the gateway, beside servers in Python and Node that do
//! the same job.
//!
//! The servers are processes on one core; the load and the ticketing system are in this one, on another.

mod client;
// Those of the mapping bench, which needs more kinds of them.
#[allow(dead_code)]
#[path = "../../mapping/src/documents.rs"]
mod documents;
mod job;
mod measure;
mod process;
mod report;
mod servers;
mod upstream;

use std::path::{Path, PathBuf};

use job::Job;
use measure::Plan;
use servers::{Cores, Programs, Yard};
use upstream::Upstream;

const HELP: &str = "\
bench-action --gateway PATH [--python PATH] [--node FOLDER] [--quick] [--write]
  --gateway  the ticket-gateway command
  --python   a Python with the packages of python/requirements.txt
  --node     a folder with server.mjs and its packages (benches/action/run has all three)
  --quick    fewer rounds, to see that it works
  --write    put the tables into docs/performance.md
bench-action profile by-id|by-time --gateway PATH [--seconds NUMBER]
  nothing but load on the gateway, whose process id is printed";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let path = |name: &str| value(name).map(PathBuf::from);
    let (Some(gateway), false) = (path("--gateway"), has("--help")) else {
        return println!("{HELP}");
    };
    let programs = Programs {
        gateway,
        python: path("--python"),
        node: path("--node"),
    };
    let profile = match (has("profile"), has("by-time")) {
        (false, _) => None,
        (true, false) => Some(Job::ById),
        (true, true) => Some(Job::ByTime),
    };
    let seconds = value("--seconds").map_or(20, |text| text.parse().expect("a number"));
    let plan = if has("--quick") { Plan::QUICK } else { Plan::WHOLE };

    // Of this thread, and with it of the others and of the runtime.
    let cores = cores();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.expect("a runtime").block_on(async {
        let work = async {
            let upstream = Upstream::start();
            let address = format!("http://{}", upstream.address);
            let folder = std::env::temp_dir().join(format!("bench-action-{}", std::process::id()));
            let _removed = Folder(folder.clone());
            let load = report::load_average();
            let yard = Yard::new(programs, cores, &folder, address).await;
            if let Some(job) = profile {
                measure::profile(job, seconds, &yard).await;
                return String::new();
            }
            let found = measure::measure(plan, &yard, &upstream).await;
            report::text(&plan, &yard, &load, &found)
        };
        // What is dropped on the way out ends the servers.
        tokio::select! {
            text = work => Some(text),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    // 128 and the signal's number, as a shell says it.
    let Some(text) = done else { std::process::exit(130) };
    println!("{text}");
    if has("--write") {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        report::put_into(&root.join("docs/performance.md"), &text);
    }
}

/// The servers get the last core: the system's own work tends to be on the first.
fn cores() -> Option<Cores> {
    let all = core_affinity::get_core_ids()?;
    let (bench, servers) = (*all.first()?, *all.last()?);
    (bench != servers && core_affinity::set_for_current(bench)).then_some(Cores { servers, bench })
}

/// Logs and the state, for as long as the run takes.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
