//! The events of an integration, read by cursor.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actions::Gateway;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use storage::{
    Acceptance, Event, EventCursor, EventKind, EventLog, EventSink, EventWindow, LoggedEvent, StorageError,
    TicketVersion,
};
use tokio::time::{Instant, sleep};

use crate::support::{Answer, DESK, call, client, get, install};

/// The events of the integration `desk`, in memory: the cursor behind the third is `c3`.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    events: Vec<Event>,
    /// How many of the first are not kept any more.
    forgotten: usize,
    fails: bool,
    hangs: bool,
    looks: usize,
}

impl Log {
    fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.0.lock().unwrap());
    }

    /// Adds events of tickets with these ids.
    fn add(&self, tickets: impl IntoIterator<Item = usize>) {
        let events = tickets.into_iter().map(|number| event(number, ""));
        self.set(|inner| inner.events.extend(events));
    }

    fn looks(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().looks)
    }
}

fn event(number: usize, description: &str) -> Event {
    let at = |text: &str| text.parse().unwrap();
    let mut ticket = Map::new();
    ticket.insert("id".to_owned(), json!(format!("T-{number}")));
    ticket.insert("description".to_owned(), json!(description));
    Event {
        event_id: format!("event-{number}"),
        kind: EventKind::Updated,
        integration: "desk".to_owned(),
        destination: None,
        ticket_id: format!("T-{number}"),
        version: TicketVersion {
            updated_at: at("2026-01-05T10:00:00Z"),
            content: "c0ffee".to_owned(),
            ordinal: 0,
        },
        window: EventWindow {
            start: at("2026-01-05T09:59:00Z"),
            end: at("2026-01-05T10:01:00Z"),
        },
        observed_at: at("2026-01-05T10:01:10Z"),
        ticket,
        changes: None,
        caused_by: None,
        omitted: Vec::new(),
    }
}

#[async_trait]
impl EventSink for Log {
    fn batch_size(&self) -> usize {
        10
    }

    async fn publish(&self, _: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        panic!("reading publishes nothing")
    }
}

#[async_trait]
impl EventLog for Log {
    async fn read(
        &self,
        integration: &str,
        after: Option<&EventCursor>,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        let hangs = self.0.lock().unwrap().hangs;
        if hangs {
            sleep(Duration::from_secs(3600)).await;
        }
        let mut inner = self.0.lock().unwrap();
        inner.looks += 1;
        if inner.fails {
            return Err(StorageError::unavailable("cannot read secret-table", "throttled"));
        }
        assert_eq!(integration, "desk");
        let first = match after {
            None => inner.forgotten,
            Some(cursor) => {
                let number = cursor.0.strip_prefix('c').and_then(|number| number.parse().ok());
                number.ok_or_else(|| StorageError::invalid("no cursor of this log"))?
            }
        };
        if first < inner.forgotten {
            return Err(StorageError::not_found("not kept any more"));
        }
        let events = inner.events.iter().enumerate().skip(first).take(limit);
        let logged = events.map(|(index, event)| LoggedEvent {
            cursor: EventCursor(format!("c{}", index + 1)),
            event: event.clone(),
        });
        Ok(logged.collect())
    }

    async fn end(&self, _: &str) -> Result<Option<EventCursor>, StorageError> {
        let inner = self.0.lock().unwrap();
        let end = inner.events.len();
        Ok((end > 0).then(|| EventCursor(format!("c{end}"))))
    }
}

const POLLED: &str = "\npolling: {enabled: true}\n";

/// A gateway that polls the desk and keeps its events in `log`.
fn gateway(log: &Log) -> Gateway {
    gateway_of(&format!("{DESK}{POLLED}"), log)
}

fn gateway_of(yaml: &str, log: &Log) -> Gateway {
    Gateway::builder(client())
        .integration(install(yaml, json!({"base_url": "http://127.0.0.1:9"})))
        .events(Arc::new(log.clone()))
        .build()
        .unwrap()
}

async fn read(gateway: &Gateway, query: &str) -> Answer {
    get(gateway, &format!("/v1/desk/events{query}")).await
}

/// The tickets of an answer's events, and its cursor.
fn shown(answer: &Answer) -> (Vec<&str>, &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let events = answer.body["events"].as_array().unwrap();
    let tickets = events.iter().map(|event| event["ticket_id"].as_str().unwrap());
    (tickets.collect(), answer.body["cursor"].as_str().unwrap())
}

