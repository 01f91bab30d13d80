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
    Seconds,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Unit::Count => "Count",
            Unit::Milliseconds => "Milliseconds",
            Unit::Seconds => "Seconds",
        }
    }
}

/// Metrics that are published under one dimension.
struct Group {
    dimension: &'static str,
    definitions: Vec<Value>,
}

/// One line.
pub(super) struct Line {
    groups: Vec<Group>,
    members: Map<String, Value>,
}

impl Line {
    /// Begins a line whose first metrics are published under this dimension.
    ///
    /// The values of a dimension must be of a bounded number: each metric of each value is paid for.
    pub(super) fn of(dimension: &'static str, value: &str) -> Self {
        let mut line = Line {
            groups: Vec::new(),
            members: Map::new(),
        };
        line.dimension(dimension, value);
        line
    }

    /// Publishes the metrics that follow under another dimension.
    pub(super) fn dimension(&mut self, name: &'static str, value: &str) {
        self.property(name, value);
        self.groups.push(Group {
            dimension: name,
            definitions: Vec::new(),
        });
    }

    /// Adds a metric with one value.
    pub(super) fn metric(&mut self, name: &'static str, unit: Unit, value: impl Into<Value>) {
        if let Some(group) = self.groups.last_mut() {
            group
                .definitions
                .push(json!({"Name": name, "Unit": unit.as_str()}));
        }
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

    /// Whether it has no metric at all.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.definitions.is_empty())
    }

    /// The text, without the end of the line.
    pub(super) fn text(self, namespace: &str, now: SystemTime) -> String {
        let milliseconds = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let directives: Vec<Value> = self
            .groups
            .into_iter()
            .filter(|group| !group.definitions.is_empty())
            .map(|group| {
                json!({
                    "Namespace": namespace,
                    "Dimensions": [[group.dimension]],
                    "Metrics": group.definitions,
                })
            })
            .collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": milliseconds, "CloudWatchMetrics": directives}),
        );
        line.extend(self.members);
        Value::Object(line).to_string()
    }
}
