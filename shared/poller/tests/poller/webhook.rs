//! Webhooks over the embedded store and a receiver on the loopback address. Time is the test's own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use poller::webhook::{
    Deliveries, SigningKeys, WebhookPorts, Webhooks, deliver_due, deliver_until, secret_name, wait,
};
use polling::Clock;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use storage::embedded::{EmbeddedStore, FileSecrets};
use storage::{
    Event, EventKind, EventSink, EventWindow, Secret, SecretStore, SecretWriter, TicketVersion, Webhook,
    WebhookStore,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use upstream::Courier;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A clock that goes when it is told to.
struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// What a receiver got.
#[derive(Debug, Clone)]
struct Request {
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn ticket(&self) -> String {
        self.json()["data"]["ticket_id"].as_str().unwrap().to_owned()
    }

    /// Whether one of its signatures is that of `secret`, by an HMAC of the test's own.
    fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut content = format!(
            "{}.{}.",
            self.header("webhook-id"),
            self.header("webhook-timestamp")
        )
        .into_bytes();
        content.extend_from_slice(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &content)));
        let signatures: Vec<&str> = self.header("webhook-signature").split(' ').collect();
        signatures.contains(&expected.as_str())
    }
}

/// RFC 2104 by its definition.
fn hmac_sha256(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    assert!(key.len() <= block.len());
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(content)
        .finalize();
    let outer = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner);
    outer.finalize().to_vec()
}

#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<Request>>>,
    /// Answers to come; 200 once there are none.
    answers: Arc<Mutex<VecDeque<Response>>>,
    takes: Arc<Mutex<Duration>>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?token=t-1", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    fn will_answer(&self, answers: impl IntoIterator<Item = Response>) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn got(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }

    fn tickets(&self) -> Vec<String> {
        self.got().iter().map(Request::ticket).collect()
    }
}

async fn answer(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    receiver.got.lock().unwrap().push(Request { headers, body });
    let takes = *receiver.takes.lock().unwrap();
    tokio::time::sleep(takes).await;
    let answer = receiver.answers.lock().unwrap().pop_front();
    answer.unwrap_or_else(|| StatusCode::OK.into_response())
}

fn status(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

struct House {
    _folder: TempDir,
    store: EmbeddedStore,
    secrets: FileSecrets,
    clock: Arc<Hand>,
    webhooks: Webhooks,
}

impl House {
    fn new() -> Self {
        Self::reaching(true)
    }

    fn reaching(allow_private: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let store = EmbeddedStore::in_memory().unwrap();
        let secrets = FileSecrets::open_optional(folder.path().join("secrets.json")).unwrap();
        let clock = Arc::new(Hand(Mutex::new(Timestamp::now())));
        let ports = WebhookPorts {
            store: Arc::new(store.clone()),
            log: Arc::new(store.clone()),
            secrets: Arc::new(secrets.clone()),
            courier: Courier::new("ticket-gateway/test", allow_private).unwrap(),
            clock: Arc::clone(&clock) as _,
        };
        let webhooks = Webhooks {
            ports,
            secret_writer: Arc::new(secrets.clone()),
        };
        Self {
            _folder: folder,
            store,
            secrets,
            clock,
            webhooks,
        }
    }

    async fn add(&self, url: &str) -> (Webhook, String) {
        let (webhook, secret) = self.webhooks.add("desk", url).await.unwrap();
        (webhook, secret.expose().to_owned())
    }

    async fn publish(&self, tickets: &[&str]) {
        for ticket in tickets {
            self.store.publish(&[event(ticket)]).await.unwrap();
        }
    }

    /// A webhook, and an event for it, of an integration that comes after the others by its name.
    async fn add_last(&self, url: &str) {
        self.webhooks.add("zoo", url).await.unwrap();
    }

    async fn publish_last(&self, ticket: &str) {
        let event = Event {
            event_id: format!("zoo-{ticket}"),
            integration: "zoo".to_owned(),
            ..event(ticket)
        };
        self.store.publish(&[event]).await.unwrap();
    }

    async fn deliver(&self) -> Deliveries {
        let deadline = self.clock.now() + 10 * HOUR;
        deliver_due(&self.webhooks.ports, "round", deadline)
            .await
            .unwrap()
    }

    fn later(&self, time: Duration) {
        let mut now = self.clock.0.lock().unwrap();
        *now += time;
    }

    async fn webhook(&self, id: &str) -> Webhook {
        self.webhooks.find("desk", id).await.unwrap().unwrap()
    }
}

fn event(ticket: &str) -> Event {
    let now = Timestamp::now();
    Event {
        event_id: format!("event-{ticket}"),
        kind: EventKind::Updated,
        integration: "desk".to_owned(),
        destination: None,
        ticket_id: ticket.to_owned(),
        version: TicketVersion {
            updated_at: now,
            content: "c".to_owned(),
            ordinal: 0,
        },
        window: EventWindow { start: now, end: now },
        observed_at: now,
        ticket: Map::from_iter([("id".to_owned(), json!(ticket))]),
        changes: None,
        caused_by: None,
        omitted: Vec::new(),
    }
}

#[tokio::test]
async fn events_are_delivered_in_the_log_s_order_and_signed() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (_, secret) = house.add(&url).await;
    house.publish(&["T-1", "T-2", "T-3"]).await;

    assert_eq!(house.deliver().await.delivered, 3);
    assert_eq!(receiver.tickets(), ["T-1", "T-2", "T-3"]);
    for request in receiver.got() {
        assert!(request.is_signed_with(&secret), "{request:?}");
        let body = request.json();
        assert_eq!(body["type"], "Ticket Updated");
        assert_eq!(body["timestamp"], body["data"]["observed_at"]);
        assert_eq!(body["data"]["event_id"], request.header("webhook-id"));
        let sent: i64 = request.header("webhook-timestamp").parse().unwrap();
        assert_eq!(sent, house.clock.now().as_second());
        assert_eq!(request.header("content-type"), "application/json");
    }

    assert_eq!(house.deliver().await, Deliveries::default());
    assert_eq!(receiver.got().len(), 3);
}

