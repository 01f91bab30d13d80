//! `/customers`, `/users`, `/teams` and `/account`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;

use super::answers::{Answer, Refusal, answer};
use super::fields::{self, Fields};
use super::model::Customer;
use super::paging::{self, Row};
use super::query::{Query, invalid};
use super::quirks::Quirk;
use super::running::Sandbox;

const CUSTOMER_PARAMETERS: [&str; 11] = [
    "cursor",
    "limit",
    "order_by",
    "email",
    "external_id",
    "name",
    "language",
    "timezone",
    "view_id",
    "channel_type",
    "channel_address",
];
const USER_PARAMETERS: [&str; 9] = [
    "cursor",
    "limit",
    "order_by",
    "email",
    "external_id",
    "search",
    "roles",
    "available_first",
    "relationships",
];

/// Whether the list runs downwards; `default` is the order without `order_by`.
fn descending(query: &Query, fields: &[&str], default: &str) -> Result<bool, Refusal> {
    let order = query.get("order_by").unwrap_or(default);
    let (field, direction) = order.split_once(':').unwrap_or((order, "asc"));
    match direction {
        "asc" | "desc" if fields.contains(&field) => Ok(direction == "desc"),
        _ => Err(invalid("order_by", "Not a valid order.")),
    }
}

pub(super) async fn customers(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    let query = Query::read(query.as_deref(), &CUSTOMER_PARAMETERS, &[])?;
    let descending = descending(
        &query,
        &["created_datetime", "updated_datetime"],
        "created_datetime:desc",
    )?;
    let nothing = query.integer("view_id")?.is_some()
        || query.get("language").is_some()
        || query.get("timezone").is_some();
    let store = sandbox.store();
    let view = sandbox.view(&store);
    let inexact = sandbox.quirks.has(Quirk::CustomersInexact);
    let has_email = |customer: &Customer, wanted: &str| {
        let known = customer.email.clone().unwrap_or_default().to_lowercase();
        let wanted = wanted.to_lowercase();
        known == wanted || (inexact && (known.contains(&wanted) || local_part(&known) == local_part(&wanted)))
    };
    let has_channel = |customer: &Customer, wanted: &str| {
        [&customer.email, &customer.phone]
            .into_iter()
            .flatten()
            .any(|known| known == wanted)
    };
    let fits = |customer: &&Customer| {
        !nothing
            && query
                .get("email")
                .is_none_or(|wanted| has_email(customer, wanted))
            && query.get("name").is_none_or(|wanted| customer.name == wanted)
            && query
                .get("external_id")
                .is_none_or(|wanted| customer.external_id.as_deref() == Some(wanted))
            && query
                .get("channel_address")
                .is_none_or(|wanted| has_channel(customer, wanted))
    };
    let wanted = query.get("email").unwrap_or_default();
    let rows = store
        .customers
        .values()
        .filter(fits)
        .map(|customer| Row {
            // An inexact match comes before the exact one.
            place: (
                i64::from(
                    customer
                        .email
                        .as_deref()
                        .is_some_and(|email| email.eq_ignore_ascii_case(wanted))
                        != descending,
                ),
                customer.id,
            ),
            shown: view.customer(customer),
        })
        .collect();
    let page = paging::page(
        &mut sandbox.cursors(),
        &sandbox.quirks,
        "/api/customers/",
        &query,
        rows,
        descending,
        store.now(),
    )?;
    if sandbox.quirks.has(Quirk::CustomersBare) {
        return answer(StatusCode::OK, page.get("data").cloned().unwrap_or_default());
    }
    answer(StatusCode::OK, page)
}

fn local_part(address: &str) -> &str {
    address.split('@').next().unwrap_or_default()
}

pub(super) async fn customer(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<i64>) -> Answer {
    let store = sandbox.store();
    let customer = store.customers.get(&id).ok_or_else(Refusal::not_found)?;
    answer(StatusCode::OK, sandbox.view(&store).customer(customer))
}

pub(super) async fn create_customer(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Answer {
    const FAILED: &str = "Failed to create customer";
    let body = fields::object(FAILED, &body)?;
    let mut fields = Fields::new(
        &body,
        &[
            "email",
            "name",
            "external_id",
            "channels",
            "language",
            "timezone",
            "data",
        ],
    );
    fields.require("email");
    let email = fields.text("email", 320).unwrap_or_default().to_owned();
    let name = fields.text("name", 255).map(str::to_owned);
    let external_id = fields.text("external_id", 255).map(str::to_owned);
    fields.finish().map_err(|wrong| Refusal::invalid(FAILED, wrong))?;
    let mut store = sandbox.store();
    if store.customer_by_email(&email).is_some() {
        let error = json!({"error": {"msg": "The email is already used by another customer."}});
        return Ok((StatusCode::CONFLICT, Json(error)).into_response());
    }
    let id = store.customer(Some(&email), None, name.as_deref());
    if let Some(customer) = store.customers.get_mut(&id) {
        customer.external_id = external_id;
    }
    let customer = store.customers.get(&id).ok_or_else(Refusal::not_found)?;
    answer(StatusCode::CREATED, sandbox.view(&store).customer(customer))
}

pub(super) async fn users(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    let query = Query::read(
        query.as_deref(),
        &USER_PARAMETERS,
        &["roles[]", "relationships[]"],
    )?;
    let descending = descending(&query, &["name", "created_datetime"], "name:asc")?;
    let store = sandbox.store();
    let view = sandbox.view(&store);
    let users = store.users.values().filter(|user| {
        let email = user.email.clone().unwrap_or_default();
        query
            .get("email")
            .is_none_or(|wanted| email.eq_ignore_ascii_case(wanted))
            && query.get("external_id").is_none()
            && query
                .get("search")
                .is_none_or(|wanted| user.name.contains(wanted) || email.contains(wanted))
            && query.get("roles").is_none_or(|role| user.role == role)
    });
    let rows = users
        .map(|user| Row {
            place: (0, user.id),
            shown: view.user(user),
        })
        .collect();
    let page = paging::page(
        &mut sandbox.cursors(),
        &sandbox.quirks,
        "/api/users/",
        &query,
        rows,
        descending,
        store.now(),
    )?;
    answer(StatusCode::OK, page)
}

/// `GET /users/{id}`; 0 is whoever asks.
pub(super) async fn user(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<i64>) -> Answer {
    let store = sandbox.store();
    let user = if id == 0 {
        store.user_by_email(&sandbox.email)
    } else {
        store.users.get(&id)
    };
    let user = user.ok_or_else(Refusal::not_found)?;
    answer(StatusCode::OK, sandbox.view(&store).user(user))
}

pub(super) async fn teams(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    let query = Query::read(query.as_deref(), &["cursor", "limit", "order_by"], &[])?;
    let descending = descending(&query, &["name", "created_datetime"], "created_datetime:asc")?;
    let store = sandbox.store();
    let view = sandbox.view(&store);
    let rows = store
        .teams
        .values()
        .map(|team| Row {
            place: (0, team.id),
            shown: view.team(team),
        })
        .collect();
    let page = paging::page(
        &mut sandbox.cursors(),
        &sandbox.quirks,
        "/api/teams/",
        &query,
        rows,
        descending,
        store.now(),
    )?;
    answer(StatusCode::OK, page)
}

pub(super) async fn account(State(sandbox): State<Arc<Sandbox>>) -> Answer {
    let body =
        json!({"domain": sandbox.subdomain, "deactivated_datetime": null, "status": {"status": "active"}});
    answer(StatusCode::OK, body)
}