#[tokio::test]
async fn a_reader_follows_the_cursor_from_the_oldest_event_to_the_end() {
    let log = Log::default();
    log.add(1..=5);
    let gateway = gateway(&log);
    assert_eq!(
        shown(&read(&gateway, "?limit=2").await),
        (vec!["T-1", "T-2"], "c2")
    );
    assert_eq!(
        shown(&read(&gateway, "?after=oldest&limit=2").await),
        (vec!["T-1", "T-2"], "c2")
    );
    assert_eq!(
        shown(&read(&gateway, "?after=c2").await),
        (vec!["T-3", "T-4", "T-5"], "c5")
    );
    assert_eq!(
        shown(&read(&gateway, "?after=c5").await),
        (vec![], "c5"),
        "the same place, where nothing came"
    );
    log.add([6]);
    assert_eq!(shown(&read(&gateway, "?after=c5").await), (vec!["T-6"], "c6"));
}

#[tokio::test]
async fn an_empty_log_has_a_cursor_too() {
    let log = Log::default();
    let gateway = gateway(&log);
    assert_eq!(shown(&read(&gateway, "").await), (vec![], "oldest"));
    assert_eq!(shown(&read(&gateway, "?after=latest").await), (vec![], "oldest"));
    log.add([1]);
    assert_eq!(shown(&read(&gateway, "?after=oldest").await), (vec!["T-1"], "c1"));
}

#[tokio::test]
async fn latest_begins_with_what_comes() {
    let log = Log::default();
    log.add(1..=3);
    let gateway = gateway(&log);
    assert_eq!(shown(&read(&gateway, "?after=latest").await), (vec![], "c3"));
    log.add([4]);
    assert_eq!(shown(&read(&gateway, "?after=c3").await), (vec!["T-4"], "c4"));
}

#[tokio::test]
async fn an_answer_has_a_hundred_events_at_most() {
    let log = Log::default();
    log.add(1..=130);
    let gateway = gateway(&log);
    let answer = read(&gateway, "").await;
    let (tickets, cursor) = shown(&answer);
    assert_eq!((tickets.len(), cursor), (100, "c100"));
    let answer = read(&gateway, "?after=c100").await;
    let (tickets, cursor) = shown(&answer);
    assert_eq!((tickets.len(), cursor), (30, "c130"));
}

#[tokio::test]
async fn an_answer_is_not_longer_than_lambda_takes() {
    let log = Log::default();
    // Quotation marks count double, because the answer is a text within JSON.
    let long = "\"".repeat(350_000);
    log.set(|inner| inner.events.extend((1..=5).map(|number| event(number, &long))));
    let gateway = gateway(&log);
    let mut cursor = "oldest".to_owned();
    let mut all = Vec::new();
    while all.len() < 5 {
        let answer = read(&gateway, &format!("?after={cursor}")).await;
        let (tickets, next) = shown(&answer);
        assert!(!tickets.is_empty());
        all.extend(tickets.into_iter().map(str::to_owned));
        cursor = next.to_owned();
        let as_lambda_counts = Value::from(answer.body.to_string()).to_string().len();
        assert!(as_lambda_counts < 5 << 20, "{as_lambda_counts}");
    }
    assert_eq!(all.first().unwrap(), "T-1");
    assert_eq!(all.last().unwrap(), "T-5");
}

/// Otherwise Lambda would refuse the answer, this time and every time, and nobody would get behind the event.
#[tokio::test]
async fn one_event_that_is_too_long_is_given_without_what_makes_it_so() {
    let log = Log::default();
    let long = "x".repeat(5 << 20);
    let mut talkative = event(1, "dark");
    talkative
        .ticket
        .insert("comments".to_owned(), json!([{"body": long}]));
    let large = event(2, &long);
    log.set(|inner| inner.events.extend([talkative.clone(), large.clone()]));
    log.add([3]);
    let answer = read(&gateway(&log), "").await;
    assert_eq!(shown(&answer), (vec!["T-1", "T-2", "T-3"], "c3"));
    assert_eq!(answer.body["events"][0], json!(talkative.without_comments()));
    assert_eq!(answer.body["events"][1], json!(large.without_ticket()));
    assert_eq!(answer.body["events"][2], json!(event(3, "")));
}

