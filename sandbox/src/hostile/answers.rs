//! The shapes of answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{SECOND, Shown, Time, id, instant};

/// A refusal: `{"error": {"code": ..., "message": ...}}`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(super) fn expired() -> Self {
        Self::new(
            StatusCode::GONE,
            "token_expired",
            "The page token has expired; start again from the first page",
        )
    }

    pub(super) fn no_ticket(id: &str) -> Self {
        let message = format!("There is no ticket {id}");
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message}});
        (self.status, Json(body)).into_response()
    }
}

/// A ticket as answers have it. Its times have whole seconds where the step is one.
pub(super) fn ticket(shown: Shown<'_>, step: Time) -> Value {
    json!({
        "id": id(shown.number),
        "title": shown.title(),
        "status": shown.status(),
        "revision": shown.revision,
        "created_at": time_text(shown.created_at, step),
        "updated_at": time_text(shown.version.updated_at, step),
    })
}

fn time_text(time: Time, step: Time) -> String {
    let time: Timestamp = instant(time);
    if step % SECOND == 0 {
        format!("{time:.0}")
    } else {
        format!("{time:.6}")
    }
}
