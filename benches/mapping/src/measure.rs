//! One scenario: outputs are compared, then everything is timed, a round of each engine after the other.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::engines::{ENGINES, Program};
use crate::scenarios::Scenario;
use crate::workers::{Others, Worker};

/// What was found of one engine. Times are per document, the smallest and the median of all rounds.
pub struct Row {
    pub name: &'static str,
    pub version: String,
    pub remark: Option<String>,
    pub text: Option<Times>,
    pub parsed: Option<Times>,
    pub compile: Option<Times>,
    /// How often memory is asked for, text to text.
    pub allocations: Option<f64>,
    /// The most bytes that are taken at once, beside the input.
    pub peak: Option<u64>,
}

/// Nanoseconds.
#[derive(Clone, Copy)]
pub struct Times {
    pub least: f64,
    pub median: f64,
}

impl Times {
    fn of(mut rounds: Vec<Duration>, parts: usize) -> Option<Times> {
        rounds.sort_unstable();
        let of_one = |time: &Duration| time.as_nanos() as f64 / parts as f64;
        Some(Times {
            least: of_one(rounds.first()?),
            median: of_one(rounds.get(rounds.len() / 2)?),
        })
    }
}

/// One thing that is timed over and over.
struct Timed<'t> {
    row: usize,
    kind: Kind,
    /// How many documents, or compilations, one run goes over.
    parts: usize,
    run: Box<dyn FnMut() -> Duration + 't>,
    rounds: Vec<Duration>,
}

enum Kind {
    Text,
    Parsed,
    Compile,
}

/// Measures a scenario.
pub fn measure(scenario: &Scenario, others: &Others, rounds: usize) -> Vec<Row> {
    let Scenario { job, documents, .. } = scenario;
    let reference: Vec<Value> = outputs((ENGINES[0].compile)(job).unwrap().as_ref(), documents);
    let mut rows = Vec::new();
    let mut programs: Vec<(usize, Box<dyn Program>)> = Vec::new();
    let mut workers: Vec<(usize, Worker)> = Vec::new();
    for engine in ENGINES {
        let mut row = Row::new(engine.name, version(engine.package));
        row.remark = engine.partial.map(str::to_owned);
        let partial = engine.partial.is_some();
        let checked = (engine.compile)(job).and_then(|program| {
            if engine.has_output {
                compare(&reference, &outputs(program.as_ref(), documents), partial)?;
            }
            Ok(program)
        });
        match checked {
            Ok(program) => programs.push((rows.len(), program)),
            Err(why) => row.remark = Some(why),
        }
        rows.push(row);
    }
    for (name, worker) in others.start(job, documents) {
        let mut row = Row::new(name, String::new());
        let checked = worker.and_then(|mut worker| {
            row.version = worker.ask("version")?;
            let outputs = worker.outputs()?;
            compare(
                &reference,
                &outputs.iter().map(|text| parse(text)).collect::<Vec<_>>(),
                false,
            )?;
            Ok(worker)
        });
        match checked {
            Ok(worker) => workers.push((rows.len(), worker)),
            Err(why) => row.remark = Some(why),
        }
        rows.push(row);
    }
    for (row, program) in &programs {
        (rows[*row].allocations, rows[*row].peak) = allocations(program.as_ref(), documents);
    }
    for timed in time(scenario, &programs, &mut workers, &rows, rounds) {
        let times = Times::of(timed.rounds, timed.parts);
        let row = &mut rows[timed.row];
        match timed.kind {
            Kind::Text => row.text = times,
            Kind::Parsed => row.parsed = times,
            Kind::Compile => row.compile = times,
        }
    }
    rows
}

