//! The event log: what it costs, large events, lost answers, time, and writers of several processes.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use storage::aws::DynamoEventLog;
use storage::{Acceptance, EVENTS_KEPT, Event, EventCursor, EventLog, EventSink};

use crate::proxy::{Fault, Proxy};
use crate::support::{connection, dynamo, event, noise, table};

fn events(tickets: std::ops::Range<u32>) -> Vec<Event> {
    tickets.map(|ticket| event(&format!("T-{ticket}"), 1)).collect()
}

async fn publish(log: &DynamoEventLog, events: &[Event]) {
    for batch in events.chunks(log.batch_size()) {
        let answers = log.publish(batch).await.unwrap();
        assert_eq!(answers, vec![Acceptance::Accepted; batch.len()]);
    }
}

async fn follow(log: &DynamoEventLog, mut cursor: Option<EventCursor>) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let step = log.read("one", cursor.as_ref(), 100).await.unwrap();
        let Some(last) = step.last() else { return all };
        cursor = Some(last.cursor.clone());
        all.extend(step.into_iter().map(|logged| logged.event));
    }
}

/// Lets time pass for all items of the log but its end: those up to `number` are over by now.
async fn expire(table: &str, number: u64) {
    let items = dynamo().scan().table_name(table).into_paginator().items().send();
    for item in items.collect::<Result<Vec<_>, _>>().await.unwrap() {
        let text = |name: &str| item.get(name).unwrap().as_s().unwrap().clone();
        let of_event = |sk: &str| sk.get(..16).and_then(|digits| digits.parse::<u64>().ok());
        let of_id = || {
            item.get("number")
                .and_then(|it| it.as_n().ok()?.parse::<u64>().ok())
        };
        if of_event(&text("sk")).or_else(of_id).is_none_or(|of| of > number) {
            continue;
        }
        let update = dynamo()
            .update_item()
            .table_name(table)
            .key("pk", AttributeValue::S(text("pk")))
            .key("sk", AttributeValue::S(text("sk")))
            .update_expression("SET expires_at = :past")
            .expression_attribute_values(":past", AttributeValue::N("1767000000".to_owned()));
        update.send().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_batch_is_one_read_and_one_transaction_and_waiting_for_news_is_one_read() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let log = DynamoEventLog::new(&proxy.connection(), table);
    publish(&log, &events(0..10)).await;
    assert_eq!(proxy.operations(), ["GetItem", "TransactWriteItems"]);
    let end = log.end("one").await.unwrap();
    proxy.operations();
    assert!(log.read("one", end.as_ref(), 100).await.unwrap().is_empty());
    assert_eq!(proxy.operations(), ["GetItem"]);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn an_event_is_added_once_though_the_answer_was_lost() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let log = DynamoEventLog::new(&proxy.connection(), table);
    for round in 0..3 {
        let batch = events(10 * round..10 * (round + 1));
        // The read of the end, then the answer to the transaction, twice.
        proxy.next([Fault::AnswerLost, Fault::AnswerLost, Fault::AnswerLost]);
        publish(&log, &batch).await;
        // All attempts: the caller is told, and offers them again.
        let batch = events(100 * (round + 1)..100 * (round + 1) + 10);
        proxy.next([Fault::AnswerLost]);
        log.end("one").await.unwrap();
        proxy.next(vec![Fault::AnswerLost; 12]);
        log.publish(&batch).await.unwrap_err();
        while proxy.left() > 0 {
            let _ = log.end("one").await;
        }
        publish(&log, &batch).await;
    }
    let read = follow(&log, None).await;
    let ids: HashSet<&str> = read.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!((read.len(), ids.len()), (60, 60));
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn large_events_are_read_back_as_they_were_offered() {
    let log = DynamoEventLog::new(&connection(), table().await);
    let with = |event: Event, bytes: usize| {
        let mut large = event;
        large.ticket.insert("description".to_owned(), json!(noise(bytes)));
        large
    };
    let batch = vec![
        event("T-0", 1),
        with(event("T-1", 1), 1_500_000),
        event("T-2", 1),
        with(event("T-3", 1), 420_000),
        with(event("T-4", 1), 3_000_000),
        with(event("T-5", 1), 3_000_000),
        event("T-6", 1),
    ];
    publish(&log, &batch).await;
    publish(&log, &batch).await;
    assert_eq!(follow(&log, None).await, batch);
    // What is read at once is bounded, and never nothing.
    let first = log.read("one", None, 100).await.unwrap();
    assert!((1..batch.len()).contains(&first.len()), "{}", first.len());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn an_event_that_no_transaction_takes_is_kept_with_less_in_it() {
    let log = DynamoEventLog::new(&connection(), table().await);
    let mut talkative = event("T-1", 1);
    talkative
        .ticket
        .insert("comments".to_owned(), json!([{"body": noise(6_000_000)}]));
    let mut large = event("T-2", 1);
    large
        .ticket
        .insert("description".to_owned(), json!(noise(6_000_000)));
    publish(&log, &[talkative.clone(), large.clone()]).await;
    let read = follow(&log, None).await;
    assert_eq!(read, [talkative.without_comments(), large.without_ticket()]);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn dynamodb_is_told_when_an_event_can_be_deleted_and_the_end_never() {
    let table = table().await;
    let mut large = event("T-1", 1);
    large
        .ticket
        .insert("description".to_owned(), json!(noise(800_000)));
    publish(
        &DynamoEventLog::new(&connection(), &table),
        &[event("T-0", 1), large],
    )
    .await;
    let items = dynamo().scan().table_name(&table).send().await.unwrap();
    assert!(items.count() > 6, "{}", items.count());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    for item in items.items() {
        let ends = item
            .get("expires_at")
            .map(|end| end.as_n().unwrap().parse::<u64>().unwrap());
        if item.get("sk").unwrap().as_s().unwrap() == "END" {
            assert_eq!(ends, None);
        } else {
            let left = Duration::from_secs(ends.unwrap()) - now;
            assert!(
                left <= EVENTS_KEPT && left + Duration::from_secs(60) > EVENTS_KEPT,
                "{left:?}"
            );
        }
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_reader_that_comes_too_late_is_told_though_nothing_was_deleted() {
    let table = table().await;
    let log = DynamoEventLog::new(&connection(), &table);
    publish(&log, &events(0..25)).await;
    let cursors: Vec<EventCursor> = log
        .read("one", None, 25)
        .await
        .unwrap()
        .into_iter()
        .map(|logged| logged.cursor)
        .collect();
    expire(&table, 12).await;
    // Without a cursor: the oldest that is kept.
    assert_eq!(follow(&log, None).await, events(12..25));
    // Behind the last that is over: nothing is missing.
    assert_eq!(follow(&log, cursors.get(11).cloned()).await, events(12..25));
    for late in cursors.iter().take(11) {
        let error = log.read("one", Some(late), 10).await.unwrap_err();
        assert!(error.is_not_found(), "{error:?}");
        assert!(error.to_string().contains("7 days"), "{error}");
    }
    // An event that comes again after its time is a new one.
    publish(&log, &events(0..1)).await;
    publish(&log, &events(20..21)).await;
    assert_eq!(follow(&log, None).await, [events(12..25), events(0..1)].concat());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_reader_that_comes_too_late_is_told_when_the_events_are_deleted() {
    let table = table().await;
    let log = DynamoEventLog::new(&connection(), &table);
    publish(&log, &events(0..5)).await;
    let first = log.read("one", None, 1).await.unwrap().remove(0).cursor;
    for number in 1..=2 {
        dynamo()
            .delete_item()
            .table_name(&table)
            .key("pk", AttributeValue::S("EVENT#one#000000000000".to_owned()))
            .key("sk", AttributeValue::S(format!("{number:016}")))
            .send()
            .await
            .unwrap();
    }
    let error = log.read("one", Some(&first), 10).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!(follow(&log, None).await, events(2..5));
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_log_goes_on_over_the_border_of_its_parts() {
    let table = table().await;
    let log = DynamoEventLog::new(&connection(), &table);
    publish(&log, &events(0..1020)).await;
    let read = follow(&log, None).await;
    assert_eq!(read, events(0..1020));
    let before = log.read("one", None, 990).await.unwrap();
    assert_eq!(before.len(), 990);
    let after = log
        .read("one", before.last().map(|logged| &logged.cursor), 30)
        .await
        .unwrap();
    let after: Vec<Event> = after.into_iter().map(|logged| logged.event).collect();
    assert_eq!(after, events(990..1020));
    expire(&table, 1005).await;
    assert_eq!(follow(&log, None).await, events(1005..1020));
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn workers_that_append_at_once_leave_no_gap_and_a_reader_beside_them_misses_nothing() {
    let table = table().await;
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..8 {
        // Each has its own connection, as another process would; two of them offer the same.
        let log = DynamoEventLog::new(&connection(), &table);
        workers.spawn(async move {
            for batch in 0..5 {
                let first = 1000 * (worker / 2) + 10 * batch;
                loop {
                    match log.publish(&events(first..first + 10)).await {
                        Ok(answers) => break assert_eq!(answers, vec![Acceptance::Accepted; 10]),
                        Err(error) => assert!(error.is_unavailable(), "{error:?}"),
                    }
                }
            }
        });
    }
    let log = DynamoEventLog::new(&connection(), &table);
    let (mut beside, mut cursor) = (Vec::new(), None);
    while beside.len() < 200 {
        for logged in log.read("one", cursor.as_ref(), 7).await.unwrap() {
            cursor = Some(logged.cursor);
            beside.push(logged.event);
        }
    }
    workers.join_all().await;
    let distinct: HashSet<&str> = beside.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!((beside.len(), distinct.len()), (200, 200));
    assert_eq!(follow(&log, None).await, beside);
    assert_eq!(cursor, log.end("one").await.unwrap());
    assert_eq!(cursor, Some(EventCursor("0000000000000200".to_owned())));
}
