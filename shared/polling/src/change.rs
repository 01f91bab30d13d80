//! What differs between two versions of a ticket.

use serde_json::{Map, Value};
use storage::Change;

/// The field whose own fields are compared, because it holds what the ticket schema has no name for.
const CUSTOM: &str = "custom_data";

/// The fields that differ, in the order of `after`, those that are gone last.
pub(crate) fn changes(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    ignored: &[String],
) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", before, after, ignored, &mut changes);
    changes
}

fn compare(
    prefix: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    ignored: &[String],
    changes: &mut Vec<Change>,
) {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    for key in after.keys().chain(gone).filter(|key| !ignored.contains(key)) {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            continue;
        }
        if let (true, CUSTOM, Some(Value::Object(old)), Some(Value::Object(new))) =
            (prefix.is_empty(), key.as_str(), old, new)
        {
            compare("custom_data.", old, new, &[], changes);
            continue;
        }
        changes.push(Change {
            field: format!("{prefix}{key}"),
            before: old.cloned().unwrap_or(Value::Null),
            after: new.cloned().unwrap_or(Value::Null),
        });
    }
}
