//! Answers an event of API Gateway by way of a gateway.

use std::time::{Duration, SystemTime};

use actions::{ApiError, ErrorCode, Gateway, TasAction};
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use bytes::Bytes;
use http::{HeaderValue, Response};
use lambda_runtime::{Context, LambdaEvent};

use crate::event::Event;
use crate::{answer, deadline};

/// How much longer than a request may take it is waited for its answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Answers one event of a REST API (proxy integration); `action` is the one that the function serves, none where it
/// serves something else.
pub(crate) async fn answer(
    gateway: &Gateway,
    action: Option<TasAction>,
    event: LambdaEvent<ApiGatewayProxyRequest>,
) -> ApiGatewayProxyResponse {
    let Event {
        request,
        id,
        received,
        caller,
    } = Event::new(event.payload);
    tracing::Span::current().record("api_request_id", id);
    if let Err(error) = caller.check(&request) {
        let response = own_answer(&error, request.headers().get("x-request-id").cloned());
        return answer::for_lambda(response, None);
    }
    let time = time_left(&event.context, received);
    let request_id = request.headers().get("x-request-id").cloned();
    let until = tokio::time::Instant::now() + time;
    let answer = Box::pin(gateway.handle_until(request, Some(until)));
    let answer = tokio::time::timeout_at(until + PATIENCE, answer).await;
    let response = answer.unwrap_or_else(|_| out_of_time(action, request_id));
    answer::for_lambda(response, action)
}

/// The answer where the gateway itself did not keep its time: a store that hangs, say.
fn out_of_time(action: Option<TasAction>, request_id: Option<HeaderValue>) -> Response<Bytes> {
    let request_id_text = id_text(request_id.as_ref());
    let mut error = if let Some(action) = action {
        tracing::error!(
            request_id = request_id_text,
            action = action.key(),
            "the action did not end in time"
        );
        ApiError::new(
            ErrorCode::ExternalTimeout,
            "the action did not end before the time of the call was over",
        )
    } else {
        tracing::error!(request_id = request_id_text, "the request did not end in time");
        ApiError::new(
            ErrorCode::InternalServerError,
            "no answer before the time of the call was over; try again",
        )
    };
    if action.is_some_and(TasAction::is_write) {
        error = error.detail("outcome", "unknown");
    }
    own_answer(&error, request_id)
}

/// An error that the gateway was not asked for.
fn own_answer(error: &ApiError, request_id: Option<HeaderValue>) -> Response<Bytes> {
    let id = id_text(request_id.as_ref());
    let mut response = answer::error(Response::new(Bytes::new()), error, id);
    let headers = response.headers_mut();
    headers.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(id) = request_id {
        headers.insert("x-request-id", id);
    }
    response
}

fn id_text(id: Option<&HeaderValue>) -> &str {
    id.and_then(|id| id.to_str().ok()).unwrap_or_default()
}

fn time_left(context: &Context, received: Option<SystemTime>) -> Duration {
    let stop = (context.deadline > 0).then(|| context.deadline());
    deadline::time_left(SystemTime::now(), stop, received)
}
