//! Reads answers that may have any shape.

use serde_json::Value;

/// The field of an object; null where it is not there.
pub(super) fn at<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}
