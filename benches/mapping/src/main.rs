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
bench-mapping [--quick] [--only ENGINE] [--write]
  --quick        fewer rounds, and only the scenario that the goals are about
  --only ENGINE  only this one, for a profiler
  --write        put the tables into docs/performance.md";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut quick, mut write, mut only) = (false, false, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--write" => write = true,
            "--only" => only = arguments.next(),
            _ => return println!("{HELP}"),
        }
    }
    // The last core: the system's own work tends to be on the first. Processes that are started inherit it.
    let core = core_affinity::get_core_ids().and_then(|cores| cores.last().copied());
    let pinned = core.filter(|core| core_affinity::set_for_current(*core));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let others = only
        .is_none()
        .then(|| Others::install(&root.join("target/bench-mapping")));
    let rounds = if quick { 15 } else { 40 };
    let mut report = report::Report::new(pinned.map(|core| core.id), rounds);
    let main = scenarios::main();
    report.main(
        &main,
        &measure::measure(&main, others.as_ref(), rounds, only.as_deref()),
    );
    if !quick {
        for scenario in scenarios::others() {
            report.other(
                &scenario,
                &measure::measure(&scenario, others.as_ref(), rounds / 2, only.as_deref()),
            );
        }
    }
    let text = report.finish();
    println!("{text}");
    if write {
        report::put_into(&root.join("docs/performance.md"), &text);
    }
}
