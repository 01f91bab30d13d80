//! Accepts connections, hands each request to the gateway, and stops in order.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use actions::{ApiError, ErrorCode, Gateway, MAX_BODY_BYTES, RequestMeta};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::serve::background::Background;
use crate::serve::callers::Callers;
use crate::serve::sites::Sites;
use crate::serve::stop::StopSignals;

/// How much of a body that is too large is read and thrown away: a client reads the answer only after it
/// could send.
const MAX_DRAINED_BYTES: usize = 64 * 1024 * 1024;
/// How long a client may take to send a body; a slower one would hold its connection for ever.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How long requests that are being carried out may go on after Ctrl-C.
const STOP_TIME: Duration = Duration::from_secs(10);

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Every request was answered.
    InOrder,
    /// A second signal, or the time allowed, cut requests off.
    Cut,
}

/// Whose requests are carried out.
#[derive(Clone)]
pub(crate) enum Admission {
    /// Those of callers with a key.
    Keys(Callers),
    /// Everybody's but those of foreign web pages.
    Open(Sites),
}

impl Admission {
    async fn check(&self, request: &Parts) -> Result<(), ApiError> {
        match self {
            Admission::Keys(callers) => callers.check(request).await,
            Admission::Open(sites) => sites.check(request),
        }
    }
}

/// What a request handler needs.
#[derive(Clone)]
struct Shared {
    gateway: Arc<Gateway>,
    admission: Admission,
    /// Held by every action under way; all gone means that nothing is being carried out.
    under_way: mpsc::Sender<()>,
}

/// Serves until a signal, then finishes what is under way, here and in the background.
pub(crate) async fn serve(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    admission: Admission,
    mut background: Background,
    signals: &mut StopSignals,
) -> Stopped {
    let waiting = Arc::clone(&gateway);
    let (under_way, mut all_done) = mpsc::channel::<()>(1);
    let shared = Shared {
        gateway,
        admission,
        under_way,
    };
    let router = Router::new().fallback(answer).with_state(shared);
    let (stop, stopping) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopping.await;
    });
    let server = tokio::spawn(server.into_future());

    signals.next().await;
    tracing::info!("stopping: finishing the requests under way (a second Ctrl-C stops at once)");
    // The receiver is in the server's task, which cannot have ended before it was told to.
    let _ = stop.send(());
    // Those who read events may have up to 20 s to wait yet.
    waiting.stop_waiting();
    background.tell_to_stop();
    let finished = async {
        let _ = server.await;
        // Actions whose client has gone away are not the server's any more; this waits for them too.
        let _ = all_done.recv().await;
        background.ended().await;
    };
    tokio::select! {
        () = finished => Stopped::InOrder,
        () = tokio::time::sleep(STOP_TIME) => Stopped::Cut,
        () = signals.next() => Stopped::Cut,
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Before the body is read: nobody is to fill memory and time who may not call.
    if let Err(error) = shared.admission.check(&parts).await {
        return refused(&error);
    }
    let body = match timeout(BODY_TIME, read(body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return refusal(ErrorCode::InputValidationFailed, &format!("body: {error}")),
        Err(_) => {
            let seconds = BODY_TIME.as_secs();
            let message = format!("body: expected it within {seconds} s, and it is not complete");
            return refusal(ErrorCode::InputValidationFailed, &message);
        }
    };
    let request = Request::from_parts(parts, body);
    // A task of its own: a client that hangs up must not leave a ticket half written.
    let action = tokio::spawn(async move {
        let answer = shared.gateway.handle(request).await;
        drop(shared.under_way);
        answer
    });
    match action.await {
        Ok(answer) => answer.map(Body::from),
        Err(error) => {
            tracing::error!(%error, "an action ended unexpectedly");
            refusal(
                ErrorCode::InternalServerError,
                "the gateway failed; its log says more",
            )
        }
    }
}

/// Keeps one byte more than is allowed, so that the gateway sees that there was too much and says so.
async fn read(mut body: Body) -> Result<Bytes, axum::Error> {
    let mut kept = Vec::new();
    let mut received: usize = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = (MAX_BODY_BYTES + 1).saturating_sub(kept.len());
        kept.extend_from_slice(data.get(..room).unwrap_or(&data));
        received = received.saturating_add(data.len());
        if received > MAX_DRAINED_BYTES {
            break;
        }
    }
    Ok(kept.into())
}

/// The answer to a request that does not reach the gateway.
fn refusal(code: ErrorCode, message: &str) -> Response {
    refused(&ApiError::new(code, message))
}

fn refused(error: &ApiError) -> Response {
    let request_id = RequestMeta::new().request_id;
    tracing::warn!(request_id, code = error.code().as_str(), "{}", error.message());
    let mut answer = Response::new(Body::from(error.to_json(&request_id).to_string()));
    *answer.status_mut() = error.status();
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
    if let Ok(request_id) = request_id.parse() {
        answer.headers_mut().insert("x-request-id", request_id);
    }
    answer
}
