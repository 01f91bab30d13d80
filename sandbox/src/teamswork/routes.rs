//! The endpoints. Which of them exist depends on the quirks.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post, put};

use super::answers::gateway;
use super::quirks::Quirk;
use super::running::Sandbox;
use super::{BASE_PATH, activities, attachments, gate, instance, tickets};

pub(super) fn router(sandbox: &Arc<Sandbox>) -> Router {
    let quirks = &sandbox.quirks;
    let mut api = Router::new()
        .route("/tickets", get(tickets::list).post(tickets::create))
        .route("/tickets/{id}", get(tickets::read).put(tickets::update))
        .route("/instance", get(instance::read))
        .route("/tags", get(instance::tags));

    api = if quirks.has(Quirk::PostStatus) {
        api.route("/tickets/{id}/status", post(tickets::set_status))
    } else {
        api.route("/tickets/{id}/status", put(tickets::set_status))
    };
    api = if quirks.has(Quirk::CommentsPath) {
        api.route("/tickets/{id}/activities", get(activities::list).post(not_found))
            .route("/tickets/{id}/comments", post(activities::comment))
    } else {
        api.route(
            "/tickets/{id}/activities",
            get(activities::list).post(activities::comment),
        )
    };
    if quirks.has(Quirk::Attachments) {
        api = api
            .route(
                "/tickets/{id}/attachments",
                get(attachments::list).post(attachments::add),
            )
            .route(
                "/tickets/activity/{activity}/attachments",
                get(attachments::of_activity),
            );
    }

    let admit = from_fn_with_state(Arc::clone(sandbox), gate::admit);
    let mut whole = Router::new().nest(BASE_PATH, api.route_layer(admit));
    if quirks.has(Quirk::Attachments) {
        // A file's address works without a key, like a signed link to a store.
        whole = whole.route("/files/{id}", get(attachments::file));
    }
    whole
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(sandbox), gate::observe))
        .with_state(Arc::clone(sandbox))
}

async fn not_found() -> Response {
    gateway(StatusCode::NOT_FOUND, "Resource not found")
}

async fn wrong_method() -> Response {
    gateway(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}
