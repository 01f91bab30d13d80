//! `/messages` and `/tickets/{id}/messages`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::answers::{Answer, Refusal, answer, merged};
use super::fields;
use super::model::Ticket;
use super::paging::{self, Row};
use super::query::{Query, invalid};
use super::quirks::Quirk;
use super::rules;
use super::running::Sandbox;
use super::tickets::{Known, changeable, known};

const PARAMETERS: [&str; 4] = ["cursor", "limit", "order_by", "ticket_id"];

/// `GET /messages`, of one ticket or of all.
pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    let query = Query::read(query.as_deref(), &PARAMETERS, &[])?;
    let ticket = query.integer("ticket_id")?;
    page(
        &sandbox,
        &query,
        "/api/messages/",
        "created_datetime:desc",
        |id| ticket.is_none_or(|wanted| wanted == id),
    )
}

/// `GET /tickets/{id}/messages`: deprecated, oldest first.
pub(super) async fn of_ticket(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    if sandbox.quirks.has(Quirk::TicketMessagesGone) {
        return Err(Refusal::not_found());
    }
    let query = Query::read(query.as_deref(), &["cursor", "limit", "order_by"], &[])?;
    let id = match known(&sandbox.store(), &id)? {
        Known::Ticket(ticket) => ticket.id,
        Known::Merged(into) => return merged(&format!("/api/tickets/{into}/messages")),
    };
    let uri = format!("/api/tickets/{id}/messages/");
    let mut response = page(&sandbox, &query, &uri, "created_datetime:asc", |known| {
        known == id
    })?;
    response.headers_mut().insert(
        HeaderName::from_static("deprecation"),
        HeaderValue::from_static("true"),
    );
    Ok(response)
}

fn page(
    sandbox: &Sandbox,
    query: &Query,
    uri: &str,
    default_order: &str,
    wanted: impl Fn(i64) -> bool,
) -> Answer {
    let descending = match query.get("order_by").unwrap_or(default_order) {
        "created_datetime:asc" => false,
        "created_datetime:desc" => true,
        _ => return Err(invalid("order_by", "Not a valid order.")),
    };
    let store = sandbox.store();
    let view = sandbox.view(&store);
    let rows_of = |ticket: &Ticket| -> Vec<Row> {
        let row = |message| Row {
            place: place(message),
            shown: view.message(ticket.id, message),
        };
        ticket.messages.iter().map(row).collect()
    };
    let rows = store
        .tickets
        .values()
        .filter(|ticket| wanted(ticket.id))
        .flat_map(rows_of)
        .collect();
    let now = store.now();
    let page = paging::page(
        &mut sandbox.cursors(),
        &sandbox.quirks,
        uri,
        query,
        rows,
        descending,
        now,
    )?;
    answer(StatusCode::OK, page)
}

fn place(message: &super::model::Message) -> (i64, i64) {
    (message.created.microseconds(), message.id)
}

pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    const FAILED: &str = "Failed to create message";
    let query = Query::read(query.as_deref(), &["action"], &[])?;
    if query
        .get("action")
        .is_some_and(|action| !["force", "retry", "cancel"].contains(&action))
    {
        return Err(invalid("action", "Must be one of: force, retry, cancel."));
    }
    let mut store = sandbox.store();
    let id = match changeable(&store, &id, "/messages")? {
        Ok(id) => id,
        Err(moved) => return Ok(moved),
    };
    let body = fields::object(FAILED, &body)?;
    let customer = store.tickets.get(&id).map(|ticket| ticket.customer);
    let message = rules::message(
        &mut store,
        &sandbox.quirks,
        &sandbox.support_addresses,
        &body,
        customer,
    )
    .map_err(|wrong| Refusal::invalid(FAILED, wrong))?;
    let shown = sandbox.view(&store).message(id, &message);
    let mut kept = message;
    if kept.goes_out {
        // It is sent later; the answer does not wait for that.
        kept.sent = Some(kept.created.plus_seconds(1));
    }
    store.add_message(id, kept);
    answer(StatusCode::CREATED, shown)
}

/// `GET /tickets/{id}/messages/{message}`.
pub(super) async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Path((id, message)): Path<(String, i64)>,
) -> Answer {
    let store = sandbox.store();
    let ticket = match known(&store, &id)? {
        Known::Ticket(ticket) => ticket,
        Known::Merged(into) => return merged(&format!("/api/tickets/{into}/messages/{message}")),
    };
    let found = ticket.messages.iter().find(|known| known.id == message);
    let shown: Value = found
        .map(|found| sandbox.view(&store).message(ticket.id, found))
        .ok_or_else(Refusal::not_found)?;
    answer(StatusCode::OK, shown)
}
