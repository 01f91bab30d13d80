//! What happens around every request: recording, faults, the subdomain, logins and the rate limit.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header, request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::BASE_PATH;
use super::answers::{Refusal, no_such_account, too_many_requests};
use super::query::pairs;
use super::quirks::Quirk;
use super::recorder::{Login, RecordedRequest};
use super::running::Sandbox;
use super::uploads;
use crate::connection::{Cut, half};
use crate::faults::{Fault, html_answer, redirect_answer, status_answer};

/// The largest request body that is read: an upload and its overhead.
const MAX_BODY: usize = uploads::LARGEST + 1024 * 1024;

/// Records the request and lets the fault that waits for it happen.
pub(super) async fn observe(State(sandbox): State<Arc<Sandbox>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Refusal::too_large().into_response();
    };
    let cut = parts
        .extensions
        .get::<ConnectInfo<Cut>>()
        .map(|info| info.0.clone())
        .unwrap_or_default();
    let path = parts.uri.path();
    let path = path.strip_prefix(BASE_PATH).unwrap_or(path).to_owned();
    sandbox.record(recorded(&sandbox, &parts, &path, &body));
    if !is_ours(&sandbox, &parts.headers) {
        return no_such_account();
    }
    let fault = sandbox.take_fault(parts.method.as_str(), &path);
    let request = Request::from_parts(parts, Body::from(body));
    match fault {
        None => next.run(request).await,
        Some(Fault::Status(status, body)) => status_answer(status, body),
        Some(Fault::Html) => html_answer(),
        Some(Fault::Redirect(address)) => redirect_answer(&address),
        Some(Fault::TooManyRequests { retry_after }) => {
            too_many_requests(retry_after.map_or(1, u64::from), retry_after.is_some())
        }
        Some(Fault::DropBeforeRequest) => {
            cut.now();
            axum::http::StatusCode::NO_CONTENT.into_response()
        }
        Some(Fault::DropBeforeAnswer) => {
            let response = next.run(request).await;
            cut.now();
            response
        }
        Some(Fault::Delay(time)) => {
            let response = next.run(request).await;
            tokio::time::sleep(time).await;
            response
        }
        Some(Fault::HalfBody) => half(next.run(request).await).await,
    }
}

/// Lets a request with a login pass, a writing one only by somebody who may write, and counts it.
pub(super) async fn admit(State(sandbox): State<Arc<Sandbox>>, request: Request, next: Next) -> Response {
    let login = login(&sandbox, request.headers());
    let is_app = login == Login::Token;
    if !matches!(login, Login::ApiKey | Login::ObserverKey | Login::Token) {
        return Refusal::unauthorized().into_response();
    }
    let turn = sandbox.take_turn(is_app);
    let wait = turn.as_ref().and_then(|turn| turn.wait);
    let mut response = if let Some(seconds) = wait {
        too_many_requests(seconds, !sandbox.quirks.has(Quirk::NoRetryAfter))
    } else if login == Login::ObserverKey && !matches!(*request.method(), Method::GET | Method::HEAD) {
        Refusal::forbidden().into_response()
    } else {
        next.run(request).await
    };
    let used = turn.and_then(|turn| HeaderValue::from_str(&turn.used).ok());
    if let Some(used) = used {
        let name = HeaderName::from_static("x-gorgias-account-api-call-limit");
        response.headers_mut().insert(name, used);
    }
    response
}

/// Whether the request is for this account: by an IP address, `localhost`, or the account's own subdomain.
fn is_ours(sandbox: &Sandbox, headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    match name.split_once('.') {
        Some((subdomain, "gorgias.com" | "localhost")) => subdomain.eq_ignore_ascii_case(&sandbox.subdomain),
        _ => true,
    }
}

fn login(sandbox: &Sandbox, headers: &HeaderMap) -> Login {
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Login::Missing;
    };
    if let Some((user, key)) = basic(headers) {
        let is = |email: &str, known: &str| user.eq_ignore_ascii_case(email) && key == known;
        return if is(&sandbox.email, &sandbox.api_key) {
            Login::ApiKey
        } else if is(&sandbox.observer_email, &sandbox.observer_key) {
            Login::ObserverKey
        } else {
            Login::Wrong
        };
    }
    let token = given
        .to_str()
        .ok()
        .and_then(|given| given.strip_prefix("Bearer "));
    let now = sandbox.now();
    match token.and_then(|token| sandbox.tokens().is_good(token.trim(), now)) {
        Some(true) => Login::Token,
        Some(false) => Login::ExpiredToken,
        None => Login::Wrong,
    }
}

/// User name and password of HTTP Basic.
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(given.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn recorded(sandbox: &Sandbox, parts: &request::Parts, path: &str, body: &Bytes) -> RecordedRequest {
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    };
    // The body of a token request holds secrets.
    let is_token = path.starts_with("/oauth/");
    RecordedRequest {
        method: parts.method.to_string(),
        path: path.to_owned(),
        query: pairs(parts.uri.query()),
        login: login(sandbox, &parts.headers),
        headers: parts
            .headers
            .iter()
            .filter(|(name, _)| **name != header::AUTHORIZATION)
            .map(header)
            .collect(),
        body: if is_token { Vec::new() } else { body.to_vec() },
    }
}
