//! `/control`: what was true, and an end to it. These calls never fail.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::running::Sandbox;
use super::truth::Truth;

pub(super) async fn truth(State(sandbox): State<Arc<Sandbox>>) -> Json<Truth> {
    Json(sandbox.truth())
}

pub(super) async fn faults(State(sandbox): State<Arc<Sandbox>>) -> Json<serde_json::Value> {
    Json(serde_json::json!(sandbox.faults()))
}

pub(super) async fn calm(State(sandbox): State<Arc<Sandbox>>) -> StatusCode {
    sandbox.calm();
    StatusCode::NO_CONTENT
}
