//! How each field of the answer was made.

use mapping::{ExplainedKind, Explanation, Role};
use serde_json::{Value, json};

use super::steps::one_line;
use crate::live::places::line;
use crate::live::shown;
use crate::live::tape::Tape;

/// Characters of a value on a line.
const WIDTH: usize = 120;

/// The lines of an output mapper.
pub(super) fn told(explanation: &Explanation, tape: &Tape) -> Vec<String> {
    let mut lines = Vec::new();
    node("", explanation, 4, tape, &mut lines);
    lines
}

fn node(name: &str, explanation: &Explanation, indentation: usize, tape: &Tape, lines: &mut Vec<String>) {
    let margin = " ".repeat(indentation);
    let label = if name.is_empty() {
        String::new()
    } else {
        format!("{name}: ")
    };
    let value = match &explanation.result {
        Ok(value) => shown::value(value, tape, WIDTH),
        Err(error) => format!("ERROR {} {}", error.code(), error.message()),
    };
    let place = line(&explanation.place);
    match explanation.kind {
        ExplainedKind::Constant => lines.push(format!("{margin}{label}{value}  (constant, {place})")),
        ExplainedKind::Expression => {
            lines.push(format!(
                "{margin}{label}{value}  = {} ({place})",
                one_line(explanation)
            ));
            let is_empty = explanation.result.as_ref().is_ok_and(is_empty);
            let paths = explanation.paths.iter();
            for path in paths.clone().filter(|_| is_empty) {
                match &path.missing {
                    Some(missing) => {
                        lines.push(format!("{margin}    {}", shown::missing(&path.path, missing)));
                    }
                    None => {
                        let value = shown::value(&path.value, tape, WIDTH);
                        lines.push(format!("{margin}    {} is {value}", path.path));
                    }
                }
            }
            if is_empty && explanation.place.text().contains("=>") {
                lines.push(format!(
                    "{margin}    what stands behind `=>` is read of each element, and not listed here"
                ));
            }
            // Of several candidates, the one that had the value.
            let had = paths.rev().find(|path| !path.value.is_null());
            if let Some(path) = had.filter(|_| !is_empty && explanation.paths.len() > 1) {
                lines.push(format!("{margin}    from {}", path.path));
            }
        }
        ExplainedKind::List | ExplainedKind::Object => {
            if !name.is_empty() {
                lines.push(format!("{margin}{}", label.trim_end()));
            }
            parts(
                explanation,
                indentation + if name.is_empty() { 0 } else { 2 },
                tape,
                lines,
            );
        }
        ExplainedKind::Operator(operator) => {
            lines.push(format!("{margin}{label}{value}  = {operator} ({place})"));
            parts(explanation, indentation + 4, tape, lines);
        }
    }
}

/// What makes people ask where it comes from.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn parts(explanation: &Explanation, indentation: usize, tape: &Tape, lines: &mut Vec<String>) {
    for (role, part) in &explanation.parts {
        node(&role_name(role), part, indentation, tape, lines);
    }
}

fn role_name(role: &Role) -> String {
    match role {
        Role::Field(name) => name.clone(),
        Role::Element(index) => format!("[{index}]"),
        Role::Argument(name) => format!("<{name}>"),
        Role::Candidate(index) => format!("<{}>", index + 1),
    }
}

/// The same as data: `{at, kind, written, value | error, paths, parts}`.
pub(super) fn to_json(explanation: &Explanation) -> Value {
    let kind = match explanation.kind {
        ExplainedKind::Constant => "constant",
        ExplainedKind::Expression => "expression",
        ExplainedKind::List => "list",
        ExplainedKind::Object => "object",
        ExplainedKind::Operator(name) => name,
    };
    let paths: Vec<Value> = explanation
        .paths
        .iter()
        .map(|path| {
            json!({"path": path.path, "at": path.place.to_string(), "value": hidden(&path.value),
                   "missing": path.missing.as_deref().map(shown::worded)})
        })
        .collect();
    let parts: Vec<Value> = explanation
        .parts
        .iter()
        .map(|(role, part)| {
            let mut part = to_json(part);
            let (key, name) = match role {
                Role::Field(name) => ("field", Value::from(name.as_str())),
                Role::Element(index) => ("element", Value::from(*index)),
                Role::Argument(name) => ("argument", Value::from(name.as_str())),
                Role::Candidate(index) => ("candidate", Value::from(*index)),
            };
            if let Some(fields) = part.as_object_mut() {
                fields.insert(key.to_owned(), name);
            }
            part
        })
        .collect();
    json!({
        "at": explanation.place.to_string(),
        "kind": kind,
        "written": match explanation.kind {
            ExplainedKind::Expression => Value::from(one_line(explanation)),
            _ => Value::Null,
        },
        "value": explanation.result.as_ref().map_or(Value::Null, hidden),
        "error": explanation.result.as_ref().err().map(ToString::to_string),
        "paths": paths,
        "parts": parts,
    })
}

fn hidden(value: &Value) -> Value {
    shown::without_named_secrets(value.clone())
}
