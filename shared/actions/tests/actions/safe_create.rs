//! A ticket whose creation ended in doubt is looked for by its marker before it is created again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use actions::{Gateway, Observer, Performed, SafeCreate};
use axum::response::Response;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::IdempotencyStore;
use storage::embedded::EmbeddedStore;

use crate::support::{Answer, Seen, Upstream, client, install, reply, send};

/// A desk that keeps the marker in a field.
const OFFICE: &str = "
name: office
settings:
  base_url: {type: url, required: true}
  markers: {type: boolean, default: true}
connector:
  base_url: '{{settings.base_url}}'
  auth: {kind: none}
  timeout_seconds: 0.3
  action_timeout_seconds: 5
  retry: {max_attempts: 1}
http_actions:
  create:
    method: POST
    path: /records
    body: {json: {title: title, marker: meta_info.marker}}
    fail_when: {condition: response.body.refused, code: CONFLICT}
  label:
    method: PUT
    path: /records/{{{id}}}/label
    body: {json: {label: label}}
  search:
    method: GET
    path: /records
    query: {marker: '{{meta_info.marker}}'}
actions:
  create_ticket:
    safe_create:
      when: settings.markers
      settle_seconds: 0.02
      attempts: 2
      steps:
        - action: {action_name: search, output_key: found}
      return:
        output_mapper:
          raw_tickets: {MAP(): {items: data.found.items, converter: &ticket {id: item.id, state: \"'Open'\", short_description: item.title, updated_at: item.at, created_at: item.at}}}
    steps:
      - action: {action_name: create, input_args: {title: data.context.payload.short_description}, output_key: made}
      - action: {action_name: label, when: data.context.payload.label, input_args: {id: data.made.id, label: data.context.payload.label}, output_key: _}
      - return:
          fail_when: {condition: NOT data.made.id, message: \"'no id'\"}
          output_mapper: {MAP(): {items: ['{\"item\": data.made}'], converter: item.item}}
";

fn yaml() -> String {
    // The answer of a creation is mapped as that of a search is.
    OFFICE.replace(
        "output_mapper: {MAP(): {items: ['{\"item\": data.made}'], converter: item.item}}",
        "output_mapper: {raw_ticket: {id: data.made.id, state: \"'Open'\", short_description: data.made.title, updated_at: data.made.at, created_at: data.made.at}}",
    )
}

/// What the office does with one POST.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Answer,
    MakeAndFail,
    MakeAndStall,
    MakeAndHideId,
    FailOnly,
    Refuse,
}

/// What the office has, and what it will do next; when nothing is left, it answers.
#[derive(Default)]
struct Office {
    records: Vec<Value>,
    next: Vec<Does>,
    search_fails: bool,
    label_fails: bool,
}

fn answer(office: &Mutex<Office>, seen: &Seen) -> Response {
    let mut office = office.lock().unwrap();
    match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/records") => {
            let does = if office.next.is_empty() {
                Does::Answer
            } else {
                office.next.remove(0)
            };
            let number = office.records.len() + 1;
            let record = json!({
                "id": number,
                "title": seen.body["title"],
                "marker": seen.body["marker"],
                "at": format!("2026-01-05T10:00:0{number}Z"),
            });
            if does != Does::FailOnly && does != Does::Refuse {
                office.records.push(record.clone());
            }
            match does {
                Does::Answer => reply(201, &record),
                Does::MakeAndHideId => reply(200, &json!({})),
                Does::Refuse => reply(200, &json!({"refused": true})),
                Does::MakeAndFail | Does::FailOnly => reply(502, &json!({})),
                Does::MakeAndStall => {
                    drop(office);
                    std::thread::sleep(Duration::from_millis(400));
                    reply(201, &record)
                }
            }
        }
        ("GET", _) if office.search_fails => reply(503, &json!({})),
        ("GET", _) => {
            let marker = seen.parameter("marker").unwrap_or_default();
            let found: Vec<&Value> = office
                .records
                .iter()
                .filter(|record| record["marker"] == marker.as_str())
                .collect();
            reply(200, &json!({"items": found}))
        }
        ("PUT", _) if office.label_fails => reply(502, &json!({})),
        _ => reply(200, &json!({})),
    }
}

struct Desk {
    office: Arc<Mutex<Office>>,
    upstream: Upstream,
    gateway: Gateway,
    store: Arc<EmbeddedStore>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told(Mutex<Vec<Option<SafeCreate>>>);

impl Observer for Told {
    fn performed(&self, performed: &Performed<'_>) {
        self.0.lock().unwrap().push(performed.safe_create);
    }
}

async fn desk(next: &[Does]) -> Desk {
    desk_with(next, json!({})).await
}

async fn desk_with(next: &[Does], settings: Value) -> Desk {
    let office = Arc::new(Mutex::new(Office {
        next: next.to_vec(),
        ..Office::default()
    }));
    let upstream = Upstream::start({
        let office = Arc::clone(&office);
        move |seen| answer(&office, seen)
    })
    .await;
    let mut settings = settings;
    settings["base_url"] = json!(upstream.address);
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    let told = Arc::new(Told::default());
    let gateway = Gateway::builder(client())
        .integration(install(&yaml(), settings))
        .idempotency(Arc::clone(&store) as Arc<dyn IdempotencyStore>)
        .observer(Arc::clone(&told) as Arc<dyn Observer>)
        .build()
        .unwrap();
    Desk {
        office,
        upstream,
        gateway,
        store,
        told,
    }
}

impl Desk {
    async fn create(&self, key: Option<&str>) -> Answer {
        self.create_with(&self.gateway, key, json!({"short_description": "A"}))
            .await
    }

    async fn create_with(&self, gateway: &Gateway, key: Option<&str>, payload: Value) -> Answer {
        let mut request = http::Request::post("/v1/office/tickets");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = Bytes::from(json!({"payload": payload}).to_string());
        send(gateway, request.body(body).unwrap()).await
    }

    fn records(&self) -> usize {
        self.office.lock().unwrap().records.len()
    }

    fn sent(&self) -> Vec<String> {
        self.upstream.lines()
    }

    fn last_told(&self) -> Option<SafeCreate> {
        *self.told.0.lock().unwrap().last().unwrap()
    }

    /// The same gateway later.
    fn later(&self, by: Duration) -> Gateway {
        let now = SystemTime::now() + by;
        Gateway::builder(client())
            .integration(install(&yaml(), json!({"base_url": self.upstream.address})))
            .idempotency(Arc::clone(&self.store) as Arc<dyn IdempotencyStore>)
            .observer(Arc::clone(&self.told) as Arc<dyn Observer>)
            .clock(Timestamp::try_from(now).unwrap())
            .build()
            .unwrap()
    }
}

const POST: &str = "POST /records";
const LOOK: &str = "GET /records";

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_made_behind_a_failure_is_found_and_answered() {
    for does in [Does::MakeAndFail, Does::MakeAndStall, Does::MakeAndHideId] {
        let desk = desk(&[does]).await;
        let answer = desk.create(None).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["raw_ticket"]["id"], "1");
        assert_eq!(desk.records(), 1);
        // The desk notes a request once it was answered, which the one that stalls never is.
        assert_eq!(desk.sent().last().unwrap(), LOOK);
        assert_eq!(desk.last_told(), Some(SafeCreate::Found));
    }
}

#[tokio::test]
async fn a_found_ticket_is_the_answer_to_the_key() {
    let desk = desk(&[Does::MakeAndFail]).await;
    let first = desk.create(Some("k1")).await;
    let second = desk.create(Some("k1")).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(desk.sent(), [POST, LOOK]);
}

#[tokio::test]
async fn a_ticket_that_is_not_there_is_created_again() {
    let desk = desk(&[Does::FailOnly]).await;
    let answer = desk.create(None).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(desk.records(), 1);
    assert_eq!(desk.sent(), [POST, LOOK, LOOK, POST]);
    assert_eq!(desk.last_told(), Some(SafeCreate::NotFound));
}

#[tokio::test]
async fn after_the_last_attempt_it_is_looked_for_once_more_and_the_error_says_so() {
    let desk = desk(&[Does::FailOnly, Does::FailOnly]).await;
    let answer = desk.create(None).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(answer.details()["outcome"], "unknown");
    assert_eq!(answer.details()["safe_create"], "not_found");
    assert_eq!(answer.details()["upstream_status"], 502);
    assert_eq!(desk.sent(), [POST, LOOK, LOOK, POST, LOOK, LOOK]);

    let desk = self::desk(&[Does::FailOnly, Does::MakeAndFail]).await;
    assert_eq!(desk.create(None).await.status, 201);
    assert_eq!(desk.sent(), [POST, LOOK, LOOK, POST, LOOK]);
}

#[tokio::test]
async fn a_refused_ticket_is_not_looked_for() {
    let desk = desk(&[Does::Refuse]).await;
    let answer = desk.create(Some("k1")).await;
    assert_eq!((answer.status, answer.code()), (409, "CONFLICT"));
    assert_eq!(answer.details()["outcome"], "refused");
    assert_eq!(desk.sent(), [POST]);
    assert_eq!(desk.last_told(), None);
    assert_eq!(desk.create(Some("k1")).await.status, 201, "the key is free again");
}

#[tokio::test]
async fn a_refusal_of_the_second_attempt_says_nothing_of_the_first() {
    let desk = desk(&[Does::FailOnly, Does::Refuse]).await;
    let answer = desk.create(None).await;
    assert_eq!(answer.details()["outcome"], "unknown", "{answer:?}");
    assert_eq!(answer.status, 502, "told is the doubt, not the refusal");
}

#[tokio::test]
async fn where_it_cannot_be_looked_for_it_is_not_created_again() {
    let desk = desk(&[Does::MakeAndFail]).await;
    desk.office.lock().unwrap().search_fails = true;
    let answer = desk.create(None).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(answer.details()["safe_create"], "search_failed");
    assert_eq!(
        answer.details()["step"],
        "create",
        "the error is that of the creation"
    );
    assert!(answer.message().contains("could not be looked for"), "{answer:?}");
    assert_eq!(desk.sent(), [POST, LOOK, LOOK]);
    assert_eq!(desk.last_told(), Some(SafeCreate::SearchFailed));
}

#[tokio::test]
async fn a_doubt_that_stays_is_cleared_up_by_the_same_request_sent_later() {
    let desk = desk(&[Does::MakeAndFail]).await;
    desk.office.lock().unwrap().search_fails = true;
    let first = desk.create(Some("k1")).await;
    assert_eq!(first.status, 502);
    let wait: u64 = first.header("retry-after").unwrap().parse().unwrap();
    assert!((8..=10).contains(&wait), "until the key is free: {wait}");

    desk.office.lock().unwrap().search_fails = false;
    let later = desk.later(Duration::from_secs(wait + 1));
    let second = desk
        .create_with(&later, Some("k1"), json!({"short_description": "A"}))
        .await;
    assert_eq!(second.status, 201, "{second:?}");
    assert_eq!(desk.records(), 1);
    assert_eq!(desk.sent(), [POST, LOOK, LOOK, LOOK]);
}

#[tokio::test]
async fn a_request_whose_first_process_died_looks_before_it_creates() {
    // The process claimed the key, sent the ticket and died: what it sent has the same marker as what is sent now.
    let desk = desk(&[Does::MakeAndFail]).await;
    desk.office.lock().unwrap().search_fails = true;
    desk.create(Some("k1")).await;
    desk.office.lock().unwrap().search_fails = false;
    let later = desk.later(Duration::from_secs(60));
    let found = desk
        .create_with(&later, Some("k1"), json!({"short_description": "A"}))
        .await;
    assert_eq!(found.status, 201, "{found:?}");
    let replayed = desk
        .create_with(&later, Some("k1"), json!({"short_description": "A"}))
        .await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));

    // And one that died before it sent anything.
    let desk = self::desk(&[Does::FailOnly, Does::FailOnly]).await;
    desk.create(Some("k1")).await;
    let later = desk.later(Duration::from_secs(60));
    let made = desk
        .create_with(&later, Some("k1"), json!({"short_description": "A"}))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(desk.sent()[6..], [LOOK, LOOK, POST]);
    assert_eq!(desk.records(), 1);
}

