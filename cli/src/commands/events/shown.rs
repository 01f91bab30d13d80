//! An event for a person, and as JSON.

use std::io;

use serde_json::{Value, json};
use storage::{Change, Event, EventKind, LoggedEvent};

/// The longest value that is shown whole, in characters.
const LONGEST: usize = 60;

/// The longest title.
const LONGEST_TITLE: usize = 80;

/// Changes with every change.
const TIME: &str = "updated_at";

/// One line of JSON: the event, and the cursor behind it.
pub(super) fn json(logged: &LoggedEvent) -> io::Result<Value> {
    let mut event = serde_json::to_value(&logged.event)?;
    if let Some(event) = event.as_object_mut() {
        event.insert("cursor".to_owned(), json!(logged.cursor));
    }
    Ok(event)
}

/// A line for the event, and one for each field that changed.
pub(crate) fn text(event: &Event) -> String {
    let what = match event.kind {
        EventKind::Created => "created",
        EventKind::Updated => "updated",
    };
    let place = match &event.destination {
        Some(destination) => format!("{}/{destination}", event.integration),
        None => event.integration.clone(),
    };
    let title = event.ticket.get("short_description").and_then(Value::as_str);
    let mut text = format!(
        "{:.0}  {place}  {}  {what}",
        event.observed_at,
        shortened(&event.ticket_id, LONGEST)
    );
    if let Some(title) = title {
        text.push_str(&format!("  {}", shortened(title, LONGEST_TITLE)));
    }
    if let Some(request) = &event.caused_by {
        text.push_str(&format!("  (by our request {})", shortened(request, LONGEST)));
    }
    text.push('\n');
    for line in changes(event) {
        text.push_str(&format!("    {line}\n"));
    }
    text
}

fn changes(event: &Event) -> Vec<String> {
    let Some(changes) = &event.changes else {
        let is_known = event.kind == EventKind::Created;
        let unknown = "(what changed is not known: it is the first version that was seen)";
        return if is_known {
            Vec::new()
        } else {
            vec![unknown.to_owned()]
        };
    };
    let is_only_time = changes.iter().all(|change| change.field == TIME);
    let told = changes
        .iter()
        .filter(|change| is_only_time || change.field != TIME);
    told.map(|change| line(change, &event.omitted)).collect()
}

fn line(change: &Change, omitted: &[String]) -> String {
    let field = shortened(&change.field, LONGEST);
    if omitted.contains(&change.field) {
        return format!("{field}: changed (too long for the event)");
    }
    let (before, after) = (value(&change.before), value(&change.after));
    if before == after {
        return format!("{field}: {after} (changed)");
    }
    format!("{field}: {before} -> {after}")
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) if text.trim().is_empty() => "\"\"".to_owned(),
        Value::String(text) => shortened(text, LONGEST),
        Value::Array(items) if items.iter().any(Value::is_object) => match items.len() {
            1 => "1 entry".to_owned(),
            number => format!("{number} entries"),
        },
        Value::Object(person) => match person.get("full_name").or_else(|| person.get("name")) {
            Some(Value::String(name)) => shortened(name, LONGEST),
            _ => shortened(&value.to_string(), LONGEST),
        },
        other => shortened(&other.to_string(), LONGEST),
    }
}

/// On one line; control characters would let a ticketing system draw on the person's terminal.
fn shortened(text: &str, longest: usize) -> String {
    let mut letters = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut shown: String = letters.by_ref().take(longest).collect();
    if letters.next().is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}
