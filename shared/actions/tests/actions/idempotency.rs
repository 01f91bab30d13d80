//! A write that is sent twice with one key is carried out once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::time::{Duration, SystemTime};

use actions::Gateway;
use bytes::Bytes;
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;
use storage::{Begin, IdempotencyStore, StorageError};

use crate::support::{Answer, DESK, Upstream, client, install, record, reply, send};
use axum::response::IntoResponse;

fn with_store(upstream: &Upstream) -> Gateway {
    Gateway::builder(client())
        .integration(install(DESK, json!({"base_url": upstream.address})))
        .idempotency(Arc::new(EmbeddedStore::in_memory().unwrap()))
        .build()
        .unwrap()
}

async fn change(gateway: &Gateway, key: &str, body: Value) -> Answer {
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

#[tokio::test]
async fn every_write_action_is_carried_out_once_for_its_key() {
    for definition in actions::ALL
        .iter()
        .filter(|definition| definition.action.is_write())
    {
        let action = definition.action;
        let upstream = Upstream::desk().await;
        let gateway = Gateway::builder(client())
            .integration(install(
                DESK,
                json!({"base_url": upstream.address, "notes": true}),
            ))
            .idempotency(Arc::new(EmbeddedStore::in_memory().unwrap()))
            .build()
            .unwrap();
        let path = format!("/v1/desk{}", definition.path.replace("{ticket_id}", "IT-7"));
        let send_once = |body: Value| {
            let request = http::Request::builder()
                .method(&definition.method)
                .uri(&path)
                .header("idempotency-key", "k1")
                .body(Bytes::from(body.to_string()))
                .unwrap();
            send(&gateway, request)
        };
        let mut example = (definition.example)();
        // The words of the desk.
        if example.get("destination").is_some() {
            example["destination"] = json!("it");
        }
        let first = send_once(example.clone()).await;
        assert_eq!(first.status, definition.success.as_u16(), "{action}: {first:?}");
        let sent = upstream.lines();
        let second = send_once(example.clone()).await;
        assert_eq!(
            (second.status, &second.body),
            (first.status, &first.body),
            "{action}"
        );
        assert_eq!(second.header("idempotency-replayed"), Some("true"), "{action}");

        example["requestor_info"] = json!({"requestor": {"full_name": "Somebody Else"}});
        let other = send_once(example).await;
        assert_eq!(
            (other.status, other.code()),
            (409, "CONFLICT"),
            "{action}: {other:?}"
        );
        assert_eq!(upstream.lines(), sent, "{action}: nothing more was sent");
    }
}

#[tokio::test]
async fn a_call_that_died_frees_its_key_at_its_deadline() {
    let upstream = Upstream::desk().await;
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    let at = |seconds: u64| {
        let now = SystemTime::now() + Duration::from_secs(seconds);
        Gateway::builder(client())
            .integration(install(DESK, json!({"base_url": upstream.address})))
            .idempotency(Arc::clone(&store) as Arc<dyn storage::IdempotencyStore>)
            .clock(jiff::Timestamp::try_from(now).unwrap())
            .build()
            .unwrap()
    };
    let body = json!({"payload": {"a": 1}});
    // It is dropped as soon as it waits for something, as in a process that is killed.
    let gateway = at(0);
    let dying = change(&gateway, "k1", body.clone());
    tokio::select! {
        biased;
        answer = dying => panic!("it was answered: {answer:?}"),
        () = std::future::ready(()) => {}
    }
    let sent = upstream.seen().len();
    // The desk's actions take 2 seconds at most, and 5 more are allowed for.
    let busy = change(&at(4), "k1", body.clone()).await;
    assert_eq!((busy.status, busy.code()), (409, "CONFLICT"), "{busy:?}");
    let freed = change(&at(8), "k1", body.clone()).await;
    assert_eq!(freed.status, 200, "{freed:?}");
    let again = change(&at(9), "k1", body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(upstream.seen().len(), sent + 1);
}

/// A store that does not answer.
struct Broken;

#[async_trait::async_trait]
impl storage::IdempotencyStore for Broken {
    async fn begin(
        &self,
        _: &str,
        _: &str,
        _: SystemTime,
        _: SystemTime,
    ) -> Result<storage::Begin, StorageError> {
        Err(StorageError::unavailable(
            "cannot write to the table hidden-table",
            "throttled",
        ))
    }

    async fn finish(&self, _: &str, _: SystemTime, _: Value, _: SystemTime) -> Result<(), StorageError> {
        panic!("nothing was begun")
    }

    async fn abandon(&self, _: &str, _: SystemTime) -> Result<(), StorageError> {
        panic!("nothing was begun")
    }
}

#[tokio::test]
async fn without_the_store_nothing_is_sent_and_the_caller_may_try_again() {
    let upstream = Upstream::desk().await;
    let gateway = Gateway::builder(client())
        .integration(install(DESK, json!({"base_url": upstream.address})))
        .idempotency(Arc::new(Broken))
        .build()
        .unwrap();
    let answer = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    assert_eq!((answer.status, answer.code()), (500, "INTERNAL_SERVER_ERROR"));
    assert!(!answer.message().contains("hidden-table"), "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert!(upstream.seen().is_empty());
}

/// A store that holds no result of more than 400 bytes.
struct Small(EmbeddedStore);

#[async_trait::async_trait]
impl IdempotencyStore for Small {
    async fn begin(
        &self,
        key: &str,
        fingerprint: &str,
        deadline: SystemTime,
        now: SystemTime,
    ) -> Result<Begin, StorageError> {
        self.0.begin(key, fingerprint, deadline, now).await
    }

    async fn finish(
        &self,
        key: &str,
        deadline: SystemTime,
        result: Value,
        keep_until: SystemTime,
    ) -> Result<(), StorageError> {
        if result.to_string().len() > 400 {
            return Err(StorageError::too_large("at most 400 bytes can be stored"));
        }
        self.0.finish(key, deadline, result, keep_until).await
    }

    async fn abandon(&self, key: &str, deadline: SystemTime) -> Result<(), StorageError> {
        self.0.abandon(key, deadline).await
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_too_large_to_be_kept_is_not_sent_again() {
    let upstream = Upstream::start(|seen| {
        let mut record = record(seen).0;
        record["title"] = json!("x".repeat(1000));
        axum::Json(record).into_response()
    })
    .await;
    let gateway = Gateway::builder(client())
        .integration(install(DESK, json!({"base_url": upstream.address})))
        .idempotency(Arc::new(Small(EmbeddedStore::in_memory().unwrap())))
        .build()
        .unwrap();
    let first = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    assert_eq!(first.status, 200, "{first:?}");
    let second = change(&gateway, "k1", json!({"payload": {"a": 1}})).await;
    assert_eq!((second.status, second.code()), (500, "INTERNAL_SERVER_ERROR"));
    assert_eq!(second.details()["outcome"], "done");
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(upstream.seen().len(), 1);
}
