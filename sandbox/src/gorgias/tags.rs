//! `/tags` and `/tickets/{id}/tags`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::answers::{Answer, Refusal, answer, changed};
use super::fields::{self, Fields};
use super::paging::{self, Row};
use super::query::{Query, invalid};
use super::running::Sandbox;
use super::store::Store;
use super::tickets::{Known, changeable, known};

/// A tag as a body names one. Names are case-sensitive.
pub(super) enum Wanted {
    Id(i64),
    Name(String),
}

/// Reads `tags: [{name}]` of a ticket.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Vec<Wanted>> {
    let list = fields.list("tags")?;
    let mut wanted = Vec::new();
    for entry in list {
        let id = entry.get("id").and_then(Value::as_i64);
        let name = entry
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty());
        match (id, name) {
            (_, Some(name)) => wanted.push(Wanted::Name(name.to_owned())),
            (Some(id), None) => wanted.push(Wanted::Id(id)),
            (None, None) => fields.complain("tags", "A tag needs a name."),
        }
    }
    Some(wanted)
}

/// The ids of tags; a name that is not known becomes a tag, an id that is not known is passed over.
pub(super) fn found(store: &mut Store, wanted: &[Wanted]) -> Vec<i64> {
    let mut ids = Vec::new();
    for tag in wanted {
        let id = match tag {
            Wanted::Id(id) => store.tags.contains_key(id).then_some(*id),
            Wanted::Name(name) => Some(store.tag(name)),
        };
        ids.extend(id.filter(|id| !ids.contains(id)));
    }
    ids
}

/// Reads `{ids, names}`.
fn named(bytes: &Bytes) -> Result<Vec<Wanted>, Refusal> {
    const FAILED: &str = "Failed to change the tags of the ticket";
    let body = fields::object(FAILED, bytes)?;
    let mut fields = Fields::new(&body, &["ids", "names"]);
    let mut wanted = Vec::new();
    for id in fields.list("ids").into_iter().flatten() {
        match id.as_i64() {
            Some(id) => wanted.push(Wanted::Id(id)),
            None => fields.complain("ids", "Not a valid integer."),
        }
    }
    for name in fields.list("names").into_iter().flatten() {
        match name.as_str() {
            Some(name) if !name.is_empty() => wanted.push(Wanted::Name(name.to_owned())),
            _ => fields.complain("names", "Not a valid string."),
        }
    }
    if !fields.has("ids") && !fields.has("names") {
        fields.complain("_schema", "One of ids and names is needed.");
    }
    fields.finish().map_err(|wrong| Refusal::invalid(FAILED, wrong))?;
    Ok(wanted)
}

pub(super) async fn of_ticket(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Answer {
    let store = sandbox.store();
    let ticket = match known(&store, &id)? {
        Known::Ticket(ticket) => ticket,
        Known::Merged(into) => return super::answers::merged(&format!("/api/tickets/{into}/tags")),
    };
    let view = sandbox.view(&store);
    let tags = ticket.tags.iter().filter_map(|id| store.tags.get(id));
    let data: Vec<Value> = tags.map(|tag| view.tag(tag)).collect();
    answer(
        StatusCode::OK,
        json!({"object": "list", "data": data, "meta": {"prev_cursor": null, "next_cursor": null}}),
    )
}

pub(super) async fn add(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>, body: Bytes) -> Answer {
    change(&sandbox, &id, &body, StatusCode::CREATED, |tags, new| {
        let more: Vec<i64> = new.into_iter().filter(|id| !tags.contains(id)).collect();
        tags.extend(more);
    })
}

pub(super) async fn set(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>, body: Bytes) -> Answer {
    change(&sandbox, &id, &body, StatusCode::ACCEPTED, |tags, new| {
        *tags = new;
    })
}

pub(super) async fn remove(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    change(&sandbox, &id, &body, StatusCode::NO_CONTENT, |tags, gone| {
        tags.retain(|id| !gone.contains(id));
    })
}

fn change(
    sandbox: &Sandbox,
    id: &str,
    body: &Bytes,
    status: StatusCode,
    apply: impl FnOnce(&mut Vec<i64>, Vec<i64>),
) -> Answer {
    let wanted = named(body)?;
    let mut store = sandbox.store();
    let id = match changeable(&store, id, "/tags")? {
        Ok(id) => id,
        Err(moved) => return Ok(moved),
    };
    let tags = found(&mut store, &wanted);
    let time = store.change_time();
    let ticket = store.tickets.get_mut(&id).ok_or_else(Refusal::not_found)?;
    apply(&mut ticket.tags, tags);
    ticket.updated = time;
    if status == StatusCode::NO_CONTENT {
        return Ok(status.into_response());
    }
    changed(&sandbox.quirks, status, Value::Null)
}

/// `GET /tags`.
pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    let query = Query::read(query.as_deref(), &["cursor", "limit", "order_by", "search"], &[])?;
    let descending = match query.get("order_by").unwrap_or("created_datetime:desc") {
        "created_datetime:desc" => true,
        "created_datetime:asc" => false,
        _ => return Err(invalid("order_by", "Not a valid order.")),
    };
    let search = query.get("search").unwrap_or_default();
    let store = sandbox.store();
    let view = sandbox.view(&store);
    let tags = store.tags.values().filter(|tag| tag.name.contains(search));
    let rows = tags
        .map(|tag| Row {
            place: (tag.created.microseconds(), tag.id),
            shown: view.tag(tag),
        })
        .collect();
    let page = paging::page(
        &mut sandbox.cursors(),
        &sandbox.quirks,
        "/api/tags/",
        &query,
        rows,
        descending,
        store.now(),
    )?;
    answer(StatusCode::OK, page)
}