#[tokio::test]
async fn a_refusal_after_a_death_does_not_make_the_next_request_forget_it() {
    // The first process made the ticket and died. The search does not show it yet, and the creation is refused.
    let desk = desk(&[Does::MakeAndFail, Does::Refuse]).await;
    desk.office.lock().unwrap().search_fails = true;
    desk.create(Some("k1")).await;
    let ticket = {
        let mut office = desk.office.lock().unwrap();
        office.search_fails = false;
        office.records.remove(0)
    };
    let second = desk.later(Duration::from_secs(60));
    let payload = || json!({"short_description": "A"});
    let refused = desk.create_with(&second, Some("k1"), payload()).await;
    assert_eq!(refused.details()["outcome"], "unknown", "{refused:?}");
    assert_eq!(desk.sent()[3..], [LOOK, LOOK, POST, LOOK, LOOK]);

    // By now it does.
    desk.office.lock().unwrap().records.push(ticket);
    let third = desk.later(Duration::from_secs(120));
    let found = desk.create_with(&third, Some("k1"), payload()).await;
    assert_eq!(found.status, 201, "{found:?}");
    assert_eq!(desk.records(), 1, "{:?}", desk.sent());
}

#[tokio::test]
async fn of_several_tickets_the_oldest_is_the_answer() {
    let desk = desk(&[Does::MakeAndFail]).await;
    desk.office.lock().unwrap().search_fails = true;
    desk.create(Some("k1")).await;
    {
        let mut office = desk.office.lock().unwrap();
        office.search_fails = false;
        let mut earlier = office.records[0].clone();
        earlier["id"] = json!(77);
        earlier["at"] = json!("2026-01-05T09:00:00Z");
        office.records.push(earlier);
    }
    let later = desk.later(Duration::from_secs(60));
    let answer = desk
        .create_with(&later, Some("k1"), json!({"short_description": "A"}))
        .await;
    assert_eq!(answer.body["raw_ticket"]["id"], "77", "{answer:?}");
}

