//! The JSON Schema of an integration's YAML, for editors.

use serde_json::Value;

use crate::model::Document;

/// The JSON Schema (draft 2020-12) of one file of an integration.
///
/// No top-level key is required in it, because a folder may divide the keys among several files; `lint` says
/// what is missing.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Document).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), "Ticket Gateway integration".into());
        object.remove("required");
    }
    schema
}