#[tokio::test]
async fn the_signature_is_that_of_the_specification_s_libraries() {
    // The example that the reference implementations of Standard Webhooks test themselves with.
    let stored = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
    let keys = SigningKeys::parse(&stored).unwrap();
    let at = Timestamp::from_second(1_614_265_330).unwrap();
    assert_eq!(
        keys.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

#[tokio::test]
async fn a_new_webhook_gets_what_comes_and_not_what_was() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    house.publish(&["T-1"]).await;
    house.add(&url).await;
    house.publish(&["T-2"]).await;
    house.deliver().await;
    assert_eq!(receiver.tickets(), ["T-2"]);
}

#[tokio::test]
async fn an_event_that_is_not_taken_is_tried_by_the_schedule_and_what_follows_waits() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1", "T-2"]).await;
    receiver.will_answer((0..10).map(|_| status(500)));

    let minute = HOUR / 60;
    let waits = [
        Duration::from_secs(5),
        5 * minute,
        30 * minute,
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
        14 * HOUR,
        20 * HOUR,
        24 * HOUR,
        24 * HOUR,
    ];
    for (place, wait) in waits.into_iter().enumerate() {
        assert_eq!(house.deliver().await.failed, 1, "attempt {}", place + 1);
        let state = house.webhook(&webhook.id).await;
        assert_eq!(
            state.last_error.as_deref(),
            Some("it answered 500"),
            "attempt {}",
            place + 1
        );
        house.later(wait - Duration::from_secs(1));
        assert_eq!(
            house.deliver().await,
            Deliveries::default(),
            "before its time, after attempt {}",
            place + 1
        );
        // A tenth more at most.
        house.later(wait / 10 + Duration::from_secs(1));
    }
    assert_eq!(house.deliver().await.delivered, 2);
    let mut expected = vec!["T-1"; 11];
    expected.push("T-2");
    assert_eq!(receiver.tickets(), expected);

    // The same message each time, with a signature of its own.
    let got = receiver.got();
    assert!(got[..11].iter().all(|request| request.body == got[0].body));
    assert_ne!(
        got[0].header("webhook-timestamp"),
        got[1].header("webhook-timestamp")
    );
    let state = house.webhook(&webhook.id).await;
    assert_eq!(
        (state.attempts, state.failing_since, state.last_error, state.lease),
        (0, None, None, None)
    );
}

