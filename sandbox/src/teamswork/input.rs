//! Request bodies: read, checked, and turned into what the stand-in works with.

use serde_json::{Map, Value};

use super::answers::Refusal;
use super::custom_fields::{check, check_tags};
use super::model::{Person, Priority, Tag};
use super::moment::Moment;

/// Reads a JSON object.
pub(super) fn body(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::invalid("The request body must be a JSON object")),
        Err(error) => Err(Refusal::invalid(format!(
            "The request body is not valid JSON: {error}"
        ))),
    }
}

/// Reads an `IUser`: id, name and email, all of them.
pub(super) fn person(value: &Value, place: &str) -> Result<Person, Refusal> {
    let object = value
        .as_object()
        .ok_or_else(|| Refusal::invalid(format!("{place} must be an object with id, name and email")))?;
    let part = |key: &str| match object.get(key).and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(Refusal::invalid(format!("{place}.{key} is required"))),
    };
    Ok(Person {
        id: part("id")?,
        name: part("name")?,
        email: part("email")?,
    })
}

/// Reads the acting person, which every write needs.
pub(super) fn user(body: &Map<String, Value>) -> Result<Person, Refusal> {
    let value = body
        .get("user")
        .ok_or_else(|| Refusal::invalid("user is required"))?;
    person(value, "user")
}

/// A text that may be left out or null.
pub(super) fn optional_text(body: &Map<String, Value>, key: &str) -> Result<Option<String>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::invalid(format!("{key} must be text"))),
    }
}

/// The writable part of an `ITicket`. The outer `None` is a key that was not sent, an inner one null.
#[derive(Default)]
pub(super) struct TicketFields {
    pub(super) title: Option<String>,
    pub(super) description: Option<Option<String>>,
    pub(super) requestor: Option<Person>,
    pub(super) priority: Option<Priority>,
    pub(super) assignee: Option<Option<Person>>,
    pub(super) expected_date: Option<Option<Moment>>,
    /// Whether `expectedDate` had a time of day.
    pub(super) expected_date_has_time: bool,
    pub(super) tags: Option<Vec<Tag>>,
    pub(super) custom_fields: Option<Map<String, Value>>,
}

/// Reads the ticket of a create or an update. `place` is the key it was sent under.
pub(super) fn ticket_fields(value: &Value, place: &str, timezone: i8) -> Result<TicketFields, Refusal> {
    let object = value
        .as_object()
        .ok_or_else(|| Refusal::invalid(format!("{place} must be an object")))?;
    let mut fields = TicketFields::default();
    for (key, value) in object {
        let place = format!("{place}.{key}");
        match key.as_str() {
            "title" => fields.title = Some(title(value, &place)?),
            "description" => fields.description = Some(description(value, &place)?),
            "requestor" => fields.requestor = Some(person(value, &place)?),
            "priority" => fields.priority = Some(priority(value, &place)?),
            "assignee" => {
                fields.assignee = Some(if value.is_null() {
                    None
                } else {
                    Some(person(value, &place)?)
                });
            }
            "expectedDate" => {
                let (date, has_time) = expected_date(value, &place, timezone)?;
                fields.expected_date = Some(date);
                fields.expected_date_has_time = has_time;
            }
            "tags" => {
                fields.tags = Some(if value.is_null() {
                    Vec::new()
                } else {
                    check_tags(value)?
                });
            }
            "customFields" => fields.custom_fields = Some(custom_fields(value, &place)?),
            _ => return Err(Refusal::invalid(format!("{place} cannot be set"))),
        }
    }
    Ok(fields)
}

fn title(value: &Value, place: &str) -> Result<String, Refusal> {
    match value.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(Refusal::invalid(format!(
            "{place} must be text that is not blank"
        ))),
    }
}

fn description(value: &Value, place: &str) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Refusal::invalid(format!("{place} must be text"))),
    }
}

fn priority(value: &Value, place: &str) -> Result<Priority, Refusal> {
    value
        .as_str()
        .and_then(Priority::from_name)
        .ok_or_else(|| Refusal::invalid(format!("{place} must be Low, Medium, Important or Urgent")))
}

fn expected_date(value: &Value, place: &str, timezone: i8) -> Result<(Option<Moment>, bool), Refusal> {
    if value.is_null() {
        return Ok((None, false));
    }
    let text = value.as_str().unwrap_or_default();
    if let Some(date) = Moment::parse_date(text, timezone) {
        return Ok((Some(date), false));
    }
    match Moment::parse_date_time(text) {
        Some(time) => Ok((Some(time), true)),
        None => Err(Refusal::invalid(format!(
            "{place} must be an ISO date or date-time"
        ))),
    }
}

fn custom_fields(value: &Value, place: &str) -> Result<Map<String, Value>, Refusal> {
    let object = value
        .as_object()
        .ok_or_else(|| Refusal::invalid(format!("{place} must be an object")))?;
    check(object)?;
    Ok(object.clone())
}
