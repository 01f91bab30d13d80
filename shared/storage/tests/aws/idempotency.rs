//! Idempotency records: how many requests they cost, large results, deletion by time.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use storage::aws::DynamoIdempotency;
use storage::{Begin, IdempotencyStore};

use crate::proxy::Proxy;
use crate::support::{connection, dynamo, noise, table};

fn clock() -> impl Fn(u64) -> SystemTime {
    let start = SystemTime::now();
    move |seconds| start + Duration::from_secs(seconds)
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn each_step_is_one_request() {
    let (table, proxy, at) = (table().await, Proxy::start().await, clock());
    let store = DynamoIdempotency::new(&proxy.connection(), table);
    assert_eq!(
        store.begin("k", "f", at(30), at(0)).await.unwrap(),
        Begin::Started
    );
    let twin = store.begin("k", "f", at(30), at(0)).await.unwrap();
    assert!(matches!(twin, Begin::InProgress { .. }));
    store
        .finish("k", at(30), json!({"id": "T-1"}), at(100))
        .await
        .unwrap();
    assert_eq!(
        store.begin("k", "f", at(30), at(1)).await.unwrap(),
        Begin::Replay(json!({"id": "T-1"}))
    );
    assert_eq!(proxy.operations(), ["UpdateItem"; 4]);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_result_larger_than_an_item_is_replayed() {
    let (store, at) = (DynamoIdempotency::new(&connection(), table().await), clock());
    for (key, size) in [("edge", 425_000), ("large", 1_500_000)] {
        let result = json!({"raw_tickets": [noise(size)]});
        store.begin(key, "f", at(30), at(0)).await.unwrap();
        store.finish(key, at(30), result.clone(), at(100)).await.unwrap();
        assert_eq!(
            store.begin(key, "f", at(30), at(1)).await.unwrap(),
            Begin::Replay(result)
        );
        assert!(
            store
                .finish(key, at(30), json!(1), at(100))
                .await
                .unwrap_err()
                .is_conflict()
        );
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_small_result_after_a_large_one_is_replayed_alone() {
    let (store, at) = (DynamoIdempotency::new(&connection(), table().await), clock());
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    store
        .finish("k", at(30), json!(noise(1_500_000)), at(100))
        .await
        .unwrap();
    assert_eq!(
        store.begin("k", "f", at(160), at(130)).await.unwrap(),
        Begin::Started
    );
    store.finish("k", at(160), json!("small"), at(300)).await.unwrap();
    assert_eq!(
        store.begin("k", "f", at(330), at(200)).await.unwrap(),
        Begin::Replay(json!("small"))
    );
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_large_result_cannot_end_a_claim_that_is_over() {
    let (store, at) = (DynamoIdempotency::new(&connection(), table().await), clock());
    let large = || json!(noise(1_500_000));
    assert!(
        store
            .finish("k", at(30), large(), at(100))
            .await
            .unwrap_err()
            .is_not_found()
    );
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    store.begin("k", "f", at(90), at(31)).await.unwrap();
    assert!(
        store
            .finish("k", at(30), large(), at(100))
            .await
            .unwrap_err()
            .is_conflict()
    );
    let twin = store.begin("k", "f", at(120), at(32)).await.unwrap();
    assert!(matches!(twin, Begin::InProgress { .. }));
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_result_that_no_transaction_takes_says_so() {
    let (store, at) = (DynamoIdempotency::new(&connection(), table().await), clock());
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    let error = store
        .finish("k", at(30), json!(noise(6_000_000)), at(100))
        .await
        .unwrap_err();
    assert!(error.is_too_large(), "{error:?}");
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn of_fifty_twins_one_is_started() {
    let (table, at) = (table().await, clock());
    let mut twins = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = DynamoIdempotency::new(&connection(), &table);
        let (deadline, now) = (at(30), at(0));
        twins.spawn(async move { store.begin("k", "f", deadline, now).await.unwrap() });
    }
    let begun = twins.join_all().await;
    assert_eq!(begun.iter().filter(|begun| **begun == Begin::Started).count(), 1);
    assert_eq!(
        begun
            .iter()
            .filter(|begun| matches!(begun, Begin::InProgress { .. }))
            .count(),
        49
    );
}

/// A claim is kept for a day after its deadline, a result until its time is over.
#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn dynamodb_is_told_when_a_record_can_be_deleted() {
    let (table, at) = (table().await, clock());
    let store = DynamoIdempotency::new(&connection(), &table);
    let expires_at = async || {
        let items = dynamo().scan().table_name(&table).send().await.unwrap();
        let item = items.items().first().unwrap().clone();
        let Some(AttributeValue::N(seconds)) = item.get("expires_at") else {
            panic!("{item:?}");
        };
        let seconds: u64 = seconds.parse().unwrap();
        seconds.abs_diff(at(0).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    };
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    assert!((86_430..=86_432).contains(&expires_at().await));
    store.finish("k", at(30), json!(1), at(100)).await.unwrap();
    assert!((100..=102).contains(&expires_at().await));
}
