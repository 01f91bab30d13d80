//! The shapes of answers.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::quirks::{Quirk, Quirks};

/// A "no": `{"error": {"msg", "data"}}`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    /// What is wrong with which field: field to list of texts, or to such an object again.
    data: Option<Map<String, Value>>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            data: None,
        }
    }

    /// A 400 that says what is wrong with which field.
    pub(super) fn invalid(message: impl Into<String>, data: Map<String, Value>) -> Self {
        Self {
            data: Some(data),
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// A 400 about one field.
    pub(super) fn field(message: impl Into<String>, field: &str, text: impl Into<String>) -> Self {
        let data = Map::from_iter([(field.to_owned(), json!([text.into()]))]);
        Self::invalid(message, data)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized.")
    }

    pub(super) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "You do not have the permission to do this.",
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Resource not found.")
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.")
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Request entity too large.")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut error = json!({"msg": self.message});
        if let (Some(data), Some(object)) = (self.data, error.as_object_mut()) {
            object.insert("data".to_owned(), Value::Object(data));
        }
        (self.status, Json(json!({"error": error}))).into_response()
    }
}

/// What a handler answers.
pub(super) type Answer = Result<Response, Refusal>;

/// A body with a status.
pub(super) fn answer(status: StatusCode, body: Value) -> Answer {
    Ok((status, Json(body)).into_response())
}

/// The answer to a change: the body with this status, or, with the quirk, 202 and nothing.
pub(super) fn changed(quirks: &Quirks, status: StatusCode, body: Value) -> Answer {
    if quirks.has(Quirk::EmptyBodies) {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        answer(status, body)
    }
}

/// The answer when the bucket is full.
pub(super) fn too_many_requests(seconds: u64, retry_after: bool) -> Response {
    let mut response = Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many requests, please slow down.",
    )
    .into_response();
    if retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A ticket that was merged: 301 to the one it went into.
pub(super) fn merged(location: &str) -> Answer {
    let location = HeaderValue::from_str(location).map_err(|_| Refusal::not_found())?;
    Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response())
}

/// What stands at a subdomain that no account has.
pub(super) fn no_such_account() -> Response {
    let page = "<!DOCTYPE html><html><head><title>404</title></head><body><h1>This helpdesk does not exist</h1>\
                </body></html>";
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}