/// Reads with `query` while `meanwhile` happens; gives the answer and how many seconds it took.
async fn wait(gateway: &Gateway, query: &str, meanwhile: impl Future<Output = ()>) -> (Answer, f64) {
    let begun = Instant::now();
    let reading = async { (read(gateway, query).await, begun.elapsed().as_secs_f64()) };
    tokio::join!(reading, meanwhile).0
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_waits_gets_the_event_when_it_comes() {
    let log = Log::default();
    log.add([1]);
    let gateway = gateway(&log);
    let comes = async {
        sleep(Duration::from_millis(7_300)).await;
        log.add([2, 3]);
    };
    let (answer, seconds) = wait(&gateway, "?after=c1&wait=20", comes).await;
    assert_eq!(shown(&answer), (vec!["T-2", "T-3"], "c3"));
    assert!((7.3..8.4).contains(&seconds), "{seconds}");
    assert!(log.looks() <= 9, "it looks once a second");
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_waits_in_vain_is_answered_when_the_time_is_over() {
    let log = Log::default();
    log.add([1]);
    let gateway = gateway(&log);
    for seconds in [1, 3, 20] {
        let (answer, took) = wait(&gateway, &format!("?after=c1&wait={seconds}"), async {}).await;
        assert_eq!(shown(&answer), (vec![], "c1"));
        assert!((took - f64::from(seconds)).abs() < 0.1, "{took}");
    }
    let (answer, took) = wait(&gateway, "?after=latest&wait=2", async {}).await;
    assert_eq!(shown(&answer), (vec![], "c1"));
    assert!((took - 2.0).abs() < 0.1, "{took}");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_not_waited_for() {
    let log = Log::default();
    log.add([1]);
    let (answer, seconds) = wait(&gateway(&log), "?wait=20", async {}).await;
    assert_eq!(shown(&answer), (vec!["T-1"], "c1"));
    assert!(seconds < 0.1, "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_request_is_waited_for() {
    let log = Log::default();
    let gateway = gateway(&log);
    let begun = Instant::now();
    let request =
        |query: &str| http::Request::get(format!("/v1/desk/events{query}")).body(bytes::Bytes::new());
    let until = begun + Duration::from_secs(9);
    let answer = gateway
        .handle_until(request("?wait=20").unwrap(), Some(until))
        .await;
    assert_eq!(answer.status(), 200);
    let seconds = begun.elapsed().as_secs_f64();
    assert!((7.0..9.0).contains(&seconds), "{seconds}");

    // A log that does not answer at all.
    log.set(|inner| inner.hangs = true);
    let begun = Instant::now();
    let until = begun + Duration::from_secs(3);
    let answer = gateway.handle_until(request("").unwrap(), Some(until)).await;
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_ends_the_waiting() {
    let log = Log::default();
    let gateway = gateway(&log);
    let stop = async {
        sleep(Duration::from_millis(1_500)).await;
        gateway.stop_waiting();
    };
    let (answer, seconds) = wait(&gateway, "?wait=20", stop).await;
    assert_eq!(shown(&answer), (vec![], "oldest"));
    assert!((seconds - 1.5).abs() < 0.1, "{seconds}");
    let (answer, seconds) = wait(&gateway, "?wait=20", async {}).await;
    assert_eq!((answer.status, seconds), (200, 0.0), "nor does one begin");
}

#[tokio::test]
async fn a_wrong_query_is_told_field_by_field() {
    let log = Log::default();
    let gateway = gateway(&log);
    let long = "x".repeat(257);
    for (query, field, part) in [
        ("?after=", "after", "`cursor` of an earlier answer"),
        ("?after=two%20words", "after", "`oldest` or `latest`"),
        (&format!("?after={long}"), "after", "expected"),
        ("?after=nonsense", "after", "`cursor` of an earlier answer"),
        ("?limit=0", "limit", "from 1 to 100, found \"0\""),
        ("?limit=101", "limit", "from 1 to 100"),
        ("?limit=many", "limit", "whole number"),
        ("?limit=%2B5", "limit", "whole number"),
        ("?limit=99999999999999999999", "limit", "whole number"),
        ("?wait=21", "wait", "from 0 to 20, found \"21\""),
        ("?wait=-1", "wait", "from 0 to 20"),
        ("?wait=1.5", "wait", "whole number"),
        ("?wait=1&wait=2", "wait", "found several times"),
        ("?since=c1", "since", "unknown query parameter"),
    ] {
        let answer = read(&gateway, query).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "INPUT_VALIDATION_FAILED"),
            "{query}: {answer:?}"
        );
        assert_eq!(answer.fields(), [field], "{query}");
        assert!(answer.message().contains(part), "{query}: {}", answer.message());
    }
    let answer = read(&gateway, "?wait=x&limit=x").await;
    assert_eq!(answer.fields(), ["limit", "wait"], "all at once");
}

#[tokio::test]
async fn a_reader_who_stayed_away_too_long_is_told_how_to_begin_anew() {
    let log = Log::default();
    log.add(1..=9);
    log.set(|inner| inner.forgotten = 4);
    let gateway = gateway(&log);
    let answer = read(&gateway, "?after=c2&wait=5").await;
    assert_eq!((answer.status, answer.code()), (410, "CURSOR_EXPIRED"));
    for part in ["7 days", "after=oldest", "after=latest"] {
        assert!(answer.message().contains(part), "{}", answer.message());
    }
    assert_eq!(
        shown(&read(&gateway, "?after=c4&limit=1").await),
        (vec!["T-5"], "c5")
    );
    assert_eq!(
        shown(&read(&gateway, "?after=oldest&limit=1").await),
        (vec!["T-5"], "c5")
    );
}

#[tokio::test]
async fn without_an_integration_or_a_log_there_are_no_events() {
    let log = Log::default();
    let answer = get(&gateway(&log), "/v1/nobody/events").await;
    assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"));
    let without = Gateway::builder(client())
        .integration(install(
            &format!("{DESK}{POLLED}"),
            json!({"base_url": "http://127.0.0.1:9"}),
        ))
        .build()
        .unwrap();
    let answer = read(&without, "").await;
    assert_eq!((answer.status, answer.code()), (422, "ACTION_NOT_SUPPORTED"));
    assert_eq!(answer.message(), "this gateway keeps no events");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_an_integration_that_is_not_polled() {
    for polling in ["", "\npolling: {enabled: false}\n"] {
        let log = Log::default();
        log.add([1]);
        let gateway = gateway_of(&format!("{DESK}{polling}"), &log);
        assert_eq!(
            shown(&read(&gateway, "").await),
            (vec!["T-1"], "c1"),
            "what was found before it was switched off"
        );
        let (answer, seconds) = wait(&gateway, "?after=c1&wait=20", async {}).await;
        assert_eq!((answer.status, answer.code()), (422, "ACTION_NOT_SUPPORTED"));
        assert!(answer.message().contains("is not polled"), "{}", answer.message());
        assert!(seconds < 0.1, "{seconds}");
    }
}

#[tokio::test]
async fn a_log_that_fails_is_not_the_callers_business() {
    let log = Log::default();
    log.set(|inner| inner.fails = true);
    let answer = read(&gateway(&log), "").await;
    assert_eq!((answer.status, answer.code()), (500, "INTERNAL_SERVER_ERROR"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.message().contains("secret-table"), "{}", answer.message());
}

#[tokio::test]
async fn events_are_only_read() {
    let log = Log::default();
    let gateway = gateway(&log);
    for method in ["POST", "DELETE", "HEAD"] {
        let answer = call(&gateway, method, "/v1/desk/events", Value::Null).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET")),
            "{method}"
        );
    }
    assert_eq!(get(&gateway, "/v1/desk/events/1").await.status, 404);
}

#[tokio::test]
async fn a_gateway_for_the_events_alone_knows_no_other_route() {
    let log = Log::default();
    let events = Gateway::builder(client())
        .integration(install(
            &format!("{DESK}{POLLED}"),
            json!({"base_url": "http://127.0.0.1:9"}),
        ))
        .events(Arc::new(log.clone()))
        .only_events()
        .build()
        .unwrap();
    assert_eq!(read(&events, "").await.status, 200);
    for other in ["/v1/desk/tickets/IT-7", "/v1/desk/tickets", "/v1/healthz"] {
        assert_eq!(get(&events, other).await.status, 404, "{other}");
    }
    let queries = Gateway::builder(client())
        .integration(install(DESK, json!({"base_url": "http://127.0.0.1:9"})))
        .events(Arc::new(log))
        .only(actions::TasAction::QueryTicketById)
        .build()
        .unwrap();
    assert_eq!(read(&queries, "").await.status, 404);
}

#[tokio::test]
async fn an_answer_is_what_the_document_says() {
    let log = Log::default();
    log.set(|inner| {
        let mut full = event(1, "dark");
        full.destination = Some("it".to_owned());
        full.caused_by = Some("request-1".to_owned());
        full.omitted = vec!["comments".to_owned()];
        full.changes = Some(vec![storage::Change {
            field: "state".to_owned(),
            before: json!("Open"),
            after: Value::Null,
        }]);
        inner.events = vec![full, event(2, "")];
    });
    let answer = read(&gateway(&log), "").await;
    let document = actions::openapi();
    let operation = &document["paths"]["/v1/{integration}/events"]["get"];
    let content = &operation["responses"]["200"]["content"]["application/json"];
    let mut schema = content["schema"].clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for answer in [&answer.body, &content["example"]] {
        let problems: Vec<String> = validator
            .iter_errors(answer)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{problems:?}");
    }
    // Every field of an event is described.
    let described = document["components"]["schemas"]["Event"]["properties"]
        .as_object()
        .unwrap();
    let sent = answer.body["events"][0].as_object().unwrap();
    let mut fields: [Vec<&String>; 2] = [described.keys().collect(), sent.keys().collect()];
    fields.iter_mut().for_each(|fields| fields.sort());
    assert_eq!(fields[0], fields[1]);
}
