//! What the doctor found, for a person.

use serde_json::{Map, Value, json};

use super::check::Check;
use crate::live::{Live, shown};
use crate::tables;

/// The capability table.
pub(super) fn table(checks: &[Check], live: &Live) -> String {
    let rows: Vec<Map<String, Value>> = checks
        .iter()
        .map(|check| {
            let mut row = Map::new();
            let sent = check.calls > 0;
            row.insert("action".to_owned(), json!(check.name));
            row.insert(
                "time".to_owned(),
                if sent {
                    json!(format!("{} ms", check.took.as_millis()))
                } else {
                    Value::Null
                },
            );
            row.insert(
                "calls".to_owned(),
                if sent { json!(check.calls) } else { Value::Null },
            );
            row.insert(
                "result".to_owned(),
                json!(live.tape.without_secrets(&check.result())),
            );
            row
        })
        .collect();
    tables::rows(&rows)
}

/// What is wrong with a check, and where that comes from.
pub(super) fn details(check: &Check, live: &Live) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in &check.findings {
        lines.push(format!("  {}", live.tape.without_secrets(&finding.message)));
        for cause in &finding.causes {
            lines.push(format!(
                "    likely cause  {}",
                live.tape.without_secrets(&cause.told())
            ));
        }
    }
    if let Some(exchange) = &check.exchange {
        for (label, said) in [
            ("request", shown::request(&exchange.request, &live.tape)),
            ("answer ", shown::answer(exchange, &live.tape)),
        ] {
            for (index, line) in said.iter().enumerate() {
                let label = if index == 0 { label } else { "       " };
                lines.push(format!("    {label}  {line}"));
            }
        }
    }
    lines.extend(
        check
            .notes
            .iter()
            .map(|note| format!("  note: {}", live.tape.without_secrets(note))),
    );
    if !lines.is_empty() {
        lines.insert(0, check.name.clone());
    }
    lines
}
