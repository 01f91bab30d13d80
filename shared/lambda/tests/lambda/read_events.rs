//! The function of `GET /v1/{integration}/events`.

use std::sync::Arc;

use jiff::Timestamp;
use lambda::ReadEvents;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;
use storage::{Event, EventKind, EventSink, EventWindow, TicketVersion};

use crate::polling::install;
use crate::support::{Answer, query_event, settings};

fn event(number: u32) -> Event {
    let time = Timestamp::from_second(1_767_609_000 + i64::from(number)).unwrap();
    Event {
        event_id: format!("{number:064x}"),
        kind: EventKind::Updated,
        integration: "desk".to_owned(),
        destination: None,
        ticket_id: "7".to_owned(),
        version: TicketVersion {
            updated_at: time,
            content: format!("{number:064x}"),
            ordinal: 0,
        },
        window: EventWindow {
            start: time,
            end: time,
        },
        observed_at: time,
        ticket: json!({"id": "7"}).as_object().unwrap().clone(),
        changes: None,
        caused_by: None,
        omitted: Vec::new(),
    }
}

/// The event of `GET /v1/{name}/events`, by a caller of `desk`.
fn request(name: &str, query: Value) -> Value {
    let mut event = query_event();
    event["queryStringParameters"] = query;
    event["multiValueQueryStringParameters"] = Value::Null;
    event["resource"] = json!("/{integration}/events");
    event["requestContext"]["resourcePath"] = json!("/{integration}/events");
    event["path"] = json!(format!("/{name}/events"));
    event["requestContext"]["path"] = json!(format!("/v1/{name}/events"));
    event["pathParameters"] = json!({"integration": name});
    event
}

async fn invoke(function: &ReadEvents, event: &Value) -> Answer {
    let payload = serde_json::from_value(event.clone()).unwrap();
    let answer = function
        .handle(LambdaEvent::new(payload, Context::default()))
        .await;
    Answer::of(&serde_json::to_value(&answer).unwrap())
}

async fn function(events: &[Event]) -> ReadEvents {
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    install(&store, "desk", "http://localhost").await;
    for event in events {
        store.publish(std::slice::from_ref(event)).await.unwrap();
    }
    ReadEvents::new(store.clone(), store, &settings()).unwrap()
}

#[tokio::test]
async fn events_are_read_by_cursor() {
    let function = function(&[event(1), event(2), event(3)]).await;
    let first = invoke(
        &function,
        &request("desk", json!({"after": "oldest", "limit": "2"})),
    )
    .await;
    assert_eq!(first.status, 200, "{first:?}");
    let ids = |answer: &Answer| {
        let events = answer.body["events"].as_array().unwrap().iter();
        events
            .map(|event| event["event_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), [event(1).event_id, event(2).event_id]);
    let rest = invoke(
        &function,
        &request("desk", json!({"after": first.body["cursor"]})),
    )
    .await;
    assert_eq!(ids(&rest), [event(3).event_id]);
}

#[tokio::test]
async fn a_caller_reads_the_events_of_its_own_integration_alone() {
    let function = function(&[event(1)]).await;
    let answer = invoke(&function, &request("bench", json!({"after": "oldest"}))).await;
    assert_eq!(answer.code(), (403, "PERMISSION_DENIED"));
}

#[tokio::test]
async fn it_serves_nothing_else() {
    let function = function(&[]).await;
    let answer = invoke(&function, &query_event()).await;
    assert_eq!(answer.status, 404, "{answer:?}");
}
