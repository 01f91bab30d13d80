//! What happens around every request: recording, faults, keys and the rate limit.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header, request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::BASE_PATH;
use super::answers::{Refused, gateway, too_many_requests};
use super::quirks::Quirk;
use super::recorder::{KeyUsed, RecordedRequest};
use super::running::Sandbox;
use crate::connection::{Cut, half};
use crate::faults::{Fault, html_answer, redirect_answer, status_answer};

/// The largest request body that is read: an upload and its overhead.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// Records the request and lets the fault that waits for it happen.
pub(super) async fn observe(State(sandbox): State<Arc<Sandbox>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return gateway(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request body is larger than 32 MB",
        );
    };
    let cut = parts
        .extensions
        .get::<ConnectInfo<Cut>>()
        .map(|info| info.0.clone())
        .unwrap_or_default();
    let path = parts.uri.path();
    let path = path.strip_prefix(BASE_PATH).unwrap_or(path).to_owned();
    sandbox.record(recorded(&sandbox, &parts, &path, &body));
    let fault = sandbox.take_fault(parts.method.as_str(), &path);

    let request = Request::from_parts(parts, Body::from(body));
    match fault {
        None => answer(&sandbox, request, next).await,
        Some(Fault::Status(status, body)) => status_answer(status, body),
        Some(Fault::Html) => html_answer(),
        Some(Fault::Redirect(address)) => redirect_answer(&address),
        Some(Fault::TooManyRequests { retry_after }) => {
            too_many_requests(retry_after.map_or(1, i64::from), retry_after.is_some())
        }
        Some(Fault::DropBeforeRequest) => {
            cut.now();
            StatusCode::NO_CONTENT.into_response()
        }
        Some(Fault::DropBeforeAnswer) => {
            let response = answer(&sandbox, request, next).await;
            cut.now();
            response
        }
        Some(Fault::Delay(time)) => {
            let response = answer(&sandbox, request, next).await;
            tokio::time::sleep(time).await;
            response
        }
        Some(Fault::HalfBody) => half(answer(&sandbox, request, next).await).await,
    }
}

async fn answer(sandbox: &Sandbox, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let refused = response.extensions().get::<Refused>().is_some();
    if refused && response.status() == StatusCode::BAD_REQUEST && sandbox.quirks.has(Quirk::Error200) {
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// Lets a request with a key pass, a writing one only with the primary key, and counts it.
pub(super) async fn admit(State(sandbox): State<Arc<Sandbox>>, request: Request, next: Next) -> Response {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    match key_used(&sandbox, request.uri().query()) {
        KeyUsed::Missing => gateway(
            StatusCode::UNAUTHORIZED,
            "Access denied due to missing subscription key. Make sure to include subscription key when \
             making requests to an API.",
        ),
        KeyUsed::Unknown => gateway(
            StatusCode::UNAUTHORIZED,
            "Access denied due to invalid subscription key. Make sure to provide a valid key for an active \
             subscription.",
        ),
        KeyUsed::Secondary if writes => gateway(
            StatusCode::FORBIDDEN,
            "The secondary key is read-only; use the primary key to write.",
        ),
        KeyUsed::Primary | KeyUsed::Secondary => match sandbox.take_turn() {
            Ok(()) => next.run(request).await,
            Err(seconds) => too_many_requests(seconds, !sandbox.quirks.has(Quirk::NoRetryAfter)),
        },
    }
}

fn key_used(sandbox: &Sandbox, query: Option<&str>) -> KeyUsed {
    let key = query_pairs(query)
        .into_iter()
        .find(|(name, _)| name == "key")
        .map(|(_, value)| value);
    match key {
        None => KeyUsed::Missing,
        Some(key) if key == sandbox.primary_key => KeyUsed::Primary,
        Some(key) if key == sandbox.secondary_key => KeyUsed::Secondary,
        Some(_) => KeyUsed::Unknown,
    }
}

/// The decoded pairs of a query string.
pub(super) fn query_pairs(query: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

fn recorded(sandbox: &Sandbox, parts: &request::Parts, path: &str, body: &Bytes) -> RecordedRequest {
    let header = |(name, value): (&header::HeaderName, &HeaderValue)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    };
    RecordedRequest {
        method: parts.method.to_string(),
        path: path.to_owned(),
        query: query_pairs(parts.uri.query())
            .into_iter()
            .filter(|(name, _)| name != "key")
            .collect(),
        key: key_used(sandbox, parts.uri.query()),
        headers: parts.headers.iter().map(header).collect(),
        body: body.to_vec(),
    }
}