#[tokio::test]
async fn what_fails_after_the_ticket_was_made_is_told_and_neither_looked_for_nor_repeated() {
    let desk = desk(&[]).await;
    desk.office.lock().unwrap().label_fails = true;
    let payload = json!({"short_description": "A", "label": "x"});
    let answer = desk.create_with(&desk.gateway, Some("k1"), payload.clone()).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(desk.sent(), [POST, "PUT /records/1/label"]);
    assert_eq!(answer.details()["outcome"], "partly_done");
    let again = desk.create_with(&desk.gateway, Some("k1"), payload).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    assert_eq!(desk.records(), 1);
}

#[tokio::test]
async fn a_setting_can_turn_it_off() {
    let desk = desk_with(&[Does::MakeAndFail], json!({"markers": false})).await;
    let answer = desk.create(Some("k1")).await;
    assert_eq!(answer.details()["outcome"], "unknown", "{answer:?}");
    assert_eq!(desk.sent(), [POST]);
    let again = desk.create(Some("k1")).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn the_marker_is_that_of_the_request() {
    let desk = desk(&[]).await;
    let markers = |desk: &Desk| -> Vec<Value> {
        let records = &desk.office.lock().unwrap().records;
        records.iter().map(|record| record["marker"].clone()).collect()
    };
    desk.create(None).await;
    desk.create(None).await;
    desk.create(Some("k1")).await;
    desk.create(Some("k2")).await;
    let seen = markers(&desk);
    let distinct: std::collections::BTreeSet<_> = seen.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 4, "{seen:?}");

    // Another process gives the same key and request the same marker, another request another one.
    let other = self::desk(&[]).await;
    other.create(Some("k1")).await;
    let payload = json!({"short_description": "B"});
    let elsewhere = other.later(Duration::from_secs(25 * 60 * 60));
    other.create_with(&elsewhere, Some("k1"), payload).await;
    let there = markers(&other);
    assert_eq!(there[0], seen[2]);
    assert_ne!(there[1], seen[2]);
}
