//! The poller's records: what they cost, large ones, lost answers, deletion by time; the journal's too.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use storage::aws::{DynamoPollState, DynamoWebhooks, DynamoWriteJournal};
use storage::{
    JournalledWrite, Pending, PollState, SeenTicket, StreamKey, StreamRecord, Swap, TicketVersion, Webhook,
    WebhookStore, WriteJournal,
};

use crate::proxy::{Fault, Proxy};
use crate::support::{connection, dynamo, event, noise, table};

fn key() -> StreamKey {
    StreamKey {
        integration: "one".to_owned(),
        destination: None,
    }
}

fn stream() -> StreamRecord {
    let began = "2026-01-05T10:30:45Z".parse().unwrap();
    StreamRecord::new(key(), began, began)
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("not an object")
    };
    object
}

/// A record with a ticket of about this many bytes.
fn seen(ticket: &str, bytes: usize) -> SeenTicket {
    SeenTicket {
        ticket_id: ticket.to_owned(),
        revision: 0,
        version: TicketVersion {
            updated_at: "2026-01-05T10:30:45.123456Z".parse().unwrap(),
            content: "0123456789abcdef".to_owned(),
            ordinal: 0,
        },
        ticket: object(json!({"id": ticket, "comments": [], "description": noise(bytes)})),
        pending: None,
        expires_at: Some("2126-01-05T10:30:45Z".parse().unwrap()),
    }
}

fn pending(ticket: &str, bytes: usize) -> SeenTicket {
    let mut record = seen(ticket, bytes);
    record.expires_at = None;
    record.pending = Some(Pending {
        event: storage::Event {
            ticket: record.ticket.clone(),
            ..event(ticket, 1)
        },
        stream: key(),
        until: "2026-01-05T10:31:45Z".parse().unwrap(),
    });
    record
}

async fn store(state: &DynamoPollState, record: &SeenTicket) -> Swap {
    let swaps = state.store_seen("one", std::slice::from_ref(record)).await;
    *swaps.unwrap().first().unwrap()
}

async fn read(state: &DynamoPollState, ticket: &str) -> SeenTicket {
    state.seen("one", &[ticket]).await.unwrap().pop().unwrap()
}

fn next(mut record: SeenTicket, revision: u64) -> SeenTicket {
    record.revision = revision;
    record
}