fn time<'t>(
    scenario: &'t Scenario,
    programs: &'t [(usize, Box<dyn Program>)],
    workers: &'t mut [(usize, Worker)],
    rows: &[Row],
    rounds: usize,
) -> Vec<Timed<'t>> {
    let documents = &scenario.documents;
    let mut timed = Vec::new();
    let mut add = |row: usize, kind: Kind, parts: usize, run: Box<dyn FnMut() -> Duration + 't>| {
        timed.push(Timed {
            row,
            kind,
            parts,
            run,
            rounds: Vec::with_capacity(rounds),
        });
    };
    for (row, program) in programs {
        let engine = ENGINES
            .iter()
            .find(|engine| engine.name == rows[*row].name)
            .unwrap();
        let mut output = Vec::new();
        let run = move || {
            clock(|| {
                for document in documents {
                    output.clear();
                    program.text(document, &mut output);
                    std::hint::black_box(&output);
                }
            })
        };
        add(*row, Kind::Text, documents.len(), Box::new(run));
        let Some(parsed) = program.parsed(documents) else {
            continue;
        };
        let count = documents.len();
        add(
            *row,
            Kind::Parsed,
            count,
            Box::new(move || clock(|| (0..count).for_each(&parsed))),
        );
        let compile = move || clock(|| drop(std::hint::black_box((engine.compile)(&scenario.job))));
        add(*row, Kind::Compile, 1, Box::new(compile));
    }
    let mut together = Vec::new();
    for (row, worker) in workers {
        together.push((*row, std::cell::RefCell::new(worker)));
    }
    let together = Box::leak(Box::new(together));
    for (row, worker) in together {
        let worker = &*worker;
        let count = documents.len();
        add(
            *row,
            Kind::Text,
            count,
            Box::new(|| worker.borrow_mut().time("text")),
        );
        add(
            *row,
            Kind::Parsed,
            count,
            Box::new(|| worker.borrow_mut().time("parsed")),
        );
        add(
            *row,
            Kind::Compile,
            1,
            Box::new(|| worker.borrow_mut().time("compile")),
        );
    }
    for _ in 0..rounds {
        for timed in &mut timed {
            let time = (timed.run)();
            timed.rounds.push(time);
        }
    }
    timed
}

fn clock(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn outputs(program: &dyn Program, documents: &[String]) -> Vec<Value> {
    let output = |document: &String| {
        let mut output = Vec::new();
        program.text(document, &mut output);
        parse(&String::from_utf8(output).unwrap())
    };
    documents.iter().map(output).collect()
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Equal, or of a partial job: equal in what is there.
fn compare(expected: &[Value], found: &[Value], partial: bool) -> Result<(), String> {
    let same = |(expected, found): (&Value, &Value)| expected == found || partial && part_of(found, expected);
    match expected.iter().zip(found).position(|pair| !same(pair)) {
        None if expected.len() == found.len() => Ok(()),
        None => Err("not as many outputs".to_owned()),
        Some(at) => Err(format!(
            "another output: {}",
            difference(&expected[at], &found[at])
        )),
    }
}

fn part_of(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|whole| part_of(value, whole))),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| part_of(part, whole))
        }
        (part, whole) => part == whole,
    }
}

fn difference(expected: &Value, found: &Value) -> String {
    if let (Value::Object(expected), Value::Object(found)) = (expected, found) {
        for (key, value) in expected {
            match found.get(key) {
                Some(other) if other == value => {}
                Some(other) => return difference(value, other),
                None => return format!("no `{key}`"),
            }
        }
    }
    format!("{found} instead of {expected}")
}

fn allocations(program: &dyn Program, documents: &[String]) -> (Option<f64>, Option<u64>) {
    let mut output = Vec::new();
    let (mut count, mut peak) = (0, 0);
    for document in documents {
        output.clear();
        let found = allocation_counter::measure(|| program.text(document, &mut output));
        count += found.count_total;
        peak = peak.max(found.bytes_max);
    }
    (Some(count as f64 / documents.len() as f64), Some(peak))
}

impl Row {
    fn new(name: &'static str, version: String) -> Row {
        Row {
            name,
            version,
            remark: None,
            text: None,
            parsed: None,
            compile: None,
            allocations: None,
            peak: None,
        }
    }
}

/// The version of a package in the lock file.
fn version(package: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let entry = lock
        .split("[[package]]")
        .find(|entry| entry.contains(&format!("name = \"{package}\"\n")));
    let line = entry.and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")));
    line.unwrap_or_default().trim_matches('"').to_owned()
}
