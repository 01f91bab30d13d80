//! Keys, unknown endpoints, the rate limit, and what is recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::Method;
use sandbox::teamswork::{Clock, KeyUsed, Options, Quirk};
use serde_json::json;

use crate::{Api, PRIMARY, SECONDARY, jason, send, set};

#[tokio::test]
async fn a_call_without_a_key_is_answered_by_the_gateway() {
    let api = Api::with(&[]).await;
    let reply = send(api.bare(Method::GET, "/tickets")).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.body["statusCode"], 401);
    assert!(reply.message().contains("missing subscription key"));
    assert_eq!(
        reply.body.get("error"),
        None,
        "the gateway's shape, not the application's"
    );
}

#[tokio::test]
async fn a_wrong_key_and_a_key_in_a_header_are_refused() {
    let api = Api::with(&[]).await;
    let wrong = send(api.bare(Method::GET, "/tickets?key=wrong")).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.message().contains("invalid subscription key"));
    let header = api
        .bare(Method::GET, "/tickets")
        .header("Ocp-Apim-Subscription-Key", PRIMARY);
    assert_eq!(send(header).await.status, 401);
}

#[tokio::test]
async fn a_key_with_reserved_characters_arrives_when_it_is_encoded() {
    let api = Api::start(Options {
        primary_key: "a+b&c=d/é %".to_owned(),
        ..Options::default()
    })
    .await;
    let encoded = api.bare(Method::GET, "/tickets").query(&[("key", "a+b&c=d/é %")]);
    assert_eq!(send(encoded).await.status, 200);
    assert_eq!(
        send(api.bare(Method::GET, "/tickets?key=a+b&c=d/é %"))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn the_secondary_key_reads_and_does_not_write() {
    let api = Api::with(&[]).await;
    let path = format!("/tickets?key={SECONDARY}");
    assert_eq!(send(api.bare(Method::GET, &path)).await.status, 200);
    let body = json!({"ticket": {"title": "x", "requestor": jason()}, "user": jason()});
    let write = send(api.bare(Method::POST, &path).json(&body)).await;
    assert_eq!(write.status, 403);
    assert!(write.message().contains("primary key"));
    assert!(api.running.tickets().is_empty());
}

#[tokio::test]
async fn equal_or_empty_keys_are_a_start_error() {
    for (primary, secondary) in [("a", "a"), ("", "b"), ("a", "")] {
        let options = Options {
            primary_key: primary.to_owned(),
            secondary_key: secondary.to_owned(),
            ..Options::default()
        };
        assert!(sandbox::teamswork::start(options).await.is_err());
    }
}

#[tokio::test]
async fn unknown_endpoints_and_methods_have_the_gateways_shape() {
    let api = Api::with(&[]).await;
    let unknown = api.get("/users").await;
    assert_eq!((unknown.status, unknown.message()), (404, "Resource not found"));
    let id = api.new_ticket("A ticket").await;
    for path in [
        format!("/tickets/{id}/comments"),
        format!("/tickets/{id}/attachments"),
    ] {
        let reply = api.post(&path, &json!({})).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.body["statusCode"], 404);
    }
    let wrong_method = send(api.request(Method::DELETE, &format!("/tickets/{id}"))).await;
    assert_eq!(
        (wrong_method.status, wrong_method.message()),
        (405, "Method not allowed")
    );
    assert_eq!(
        api.post(&format!("/tickets/{id}/status"), &json!({}))
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn an_unknown_ticket_has_the_applications_shape() {
    let api = Api::with(&[]).await;
    let id = "9f4c1c52-7c1c-4c53-b9f6-0f6f3f8f0a11";
    let replies = [
        api.get(&format!("/tickets/{id}")).await,
        api.put(&format!("/tickets/{id}"), &json!({})).await,
        api.put(&format!("/tickets/{id}/status"), &json!({})).await,
        api.get(&format!("/tickets/{id}/activities")).await,
        api.post(&format!("/tickets/{id}/activities"), &json!({})).await,
    ];
    for reply in replies {
        assert_eq!(reply.status, 404);
        assert_eq!(reply.body["error"], true);
        assert_eq!(reply.body["statusCode"], 404);
        assert!(reply.message().contains(id));
    }
}

fn settable_clock() -> (Arc<AtomicI64>, Clock) {
    let milliseconds = Arc::new(AtomicI64::new(1_767_609_045_123));
    let read = Arc::clone(&milliseconds);
    let clock = Arc::new(move || jiff::Timestamp::from_millisecond(read.load(Ordering::SeqCst)).unwrap());
    (milliseconds, clock)
}

#[tokio::test]
async fn the_hundred_and_first_request_in_sixty_seconds_is_refused() {
    let (time, clock) = settable_clock();
    let api = Api::start(Options {
        clock,
        ..Options::default()
    })
    .await;
    for _ in 0..100 {
        assert_eq!(api.get("/tags").await.status, 200);
    }
    time.fetch_add(17_400, Ordering::SeqCst);
    let refused = api.get("/tags").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("43"));
    assert_eq!(
        refused.body,
        json!({"statusCode": 429, "message": "Rate limit is exceeded. Try again in 43 seconds."})
    );
    time.fetch_add(43_000, Ordering::SeqCst);
    assert_eq!(api.get("/tags").await.status, 200);
}

#[tokio::test]
async fn refused_keys_do_not_count_and_both_keys_share_the_limit() {
    let (_, clock) = settable_clock();
    let rate_limit = Some((2, Duration::from_secs(60)));
    let api = Api::start(Options {
        clock,
        rate_limit,
        ..Options::default()
    })
    .await;
    for _ in 0..5 {
        assert_eq!(send(api.bare(Method::GET, "/tags?key=wrong")).await.status, 401);
    }
    assert_eq!(api.get("/tags").await.status, 200);
    assert_eq!(
        send(api.bare(Method::GET, &format!("/tags?key={SECONDARY}")))
            .await
            .status,
        200
    );
    assert_eq!(api.get("/tags").await.status, 429);
}

#[tokio::test]
async fn no_retry_after_leaves_the_header_out() {
    let quirks = set(&[Quirk::NoRetryAfter]);
    let rate_limit = Some((0, Duration::from_secs(60)));
    let api = Api::start(Options {
        quirks,
        rate_limit,
        ..Options::default()
    })
    .await;
    let refused = api.get("/tags").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, None));
}

#[tokio::test]
async fn requests_are_recorded_without_the_key() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    api.running.forget_requests();
    let path = format!("/tickets/{id}/activities");
    api.post(&path, &json!({"comment": "Grüße", "user": jason()}))
        .await;
    api.get("/tickets?search=a%20b%26c&limit=5").await;
    let requests = api.running.requests();
    assert_eq!((requests[0].method.as_str(), &requests[0].path), ("POST", &path));
    assert_eq!(requests[0].json()["comment"], "Grüße");
    assert_eq!(requests[0].header("Content-Type"), Some("application/json"));
    assert_eq!(requests[1].parameter("search"), Some("a b&c"));
    assert_eq!(requests[1].key, KeyUsed::Primary);
    assert!(!format!("{requests:?}").contains(PRIMARY));
}