async fn items(table: &str) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    let items = dynamo().scan().table_name(table).into_paginator().items().send();
    items.collect::<Result<Vec<_>, _>>().await.unwrap()
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn an_idle_poll_is_two_reads_and_one_write() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let state = DynamoPollState::new(&proxy.connection(), table);
    let mut record = stream();
    state.store_stream(&record).await.unwrap();
    // The first write of a stream puts it on the list too.
    assert_eq!(proxy.operations(), ["PutItem", "PutItem"]);
    record.revision = 1;
    let tickets: Vec<String> = (0..100).map(|number| format!("T-{number}")).collect();
    let tickets: Vec<&str> = tickets.iter().map(String::as_str).collect();
    state.stream(&key()).await.unwrap();
    state.seen("one", &tickets).await.unwrap();
    state.store_stream(&record).await.unwrap();
    assert_eq!(proxy.operations(), ["GetItem", "BatchGetItem", "PutItem"]);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_write_whose_answer_was_lost_is_known_again() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let state = DynamoPollState::new(&proxy.connection(), &table);
    let lost = |times: usize| proxy.next(vec![Fault::AnswerLost; times]);
    let mut record = stream();
    for revision in 0..3 {
        record.revision = revision;
        lost(2);
        assert_eq!(state.store_stream(&record).await.unwrap(), Swap::Stored);
    }
    assert_eq!(state.stream(&key()).await.unwrap().unwrap().revision, 3);

    for (revision, bytes) in [(0, 10), (1, 10), (2, 900_000), (3, 10)] {
        lost(2);
        let swap = store(&state, &next(seen("T-1", bytes), revision)).await;
        assert_eq!(swap, Swap::Stored, "revision {revision}");
    }
    assert_eq!(read(&state, "T-1").await, next(seen("T-1", 10), 4));

    let webhooks = DynamoWebhooks::new(&proxy.connection(), &table);
    let mut webhook = Webhook {
        id: "wh_1".to_owned(),
        integration: "one".to_owned(),
        url: "https://example.com".to_owned(),
        revision: 0,
        created_at: Timestamp::UNIX_EPOCH,
        cursor: None,
        attempts: 0,
        not_before: None,
        failing_since: None,
        disabled_at: None,
        last_error: None,
        lease: None,
    };
    for revision in 0..2 {
        webhook.revision = revision;
        lost(1);
        assert_eq!(webhooks.store_webhook(&webhook).await.unwrap(), Swap::Stored);
    }

    let journal = DynamoWriteJournal::new(&proxy.connection(), &table);
    let write = JournalledWrite {
        ticket_id: "T-1".to_owned(),
        request_id: "r-1".to_owned(),
        from: Timestamp::now(),
        until: Timestamp::now(),
    };
    lost(2);
    journal.note("one", &write).await.unwrap();
    assert_eq!(journal.writes("one", &["T-1"]).await.unwrap(), [write]);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_hundred_large_tickets_are_read_though_no_answer_holds_them_all() {
    let state = DynamoPollState::new(&connection(), table().await);
    let records: Vec<SeenTicket> = (0..60)
        .map(|number| seen(&format!("T-{number}"), 400_000))
        .collect();
    let swaps = state.store_seen("one", &records).await.unwrap();
    assert_eq!(swaps, vec![Swap::Stored; 60]);
    let ids: Vec<&str> = records.iter().map(|record| record.ticket_id.as_str()).collect();
    let mut found = state.seen("one", &ids).await.unwrap();
    found.sort_by_key(|record| record.ticket_id.clone());
    let mut expected: Vec<SeenTicket> = records.into_iter().map(|record| next(record, 1)).collect();
    expected.sort_by_key(|record| record.ticket_id.clone());
    assert!(found == expected, "{} of 60", found.len());
}

#[tokio::test]
async fn keys_that_were_not_processed_are_asked_for_again() {
    let fake = crate::fake::Fake::start(|number, (_, call)| {
        let keys = call["RequestItems"]["table"]["Keys"].as_array().unwrap().clone();
        assert_eq!(call["RequestItems"]["table"]["ConsistentRead"], true);
        let (done, left) = match number {
            // Too busy for any of them, then for most of them.
            0 | 1 => (Vec::new(), keys),
            2 => (
                keys.iter().take(3).cloned().collect(),
                keys.iter().skip(3).cloned().collect(),
            ),
            _ => (keys, Vec::new()),
        };
        let items: Vec<Value> = done
            .into_iter()
            .map(|mut key| {
                let (from, until) = ("2026-01-05T10:30:45Z", "2126-01-05T10:30:45Z");
                key["ticket_id"] = key["sk"].clone();
                key["write:r"] = json!({"S": format!("{from}/{until}")});
                key
            })
            .collect();
        let unprocessed = match left.as_slice() {
            [] => json!({}),
            left => json!({"table": {"Keys": left, "ConsistentRead": true}}),
        };
        (
            200,
            json!({"Responses": {"table": items}, "UnprocessedKeys": unprocessed}),
        )
    })
    .await;
    let journal = DynamoWriteJournal::new(&fake.connection(), "table");
    let found = journal
        .writes("one", &["a", "b", "c", "d", "e", "a"])
        .await
        .unwrap();
    let mut tickets: Vec<String> = found.into_iter().map(|write| write.ticket_id).collect();
    tickets.sort_unstable();
    assert_eq!(tickets, ["a", "b", "c", "d", "e"]);
    assert_eq!(fake.calls().len(), 4);
}

