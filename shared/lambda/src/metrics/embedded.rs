//! CloudWatch's embedded metric format: one JSON object a line, from which CloudWatch Logs makes metrics.
//!
//! Specification: "Embedded metric format" in the Amazon CloudWatch user guide.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// The most values that one metric may have in a line.
const MAX_VALUES: usize = 100;

/// What a metric is measured in, by CloudWatch's names.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Count,
    Milliseconds,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Unit::Count => "Count",
            Unit::Milliseconds => "Milliseconds",
        }
    }
}

/// One line.
pub(super) struct Line {
    dimensions: Vec<Vec<&'static str>>,
    definitions: Vec<Value>,
    members: Map<String, Value>,
}

impl Line {
    /// Begins a line without dimensions or metrics.
    pub(super) fn new() -> Self {
        Line {
            dimensions: Vec::new(),
            definitions: Vec::new(),
            members: Map::new(),
        }
    }

    /// Publishes every metric of the line under these dimensions too. Their values must be of a bounded number: each
    /// combination is a metric of its own, and is paid for.
    pub(super) fn dimensions(&mut self, set: &[(&'static str, &str)]) {
        for (name, value) in set {
            self.property(name, *value);
        }
        self.dimensions.push(set.iter().map(|(name, _)| *name).collect());
    }

    /// Adds a metric with one value.
    pub(super) fn metric(&mut self, name: &'static str, unit: Unit, value: impl Into<Value>) {
        self.definitions
            .push(json!({"Name": name, "Unit": unit.as_str()}));
        self.members.insert(name.to_owned(), value.into());
    }

    /// Adds a metric with several values, of which CloudWatch takes the first hundred; none where there are none.
    pub(super) fn metrics(&mut self, name: &'static str, unit: Unit, values: impl Iterator<Item = f64>) {
        let values: Vec<f64> = values.take(MAX_VALUES).collect();
        if !values.is_empty() {
            self.metric(name, unit, values);
        }
    }

    /// Adds something that can be searched for in the log and is no metric.
    pub(super) fn property(&mut self, name: &str, value: impl Into<Value>) {
        self.members.insert(name.to_owned(), value.into());
    }

    /// The text, without the end of the line.
    pub(super) fn text(self, namespace: &str, now: SystemTime) -> String {
        let milliseconds = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": milliseconds,
                "CloudWatchMetrics": [{
                    "Namespace": namespace,
                    "Dimensions": self.dimensions,
                    "Metrics": self.definitions,
                }],
            }),
        );
        line.extend(self.members);
        Value::Object(line).to_string()
    }
}
