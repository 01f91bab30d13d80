//! The examples in the documentation of every operator and function hold, and the reference page shows them as
//! they are.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../examples/reference.rs"]
#[allow(dead_code, reason = "the example's own `main`")]
mod reference;

use jiff::Timestamp;
use mapping::{Documentation, Environment, Mapping, functions, operators, parse};
use serde_json::Value;

fn environment() -> Environment {
    let now: Timestamp = "2024-05-01T12:00:00Z".parse().unwrap();
    Environment::at(now)
}

/// The result as JSON text, or the code of the error.
fn outcome(mapping: &str, input: &Value) -> Result<Value, String> {
    let node = parse("example", mapping).map_err(|error| error.code.to_owned())?;
    let mapping = Mapping::compile(&node).map_err(|errors| errors[0].code.to_owned())?;
    mapping
        .evaluate(input, &environment())
        .map_err(|error| error.code().to_owned())
}

#[test]
fn every_example_gives_what_it_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in operators().chain(functions()) {
        for example in entry.examples {
            count += 1;
            let input = serde_json::from_str(example.input)
                .unwrap_or_else(|error| panic!("{}: the input of `{}`: {error}", entry.name, example.title));
            let expected = match example.output {
                code if code.starts_with("TG") => Err(code.to_owned()),
                json => Ok(serde_json::from_str(json).unwrap_or_else(|error| {
                    panic!("{}: the output of `{}`: {error}", entry.name, example.title)
                })),
            };
            let found = outcome(example.mapping, &input);
            // As text too, so that the order of keys and `4` against `4.0` count.
            if found != expected || format!("{found:?}") != format!("{expected:?}") {
                wrong.push(format!(
                    "{}, {}: expected {expected:?}, found {found:?}",
                    entry.name, example.title
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} examples are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_entry_is_complete() {
    let complete = |entry: &&Documentation| {
        entry.signature.contains(entry.name) && !entry.summary.is_empty() && entry.examples.len() >= 2
    };
    for entry in operators().chain(functions()) {
        assert!(complete(&entry), "{} lacks a part", entry.name);
    }
    assert_eq!(operators().count(), 13);
    assert_eq!(functions().count(), 33);
}

#[test]
fn the_reference_page_is_in_step() {
    let written = std::fs::read_to_string(reference::path()).unwrap_or_default();
    assert!(
        written == reference::page(),
        "docs/mapping-reference.md is out of step; run `cargo run -p mapping --example reference`"
    );
}
