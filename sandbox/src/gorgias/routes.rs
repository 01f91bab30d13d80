//! The endpoints.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};

use super::answers::Refusal;
use super::running::Sandbox;
use super::{BASE_PATH, custom_fields, gate, messages, oauth, people, tags, tickets, uploads};

pub(super) fn router(sandbox: &Arc<Sandbox>) -> Router {
    let api = Router::new()
        .route("/tickets", get(tickets::list).post(tickets::create))
        .route("/tickets/{id}", get(tickets::read).put(tickets::update))
        .route(
            "/tickets/{id}/tags",
            get(tags::of_ticket)
                .post(tags::add)
                .put(tags::set)
                .delete(tags::remove),
        )
        .route(
            "/tickets/{id}/custom-fields",
            get(custom_fields::of_ticket).put(custom_fields::set_all),
        )
        .route(
            "/tickets/{id}/custom-fields/{field}",
            put(custom_fields::set_one).delete(custom_fields::remove),
        )
        .route(
            "/tickets/{id}/messages",
            get(messages::of_ticket).post(messages::create),
        )
        .route("/tickets/{id}/messages/{message}", get(messages::read))
        .route("/messages", get(messages::list))
        .route("/customers", get(people::customers).post(people::create_customer))
        .route("/customers/{id}", get(people::customer))
        .route("/users", get(people::users))
        .route("/users/{id}", get(people::user))
        .route("/teams", get(people::teams))
        .route("/tags", get(tags::list))
        .route("/custom-fields", get(custom_fields::definitions))
        .route("/account", get(people::account))
        .route("/upload", post(uploads::upload))
        .route("/{kind}/download/{hash}/{name}", get(uploads::download));
    let admit = from_fn_with_state(Arc::clone(sandbox), gate::admit);
    Router::new()
        .nest(BASE_PATH, api.route_layer(admit))
        .route("/oauth/token", post(oauth::token))
        // A file's address works without a login, like a signed link to a store.
        .route("/files/{name}", get(uploads::file))
        .route("/sandbox/{control}", post(control))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(sandbox), gate::observe))
        .with_state(Arc::clone(sandbox))
}

/// What somebody who tries out an integration by hand wants to happen now.
async fn control(State(sandbox): State<Arc<Sandbox>>, Path(control): Path<String>) -> Response {
    match control.as_str() {
        "expire-tokens" => sandbox.tokens().expire(),
        "expire-cursors" => sandbox.cursors().expire(),
        _ => return Refusal::not_found().into_response(),
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn not_found() -> Response {
    Refusal::not_found().into_response()
}

async fn wrong_method() -> Response {
    Refusal::wrong_method().into_response()
}
