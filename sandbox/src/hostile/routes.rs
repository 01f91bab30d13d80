//! The endpoints.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::answers::Refusal;
use super::running::Sandbox;
use super::{BASE_PATH, control, gate, tickets};

pub(super) fn router(sandbox: &Arc<Sandbox>) -> Router {
    let api = Router::new()
        .route("/tickets", get(tickets::list).post(tickets::create))
        .route("/tickets/{id}", get(tickets::read).patch(tickets::change))
        .route_layer(from_fn_with_state(Arc::clone(sandbox), gate::pass));
    Router::new()
        .nest(BASE_PATH, api)
        .route("/control/truth", get(control::truth))
        .route("/control/faults", get(control::faults))
        .route("/control/calm", post(control::calm))
        .fallback(not_found)
        .with_state(Arc::clone(sandbox))
}

async fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here")
}
