//! `/custom-fields` and `/tickets/{id}/custom-fields`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::answers::{Answer, Refusal, answer, changed, merged};
use super::fields::Fields;
use super::model::FieldKind;
use super::query::{Query, invalid};
use super::quirks::Quirk;
use super::running::Sandbox;
use super::store::FIELDS;
use super::tickets::{Known, changeable, known};

const FAILED: &str = "Failed to update the custom fields of the ticket";

/// The definitions; `object_type` is needed.
pub(super) async fn definitions(State(_): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    let known = ["object_type", "cursor", "limit", "order_by", "search", "archived"];
    let query = Query::read(query.as_deref(), &known, &[])?;
    let shown = |field: &super::model::FieldDefinition| {
        let settings = match field.kind {
            FieldKind::Text => json!({"data_type": "text", "input_type": "input"}),
            FieldKind::Number => json!({"data_type": "number", "input_type": "input_number"}),
            FieldKind::Boolean => json!({"data_type": "boolean", "input_type": "dropdown"}),
            FieldKind::Dropdown(choices) => {
                json!({"data_type": "text", "input_type": "dropdown", "choices": choices})
            }
        };
        json!({"id": field.id, "object_type": "Ticket", "label": field.label, "description": null, "priority": field.id,
               "required": false, "managed_type": null, "definition": {"input_settings": settings}})
    };
    let data: Vec<Value> = match query.get("object_type") {
        Some("Ticket") => FIELDS.iter().map(shown).collect(),
        Some("Customer") => Vec::new(),
        Some(_) => return Err(invalid("object_type", "Must be one of: Customer, Ticket.")),
        None => return Err(invalid("object_type", "Missing data for required field.")),
    };
    answer(
        StatusCode::OK,
        json!({"object": "list", "uri": "/api/custom-fields/", "data": data,
               "meta": {"prev_cursor": null, "next_cursor": null}}),
    )
}

/// What is wrong with a value for a field; nothing if it fits.
fn complaint(id: i64, value: &Value) -> Option<String> {
    let Some(field) = FIELDS.iter().find(|field| field.id == id) else {
        return Some(format!("There is no custom field {id}."));
    };
    let fits = value.is_null()
        || match field.kind {
            FieldKind::Text => value.is_string(),
            FieldKind::Number => value.is_number(),
            FieldKind::Boolean => value.is_boolean(),
            FieldKind::Dropdown(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
        };
    (!fits).then(|| format!("Not a valid value for the custom field {id}."))
}

/// Reads `custom_fields: [{id, value}]` of a ticket.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<BTreeMap<i64, Value>> {
    let list = fields.list("custom_fields")?;
    match values(list) {
        Ok(values) => Some(values.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        Err(text) => {
            fields.complain("custom_fields", &text);
            None
        }
    }
}

fn values(list: &[Value]) -> Result<Vec<(i64, Value)>, String> {
    let mut values = Vec::new();
    for entry in list {
        let id = entry
            .get("id")
            .and_then(Value::as_i64)
            .ok_or("A custom field needs an id.")?;
        let value = entry.get("value").cloned().unwrap_or_default();
        if let Some(text) = complaint(id, &value) {
            return Err(text);
        }
        values.push((id, value));
    }
    Ok(values)
}

pub(super) async fn of_ticket(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Answer {
    let store = sandbox.store();
    match known(&store, &id)? {
        Known::Ticket(ticket) => answer(StatusCode::OK, sandbox.view(&store).custom_field_list(ticket)),
        Known::Merged(into) => merged(&format!("/api/tickets/{into}/custom-fields")),
    }
}

/// `PUT /tickets/{id}/custom-fields` with `[{id, value}]`; null takes a value away.
pub(super) async fn set_all(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let list = match serde_json::from_slice(&body) {
        Ok(Value::Array(list)) => list,
        _ => return Err(Refusal::field(FAILED, "_schema", "Invalid input type.")),
    };
    let values = values(&list).map_err(|text| Refusal::field(FAILED, "value", text))?;
    write(
        &sandbox,
        &id,
        "/custom-fields",
        values,
        sandbox.quirks.has(Quirk::CustomFieldsReplaced),
    )
}

/// `PUT /tickets/{id}/custom-fields/{field}` with the value as the body.
pub(super) async fn set_one(
    State(sandbox): State<Arc<Sandbox>>,
    Path((id, field)): Path<(String, i64)>,
    body: Bytes,
) -> Answer {
    let value: Value = serde_json::from_slice(&body)
        .map_err(|_| Refusal::field(FAILED, "_schema", "Invalid input type."))?;
    if let Some(text) = complaint(field, &value) {
        return Err(Refusal::field(FAILED, "value", text));
    }
    write(
        &sandbox,
        &id,
        &format!("/custom-fields/{field}"),
        vec![(field, value)],
        false,
    )
}

/// `DELETE /tickets/{id}/custom-fields/{field}`.
pub(super) async fn remove(
    State(sandbox): State<Arc<Sandbox>>,
    Path((id, field)): Path<(String, i64)>,
) -> Answer {
    let rest = format!("/custom-fields/{field}");
    write(&sandbox, &id, &rest, vec![(field, Value::Null)], false)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn write(sandbox: &Sandbox, id: &str, rest: &str, values: Vec<(i64, Value)>, replace: bool) -> Answer {
    let mut store = sandbox.store();
    let id = match changeable(&store, id, rest)? {
        Ok(id) => id,
        Err(moved) => return Ok(moved),
    };
    let time = store.change_time();
    let ticket = store.tickets.get_mut(&id).ok_or_else(Refusal::not_found)?;
    if replace {
        ticket.custom_fields.clear();
    }
    for (field, value) in values {
        if value.is_null() {
            ticket.custom_fields.remove(&field);
        } else {
            ticket.custom_fields.insert(field, value);
        }
    }
    ticket.updated = time;
    let ticket = store.tickets.get(&id).ok_or_else(Refusal::not_found)?;
    let shown = sandbox.view(&store).custom_field_list(ticket);
    changed(&sandbox.quirks, StatusCode::OK, shown)
}
