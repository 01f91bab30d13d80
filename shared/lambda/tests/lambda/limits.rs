//! What a function does when its time is over.

use std::time::{Duration, Instant};

use lambda::TasAction;

use crate::support::{Function, Upstream, create_event, upstream};

#[tokio::test]
async fn the_answer_comes_before_lambda_stops_the_function() {
    let (address, _) = upstream(Upstream::Slow(Duration::from_secs(20))).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let started = Instant::now();
    let answer = function
        .invoke_within(&create_event(), Duration::from_secs(3))
        .await;
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(answer.code(), (504, "EXTERNAL_TIMEOUT"));
    assert_eq!(answer.body["error"]["details"]["outcome"], "unknown");
    assert_eq!(
        answer.headers["x-request-id"],
        create_event()["requestContext"]["requestId"]
    );
    // The action ended by itself, and was counted.
    assert_eq!(function.metrics()[0]["Action5xx"], 1);
}