#[test]
fn waits_are_spread_by_a_tenth_and_no_receiver_makes_them_longer_than_a_day() {
    let five = Duration::from_secs(5);
    let waits: Vec<Duration> = (0..100).map(|_| wait(1, None)).collect();
    assert!(waits.iter().all(|wait| (five..=five.mul_f64(1.1)).contains(wait)));
    assert!(waits.iter().any(|wait| *wait != waits[0]));
    assert_eq!(wait(1, Some(HOUR)), HOUR);
    assert_eq!(wait(1, Some(100 * DAY)), DAY);
    assert!(wait(4, Some(five)) >= 2 * HOUR);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    house.add(&url).await;
    house.publish(&["T-1"]).await;
    receiver.will_answer([(StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3600")]).into_response()]);
    assert_eq!(house.deliver().await.failed, 1);
    house.later(HOUR - Duration::from_secs(1));
    assert_eq!(house.deliver().await, Deliveries::default());
    house.later(Duration::from_secs(1));
    assert_eq!(house.deliver().await.delivered, 1);
}

#[tokio::test]
async fn gone_disables_at_once() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1"]).await;
    receiver.will_answer([status(410)]);
    assert_eq!(
        house.deliver().await,
        Deliveries {
            failed: 1,
            disabled: 1,
            ..Deliveries::default()
        }
    );
    assert!(house.webhook(&webhook.id).await.disabled_at.is_some());
    house.later(2 * DAY);
    assert_eq!(house.deliver().await, Deliveries::default());
}

#[tokio::test]
async fn five_days_of_failure_disable_and_enabling_goes_on_where_it_stopped() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1", "T-2"]).await;
    receiver.will_answer((0..1000).map(|_| status(503)));
    let begun = house.clock.now();
    while house.webhook(&webhook.id).await.disabled_at.is_none() {
        house.deliver().await;
        house.later(HOUR);
        assert!(house.clock.now() < begun + 7 * DAY, "it is never disabled");
    }
    let disabled_at = house.webhook(&webhook.id).await.disabled_at.unwrap();
    assert!(disabled_at >= begun + 5 * DAY, "{begun} {disabled_at}");

    receiver.answers.lock().unwrap().clear();
    let before = receiver.got().len();
    assert_eq!(house.deliver().await, Deliveries::default());
    house.webhooks.enable("desk", &webhook.id).await.unwrap();
    assert_eq!(house.deliver().await.delivered, 2);
    assert_eq!(receiver.tickets()[before..], ["T-1", "T-2"]);
}

#[tokio::test]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, old) = house.add(&url).await;
    let keys = house.webhooks.rotate("desk", &webhook.id).await.unwrap();
    let new = keys.current().expose().to_owned();
    assert_ne!(old, new);

    house.publish(&["T-1"]).await;
    house.later(DAY - Duration::from_secs(1));
    house.deliver().await;
    house.later(Duration::from_secs(1));
    house.publish(&["T-2"]).await;
    house.deliver().await;
    let got = receiver.got();
    assert!(got[0].is_signed_with(&old) && got[0].is_signed_with(&new));
    assert!(!got[1].is_signed_with(&old) && got[1].is_signed_with(&new));
}

#[tokio::test]
async fn of_two_rounds_at_once_one_delivers() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    *receiver.takes.lock().unwrap() = Duration::from_millis(50);
    house.add(&url).await;
    house.publish(&["T-1", "T-2", "T-3"]).await;
    let (one, other) = tokio::join!(house.deliver(), house.deliver());
    assert_eq!(one.delivered + other.delivered, 3);
    assert_eq!(receiver.tickets(), ["T-1", "T-2", "T-3"]);
}

#[tokio::test]
async fn what_a_round_that_died_held_is_delivered_when_its_lease_is_over() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    house.add(&url).await;
    house.publish(&["T-1"]).await;
    *receiver.takes.lock().unwrap() = Duration::from_secs(3600);
    {
        let mut dies = std::pin::pin!(house.deliver());
        while receiver.got().is_empty() {
            tokio::select! {
                _ = &mut dies => panic!("the receiver does not answer"),
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    }
    *receiver.takes.lock().unwrap() = Duration::ZERO;
    assert_eq!(house.deliver().await, Deliveries::default());
    house.later(Duration::from_secs(60));
    assert_eq!(house.deliver().await.delivered, 1);
    let got = receiver.got();
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
}

#[tokio::test]
async fn a_webhook_that_fails_holds_up_no_other() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (failing, elsewhere) = Receiver::start().await;
    failing.will_answer((0..10).map(|_| status(500)));
    house.add(&elsewhere).await;
    house.add(&url).await;
    house.publish(&["T-1", "T-2"]).await;
    assert_eq!(
        house.deliver().await,
        Deliveries {
            delivered: 2,
            failed: 1,
            disabled: 0
        }
    );
    assert_eq!(receiver.tickets(), ["T-1", "T-2"]);
}

