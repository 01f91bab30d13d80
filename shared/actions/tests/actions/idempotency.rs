//! A write that is sent twice with one key is carried out once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;

use crate::support::{Answer, DESK, Upstream, client, install, record, reply, send};
use axum::response::IntoResponse;

fn with_store(upstream: &Upstream) -> actions::Gateway {
    actions::Gateway::builder(client())
        .integration(install(DESK, json!({"base_url": upstream.address})))
        .idempotency(Arc::new(EmbeddedStore::in_memory().unwrap()))
        .build()
        .unwrap()
}

async fn change(gateway: &actions::Gateway, key: &str, body: Value) -> Answer {
    let request = http::Request::patch("/v1/desk/tickets/IT-7")
        .header("idempotency-key", key)
        .body(Bytes::from(body.to_string()))
        .unwrap();
    send(gateway, request).await
}

#[tokio::test]
async fn the_first_answer_comes_again() {
    let upstream = Upstream::desk().await;
    let gateway = with_store(&upstream);
    let first = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    let second = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(upstream.seen().len(), 1);

    change(&gateway, "k2", json!({"payload": {"a": 1}})).await;
    assert_eq!(upstream.seen().len(), 2, "another key is another write");
}

#[tokio::test]
async fn the_same_fields_in_another_order_are_the_same_request() {
    let upstream = Upstream::desk().await;
    let gateway = with_store(&upstream);
    change(
        &gateway,
        "k1",
        json!({"payload": {"a": 1, "b": {"c": 2, "d": 3}}}),
    )
    .await;
    let again = json!({"payload": {"b": {"d": 3, "c": 2}, "a": 1}});
    let answer = change(&gateway, "k1", again).await;
    assert_eq!(answer.header("idempotency-replayed"), Some("true"), "{answer:?}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_key_used_for_another_request_is_a_conflict() {
    let upstream = Upstream::desk().await;
    let gateway = with_store(&upstream);
    change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    let answer = change(&gateway, "k1", json!({"payload": {"a": 2}})).await;
    assert_eq!((answer.status, answer.code()), (409, "CONFLICT"), "{answer:?}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_refused_write_may_be_tried_again_with_its_key() {
    let calls = Arc::new(AtomicUsize::new(0));
    let upstream = Upstream::start({
        let calls = Arc::clone(&calls);
        move |seen| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => reply(409, &json!({})),
            _ => record(seen).into_response(),
        }
    })
    .await;
    let gateway = with_store(&upstream);
    assert_eq!(
        change(&gateway, "k1", json!({"payload": {"a": 1}})).await.status,
        409
    );
    assert_eq!(
        change(&gateway, "k1", json!({"payload": {"a": 1}})).await.status,
        200
    );
}

#[tokio::test]
async fn a_write_that_may_have_happened_is_not_sent_again() {
    let upstream = Upstream::start(|_| reply(500, &json!({}))).await;
    let gateway = with_store(&upstream);
    let first = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    let second = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    assert_eq!((first.status, second.status), (502, 502));
    assert_eq!(second.details()["outcome"], "unknown");
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn while_the_first_is_on_its_way_the_second_waits() {
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let gate = Arc::new(tokio::sync::Notify::new());
    let app = axum::Router::new().fallback({
        let gate = Arc::clone(&gate);
        move || {
            let (gate, arrived) = (Arc::clone(&gate), arrived.clone());
            async move {
                arrived.send(()).unwrap();
                gate.notified().await;
                axum::Json(json!({"id": 7, "status": "Open", "title": "x", "changed": 1_767_609_045}))
            }
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let gateway = Arc::new(
        actions::Gateway::builder(client())
            .integration(install(DESK, json!({"base_url": address})))
            .idempotency(Arc::new(EmbeddedStore::in_memory().unwrap()))
            .build()
            .unwrap(),
    );

    let first = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move { change(&gateway, "k1", json!({"payload": {"a": 1}})).await.status }
    });
    arrivals.recv().await.unwrap();
    let second = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    assert_eq!((second.status, second.code()), (409, "CONFLICT"), "{second:?}");
    assert!(second.header("retry-after").is_some());
    gate.notify_one();
    assert_eq!(first.await.unwrap(), 200);
}

#[tokio::test]
async fn a_key_is_visible_ascii() {
    let upstream = Upstream::desk().await;
    let gateway = with_store(&upstream);
    for key in ["", "two words", &"k".repeat(256)] {
        let answer = change(&gateway, key, json!({"payload": {"a": 1}})).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (400, vec!["Idempotency-Key"]),
            "{key:?}"
        );
    }
    assert!(upstream.seen().is_empty());
}
