//! The bus: what an event looks like there, how batches are cut, and events that the bus refuses.

use serde_json::{Map, Value, json};
use storage::aws::EventBridgeSink;
use storage::{Acceptance, Event, EventSink};

use crate::fake::{Call, Fake};
use crate::support::{connection, event, noise, unique};

/// Takes everything, as EventBridge does.
fn accept(_: usize, (operation, call): &Call) -> (u16, Value) {
    match operation.as_str() {
        "PutEvents" => {
            let count = call["Entries"].as_array().unwrap().len();
            let entries = vec![json!({"EventId": "11111111-2222-3333-4444-555555555555"}); count];
            (200, json!({"FailedEntryCount": 0, "Entries": entries}))
        }
        _ => (200, json!({"MessageId": "m-1"})),
    }
}

fn with(event: Event, fields: Value) -> Event {
    let Value::Object(fields) = fields else {
        panic!("not an object")
    };
    Event {
        ticket: event.ticket.into_iter().chain(fields).collect::<Map<_, _>>(),
        ..event
    }
}

fn events(count: u32) -> Vec<Event> {
    (0..count)
        .map(|ticket| event(&format!("T-{ticket}"), 1))
        .collect()
}

/// The events of the calls, in order.
fn details(calls: &[Call]) -> Vec<Vec<Event>> {
    let entries = calls.iter().filter_map(|(_, call)| call["Entries"].as_array());
    let event = |entry: &Value| serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    entries
        .map(|entries| entries.iter().map(event).collect())
        .collect()
}

