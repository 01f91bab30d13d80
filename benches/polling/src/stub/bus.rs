//! EventBridge's `PutEvents`. It keeps of each event what does not depend on who made it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

/// Ticket and time of its change, to a hash of kind, ticket and changes; and how often it came.
pub type Events = BTreeMap<(String, String), (u64, u32)>;

#[derive(Default)]
pub struct Bus(Events);

impl Bus {
    pub fn take(&mut self) -> Events {
        std::mem::take(&mut self.0)
    }

    pub fn put(&mut self, request: &Value) -> Value {
        let entries = request["Entries"].as_array().expect("entries");
        assert!(
            (1..=10).contains(&entries.len()),
            "EventBridge takes 1 to 10 entries"
        );
        for entry in entries {
            let text = entry["Detail"].as_str().expect("a detail");
            let mut detail: Value = serde_json::from_str(text).expect("JSON");
            let ticket = detail["ticket"].take();
            let key = |name: &str| ticket[name].as_str().expect("a text").to_owned();
            let key = (key("id"), key("updated_at"));
            let mut changes = detail["changes"].take();
            if let Some(changes) = changes.as_array_mut() {
                changes.sort_by_key(|change| change["field"].as_str().unwrap_or_default().to_owned());
            }
            let mut hasher = DefaultHasher::new();
            for part in [&entry["DetailType"], &ticket, &changes] {
                write(part, &mut hasher);
            }
            let seen = self.0.entry(key).or_insert((hasher.finish(), 0));
            assert_eq!(
                seen.0,
                hasher.finish(),
                "one version of a ticket, two contents: {ticket} {changes}"
            );
            seen.1 += 1;
        }
        let answers: Vec<Value> = entries.iter().map(|_| json!({"EventId": "1"})).collect();
        json!({"FailedEntryCount": 0, "Entries": answers})
    }
}

/// The value, whatever the order of its keys.
fn write(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|entry| entry.0);
            for (key, value) in entries {
                key.hash(hasher);
                write(value, hasher);
            }
        }
        Value::Array(items) => {
            items.len().hash(hasher);
            for item in items {
                write(item, hasher);
            }
        }
        other => other.to_string().hash(hasher),
    }
}
