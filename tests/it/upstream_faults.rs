//! The ticketing system fails: the caller learns what happened and, for a write, whether it may have been done.

use std::time::Duration;

use sandbox::teamswork::{Calls, Fault};
use serde_json::{Value, json};

use crate::gateway::{CANARY, Gateway, Options, Running, teamswork};

const TICKET: &str = "/v1/teamswork/tickets";

fn new_ticket() -> Value {
    json!({"payload": {"short_description": "A", "description": "B"}})
}

fn creations(sandbox: &Running) -> usize {
    sandbox
        .requests()
        .iter()
        .filter(|request| request.method == "POST" && request.path == "/tickets")
        .count()
}

/// Without a marker a creation in doubt is nothing that could be cleared up; `safe_create.rs` has the rest.
const UNMARKED: [&str; 2] = ["--set", "teamswork.marker=none"];

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_create_is_sent_once_and_says_whether_it_may_have_happened() {
    let faults = [
        (
            Fault::Status(500, json!({"message": "broken"}).to_string()),
            502,
            "EXTERNAL_REST_ERROR",
            "unknown",
        ),
        (
            Fault::Status(503, String::new()),
            502,
            "EXTERNAL_REST_ERROR",
            "unknown",
        ),
        (Fault::DropBeforeAnswer, 502, "EXTERNAL_REST_ERROR", "unknown"),
        (Fault::HalfBody, 502, "EXTERNAL_REST_ERROR", "unknown"),
        (Fault::Html, 502, "EXTERNAL_REST_ERROR", "unknown"),
        // Some servers redirect once the change is made.
        (
            Fault::Redirect("http://127.0.0.1:9/".to_owned()),
            502,
            "EXTERNAL_REST_ERROR",
            "unknown",
        ),
        (
            Fault::Status(400, json!({"error": true, "message": "no"}).to_string()),
            502,
            "EXTERNAL_REST_ERROR",
            "refused",
        ),
        (
            Fault::Status(401, json!({"statusCode": 401, "message": "no"}).to_string()),
            502,
            "EXTERNAL_REST_ERROR",
            "refused",
        ),
    ];
    for (fault, status, code, outcome) in faults {
        let sandbox = teamswork(&[]).await;
        let gateway = Gateway::for_teamswork(sandbox.url(), &UNMARKED);
        sandbox.fail_next(fault.clone(), Calls::to("POST", "/tickets"), 5);
        let body = gateway.post(TICKET, new_ticket()).await.expect(status);
        assert_eq!(body["error"]["code"], code, "{fault:?}: {body:#}");
        assert_eq!(
            body["error"]["details"]["outcome"], outcome,
            "{fault:?}: {body:#}"
        );
        assert_eq!(creations(&sandbox), 1, "{fault:?}: sent once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_tried_again_where_that_can_help() {
    for fault in [
        Fault::Status(503, String::new()),
        Fault::DropBeforeAnswer,
        Fault::TooManyRequests { retry_after: Some(1) },
    ] {
        let sandbox = teamswork(&[]).await;
        let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
        let ticket = gateway.post(TICKET, new_ticket()).await.expect(201)["raw_ticket"].clone();
        let path = format!("{TICKET}/{}", ticket["id"].as_str().expect("an id"));
        sandbox.fail_next(fault.clone(), Calls::below("GET", "/tickets/"), 1);
        let read = gateway.get(&path).await.expect(200);
        assert_eq!(read["raw_ticket"]["id"], ticket["id"], "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_is_passed_on_with_the_time_to_wait() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    sandbox.fail_next(
        Fault::TooManyRequests {
            retry_after: Some(120),
        },
        Calls::any(),
        9,
    );
    let answer = gateway.post(TICKET, new_ticket()).await;
    let wait: u32 = answer.headers["retry-after"]
        .to_str()
        .expect("text")
        .parse()
        .expect("seconds");
    assert!((100..=120).contains(&wait), "{wait}");
    assert_eq!(answer.error(429).0, "RATE_LIMIT_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_system_is_a_timeout() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &UNMARKED);
    sandbox.fail_next(
        Fault::Delay(Duration::from_secs(60)),
        Calls::to("POST", "/tickets"),
        1,
    );
    let body = gateway.post(TICKET, new_ticket()).await.expect(504);
    assert_eq!(body["error"]["code"], "EXTERNAL_TIMEOUT");
    assert_eq!(body["error"]["details"]["outcome"], "unknown");
    assert_eq!(creations(&sandbox), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_down_was_sent_nothing() {
    let sandbox = teamswork(&[]).await;
    let url = sandbox.url();
    let gateway = Gateway::for_teamswork(url, &[]);
    sandbox.stop().await;
    let body = gateway.post(TICKET, new_ticket()).await.expect(502);
    assert_eq!(body["error"]["code"], "EXTERNAL_REST_ERROR");
    assert_eq!(body["error"]["details"]["outcome"], "not_sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn html_instead_of_json_shows_what_came() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    sandbox.fail_next(Fault::Html, Calls::any(), 9);
    let body = gateway.get(&format!("{TICKET}/x")).await.expect(502);
    assert_eq!(body["error"]["code"], "EXTERNAL_REST_ERROR");
    assert!(
        body["error"]["details"].to_string().contains('<'),
        "an excerpt: {body:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_read_is_told_to_whoever_runs_the_gateway() {
    let sandbox = sandbox::teamswork::start(Options {
        primary_key: "the one that nobody gave".to_owned(),
        secondary_key: CANARY.to_owned(),
        seed_tickets: 1,
        ..Options::default()
    })
    .await
    .expect("the sandbox starts");
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    let (code, message) = gateway.post(TICKET, new_ticket()).await.error(502);
    assert_eq!(code, "EXTERNAL_REST_ERROR");
    assert!(message.contains("primary"), "{message}");
    let range = "updated_start_ts=2000-01-01T00:00:00Z&updated_end_ts=2999-01-01T00:00:00Z";
    let read = gateway.get(&format!("{TICKET}?{range}")).await.expect(200);
    assert_eq!(read["raw_tickets"].as_array().map(Vec::len), Some(1));
}
