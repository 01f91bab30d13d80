//! The function that carries out the orders to poll.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use lambda::{PollMetrics, PollWorker, PollWorkerPorts};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storage::embedded::{EmbeddedStore, StaticSecrets};
use storage::in_process::InProcessBudget;
use storage::{PollMessage, PollState, SeenTicket, StorageError, StreamKey, StreamRecord, Swap};
use tokio::sync::Barrier;

use crate::polling::{Lines, Orders, Published, install, push};
use crate::support::{CANARY, serve, settings};

/// Ticketing systems, each behind a path of its own.
#[derive(Clone)]
struct World {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn new() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remember = Arc::clone(&asked);
        let meeting = Arc::new(Barrier::new(2));
        let app = axum::Router::new()
            .route("/{name}/records", axum::routing::get(answer))
            .with_state((remember, meeting));
        World {
            address: serve(app).await,
            asked,
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

type Shared = (Arc<Mutex<Vec<String>>>, Arc<Barrier>);

async fn answer(
    Path(name): Path<String>,
    State((asked, meeting)): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> axum::response::Response {
    asked.lock().unwrap().push(name.clone());
    let changed = Timestamp::now() - SignedDuration::from_secs(5);
    let number: u32 = query.get("cursor").map_or(1, |cursor| cursor.parse().unwrap());
    let items =
        json!([{"id": number.to_string(), "status": "Open", "title": "x", "changed": changed.to_string()}]);
    match name.as_str() {
        "down" => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        // Answers when two ask at the same time, and not before.
        "meeting-1" | "meeting-2" => {
            meeting.wait().await;
        }
        "hanging" => tokio::time::sleep(Duration::from_secs(30)).await,
        "long" => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            return axum::Json(json!({"items": items, "next": (number + 1).to_string()})).into_response();
        }
        _ => {}
    }
    axum::Json(json!({"items": items})).into_response()
}

/// A function, and what it works with.
struct Function {
    function: PollWorker,
    queue: Arc<Orders>,
    published: Arc<Published>,
    lines: Lines,
}

impl Function {
    /// Over integrations of these names, each of which asks the ticketing system of its name.
    async fn of(world: &World, names: &[&str]) -> Self {
        let store = Arc::new(EmbeddedStore::in_memory().unwrap());
        for name in names {
            install(&store, name, &format!("{}/{name}", world.address)).await;
        }
        Self::over(&store, store.clone(), names, PollMetrics::default())
    }

    fn over(
        store: &Arc<EmbeddedStore>,
        state: Arc<dyn PollState>,
        names: &[&str],
        metrics: PollMetrics,
    ) -> Self {
        let mut secrets = StaticSecrets::new();
        for name in names {
            secrets = secrets.with(name, "api_key", CANARY);
        }
        let (queue, published) = (Arc::new(Orders::default()), Arc::new(Published::default()));
        let ports = PollWorkerPorts {
            integrations: store.clone(),
            secrets: Arc::new(secrets),
            budget: Arc::new(InProcessBudget::new()),
            state,
            sink: published.clone(),
            journal: None,
            queue: queue.clone(),
        };
        let lines = Lines::default();
        let function = PollWorker::new(ports, &settings(), metrics, lines.sink()).unwrap();
        Function {
            function,
            queue,
            published,
            lines,
        }
    }

    /// The ids of the messages that are to come again; none where the call as a whole failed.
    async fn invoke(&self, bodies: &[String], time: Duration) -> Option<Vec<String>> {
        let records: Vec<Value> = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| {
                json!({
                    "messageId": format!("message-{number}"), "receiptHandle": "r", "body": body,
                    "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
                    "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:poll",
                    "awsRegion": "eu-central-1",
                })
            })
            .collect();
        let mut context = Context::default();
        context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
        let deadline = std::time::SystemTime::now() + time;
        let deadline = deadline.duration_since(std::time::UNIX_EPOCH).unwrap();
        context.deadline = u64::try_from(deadline.as_millis()).unwrap();
        let payload = serde_json::from_value(json!({"Records": records})).unwrap();
        let answer = self
            .function
            .handle(LambdaEvent::new(payload, context))
            .await
            .ok()?;
        let answer = serde_json::to_value(&answer).unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap();
        let ids = failures
            .iter()
            .map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned());
        Some(ids.collect())
    }
}

const TIME: Duration = Duration::from_secs(60);

fn order(name: &str) -> String {
    aged(name, 0)
}

fn aged(name: &str, seconds: i64) -> String {
    let message = PollMessage {
        stream: StreamKey {
            integration: name.to_owned(),
            destination: None,
        },
        due_at: Timestamp::now() - SignedDuration::from_secs(seconds),
    };
    serde_json::to_string(&message).unwrap()
}

