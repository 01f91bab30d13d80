//! What happens around every request of the API: the time moves, and its fate takes its course.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use super::answers::Refusal;
use super::fate::{Ending, Fate};
use super::running::Sandbox;
use super::world::{Time, instant};
use crate::connection::{Cut, half};

/// When a request arrived, by the true clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(pub(super) Time);

pub(super) async fn pass(State(sandbox): State<Arc<Sandbox>>, mut request: Request, next: Next) -> Response {
    let cut = request
        .extensions()
        .get::<ConnectInfo<Cut>>()
        .map(|info| info.0.clone())
        .unwrap_or_default();
    let now = sandbox.advance();
    let number = sandbox.requests.fetch_add(1, Ordering::Relaxed);
    let fate = sandbox.fate(number);
    for name in fate.names() {
        sandbox.count(name);
    }
    request.extensions_mut().insert(fate);
    request.extensions_mut().insert(Moment(now));
    let mut response = meet(fate, &sandbox, cut, request, next).await;
    let date = if fate.bad_date {
        HeaderValue::from_static("yesterday")
    } else {
        date(now + sandbox.world().skew)
    };
    response.headers_mut().insert(header::DATE, date);
    response
}

async fn meet(fate: Fate, sandbox: &Sandbox, cut: Cut, request: Request, next: Next) -> Response {
    let page = "<!DOCTYPE html><html><body><h1>Please wait</h1></body></html>";
    match fate.ending {
        Ending::Well => next.run(request).await,
        Ending::Error => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Refusal::new(status, "internal", "Something went wrong").into_response()
        }
        Ending::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response(),
        Ending::Html => Html(page).into_response(),
        Ending::HalfJson => shortened(next.run(request).await).await,
        Ending::DroppedBefore => {
            cut.now();
            StatusCode::NO_CONTENT.into_response()
        }
        Ending::DroppedAfter => {
            let response = next.run(request).await;
            cut.now();
            response
        }
        Ending::DroppedInTheMiddle => half(next.run(request).await).await,
        Ending::TooMany(wait) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut response = Refusal::new(status, "too_many_requests", "Slow down").into_response();
            if let Some(seconds) = wait {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(u16::from(seconds)));
            }
            response
        }
        Ending::Slow => {
            let response = next.run(request).await;
            tokio::time::sleep(sandbox.slow).await;
            response
        }
    }
}

/// The answer with half of its body, as if that were all.
async fn shortened(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(whole.slice(..whole.len() / 2)))
}

/// The HTTP header `Date` of the ticketing system's clock (RFC 9110, 5.6.7).
fn date(time: Time) -> HeaderValue {
    let text = instant(time).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
