//! Reads the object of a request body field by field, and collects what is wrong with each.

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use super::answers::Refusal;
use super::moment::Moment;

/// A request body that must be a JSON object.
pub(super) fn object(message: &str, bytes: &Bytes) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Refusal::field(message, "_schema", "Invalid input type.")),
    }
}

/// An object that is read; only the fields in `known` may be there.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    wrong: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(object: &'a Map<String, Value>, known: &[&str]) -> Self {
        let wrong = object
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| (name.clone(), json!(["Unknown field."])))
            .collect();
        Self { object, wrong }
    }

    /// Whether the field is there, be it null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Says what is wrong with a field.
    pub(super) fn complain(&mut self, name: &str, text: &str) {
        self.wrong
            .entry(name)
            .or_insert_with(|| json!([]))
            .as_array_mut()
            .into_iter()
            .for_each(|texts| texts.push(json!(text)));
    }

    /// Says what is wrong inside a field.
    pub(super) fn complain_inside(&mut self, name: &str, wrong: Map<String, Value>) {
        self.wrong.insert(name.to_owned(), Value::Object(wrong));
    }

    pub(super) fn require(&mut self, name: &str) {
        if self.value(name).is_none() {
            self.complain(name, "Missing data for required field.");
        }
    }

    fn typed<T>(&mut self, name: &str, read: impl Fn(&'a Value) -> Option<T>, kind: &str) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            self.complain(name, &format!("Not a valid {kind}."));
        }
        read
    }

    pub(super) fn text(&mut self, name: &str, longest: usize) -> Option<&'a str> {
        let text = self.typed(name, Value::as_str, "string")?;
        if text.chars().count() > longest {
            self.complain(name, &format!("Longer than maximum length {longest}."));
        }
        Some(text)
    }

    pub(super) fn one_of(&mut self, name: &str, known: &[&str]) -> Option<&'a str> {
        let text = self.text(name, 255)?;
        if !known.contains(&text) {
            self.complain(name, &format!("Must be one of: {}.", known.join(", ")));
        }
        Some(text)
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        self.typed(name, Value::as_bool, "boolean")
    }

    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        self.typed(name, Value::as_i64, "integer")
    }

    pub(super) fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        self.typed(name, Value::as_object, "mapping type")
    }

    pub(super) fn list(&mut self, name: &str) -> Option<&'a Vec<Value>> {
        self.typed(name, Value::as_array, "list")
    }

    pub(super) fn moment(&mut self, name: &str) -> Option<Moment> {
        self.typed(name, |value| value.as_str().and_then(Moment::parse), "datetime")
    }

    /// What was wrong, if anything was.
    pub(super) fn finish(self) -> Result<(), Map<String, Value>> {
        if self.wrong.is_empty() {
            Ok(())
        } else {
            Err(self.wrong)
        }
    }
}