#[tokio::test]
async fn receivers_that_are_slow_and_have_much_to_get_keep_none_waiting_until_they_have_it_all() {
    let house = House::new();
    let (slow, elsewhere) = Receiver::start().await;
    let tickets: Vec<String> = (0..40).map(|number| format!("T-{number}")).collect();
    // As many as are delivered to at one time, and one more.
    for _ in 0..16 {
        house.add(&elsewhere).await;
    }
    let (receiver, url) = Receiver::start().await;
    house.add_last(&url).await;
    for ticket in &tickets {
        house.publish(&[ticket]).await;
        house.publish_last(ticket).await;
    }
    *slow.takes.lock().unwrap() = Duration::from_millis(20);
    // Each answer of theirs takes 11 s of the round's time.
    let passes = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            house.later(Duration::from_secs(11));
        }
    };
    let behind_when_it_had_all = async {
        while receiver.got().len() < tickets.len() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        16 * tickets.len() - slow.got().len()
    };
    let rounds = async { tokio::join!(house.deliver(), behind_when_it_had_all) };
    let (all, behind) = tokio::select! {
        ended = rounds => ended,
        () = passes => unreachable!(),
    };
    assert_eq!(all.delivered, 17 * 40);
    assert_eq!(receiver.tickets(), tickets, "in order");
    assert!(behind > 16 * 10, "only {behind} events were left for the others");
}

#[tokio::test]
async fn one_that_fails_is_looked_after_when_the_others_have_had_their_turn() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (failing, elsewhere) = Receiver::start().await;
    failing.will_answer((0..32).map(|_| status(500)));
    for _ in 0..16 {
        house.add(&elsewhere).await;
    }
    house.publish(&["T-1"]).await;
    assert_eq!(house.deliver().await.failed, 16);
    house.add_last(&url).await;
    house.publish_last("T-2").await;
    house.later(HOUR);
    *failing.takes.lock().unwrap() = Duration::from_millis(500);
    // The round is over as soon as each of the sixteen was tried.
    let ends = async {
        while failing.got().len() < 32 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        house.later(20 * HOUR);
    };
    let (all, ()) = tokio::join!(house.deliver(), ends);
    assert_eq!((all.delivered, receiver.tickets()), (1, vec!["T-2".to_owned()]));
}

#[tokio::test]
async fn the_answer_s_body_is_ignored_and_a_redirect_is_not_followed() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1", "T-2"]).await;
    let redirect = (StatusCode::TEMPORARY_REDIRECT, [("location", url.clone())]).into_response();
    receiver.will_answer([vec![b'x'; 1_000_000].into_response(), redirect]);
    assert_eq!(
        house.deliver().await,
        Deliveries {
            delivered: 1,
            failed: 1,
            disabled: 0
        }
    );
    assert_eq!(receiver.tickets(), ["T-1", "T-2"]);
    let error = house.webhook(&webhook.id).await.last_error.unwrap();
    assert!(error.contains("307"), "{error}");
}

#[tokio::test]
async fn a_webhook_without_its_secret_waits_and_nothing_counts_against_its_receiver() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1"]).await;
    let name = secret_name(&webhook.id);
    assert!(house.secrets.remove("desk", &name).await.unwrap());
    assert_eq!(house.deliver().await, Deliveries::default());
    let state = house.webhook(&webhook.id).await;
    assert_eq!((state.attempts, state.failing_since), (0, None));
    assert!(state.last_error.unwrap().contains("secret is missing"));

    let keys = house.webhooks.rotate("desk", &webhook.id).await.unwrap();
    assert_eq!(house.deliver().await.delivered, 1);
    assert!(receiver.got()[0].is_signed_with(keys.current().expose()));
}

