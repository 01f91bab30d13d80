//! Compares what came of a case with what it expects.

use actions::ApiError;
use mapping::Place;
use serde_json::{Map, Value, json};
use similar::TextDiff;

use super::case::{Case, End};
use super::play::Played;
use super::player::Surprise;
use super::shown::put;
use super::yaml;
use crate::live::cause::Cause;

/// Unchanged lines shown around a difference.
const AROUND: usize = 3;
/// So many fields that differ are traced to the integration.
const MOST_FIELDS: usize = 5;

/// One way in which a case and what came of it differ.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Where the case says otherwise.
    pub(crate) place: Place,
    /// What is otherwise.
    pub(crate) message: String,
    /// A unified diff from what is expected to what came; empty where there is none to show.
    pub(crate) diff: String,
    /// What in the integration is likely behind it.
    pub(crate) causes: Vec<Cause>,
}

impl Finding {
    /// Of which nothing in the integration is the cause.
    pub(crate) fn new(place: Place, message: impl Into<String>, diff: String) -> Self {
        Self {
            place,
            message: message.into(),
            diff,
            causes: Vec::new(),
        }
    }

    /// `{file, line, column, message, diff, causes}`.
    pub(crate) fn to_json(&self) -> Value {
        let (line, column) = self.place.line_column();
        let causes = self.causes.iter();
        let causes: Vec<Value> = causes
            .map(|cause| json!({"place": cause.place, "text": cause.text}))
            .collect();
        json!({"file": self.place.source.name, "line": line, "column": column, "message": self.message,
               "diff": self.diff, "causes": causes})
    }
}

/// The differences of a case's requests, and then of its end. With a request that was not expected, the end is a
/// consequence and not looked at.
pub(crate) fn findings(case: &Case, played: &Played) -> Vec<Finding> {
    if let Some(surprise) = &played.surprise {
        return vec![surprised(case, surprise)];
    }
    let mut findings = Vec::new();
    for exchange in played
        .unplayed
        .iter()
        .filter_map(|index| case.exchanges.get(*index))
    {
        let method = text_of(&exchange.request, "method");
        let path = text_of(&exchange.request, "path");
        let message = match exchange.times {
            1 => format!("this request was not sent: {method} {path}"),
            times => format!("this request was not sent {times} times: {method} {path}"),
        };
        findings.push(Finding::new(exchange.place.clone(), message, String::new()));
    }
    if let Some(expect) = &case.expect {
        let (expected, actual) = match (&expect.end, &played.end) {
            (End::Output(expected), Ok(actual)) => (json!({"output": expected}), json!({"output": actual})),
            (End::Output(expected), Err(error)) => {
                (json!({"output": expected}), json!({"error": error_of(error)}))
            }
            (End::Error(expected), Ok(actual)) => (json!({"error": expected}), json!({"output": actual})),
            (End::Error(expected), Err(error)) => (
                json!({"error": expected}),
                json!({"error": as_far_as_named(error, expected)}),
            ),
        };
        if expected != actual {
            let message = match (&expect.end, &played.end) {
                (End::Output(_), Ok(_)) => "the output is another",
                (End::Error(_), Err(_)) => "the error is another",
                (End::Output(_), Err(_)) => "an output is expected, and there is an error",
                (End::Error(_), Ok(_)) => "an error is expected, and there is an output",
            };
            // All of the output would hide the error that came in its place.
            let expected = match (&expect.end, &played.end) {
                (End::Output(_), Err(_)) => Value::Null,
                _ => expected,
            };
            let diff = difference(&expect.place, &expected, &actual, "what came");
            findings.push(Finding::new(expect.place.clone(), message, diff));
        }
    }
    findings
}

fn text_of<'v>(request: &'v Value, key: &str) -> &'v str {
    request.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What to say of a request that the case does not expect.
pub(crate) fn surprised(case: &Case, surprise: &Surprise) -> Finding {
    match surprise {
        Surprise::Different { index, sent } => {
            let exchange = case.exchanges.get(*index);
            let place = exchange.map_or(&case.place, |exchange| &exchange.place);
            let expected = exchange
                .map(|exchange| exchange.request.clone())
                .unwrap_or_default();
            Finding::new(
                place.clone(),
                format!("request {} of {} is another", index + 1, case.exchanges.len()),
                difference(place, &expected, sent, "what was sent"),
            )
        }
        Surprise::Unexpected { sent } => {
            let count = case.exchanges.len();
            let expected = match count {
                0 => "the case expects no request".to_owned(),
                1 => "the case expects one request, and there is another".to_owned(),
                count => format!("the case expects {count} requests, and there is another"),
            };
            let last = case.exchanges.last();
            Finding::new(
                last.map_or(&case.place, |exchange| &exchange.place).clone(),
                expected,
                difference(&case.place, &Value::Null, sent, "what was sent"),
            )
        }
    }
}

