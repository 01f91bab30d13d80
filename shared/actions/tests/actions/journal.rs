//! The gateway notes its own writes to polled integrations, so that the poller can tell them from others.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actions::Gateway;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;
use storage::{JournalledWrite, StorageError, WriteJournal};

use crate::support::{Answer, DESK, Upstream, client, install, record, reply, send};

/// A journal that does what a test tells it.
#[derive(Clone, Default)]
struct Journal {
    notes: Arc<Mutex<Vec<(String, JournalledWrite)>>>,
    fails: bool,
    hangs: bool,
}

impl Journal {
    /// Ticket and request of each note.
    fn noted(&self) -> Vec<(String, String)> {
        let notes = self.notes.lock().unwrap();
        let noted = notes.iter().map(|(integration, write)| {
            assert_eq!(integration, "desk");
            (write.ticket_id.clone(), write.request_id.clone())
        });
        noted.collect()
    }
}

#[async_trait]
impl WriteJournal for Journal {
    async fn note(&self, integration: &str, write: &JournalledWrite) -> Result<(), StorageError> {
        if self.hangs {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        if self.fails {
            return Err(StorageError::unavailable("cannot write the journal", "throttled"));
        }
        self.notes
            .lock()
            .unwrap()
            .push((integration.to_owned(), write.clone()));
        Ok(())
    }

    async fn writes(&self, _: &str, _: &[&str]) -> Result<Vec<JournalledWrite>, StorageError> {
        panic!("only the poller reads it")
    }
}

fn gateway(upstream: &Upstream, journal: &Journal) -> Gateway {
    gateway_of(
        &format!("{DESK}\npolling: {{enabled: true}}\n"),
        upstream,
        journal,
    )
}

fn gateway_of(yaml: &str, upstream: &Upstream, journal: &Journal) -> Gateway {
    Gateway::builder(client())
        .integration(install(yaml, json!({"base_url": upstream.address})))
        .idempotency(Arc::new(EmbeddedStore::in_memory().unwrap()))
        .journal(Arc::new(journal.clone()))
        .build()
        .unwrap()
}

/// A call whose request id is `request`.
async fn write(gateway: &Gateway, request: &str, line: (&str, &str), body: Value) -> Answer {
    let (method, path) = line;
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/v1/desk{path}"))
        .header("x-request-id", request)
        .header("idempotency-key", "k1");
    send(gateway, request.body(Bytes::from(body.to_string())).unwrap()).await
}

fn noted(tickets: &[&str]) -> Vec<(String, String)> {
    tickets
        .iter()
        .map(|ticket| ((*ticket).to_owned(), "r-1".to_owned()))
        .collect()
}

const CHANGE: (&str, &str) = ("PATCH", "/tickets/IT-7");

#[tokio::test]
async fn a_write_is_noted_for_the_callers_id_and_for_the_tickets_own() {
    for (line, body, tickets) in [
        (CHANGE, json!({"payload": {"a": 1}}), &["IT-7", "7"][..]),
        (("PATCH", "/tickets/7"), json!({"payload": {"a": 1}}), &["7"]),
        (
            ("POST", "/tickets"),
            json!({"payload": {"short_description": "Dark"}}),
            &["7"],
        ),
        // Its ticket was read before, and so is known by its own id.
        (
            ("POST", "/tickets/IT-7/comments"),
            json!({"comment": "Hello"}),
            &["IT-7", "7"],
        ),
        (
            ("POST", "/tickets/IT-7/attachments"),
            json!({"file_name": "a.txt", "content": "aGVsbG8="}),
            &["IT-7"],
        ),
    ] {
        let upstream = Upstream::desk().await;
        let journal = Journal::default();
        let answer = write(&gateway(&upstream, &journal), "r-1", line, body).await;
        assert!(answer.status < 300, "{answer:?}");
        assert_eq!(journal.noted(), noted(tickets), "{line:?}");
    }
}

#[tokio::test]
async fn a_note_says_from_when_until_when_by_the_gateways_clock() {
    let upstream = Upstream::start(|seen| {
        std::thread::sleep(Duration::from_millis(20));
        record(seen)
    })
    .await;
    let journal = Journal::default();
    let before = Timestamp::now();
    write(
        &gateway(&upstream, &journal),
        "r-1",
        CHANGE,
        json!({"payload": {"a": 1}}),
    )
    .await;
    let after = Timestamp::now();
    let (_, note) = journal.notes.lock().unwrap().remove(0);
    assert!(before <= note.from && note.until <= after, "{note:?}");
    let took = note.until.duration_since(note.from);
    assert!(took.as_millis() >= 20, "{took:?}");
}

#[tokio::test]
async fn what_changed_nothing_is_not_noted_and_what_may_have_is() {
    for (status, tickets) in [(422, &[][..]), (500, &["IT-7"])] {
        let upstream = Upstream::start(move |_| reply(status, &json!({}))).await;
        let journal = Journal::default();
        let answer = write(
            &gateway(&upstream, &journal),
            "r-1",
            CHANGE,
            json!({"payload": {"a": 1}}),
        )
        .await;
        let outcome = answer.details()["outcome"].as_str().unwrap_or_default();
        assert_eq!(
            outcome,
            if status == 422 { "refused" } else { "unknown" },
            "{answer:?}"
        );
        assert_eq!(journal.noted(), noted(tickets), "{status}");
    }
    let upstream = Upstream::desk().await;
    let journal = Journal::default();
    let gateway = gateway(&upstream, &journal);
    assert_eq!(
        write(&gateway, "r-1", CHANGE, json!({"payload": 1})).await.status,
        400
    );
    assert_eq!(
        write(&gateway, "r-1", ("GET", "/tickets/IT-7"), Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(journal.noted(), noted(&[]));
}

#[tokio::test]
async fn an_answer_that_is_given_again_is_not_noted_again() {
    let upstream = Upstream::desk().await;
    let journal = Journal::default();
    let gateway = gateway(&upstream, &journal);
    write(&gateway, "r-1", CHANGE, json!({"payload": {"a": 1}})).await;
    let again = write(&gateway, "r-2", CHANGE, json!({"payload": {"a": 1}})).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(journal.noted(), noted(&["IT-7", "7"]));
}

#[tokio::test]
async fn without_polling_nothing_is_noted() {
    for polling in ["", "\npolling: {enabled: false}\n"] {
        let upstream = Upstream::desk().await;
        let journal = Journal::default();
        let gateway = gateway_of(&format!("{DESK}{polling}"), &upstream, &journal);
        write(&gateway, "r-1", CHANGE, json!({"payload": {"a": 1}})).await;
        assert_eq!(journal.noted(), noted(&[]));
    }
}

#[tokio::test]
async fn a_journal_that_fails_or_hangs_costs_the_action_a_second_at_most() {
    for (fails, hangs) in [(true, false), (false, true)] {
        let upstream = Upstream::desk().await;
        let journal = Journal {
            fails,
            hangs,
            ..Journal::default()
        };
        let begun = std::time::Instant::now();
        let answer = write(
            &gateway(&upstream, &journal),
            "r-1",
            CHANGE,
            json!({"payload": {"a": 1}}),
        )
        .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}
