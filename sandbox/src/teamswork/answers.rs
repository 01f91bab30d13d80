//! The shapes of answers: the application's and those of the API gateway in front of it.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::store::StoreError;

/// The application's own "no": `{error: true, message, statusCode}`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            message: message.into(),
        }
    }

    pub(super) fn no_ticket(id: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: format!("Ticket {id} not found"),
        }
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: message.into(),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::internal(format!("the state file cannot be written: {error}"))
    }
}

/// Marks a response as the application's, so that `error-200` can tell it from the gateway's.
#[derive(Clone, Copy)]
pub(super) struct Refused;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": true, "message": self.message, "statusCode": self.status.as_u16()});
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(Refused);
        response
    }
}

/// What a handler answers.
pub(super) type Answer = Result<Response, Refusal>;

/// A body with a 200.
pub(super) fn ok(body: Value) -> Answer {
    Ok(Json(body).into_response())
}

/// An answer of the gateway in front: `{statusCode, message}`.
pub(super) fn gateway(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(json!({"statusCode": status.as_u16(), "message": message})),
    )
        .into_response()
}

/// The gateway's answer when the rate limit is passed.
pub(super) fn too_many_requests(seconds: i64, retry_after: bool) -> Response {
    let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
    let mut response = gateway(StatusCode::TOO_MANY_REQUESTS, &message);
    if retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
