//! Maps the same documents with our engine and with others, compares what comes out, and times it.

mod documents;
mod engines;
mod job;
mod measure;
mod report;
mod scenarios;
mod workers;

use std::path::Path;

use workers::Others;

const HELP: &str = "\
bench-mapping [--quick] [--write] | --profile text|parsed|compile
  --quick    fewer rounds, and only the scenario that the goals are about
  --write    put the tables into docs/performance.md
  --profile  nothing but ours doing one thing over and over, for a profiler";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut quick, mut write) = (false, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--write" => write = true,
            "--profile" => return profile(&arguments.next().unwrap_or_default()),
            _ => return println!("{HELP}"),
        }
    }
    // The last core: the system's own work tends to be on the first. Processes that are started inherit it.
    let core = core_affinity::get_core_ids().and_then(|cores| cores.last().copied());
    let pinned = core.filter(|core| core_affinity::set_for_current(*core));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let others = Others::install(&root.join("target/bench-mapping"));
    let rounds = if quick { 15 } else { 40 };
    let mut report = report::Report::new(pinned.map(|core| core.id), rounds);
    let main = scenarios::main();
    report.main(&main, &measure::measure(&main, &others, rounds));
    if !quick {
        for scenario in scenarios::others() {
            report.other(&scenario, &measure::measure(&scenario, &others, rounds / 2));
        }
    }
    let text = report.finish();
    println!("{text}");
    if write {
        report::put_into(&root.join("docs/performance.md"), &text);
    }
}

fn profile(what: &str) {
    let rounds = 20;
    let (scenario, ours) = (scenarios::main(), &engines::ENGINES[0]);
    let program = (ours.compile)(&scenario.job).unwrap();
    let parsed = (what == "parsed").then(|| program.parsed(&scenario.documents).unwrap());
    let mut output = Vec::new();
    for _ in 0..rounds {
        for (n, document) in scenario.documents.iter().enumerate() {
            output.clear();
            match (what, &parsed) {
                ("text", _) => program.text(document, &mut output),
                ("compile", _) => drop((ours.compile)(&scenario.job)),
                (_, Some(parsed)) => parsed(n),
                _ => return println!("{HELP}"),
            }
        }
    }
}