#[tokio::test]
async fn an_event_is_an_entry_of_its_kind_with_its_json() {
    let fake = Fake::start(accept).await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    let event = event("T-1", 1);
    let answers = sink.publish(std::slice::from_ref(&event)).await.unwrap();
    assert_eq!(answers, [Acceptance::Accepted]);
    let (operation, call) = fake.calls().remove(0);
    assert_eq!(operation, "PutEvents");
    let entry = &call["Entries"][0];
    assert_eq!(entry["Source"], "ticket-gateway");
    assert_eq!(entry["DetailType"], "Ticket Updated");
    assert_eq!(entry["EventBusName"], "tickets");
    assert_eq!(entry["Time"], event.observed_at.as_second());
    assert_eq!(
        entry["Detail"].as_str().unwrap(),
        serde_json::to_string(&event).unwrap()
    );
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_rule_of_the_bus_finds_the_event() {
    let config = connection();
    let (bus, sqs) = (
        aws_sdk_eventbridge::Client::new(config.config()),
        aws_sdk_sqs::Client::new(config.config()),
    );
    let (bus_name, queue_name) = (unique("bus"), unique("queue"));
    bus.create_event_bus().name(&bus_name).send().await.unwrap();
    let queue = sqs.create_queue().queue_name(&queue_name).send().await.unwrap();
    let queue = queue.queue_url().unwrap();
    bus.put_rule()
        .name("created")
        .event_bus_name(&bus_name)
        .event_pattern(r#"{"source": ["ticket-gateway"], "detail-type": ["Ticket Created"], "detail": {"integration": ["one"]}}"#)
        .send()
        .await
        .unwrap();
    let target = aws_sdk_eventbridge::types::Target::builder()
        .id("queue")
        .arn(format!("arn:aws:sqs:us-east-1:000000000000:{queue_name}"))
        .build()
        .unwrap();
    bus.put_targets()
        .rule("created")
        .event_bus_name(&bus_name)
        .targets(target)
        .send()
        .await
        .unwrap();
    let sink = EventBridgeSink::new(&config, &bus_name, None);
    let mut created = event("T-1", 1);
    created.kind = storage::EventKind::Created;
    let answers = sink.publish(&[event("T-2", 1), created.clone()]).await.unwrap();
    assert_eq!(answers, [Acceptance::Accepted, Acceptance::Accepted]);
    let received = sqs
        .receive_message()
        .queue_url(queue)
        .wait_time_seconds(10)
        .max_number_of_messages(10)
        .send()
        .await
        .unwrap();
    let bodies: Vec<Value> = received
        .messages()
        .iter()
        .map(|message| serde_json::from_str(message.body().unwrap()).unwrap())
        .collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let detail: Event = serde_json::from_value(bodies.first().unwrap()["detail"].clone()).unwrap();
    assert_eq!(detail, created);
}

#[tokio::test]
async fn each_event_of_a_batch_has_its_answer() {
    let fake = Fake::start(|_, _| {
        let entries = json!([
            {"EventId": "11111111-2222-3333-4444-555555555555"},
            {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"},
            {"EventId": "11111111-2222-3333-4444-666666666666"},
            {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"},
        ]);
        (200, json!({"FailedEntryCount": 2, "Entries": entries}))
    })
    .await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    let answers = sink.publish(&events(4)).await.unwrap();
    let refused = |why: &str| Acceptance::Refused(why.to_owned());
    assert_eq!(
        answers,
        [
            Acceptance::Accepted,
            refused("InternalFailure: try again"),
            Acceptance::Accepted,
            refused("ThrottlingException: slow down"),
        ]
    );
}

#[tokio::test]
async fn an_answer_for_another_number_of_events_is_none() {
    let fake = Fake::start(|_, _| (200, json!({"FailedEntryCount": 0, "Entries": []}))).await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    assert!(sink.publish(&events(2)).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_bus_that_cannot_be_reached_is_an_error_that_says_which_kind() {
    let said =
        |code: &'static str| move |_: usize, _: &Call| (400, json!({"__type": code, "message": "made up"}));
    let fake = Fake::start(said("ThrottlingException")).await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    let error = sink.publish(&events(1)).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(error.to_string().contains("`tickets`"), "{error}");
    assert!(fake.calls().len() > 1, "a refusal that passes is tried again");

    let fake = Fake::start(said("AccessDeniedException")).await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    let error = sink.publish(&events(1)).await.unwrap_err();
    assert!(error.is_denied(), "{error:?}");
}

#[tokio::test]
async fn events_that_do_not_fit_into_one_call_go_in_several() {
    let fake = Fake::start(accept).await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    let batch: Vec<Event> = events(10)
        .into_iter()
        .map(|event| with(event, json!({"description": "x".repeat(300_000)})))
        .collect();
    let answers = sink.publish(&batch).await.unwrap();
    assert_eq!(answers, vec![Acceptance::Accepted; 10]);
    let calls = details(&fake.calls());
    let sizes: Vec<usize> = calls.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 3, 3, 1]);
    assert_eq!(calls.concat(), batch);
}

#[tokio::test]
async fn what_one_of_several_calls_took_is_not_forgotten_when_another_fails() {
    let fake = Fake::start(|number, call| match number {
        0 => accept(number, call),
        _ => (
            400,
            json!({"__type": "AccessDeniedException", "message": "made up"}),
        ),
    })
    .await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    let batch: Vec<Event> = events(2)
        .into_iter()
        .map(|event| with(event, json!({"description": "x".repeat(600_000)})))
        .collect();
    let answers = sink.publish(&batch).await.unwrap();
    assert!(
        matches!(answers.as_slice(), [Acceptance::Accepted, Acceptance::Refused(why)] if why.contains("AccessDenied")),
        "{answers:?}"
    );
}

#[tokio::test]
async fn an_event_that_just_fits_goes_whole_and_one_byte_more_goes_without_comments() {
    let fake = Fake::start(accept).await;
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", None);
    // AWS counts 14 bytes for the time, and source, detail type and detail in UTF-8.
    let size = |event: &Event| {
        let detail = serde_json::to_string(event).unwrap();
        14 + "ticket-gateway".len() + "Ticket Updated".len() + detail.len()
    };
    let of = |length: usize| {
        with(
            event("T-1", 1),
            json!({"description": "ü".repeat(20) + &"x".repeat(length)}),
        )
    };
    let just = of(1_000_000 - size(&of(0)));
    assert_eq!(size(&just), 1_000_000);
    sink.publish(std::slice::from_ref(&just)).await.unwrap();
    assert_eq!(details(&fake.calls()).concat(), [just]);

    let more = of(1_000_001 - size(&of(0)));
    sink.publish(std::slice::from_ref(&more)).await.unwrap();
    let sent = details(&fake.calls()).concat();
    assert_eq!(sent, [more.without_comments()]);
    assert_eq!(sent.first().unwrap().omitted, ["comments"]);
}

#[tokio::test]
async fn an_event_that_never_fits_goes_without_its_ticket_and_is_set_aside() {
    let fake = Fake::start(accept).await;
    let queue = format!("{}/000000000000/too-large", fake.address());
    let sink = EventBridgeSink::new(&fake.connection(), "tickets", Some(queue.clone()));
    // Fits into a message of the queue, which takes a little more than the bus.
    let large = with(event("T-1", 1), json!({"description": "x".repeat(1_010_000)}));
    let huge = with(event("T-2", 1), json!({"description": "x".repeat(2_000_000)}));
    let answers = sink
        .publish(&[large.clone(), huge.clone(), event("T-3", 1)])
        .await
        .unwrap();
    assert_eq!(answers, vec![Acceptance::Accepted; 3]);

    let calls = fake.calls();
    let sent = details(&calls).concat();
    assert_eq!(
        sent,
        [
            large.clone().without_ticket(),
            huge.clone().without_ticket(),
            event("T-3", 1)
        ]
    );
    let first = sent.first().unwrap();
    assert_eq!(first.omitted, ["ticket", "changes"]);
    assert_eq!(Value::Object(first.ticket.clone()), json!({"id": "T-1"}));

    let aside: Vec<Value> = calls
        .iter()
        .filter(|(operation, _)| operation == "SendMessage")
        .map(|(_, call)| {
            assert_eq!(call["QueueUrl"], queue.as_str());
            serde_json::from_str(call["MessageBody"].as_str().unwrap()).unwrap()
        })
        .collect();
    let [of_large, of_huge] = aside.as_slice() else {
        panic!("{} were set aside", aside.len());
    };
    assert_eq!(of_large["event"], json!(large.without_comments()));
    assert!(
        of_large["reason"]
            .as_str()
            .unwrap()
            .contains("too large for the bus")
    );
    assert_eq!(of_huge["event"], json!(huge.without_ticket()));
    assert!(
        of_huge["reason"]
            .as_str()
            .unwrap()
            .contains("too large for this queue")
    );
}

#[tokio::test]
async fn without_a_queue_or_with_one_that_is_gone_the_bus_is_told_all_the_same() {
    let fake = Fake::start(|number, call| match call.0.as_str() {
        "SendMessage" => (
            400,
            json!({"__type": "AWS.SimpleQueueService.NonExistentQueue", "message": "made up"}),
        ),
        _ => accept(number, call),
    })
    .await;
    let huge = with(event("T-1", 1), json!({"description": noise(1_500_000)}));
    for queue in [None, Some(format!("{}/000000000000/gone", fake.address()))] {
        let sink = EventBridgeSink::new(&fake.connection(), "tickets", queue);
        let answers = sink.publish(std::slice::from_ref(&huge)).await.unwrap();
        assert_eq!(answers, [Acceptance::Accepted]);
        assert_eq!(details(&fake.calls()).concat(), [huge.clone().without_ticket()]);
    }
}

#[tokio::test]
async fn an_event_that_the_bus_never_takes_is_set_aside_and_holds_up_nothing() {
    for code in ["MalformedDetail", "InvalidArgument"] {
        let fake = Fake::start(move |number, call| match call.0.as_str() {
            "PutEvents" => {
                let entries = json!([
                    {"EventId": "11111111-2222-3333-4444-555555555555"},
                    {"ErrorCode": code, "ErrorMessage": "made up"},
                    {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"},
                ]);
                (200, json!({"FailedEntryCount": 2, "Entries": entries}))
            }
            _ => accept(number, call),
        })
        .await;
        let queue = format!("{}/000000000000/aside", fake.address());
        let sink = EventBridgeSink::new(&fake.connection(), "tickets", Some(queue));
        let batch = events(3);
        let answers = sink.publish(&batch).await.unwrap();
        assert_eq!(
            answers,
            [
                Acceptance::Accepted,
                Acceptance::Accepted,
                Acceptance::Refused("ThrottlingException: slow down".to_owned()),
            ]
        );
        let calls = fake.calls();
        let aside: Vec<&Call> = calls.iter().filter(|call| call.0 == "SendMessage").collect();
        let [(_, message)] = aside.as_slice() else {
            panic!("{aside:?}");
        };
        let message: Value = serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!(message["event"], json!(batch[1]));
        assert!(message["reason"].as_str().unwrap().contains(code), "{message}");
    }
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_not_lost() {
    let fake = Fake::start(|_, call| match call.0.as_str() {
        "PutEvents" => {
            let entry = json!({"ErrorCode": "MalformedDetail", "ErrorMessage": "made up"});
            (200, json!({"FailedEntryCount": 1, "Entries": [entry]}))
        }
        _ => (
            400,
            json!({"__type": "AWS.SimpleQueueService.NonExistentQueue", "message": "made up"}),
        ),
    })
    .await;
    for queue in [None, Some(format!("{}/000000000000/gone", fake.address()))] {
        let sink = EventBridgeSink::new(&fake.connection(), "tickets", queue);
        let answers = sink.publish(&events(1)).await.unwrap();
        assert!(
            matches!(answers.as_slice(), [Acceptance::Refused(why)] if why.contains("MalformedDetail")),
            "{answers:?}"
        );
    }
}