fn metric<'l>(lines: &'l [Value], integration: &str, name: &str) -> &'l Value {
    let line = lines.iter().find(|line| line["Integration"] == integration);
    &line.unwrap_or_else(|| panic!("{integration} is in none of {lines:?}"))[name]
}

#[tokio::test]
async fn an_order_is_carried_out_and_measured() {
    let world = World::new().await;
    let function = Function::of(&world, &["desk"]).await;
    assert_eq!(function.invoke(&[order("desk")], TIME).await.unwrap(), [""; 0]);
    assert_eq!(function.published.integrations(), ["desk"]);
    let lines = function.lines.all();
    assert_eq!(lines.len(), 1);
    let groups = lines[0]["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    let dimensions: Vec<&Value> = groups.iter().map(|group| &group["Dimensions"][0][0]).collect();
    assert_eq!(dimensions, ["Action", "Integration"]);
    for (name, value) in [
        ("Action", json!("poll")),
        ("PollPages", json!(1)),
        ("TicketsRead", json!(1)),
        ("EventsPublished", json!(1)),
        // What did not happen is no metric, which would have its price.
        ("FailedPolls", Value::Null),
        ("StaleTickets", Value::Null),
        ("UnusableRows", Value::Null),
        ("ThrottledPolls", Value::Null),
        ("ClockSkewMilliseconds", Value::Null),
    ] {
        assert_eq!(lines[0][name], value, "{name}");
    }
    assert_eq!(
        lines[0]["PollLagSeconds"], 0,
        "the look-back is not counted as being behind"
    );
    let units = groups[0]["Metrics"].as_array().unwrap();
    assert!(units.contains(&json!({"Name": "PollLagSeconds", "Unit": "Seconds"})));
    assert!(!lines[0].to_string().contains(CANARY));
}

#[tokio::test]
async fn metrics_can_be_of_all_integrations_together() {
    let world = World::new().await;
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    install(&store, "desk", &format!("{}/desk", world.address)).await;
    let metrics = PollMetrics {
        by_integration: false,
    };
    let function = Function::over(&store, store.clone(), &["desk"], metrics);
    function.invoke(&[order("desk")], TIME).await.unwrap();
    let line = &function.lines.all()[0];
    assert_eq!(line["_aws"]["CloudWatchMetrics"].as_array().unwrap().len(), 1);
    assert_eq!(line["Integration"], "desk", "the log still says which");
}

#[tokio::test]
async fn an_order_that_is_older_than_the_interval_is_dropped() {
    let world = World::new().await;
    let function = Function::of(&world, &["desk", "bench"]).await;
    let orders = [aged("desk", 31), aged("bench", 25)];
    assert_eq!(function.invoke(&orders, TIME).await.unwrap(), [""; 0]);
    assert_eq!(world.asked(), ["bench"]);
    assert_eq!(metric(&function.lines.all(), "desk", "OutdatedPolls"), 1);
}

#[tokio::test]
async fn an_order_by_hand_from_a_machine_whose_clock_is_off_is_carried_out() {
    let world = World::new().await;
    let function = Function::of(&world, &["desk"]).await;
    let for_tomorrow = aged("desk", -24 * 3600);
    assert_eq!(function.invoke(&[for_tomorrow], TIME).await.unwrap(), [""; 0]);
    assert_eq!(world.asked(), ["desk"]);
}

#[tokio::test]
async fn what_is_no_order_comes_again_and_the_others_are_carried_out() {
    let world = World::new().await;
    let function = Function::of(&world, &["desk"]).await;
    let messages = ["".to_owned(), order("desk"), "{\"stream\": 7}".to_owned()];
    let mut failed = function.invoke(&messages, TIME).await.unwrap();
    failed.sort();
    assert_eq!(failed, ["message-0", "message-2"]);
    assert_eq!(function.published.integrations(), ["desk"]);
    // Alone too it is a failure of the message and not of the function.
    assert_eq!(
        function.invoke(&messages[..1], TIME).await.unwrap(),
        ["message-0"]
    );
}

#[tokio::test]
async fn a_failing_stream_is_done_with_and_fails_no_other() {
    let world = World::new().await;
    let function = Function::of(&world, &["down", "desk"]).await;
    assert_eq!(
        function
            .invoke(&[order("down"), order("desk")], TIME)
            .await
            .unwrap(),
        [""; 0],
        "the stream's own record says when it is tried again"
    );
    assert_eq!(function.published.integrations(), ["desk"]);
    let lines = function.lines.all();
    assert_eq!(metric(&lines, "down", "FailedPolls"), 1);
    assert_eq!(metric(&lines, "down", "PollFailuresInARow"), 1);
    assert_eq!(metric(&lines, "desk", "FailedPolls"), &Value::Null);
    function.invoke(&[order("down")], TIME).await.unwrap();
    assert_eq!(function.lines.all().last().unwrap()["PollFailuresInARow"], 2);
}

/// The stream `name` as it was left some time ago, as its record has it.
async fn left(store: &EmbeddedStore, name: &str, seconds_ago: i64, edit: impl FnOnce(&mut StreamRecord)) {
    let key = StreamKey {
        integration: name.to_owned(),
        destination: None,
    };
    let then = Timestamp::now() - SignedDuration::from_secs(seconds_ago);
    let mut record = StreamRecord::new(key, then, then);
    edit(&mut record);
    store.store_stream(&record).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_failed_and_is_paused_raises_no_alarm() {
    let world = World::new().await;
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    install(&store, "down", &format!("{}/down", world.address)).await;
    left(&store, "down", 7200, |record| {
        record.failures = 9;
        record.paused = true;
    })
    .await;
    let function = Function::over(&store, store.clone(), &["down"], PollMetrics::default());
    assert_eq!(function.invoke(&[order("down")], TIME).await.unwrap(), [""; 0]);
    assert!(
        function.lines.all().is_empty(),
        "an operator knows of it: {:?}",
        function.lines.all()
    );
}

#[tokio::test]
async fn the_lag_is_what_a_stream_is_behind_beyond_its_look_back_and_interval() {
    let world = World::new().await;
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    for (name, seconds_ago) in [("down", 150), ("bench", 3750)] {
        // 120 s of look-back and 30 s of interval: 150 s are as it should be.
        install(&store, name, &format!("{}/down", world.address)).await;
        left(&store, name, seconds_ago, |_| {}).await;
    }
    let function = Function::over(&store, store.clone(), &["down", "bench"], PollMetrics::default());
    let orders = [order("down"), order("bench")];
    assert_eq!(function.invoke(&orders, TIME).await.unwrap(), [""; 0]);
    let lines = function.lines.all();
    assert_eq!(metric(&lines, "down", "PollLagSeconds"), 0);
    let lag = metric(&lines, "bench", "PollLagSeconds").as_u64().unwrap();
    assert!((3590..=3620).contains(&lag), "{lag}");
}

#[tokio::test]
async fn the_orders_of_a_batch_are_carried_out_at_the_same_time() {
    let world = World::new().await;
    let function = Function::of(&world, &["meeting-1", "meeting-2"]).await;
    // Neither of the two is answered before both have asked.
    function
        .invoke(&[order("meeting-1"), order("meeting-2")], TIME)
        .await
        .unwrap();
    assert_eq!(function.published.integrations(), ["meeting-1", "meeting-2"]);
}

#[tokio::test]
async fn the_same_stream_twice_in_a_batch_is_polled_once() {
    let world = World::new().await;
    let function = Function::of(&world, &["desk"]).await;
    let failed = function
        .invoke(&[order("desk"), order("desk")], TIME)
        .await
        .unwrap();
    assert_eq!(failed, [""; 0]);
    assert_eq!(function.published.integrations(), ["desk"]);
}

/// What a run keeps of its time: 3 s to end, and a page's time, which is the integration's 5 s and 10 s to publish.
const KEPT: Duration = Duration::from_millis(18_000);

#[tokio::test]
async fn a_run_that_does_not_get_to_its_end_orders_the_next_one_at_once() {
    let world = World::new().await;
    let function = Function::of(&world, &["long"]).await;
    // Enough for the first page, which takes 300 ms, to be begun, and not for the second.
    let time = KEPT + Duration::from_millis(250);
    assert_eq!(function.invoke(&[order("long")], time).await.unwrap(), [""; 0]);
    assert_eq!(world.asked().len(), 1);
    let sent = function.queue.sent();
    let [(message, delay)] = sent.as_slice() else {
        panic!("one order: {sent:?}");
    };
    assert_eq!((&*message.stream.integration, *delay), ("long", Duration::ZERO));
    let age = Timestamp::now().duration_since(message.due_at);
    assert!(
        age < SignedDuration::from_secs(10),
        "it is new: nobody drops it as old"
    );
}

#[tokio::test]
async fn a_stream_that_is_behind_does_not_keep_the_others_of_its_batch_waiting() {
    let world = World::new().await;
    let mut function = Function::of(&world, &["long", "desk"]).await;
    function.function = function.function.with_turn(Duration::ZERO);
    let orders = [order("long"), order("desk")];
    assert_eq!(function.invoke(&orders, TIME).await.unwrap(), [""; 0]);
    let asked_for = |name| world.asked().iter().filter(|asked| *asked == name).count();
    assert_eq!(asked_for("long"), 1, "its turn is one page");
    assert_eq!(function.queue.sent().len(), 1, "what is left is ordered");

    // Alone it goes on as long as the function may.
    let time = KEPT + Duration::from_secs(1);
    assert_eq!(function.invoke(&[order("long")], time).await.unwrap(), [""; 0]);
    assert!(asked_for("long") > 2, "{:?}", world.asked());
}

#[tokio::test]
async fn a_run_that_hangs_is_given_up_before_it_takes_the_others_along() {
    let world = World::new().await;
    let function = Function::of(&world, &["hanging", "desk"]).await;
    let begun = Instant::now();
    let time = Duration::from_secs(4);
    let failed = function.invoke(&[order("hanging"), order("desk")], time).await;
    assert!(begun.elapsed() < time, "Lambda would have stopped the function");
    assert_eq!(failed.unwrap(), ["message-0"]);
    assert_eq!(function.published.integrations(), ["desk"]);
}

#[tokio::test]
async fn an_order_for_what_is_not_polled_any_more_is_done_with() {
    let world = World::new().await;
    let function = Function::of(&world, &["desk"]).await;
    let with_destination = serde_json::to_string(&PollMessage {
        stream: StreamKey {
            integration: "desk".to_owned(),
            destination: Some("hr".to_owned()),
        },
        due_at: Timestamp::now(),
    });
    let orders = [order("gone"), with_destination.unwrap()];
    assert_eq!(function.invoke(&orders, TIME).await.unwrap(), [""; 0]);
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn an_integration_that_does_not_load_is_a_failed_poll_and_no_dead_letter() {
    let world = World::new().await;
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    push(&store, "broken", "http://localhost", "not: an integration", 30).await;
    install(&store, "desk", &format!("{}/desk", world.address)).await;
    let function = Function::over(&store, store.clone(), &["desk"], PollMetrics::default());
    let orders = [order("broken"), order("desk")];
    assert_eq!(function.invoke(&orders, TIME).await.unwrap(), [""; 0]);
    assert_eq!(metric(&function.lines.all(), "broken", "FailedPolls"), 1);
    assert_eq!(
        metric(&function.lines.all(), "broken", "UnloadablePolls"),
        1,
        "nothing is in the stream's record, so this is what its alarm goes by"
    );
    assert_eq!(function.published.integrations(), ["desk"]);
}

/// A store that does not answer for one integration, or for any.
struct Failing(Arc<EmbeddedStore>, Option<&'static str>);

impl Failing {
    fn check(&self, key: &StreamKey) -> Result<(), StorageError> {
        if self.1.is_none_or(|name| name == key.integration) {
            return Err(StorageError::unavailable("cannot read a stream", "no answer"));
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl PollState for Failing {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        self.check(key)?;
        self.0.stream(key).await
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        self.0.streams().await
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        self.check(&record.key)?;
        self.0.store_stream(record).await
    }

    async fn seen(&self, integration: &str, ticket_ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        self.0.seen(integration, ticket_ids).await
    }

    async fn store_seen(&self, integration: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError> {
        self.0.store_seen(integration, records).await
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_lets_the_order_come_again() {
    let world = World::new().await;
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    for name in ["desk", "bench"] {
        install(&store, name, &format!("{}/{name}", world.address)).await;
    }
    let state = Arc::new(Failing(store.clone(), Some("desk")));
    let function = Function::over(&store, state, &["desk", "bench"], PollMetrics::default());
    let orders = [order("desk"), order("bench")];
    assert_eq!(function.invoke(&orders, TIME).await.unwrap(), ["message-0"]);
    assert_eq!(function.published.integrations(), ["bench"]);
    let lines = function.lines.all();
    assert_eq!(
        metric(&lines, "desk", "PollLagSeconds"),
        &Value::Null,
        "what is not known must not look like a stream that is up to date"
    );
}

#[tokio::test]
async fn where_nothing_can_be_carried_out_the_run_itself_has_failed() {
    let world = World::new().await;
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    install(&store, "desk", &format!("{}/desk", world.address)).await;
    let state = Arc::new(Failing(store.clone(), None));
    let function = Function::over(&store, state, &["desk"], PollMetrics::default());
    assert_eq!(
        function.invoke(&[order("desk")], TIME).await,
        None,
        "so that the alarm of the function goes off"
    );
}