#[tokio::test]
async fn a_table_that_stays_too_busy_is_unavailable() {
    let fake = crate::fake::Fake::start(|_, (_, call)| {
        let unprocessed = call["RequestItems"].clone();
        (200, json!({"Responses": {}, "UnprocessedKeys": unprocessed}))
    })
    .await;
    let journal = DynamoWriteJournal::new(&fake.connection(), "table");
    let error = journal.writes("one", &["a"]).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_ticket_larger_than_an_item_takes_its_parts_along() {
    let table = table().await;
    let state = DynamoPollState::new(&connection(), &table);
    // Small, large, larger, less large, small, and just at the border of an item.
    let sizes = [100, 1_500_000, 3_000_000, 600_000, 100, 420_000, 430_000, 425_000];
    for (revision, bytes) in (0..).zip(sizes) {
        let record = next(pending("T-1", bytes), revision);
        assert_eq!(store(&state, &record).await, Swap::Stored, "{bytes}");
        assert!(
            read(&state, "T-1").await == next(record.clone(), revision + 1),
            "{bytes}"
        );
        assert_eq!(store(&state, &record).await, Swap::Conflict, "{bytes}");
    }
    assert_eq!(store(&state, &next(seen("T-1", 100), 8)).await, Swap::Stored);
    assert_eq!(items(&table).await.len(), 1, "a part was left behind");
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_large_ticket_that_is_replaced_while_it_is_read_is_read_as_a_whole() {
    let table = table().await;
    let state = DynamoPollState::new(&connection(), &table);
    store(&state, &seen("T-1", 800_000)).await;
    let writer = async {
        for revision in 1..15 {
            let bytes = if revision % 3 == 0 { 100 } else { 800_000 };
            let swap = store(&state, &next(seen("T-1", bytes), revision)).await;
            assert_eq!(swap, Swap::Stored);
        }
    };
    let reader = async {
        let mut last = 0;
        while last < 15 {
            let record = read(&state, "T-1").await;
            assert!(last <= record.revision);
            last = record.revision;
            let bytes = record.ticket.get("description").unwrap().as_str().unwrap().len();
            assert_eq!(bytes, if last > 1 && last % 3 == 1 { 100 } else { 800_000 });
        }
    };
    tokio::join!(writer, reader);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_ticket_that_no_transaction_takes_does_not_stop_its_stream() {
    let state = DynamoPollState::new(&connection(), table().await);
    // Its event is kept, and the next one will have no changes.
    let record = seen("T-1", 6_000_000);
    assert_eq!(store(&state, &record).await, Swap::Stored);
    let stored = read(&state, "T-1").await;
    assert_eq!((stored.revision, &stored.version), (1, &record.version));
    assert!(stored.ticket.is_empty());

    let mut talkative = pending("T-2", 100);
    let event = &mut talkative.pending.as_mut().unwrap().event;
    event
        .ticket
        .insert("comments".to_owned(), json!([{"body": noise(6_000_000)}]));
    talkative.ticket = event.ticket.clone();
    assert_eq!(store(&state, &talkative).await, Swap::Stored);
    let stored = read(&state, "T-2").await.pending.unwrap();
    let whole = talkative.pending.unwrap();
    assert_eq!(stored.event, whole.event.without_comments());
    assert_eq!(stored.until, whole.until);

    let large = pending("T-3", 6_000_000);
    assert_eq!(store(&state, &large).await, Swap::Stored);
    let stored = read(&state, "T-3").await.pending.unwrap();
    assert_eq!(stored.event, large.pending.unwrap().event.without_ticket());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn dynamodb_may_delete_a_record_at_its_time_and_never_while_an_event_is_pending() {
    let table = table().await;
    let state = DynamoPollState::new(&connection(), &table);
    let end = Timestamp::now() + Duration::from_secs(3600);
    for (ticket, bytes) in [("T-1", 100), ("T-2", 800_000)] {
        let mut record = pending(ticket, bytes);
        record.expires_at = Some(end);
        store(&state, &record).await;
    }
    state.store_stream(&stream()).await.unwrap();
    for item in items(&table).await {
        assert!(!item.contains_key("expires_at"), "{:?}", item.get("pk"));
    }
    for (ticket, bytes) in [("T-1", 100), ("T-2", 800_000)] {
        let mut record = next(seen(ticket, bytes), 1);
        record.expires_at = Some(end);
        store(&state, &record).await;
    }
    let mut records = 0;
    for item in items(&table).await {
        let pk = item.get("pk").unwrap().as_s().unwrap();
        if pk.starts_with("SEEN") {
            let seconds: i64 = item.get("expires_at").unwrap().as_n().unwrap().parse().unwrap();
            assert!((0..=1).contains(&(seconds - end.as_second())));
            records += 1;
        }
    }
    assert!(records > 3, "{records}");
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_write_of_our_own_is_noted_in_one_request() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let journal = DynamoWriteJournal::new(&proxy.connection(), table);
    let write = |number: u32| JournalledWrite {
        ticket_id: "T-1".to_owned(),
        request_id: format!("r-{number}"),
        from: Timestamp::now(),
        until: Timestamp::now(),
    };
    for number in 0..40 {
        journal.note("one", &write(number)).await.unwrap();
    }
    assert_eq!(proxy.operations(), ["UpdateItem"; 40]);
    journal.note("one", &write(40)).await.unwrap();
    assert_eq!(proxy.operations(), ["UpdateItem"; 2]);
    assert_eq!(journal.writes("one", &["T-1"]).await.unwrap().len(), 20);
    assert_eq!(proxy.operations(), ["BatchGetItem"]);
}

/// DynamoDB deletes what has expired when it gets to it, the parts of a record before it or after it.
#[tokio::test]
async fn an_expired_record_whose_parts_are_going_is_read_as_far_as_it_is_there() {
    let version = seen("T-1", 0).version;
    let head = {
        let version = serde_json::to_string(&version).unwrap();
        move |mark: &str, revision: u32| {
            json!({"pk": {"S": "SEEN#one#00"}, "sk": {"S": "T-1"}, "ticket_id": {"S": "T-1"}, "chunks": {"N": "3"},
                   "revision": {"N": revision.to_string()}, "mark": {"S": mark}, "version": {"S": version},
                   "expires_at": {"N": "1700000000"}})
        }
    };
    let part = |number: u32, mark: &str| json!({"pk": {"S": "SEENPART"}, "sk": {"S": format!("{number:03}")}, "mark": {"S": mark}, "data": {"B": "AAAA"}});
    let answer = {
        let head = head.clone();
        move |_: usize, (operation, _): &crate::fake::Call| match operation.as_str() {
            "BatchGetItem" => (
                200,
                json!({"Responses": {"table": [head("m", 7)]}, "UnprocessedKeys": {}}),
            ),
            "GetItem" => (200, json!({"Item": head("m", 7)})),
            "Query" => (200, json!({"Items": [part(0, "m"), part(2, "m")], "Count": 2})),
            other => panic!("{other}"),
        }
    };
    let fake = crate::fake::Fake::start(answer).await;
    let state = DynamoPollState::new(&fake.connection(), "table");
    let record = read(&state, "T-1").await;
    assert_eq!((record.revision, &record.version), (7, &version));
    assert!(record.ticket.is_empty() && record.pending.is_none());
    assert!(record.expires_at.unwrap() < Timestamp::now());

    // The record itself goes between the two looks.
    let answer = move |_: usize, (operation, _): &crate::fake::Call| match operation.as_str() {
        "BatchGetItem" => (
            200,
            json!({"Responses": {"table": [head("m", 7)]}, "UnprocessedKeys": {}}),
        ),
        "Query" => (200, json!({"Items": [], "Count": 0})),
        _ => (200, json!({})),
    };
    let fake = crate::fake::Fake::start(answer).await;
    let state = DynamoPollState::new(&fake.connection(), "table");
    assert_eq!(state.seen("one", &["T-1"]).await.unwrap(), []);
}