/// The fields of the output that are others than expected, such as `raw_ticket.comments[0].body`: the first few.
pub(crate) fn other_fields(case: &Case, played: &Played) -> Vec<String> {
    let mut paths = Vec::new();
    if let (Some(End::Output(expected)), Ok(actual)) =
        (case.expect.as_ref().map(|expect| &expect.end), &played.end)
    {
        compare(String::new(), expected, actual, &mut paths);
    }
    paths
}

fn compare(path: String, expected: &Value, actual: &Value, paths: &mut Vec<String>) {
    if paths.len() == MOST_FIELDS || expected == actual {
        return;
    }
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let added = actual.keys().filter(|key| !expected.contains_key(*key));
            for key in expected.keys().chain(added) {
                let below = match path.is_empty() {
                    true => key.clone(),
                    false => format!("{path}.{key}"),
                };
                let of = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or_default();
                compare(below, &of(expected), &of(actual), paths);
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(format!("{path}[{index}]"), expected, actual, paths);
            }
        }
        _ => paths.push(path),
    }
}

/// What a call ended with, as `expect` has it.
pub(crate) fn expectation(end: &Result<Value, ApiError>) -> Value {
    match end {
        Ok(output) => json!({"output": output}),
        Err(error) => json!({"error": error_of(error)}),
    }
}

/// An error with everything that a case can name.
fn error_of(error: &ApiError) -> Map<String, Value> {
    let mut shown = Map::new();
    put(&mut shown, "code", error.code().as_str());
    put(&mut shown, "status", error.status().as_u16());
    put(&mut shown, "message", error.message());
    if let Some(outcome) = error.details().get("outcome") {
        put(&mut shown, "outcome", outcome.clone());
    }
    shown
}

/// An error with what the case names. A message that holds the one that is expected is that one.
fn as_far_as_named(error: &ApiError, expected: &Map<String, Value>) -> Map<String, Value> {
    let all = error_of(error);
    let mut shown = Map::new();
    for (key, wanted) in expected {
        let value = match (key.as_str(), wanted) {
            ("message", Value::String(part)) if error.message().contains(part.as_str()) => wanted.clone(),
            ("details", Value::Object(named)) => {
                let entry = |name: &String| error.details().get(name).cloned().unwrap_or_default();
                named.keys().map(|name| (name.clone(), entry(name))).collect()
            }
            _ => all.get(key).cloned().unwrap_or_default(),
        };
        shown.insert(key.clone(), value);
    }
    // Who sees a wrong code wants to read what is said of it.
    if expected.get("code") != all.get("code") {
        put(&mut shown, "message", error.message());
    }
    shown
}

/// A unified diff of two values as a case writes them.
pub(crate) fn difference(place: &Place, expected: &Value, actual: &Value, came: &str) -> String {
    let written = |value: &Value| match value {
        Value::Null => String::new(),
        value => yaml::text(value),
    };
    let (old, new) = (written(expected), written(&aligned(actual, expected)));
    let header = format!("{} (expected)", place.source.name);
    TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(AROUND)
        .header(&header, came)
        .to_string()
}

/// The value with its fields in the order of another one's: their order means nothing.
fn aligned(value: &Value, order: &Value) -> Value {
    match (value, order) {
        (Value::Object(fields), Value::Object(order)) => {
            let known = order.iter().filter_map(|(key, inner)| {
                let field = fields.get(key)?;
                Some((key.clone(), aligned(field, inner)))
            });
            let others = fields.iter().filter(|(key, _)| !order.contains_key(*key));
            known
                .chain(others.map(|(key, field)| (key.clone(), field.clone())))
                .collect()
        }
        (Value::Array(items), Value::Array(order)) => {
            let null = Value::Null;
            let orders = order.iter().chain(std::iter::repeat(&null));
            items
                .iter()
                .zip(orders)
                .map(|(item, order)| aligned(item, order))
                .collect()
        }
        _ => value.clone(),
    }
}
