//! The HTTP face: routes, query parameters, bodies, headers.

mod events;
mod request;
mod route;

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::error::{ApiError, ErrorCode};
use crate::gateway::{Gateway, RequestMeta};
use crate::openapi;
use request::idempotency_key;
use route::{Document, Route};

pub(crate) use events::PATH as EVENTS_PATH;
pub use request::MAX_BODY_BYTES;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

impl Gateway {
    /// Answers one request of the API: the twelve actions and the events below `/v1/{integration}`,
    /// `GET /v1/openapi.json` and `GET /v1/healthz`. Every answer is JSON and carries `x-request-id`.
    ///
    /// The whole body must be read already; a server stops reading after [`MAX_BODY_BYTES`] + 1 bytes and
    /// hands on what it has, so that the answer can say which field is too large.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.handle_until(request, None).await
    }

    /// As [`Gateway::handle`], for a request that is given up by somebody else at `until`: the action's own time is
    /// cut so that it ends before.
    pub async fn handle_until(&self, request: Request<Bytes>, until: Option<Instant>) -> Response<Bytes> {
        let request_id = request::request_id(request.headers());
        let mut headers = Vec::new();
        let end = self.answer(&request, &request_id, until, &mut headers).await;
        response(end, request_id, headers)
    }

    async fn answer(
        &self,
        request: &Request<Bytes>,
        request_id: &str,
        until: Option<Instant>,
        headers: &mut Vec<(HeaderName, String)>,
    ) -> Result<(StatusCode, Bytes), ApiError> {
        match route::find(self, request.method(), request.uri().path())? {
            Route::Document(document) => Ok(document.answer()),
            Route::WrongMethod { allowed } => Err(wrong_method(&allowed, headers)),
            Route::Events { integration } => {
                let begun = Instant::now();
                let query = events::query(request.uri().query().unwrap_or_default());
                let end = self.events(&integration, query, until).await;
                events::log(&end, request_id, &integration, begun.elapsed());
                end.map(|page| (StatusCode::OK, Bytes::from(page.to_json())))
            }
            Route::Action {
                definition,
                integration,
                parameters,
            } => {
                let key = idempotency_key(request.headers());
                let input = request::input(definition, request, parameters);
                let (input, action_instance_id) = match key {
                    Ok(key) => (input, key),
                    Err(error) => (input.and(Err(error)), None),
                };
                let meta = RequestMeta {
                    request_id: request_id.to_owned(),
                    action_instance_id,
                };
                let performed = self
                    .perform_logged(&integration, definition.action, input, &meta, until)
                    .await;
                if performed.replayed {
                    headers.push((REPLAYED, "true".to_owned()));
                }
                let body = serde_json::to_vec(&performed.end?)
                    .map_err(|error| ApiError::internal(format!("the answer cannot be written: {error}")))?;
                Ok((definition.success, Bytes::from(body)))
            }
        }
    }
}

/// Answers `GET /v1/openapi.json` and `GET /v1/healthz` without a [`Gateway`], any other path with 404: for a
/// function of its own, that reaches nothing.
pub fn documents(request: &Request<Bytes>) -> Response<Bytes> {
    let mut headers = Vec::new();
    let end = match route::document(request.method(), request.uri().path()) {
        Ok(Some(Route::Document(document))) => Ok(document.answer()),
        Ok(Some(Route::WrongMethod { allowed })) => Err(wrong_method(&allowed, &mut headers)),
        Ok(_) => Err(route::no_such_path()),
        Err(error) => Err(error),
    };
    response(end, request::request_id(request.headers()), headers)
}

impl Document {
    fn answer(self) -> (StatusCode, Bytes) {
        let body = match self {
            Document::Health => Bytes::from(health().to_string()),
            Document::OpenApi => openapi::text(),
        };
        (StatusCode::OK, body)
    }
}

fn wrong_method(allowed: &[&str], headers: &mut Vec<(HeaderName, String)>) -> ApiError {
    let allowed = allowed.join(", ");
    let message = format!("this path takes {allowed}");
    headers.push((ALLOW, allowed));
    ApiError::new(ErrorCode::MethodNotAllowed, message)
}

fn response(
    end: Result<(StatusCode, Bytes), ApiError>,
    request_id: String,
    mut headers: Vec<(HeaderName, String)>,
) -> Response<Bytes> {
    let (status, body) = end.unwrap_or_else(|error| {
        // Where nobody said how long to wait, it is the shortest time that the header can express.
        let shortest = (error.code() == ErrorCode::RateLimitExceeded).then_some(Duration::ZERO);
        if let Some(wait) = error.retry_after().or(shortest) {
            // Whole seconds (RFC 9110 section 10.2.3), rounded up so that nobody comes back early.
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            headers.push((RETRY_AFTER, seconds.to_string()));
        }
        let body = error.to_json(&request_id).to_string();
        (error.status(), Bytes::from(body))
    });
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let fixed = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (REQUEST_ID, request_id),
    ];
    for (name, value) in fixed.into_iter().chain(headers) {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The body of the health check.
pub(crate) fn health() -> Value {
    json!({"status": "ok"})
}
