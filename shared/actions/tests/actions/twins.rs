//! The same write twice at once: the second waits for the answer of the first.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use actions::{Gateway, RequestMeta, TasAction};
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;
use storage::{Begin, IdempotencyStore, StorageError};

use tokio::time::Instant;

use crate::support::{DESK, Upstream, client, install, record};

/// A store in which somebody else carries the write out.
struct SomebodyElse {
    /// What `begin` says, the last one for ever.
    says: Mutex<Vec<Begin>>,
    /// Until when it says the first.
    first_until: Mutex<Option<Instant>>,
    asked: AtomicUsize,
    freed: AtomicUsize,
}

impl SomebodyElse {
    fn frees_after(&self, time: Duration) {
        *self.first_until.lock().unwrap() = Some(Instant::now() + time);
    }

    fn new(says: Vec<Begin>) -> Arc<Self> {
        Arc::new(SomebodyElse {
            says: Mutex::new(says),
            first_until: Mutex::default(),
            asked: AtomicUsize::new(0),
            freed: AtomicUsize::new(0),
        })
    }
}

#[async_trait::async_trait]
impl IdempotencyStore for SomebodyElse {
    async fn begin(&self, _: &str, _: &str, _: SystemTime, _: SystemTime) -> Result<Begin, StorageError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut says = self.says.lock().unwrap();
        let stays = self
            .first_until
            .lock()
            .unwrap()
            .is_some_and(|until| Instant::now() < until);
        let timed = self.first_until.lock().unwrap().is_some();
        Ok(match says.len() {
            1 => says[0].clone(),
            _ if stays => says[0].clone(),
            _ if timed => says[1].clone(),
            _ => says.remove(0),
        })
    }

    async fn finish(&self, _: &str, _: SystemTime, _: Value, _: SystemTime) -> Result<(), StorageError> {
        panic!("nothing was carried out here")
    }

    async fn abandon(&self, _: &str, _: SystemTime) -> Result<(), StorageError> {
        self.freed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn in_progress(seconds: u64) -> Begin {
    Begin::InProgress {
        until: SystemTime::now() + Duration::from_secs(seconds),
    }
}

/// A gateway whose ticketing system is not there: nothing may be sent. Its actions may take 2 seconds.
fn gateway(store: Arc<SomebodyElse>) -> Gateway {
    Gateway::builder(client())
        .integration(install(DESK, json!({"base_url": "http://127.0.0.1:9"})))
        .idempotency(store)
        .build()
        .unwrap()
}

async fn change(gateway: &Gateway) -> Result<Value, actions::ApiError> {
    let request = RequestMeta {
        request_id: "r".to_owned(),
        action_instance_id: Some("k1".to_owned()),
    };
    let input = json!({"ticket_id": "IT-7", "payload": {"a": 1}});
    gateway
        .perform("desk", TasAction::UpdateTicketFields, input, &request)
        .await
}

#[tokio::test(start_paused = true)]
async fn the_second_waits_for_the_answer_of_the_first() {
    let mut says = vec![in_progress(7); 3];
    says.push(Begin::Replay(json!({"answer": {"raw_ticket": 7}})));
    let store = SomebodyElse::new(says);
    let begun = Instant::now();
    let answer = change(&gateway(Arc::clone(&store))).await.unwrap();
    assert_eq!(answer, json!({"raw_ticket": 7}));
    assert_eq!(store.asked.load(Ordering::SeqCst), 4);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn it_waits_no_longer_than_its_action_may_take() {
    let store = SomebodyElse::new(vec![in_progress(7)]);
    let begun = Instant::now();
    let error = change(&gateway(Arc::clone(&store))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "CONFLICT", "{error}");
    let waited = begun.elapsed();
    assert!(
        waited <= Duration::from_secs(2) && waited > Duration::from_secs(1),
        "{waited:?}"
    );
    assert!(
        error.retry_after().unwrap() > Duration::from_secs(4),
        "{:?}",
        error.retry_after()
    );
    // 50, 100, 200 ... ms up to a second: not once a millisecond.
    assert!(store.asked.load(Ordering::SeqCst) < 12);
}

#[tokio::test(start_paused = true)]
async fn it_does_not_take_over_what_it_has_no_time_for() {
    // The first frees the key when more than half of the time of the second is over.
    let store = SomebodyElse::new(vec![in_progress(7), Begin::Started]);
    store.frees_after(Duration::from_millis(1100));
    let error = change(&gateway(Arc::clone(&store))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "CONFLICT", "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(store.freed.load(Ordering::SeqCst), 1);

    // The first died, and its claim ends late in the time of the second.
    let store = SomebodyElse::new(vec![Begin::InProgress {
        until: SystemTime::now() + Duration::from_millis(1500),
    }]);
    let begun = Instant::now();
    let error = change(&gateway(Arc::clone(&store))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "CONFLICT", "{error}");
    assert!(
        begun.elapsed() < Duration::from_millis(1500),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn fifty_at_once_are_one_write_and_fifty_equal_answers() {
    let upstream = Upstream::start(|seen| {
        // Long enough for all of them to come while the first is under way.
        std::thread::sleep(Duration::from_millis(100));
        record(seen)
    })
    .await;
    let gateway = Arc::new(
        Gateway::builder(client())
            .integration(install(DESK, json!({"base_url": upstream.address})))
            .idempotency(Arc::new(EmbeddedStore::in_memory().unwrap()))
            .build()
            .unwrap(),
    );
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let gateway = Arc::clone(&gateway);
            tokio::spawn(async move { change(&gateway).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    assert_eq!(upstream.lines(), ["PATCH /records/IT-7"]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}