#[tokio::test]
async fn addresses_that_are_not_public_or_not_https_are_refused() {
    let house = House::reaching(false);
    for (url, why) in [
        ("http://example.com/hook", "https"),
        ("ftp://example.com/hook", "expected https"),
        ("https://user:pass@example.com/hook", "a password"),
        ("https://127.0.0.1/hook", "loopback"),
        ("https://[::1]/hook", "loopback"),
        ("https://169.254.169.254/latest", "loopback"),
        ("example.com", "not a URL"),
    ] {
        let Err(error) = house.webhooks.add("desk", url).await else {
            panic!("{url} was taken");
        };
        assert!(error.is_configuration(), "{url}: {error}");
        assert!(error.to_string().contains(why), "{url}: {error}");
    }
    assert!(house.store.webhooks(None).await.unwrap().is_empty());
    assert!(
        house
            .webhooks
            .add("desk", "https://example.com/hook")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_when_it_is_called() {
    let house = House::reaching(false);
    let (webhook, _) = house.add("https://localhost:1/hook?token=t-1").await;
    house.publish(&["T-1"]).await;
    assert_eq!(house.deliver().await.failed, 1);
    let error = house.webhook(&webhook.id).await.last_error.unwrap();
    assert!(error.contains("loopback") && !error.contains("t-1"), "{error}");
}

#[tokio::test]
async fn removing_takes_the_secret_along() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1"]).await;
    assert!(house.webhooks.remove("desk", &webhook.id).await.unwrap());
    assert!(!house.webhooks.remove("desk", &webhook.id).await.unwrap());
    let name = secret_name(&webhook.id);
    assert!(house.secrets.secret("desk", &name).await.unwrap().is_none());
    assert_eq!(house.deliver().await, Deliveries::default());
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn a_webhook_can_be_tried_without_changing_it() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, secret) = house.add(&url).await;
    let before = house.webhook(&webhook.id).await;
    let sent = house.webhooks.test("desk", &webhook.id).await.unwrap().unwrap();
    receiver.will_answer([status(404)]);
    let refused = house.webhooks.test("desk", &webhook.id).await.unwrap();
    assert_eq!(refused.unwrap_err(), "it answered 404");
    let got = receiver.got();
    assert_eq!(got[0].json()["type"], "webhook.test");
    assert_eq!(got[0].header("webhook-id"), sent);
    assert!(got[0].is_signed_with(&secret));
    assert_eq!(house.webhook(&webhook.id).await, before);
}

#[tokio::test]
async fn the_event_that_is_in_the_way_can_be_passed_over() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1", "T-2"]).await;
    receiver.will_answer([status(400)]);
    house.deliver().await;
    let skipped = house.webhooks.skip("desk", &webhook.id).await.unwrap();
    assert_eq!(skipped.as_deref(), Some("event-T-1"));
    assert_eq!(house.deliver().await.delivered, 1);
    assert_eq!(receiver.tickets(), ["T-1", "T-2"]);
    assert_eq!(house.webhooks.skip("desk", &webhook.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_an_operator_changes_stops_a_round_that_is_under_way() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    let (webhook, _) = house.add(&url).await;
    house.publish(&["T-1", "T-2", "T-3"]).await;
    *receiver.takes.lock().unwrap() = Duration::from_millis(200);
    let disable = async {
        while receiver.got().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        house.webhooks.disable("desk", &webhook.id).await.unwrap();
    };
    tokio::join!(house.deliver(), disable);
    assert_eq!(receiver.tickets(), ["T-1"]);
    assert!(house.webhook(&webhook.id).await.disabled_at.is_some());
}

#[tokio::test]
async fn in_a_process_that_stays_events_are_delivered_as_they_come_until_it_is_stopped() {
    let house = House::new();
    let (receiver, url) = Receiver::start().await;
    house.add(&url).await;
    let arrived = async {
        for number in 1..=3 {
            house.publish(&[&format!("T-{number}")]).await;
            while receiver.got().len() < number {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    let ports = house.webhooks.ports.clone();
    let (every, stop_time) = (Duration::from_millis(20), Duration::from_secs(5));
    deliver_until(ports, every, stop_time, arrived).await;
    assert_eq!(receiver.tickets(), ["T-1", "T-2", "T-3"]);
}
