//! What polling costs: peak memory, processor time beside a worker in Python, and requests of an idle poll.
//!
//! The workers are processes of their own; what they talk to (a ticketing system, DynamoDB, EventBridge) is in this one.

mod measure;
mod report;
mod stub;
mod worker;

use std::path::Path;

use tokio::runtime::{Builder, Runtime};

const HELP: &str = "\
bench-polling [--tickets NUMBER] [--rounds NUMBER] [--python PATH] [--write]
  --tickets  changed tickets whose processor time is measured (10000)
  --rounds   how often; the least is reported (3)
  --python   a Python with requests and boto3 (benches/polling/run has one)
  --write    put the tables into docs/performance.md
bench-polling worker --upstream URL --aws URL --table NAME --now TIME [--log yes]
  one poll, as the bench runs it; for a profiler see README.md
bench-polling serve [--tickets NUMBER]
  the stand-ins alone, after which a worker can be run by hand";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let number =
        |name: &str, otherwise: usize| value(name).map_or(otherwise, |text| text.parse().expect("a number"));
    match arguments.first().map(String::as_str) {
        Some("--help" | "-h") => println!("{HELP}"),
        // One thread, as the function has.
        Some("worker") => Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(worker::run(&worker::Order::parse(value))),
        Some("serve") => several_threads().block_on(measure::serve(number("--tickets", 10_000))),
        _ => {
            let plan = measure::Plan {
                tickets: number("--tickets", 10_000),
                rounds: number("--rounds", 3),
                python: value("--python"),
            };
            let found = several_threads().block_on(measure::measure(&plan));
            let text = report::text(&plan, &found);
            println!("{text}");
            if arguments.iter().any(|argument| argument == "--write") {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                report::put_into(&root.join("docs/performance.md"), &text);
            }
        }
    }
}

fn several_threads() -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}
