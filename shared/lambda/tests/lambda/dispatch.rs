//! The function that sends the orders to poll.

use std::sync::Arc;
use std::time::Duration;

use lambda::{Dispatched, PollDispatch};
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;
use storage::{IntegrationStore, NewVersion, ScheduledStream};

use crate::polling::{Lines, Orders, install, push};

type Timestamp = jiff::Timestamp;

const NOW: &str = "2026-01-05T10:30:07Z";
const MINUTE: &str = "2026-01-05T10:30:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn tick(time: &str) -> Value {
    json!({"scheduled_time": time})
}

fn function(store: &Arc<EmbeddedStore>, queue: &Arc<Orders>) -> (PollDispatch, Lines) {
    let lines = Lines::default();
    let function = PollDispatch::new(
        store.clone(),
        queue.clone(),
        "TicketGateway".to_owned(),
        lines.sink(),
    );
    (function, lines)
}

/// What one call sends, as (integration, when it is due, delay in milliseconds), in order of time.
async fn orders(store: &Arc<EmbeddedStore>, event: &Value, now: &str) -> Vec<(String, Timestamp, u128)> {
    let queue = Arc::new(Orders::default());
    let (function, _) = function(store, &queue);
    function.dispatch(event, at(now)).await.unwrap();
    let sent = queue.sent().into_iter();
    sent.map(|(message, delay)| (message.stream.integration, message.due_at, delay.as_millis()))
        .collect()
}

fn store() -> Arc<EmbeddedStore> {
    Arc::new(EmbeddedStore::in_memory().unwrap())
}

#[tokio::test]
async fn a_stream_gets_an_order_for_each_of_its_runs_of_the_minute() {
    let store = store();
    install(&store, "desk", "http://localhost").await;
    let sent = orders(&store, &tick(MINUTE), MINUTE).await;
    let [(_, first, delay), (_, second, _)] = sent.as_slice() else {
        panic!("every 30 s: {sent:?}");
    };
    assert_eq!(second.duration_since(*first).as_secs(), 30);
    let wait = first.duration_since(at(MINUTE));
    assert_eq!(*delay, u128::try_from(wait.as_millis()).unwrap());
    assert!(*delay < 30_000);
}

#[tokio::test]
async fn an_integration_need_not_load_to_be_planned() {
    let store = store();
    push(&store, "desk", "http://localhost", "not: an integration", 60).await;
    assert_eq!(orders(&store, &tick(MINUTE), MINUTE).await.len(), 1);
}

#[tokio::test]
async fn the_minute_is_that_of_the_schedule_and_the_delay_counts_from_now() {
    let store = store();
    install(&store, "desk", "http://localhost").await;
    let on_time = orders(&store, &tick(MINUTE), MINUTE).await;
    let later = orders(&store, &tick(MINUTE), NOW).await;
    let due = |orders: &[(String, Timestamp, u128)]| orders.iter().map(|order| order.1).collect::<Vec<_>>();
    assert_eq!(due(&on_time), due(&later));
    for ((_, _, before), (_, _, after)) in on_time.iter().zip(&later) {
        assert_eq!(before.saturating_sub(7_000), *after);
    }
}

#[tokio::test]
async fn without_a_time_of_the_schedule_it_is_the_present_minute() {
    let store = store();
    install(&store, "desk", "http://localhost").await;
    let expected = orders(&store, &tick(MINUTE), NOW).await;
    for event in [
        json!({}),
        json!(null),
        tick("<aws.scheduler.scheduled-time>"),
        tick("2031-01-05T10:30:00Z"),
    ] {
        assert_eq!(orders(&store, &event, NOW).await, expected, "{event}");
    }
}

#[tokio::test]
async fn orders_for_which_there_is_another_one_by_now_are_not_sent() {
    let store = store();
    push(&store, "often", "http://localhost", "", 10).await;
    push(&store, "seldom", "http://localhost", "", 3600).await;
    // Whatever minute the hourly one is in: sixty repeats of a schedule, each half an hour late.
    let mut seldom = 0;
    for minute in 0..60 {
        let scheduled = at("2026-01-05T10:00:00Z") + jiff::SignedDuration::from_mins(minute);
        let now = scheduled + jiff::SignedDuration::from_mins(30);
        let sent = orders(&store, &tick(&scheduled.to_string()), &now.to_string()).await;
        assert!(
            sent.iter()
                .all(|(name, _, delay)| name == "seldom" && *delay == 0),
            "{sent:?}"
        );
        seldom += sent.len();
    }
    assert_eq!(seldom, 1, "its next one would come in half an hour");
}

#[tokio::test]
async fn thousands_of_streams_are_spread_over_the_minute() {
    let store = store();
    let files = std::iter::once(("integration.yaml".to_owned(), String::new())).collect();
    let content = NewVersion {
        files,
        streams: (0..3000)
            .map(|number| ScheduledStream {
                destination: Some(format!("desk-{number}")),
                interval_seconds: 30,
            })
            .collect(),
        ..NewVersion::default()
    };
    store.add("desk", content).await.unwrap();
    store.activate("desk", Some(1), None).await.unwrap();
    let queue = Arc::new(Orders::default());
    let (function, lines) = function(&store, &queue);
    let dispatched = function.dispatch(&tick(MINUTE), at(MINUTE)).await.unwrap();
    let expected = Dispatched {
        streams: 3000,
        orders: 6000,
        late: 0,
    };
    assert_eq!(dispatched, expected);
    assert_eq!(queue.sent().len(), 6000);
    // 6000 in 60 seconds: about a hundred in each.
    let mut seconds = [0_usize; 60];
    for (_, delay) in queue.sent() {
        seconds[usize::try_from(delay.as_secs()).unwrap()] += 1;
    }
    assert!(
        seconds.iter().all(|count| (50..200).contains(count)),
        "{seconds:?}"
    );
    let line = &lines.all()[0];
    assert_eq!(
        (&line["Action"], &line["PollStreams"], &line["PollOrders"]),
        (&json!("poll_dispatch"), &json!(3000), &json!(6000))
    );
}

#[tokio::test]
async fn orders_that_the_queue_does_not_take_fail_the_call() {
    let store = store();
    install(&store, "desk", "http://localhost").await;
    let (function, _) = function(&store, &Arc::new(Orders::refusing("desk")));
    let error = function.dispatch(&tick(MINUTE), at(MINUTE)).await.unwrap_err();
    assert!(error.to_string().contains("cannot send orders"), "{error}");
}

#[tokio::test]
async fn an_interval_that_cannot_be_is_no_flood_of_orders() {
    let store = store();
    push(&store, "desk", "http://localhost", "", 0).await;
    assert_eq!(orders(&store, &tick(MINUTE), MINUTE).await.len(), 6);
    assert_eq!(
        Duration::from_secs(60) / 6,
        Duration::from_secs(10),
        "the shortest interval there is"
    );
}
