//! What the adapters make of a table that is missing, of refusals, and of lost requests and answers.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use storage::aws::{
    Connection, DynamoBudget, DynamoCallerKeys, DynamoEventLog, DynamoIdempotency, DynamoIntegrations,
    DynamoPollState, DynamoWebhooks, DynamoWriteJournal,
};
use storage::{
    Begin, CallerKeyStore, EventLog, EventSink, IdempotencyStore, IntegrationStore, Lane, PollState,
    RateBudget, RateLimit, StorageError, StreamKey, StreamRecord, WebhookStore, WriteJournal,
};

use crate::proxy::{Fault, Proxy};
use crate::support::{connection, content, dynamo, event, table, unique};

const LIMIT: RateLimit = RateLimit {
    requests: 100,
    per: Duration::from_secs(60),
    reserved: 0,
};

fn stream() -> StreamKey {
    StreamKey {
        integration: "one".to_owned(),
        destination: None,
    }
}

/// Operations of each adapter, each with its error.
async fn errors(connection: &Connection, table: &str) -> Vec<StorageError> {
    let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(30));
    let integrations = DynamoIntegrations::new(connection, table);
    let idempotency = DynamoIdempotency::new(connection, table);
    let state = DynamoPollState::new(connection, table);
    let log = DynamoEventLog::new(connection, table);
    let began = "2026-01-05T10:30:45Z".parse().unwrap();
    vec![
        state.stream(&stream()).await.unwrap_err(),
        state.streams().await.unwrap_err(),
        state
            .store_stream(&StreamRecord::new(stream(), began, began))
            .await
            .unwrap_err(),
        state.seen("one", &["T-1"]).await.unwrap_err(),
        log.publish(&[event("T-1", 1)]).await.unwrap_err(),
        log.read("one", None, 1).await.unwrap_err(),
        log.end("one").await.unwrap_err(),
        DynamoWriteJournal::new(connection, table)
            .writes("one", &["T-1"])
            .await
            .unwrap_err(),
        DynamoWebhooks::new(connection, table)
            .webhooks(None)
            .await
            .unwrap_err(),
        integrations.active("one").await.unwrap_err(),
        integrations.add("one", content("a")).await.unwrap_err(),
        integrations.activate("one", Some(1), None).await.unwrap_err(),
        DynamoCallerKeys::new(connection, table)
            .keys("one")
            .await
            .unwrap_err(),
        idempotency.begin("k", "f", later, now).await.unwrap_err(),
        idempotency.finish("k", later, json!(1), later).await.unwrap_err(),
        idempotency.abandon("k", later).await.unwrap_err(),
        DynamoBudget::new(connection, table)
            .take("one", LIMIT, Lane::Action)
            .await
            .unwrap_err(),
    ]
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_table_that_does_not_exist_is_named() {
    let name = unique("no-such-table");
    for error in errors(&connection(), &name).await {
        assert!(error.is_configuration(), "{error:?}");
        assert!(error.to_string().contains(&name), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_missing_permission_is_told_apart() {
    let proxy = Proxy::start().await;
    proxy.next(vec![Fault::Refused(400, "AccessDeniedException"); 17]);
    for error in errors(&proxy.connection(), "table").await {
        assert!(error.is_denied(), "{error:?}");
        assert!(error.to_string().contains("AccessDeniedException"), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn credentials_that_are_over_are_told_apart() {
    let proxy = Proxy::start().await;
    proxy.next([Fault::Refused(400, "ExpiredTokenException")]);
    let store = DynamoIntegrations::new(&proxy.connection(), "table");
    let error = store.active("one").await.unwrap_err();
    assert!(error.is_denied(), "{error:?}");
    assert!(error.to_string().contains("wrong or expired"), "{error}");
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn what_passes_by_itself_is_tried_again() {
    let table = table().await;
    for fault in [
        Fault::Refused(400, "ThrottlingException"),
        Fault::Refused(400, "ProvisionedThroughputExceededException"),
        Fault::Refused(400, "TransactionConflictException"),
        Fault::Refused(500, "InternalServerError"),
        Fault::Refused(503, "ServiceUnavailable"),
        Fault::Lost,
    ] {
        let proxy = Proxy::start().await;
        let store = DynamoIdempotency::new(&proxy.connection(), &table);
        proxy.next([fault.clone(), fault.clone()]);
        let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(30));
        let begun = store.begin(&unique("key"), "f", later, now).await;
        assert_eq!(begun.unwrap(), Begin::Started, "{fault:?}");
        assert_eq!(proxy.operations().len(), 3, "{fault:?}");
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn what_does_not_pass_is_unavailable_and_not_tried_for_ever() {
    for fault in [
        Fault::Refused(400, "ThrottlingException"),
        Fault::Refused(500, "InternalServerError"),
        Fault::Lost,
    ] {
        let proxy = Proxy::start().await;
        let store = DynamoIntegrations::new(&proxy.connection(), "table");
        proxy.next(vec![fault; 20]);
        let error = store.active("one").await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        assert!((2..=5).contains(&proxy.operations().len()));
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn silence_is_unavailable_after_five_seconds() {
    let proxy = Proxy::start().await;
    proxy.next(vec![Fault::Silence; 20]);
    let store = DynamoIntegrations::new(&proxy.connection(), "table");
    let start = std::time::Instant::now();
    let error = store.active("one").await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(7), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let nowhere = crate::support::connection_to("http://127.0.0.1:9");
    let error = DynamoIntegrations::new(&nowhere, "table")
        .active("one")
        .await
        .unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(
        error.to_string().contains("the active version of `one`"),
        "{error}"
    );
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_write_whose_answer_was_lost_is_known_again() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(30));
    let lost = || proxy.next([Fault::AnswerLost]);

    let idempotency = DynamoIdempotency::new(&proxy.connection(), &table);
    lost();
    assert_eq!(
        idempotency.begin("k", "f", later, now).await.unwrap(),
        Begin::Started
    );
    lost();
    idempotency
        .finish("k", later, json!({"id": 7}), later)
        .await
        .unwrap();
    let replayed = idempotency.begin("k", "f", later, now).await.unwrap();
    assert_eq!(replayed, Begin::Replay(json!({"id": 7})));

    let integrations = DynamoIntegrations::new(&proxy.connection(), &table);
    // The first request of `add` reads; its answer is lost, then that of the transaction.
    proxy.next([Fault::AnswerLost, Fault::AnswerLost, Fault::AnswerLost]);
    assert_eq!(integrations.add("one", content("a")).await.unwrap(), 1);
    lost();
    integrations.activate("one", Some(1), None).await.unwrap();
    assert_eq!(integrations.versions("one").await.unwrap().len(), 1);
    assert_eq!(integrations.active("one").await.unwrap(), Some(1));
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_request_that_comes_again_is_known_though_the_answer_to_its_claim_was_lost() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let store = DynamoIdempotency::new(&proxy.connection(), &table);
    let start = SystemTime::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    proxy.next([Fault::AnswerLost]);
    assert_eq!(
        store.begin("k", "f", at(90), at(31)).await.unwrap(),
        Begin::Resumed
    );
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn an_item_that_is_not_ours_is_named_and_nobody_panics() {
    let table = table().await;
    let put = |pk: &str, sk: &str| {
        dynamo()
            .put_item()
            .table_name(&table)
            .item("pk", AttributeValue::S(pk.to_owned()))
            .item("sk", AttributeValue::S(sk.to_owned()))
            .item("ends_at", AttributeValue::N("99999999999999".to_owned()))
            .item("version", AttributeValue::S("latest".to_owned()))
            .item("starts", AttributeValue::S("yesterday".to_owned()))
    };
    let items = [
        ("ACTIVE", "one"),
        ("INTEGRATION#one", "VERSION#first"),
        ("INTEGRATION#one#000000000001", "CHUNK#000"),
        ("KEYS#one", "00000000"),
        ("IDEMPOTENCY#k", "RECORD"),
        ("RATE#one", "WINDOW"),
        ("POLL#one", "STREAM"),
        ("STREAMS", "one"),
        ("SEEN#one#cd", "T-1"),
        ("EVENT#one", "END"),
        ("WRITE#one", "T-1"),
        ("WEBHOOK", "one#wh_1"),
    ];
    for (pk, sk) in items {
        put(pk, sk).send().await.unwrap();
    }
    let connection = connection();
    let integrations = DynamoIntegrations::new(&connection, &table);
    let keys = DynamoCallerKeys::new(&connection, &table);
    let idempotency = DynamoIdempotency::new(&connection, &table);
    let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(30));
    let state = DynamoPollState::new(&connection, &table);
    let log = DynamoEventLog::new(&connection, &table);
    let errors = [
        state.stream(&stream()).await.unwrap_err(),
        state.streams().await.unwrap_err(),
        state.seen("one", &["T-1"]).await.unwrap_err(),
        log.publish(&[event("T-1", 1)]).await.unwrap_err(),
        log.read("one", None, 1).await.unwrap_err(),
        DynamoWriteJournal::new(&connection, &table)
            .writes("one", &["T-1"])
            .await
            .unwrap_err(),
        DynamoWebhooks::new(&connection, &table)
            .webhooks(None)
            .await
            .unwrap_err(),
        integrations.active("one").await.unwrap_err(),
        integrations.all_active().await.unwrap_err(),
        integrations.versions("one").await.unwrap_err(),
        integrations.add("one", content("a")).await.unwrap_err(),
        integrations.version("one", 1).await.unwrap_err(),
        keys.key("one", "00000000").await.unwrap_err(),
        keys.keys("one").await.unwrap_err(),
        idempotency.begin("k", "f", later, now).await.unwrap_err(),
        DynamoBudget::new(&connection, &table)
            .take("one", LIMIT, Lane::Action)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        let message = error.to_string();
        assert!(error.is_configuration(), "{error:?}");
        assert!(
            message.contains("is not one of ours") && message.contains(&table),
            "{message}"
        );
    }
}
