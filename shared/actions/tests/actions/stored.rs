//! Integrations from a store: versions come and go, the store fails and is slow, and calls are served all the while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use actions::{ErrorCode, Installations, Stored};
use serde_json::Map;
use storage::{IntegrationStore, IntegrationVersion, NewVersion, ScheduledStream, StorageError, VersionInfo};

const REFRESH: Duration = Duration::from_secs(30);

/// A store with one integration, that does what a test tells it.
#[derive(Default)]
struct Shelf(Mutex<State>);

#[derive(Default)]
struct State {
    versions: BTreeMap<u64, NewVersion>,
    active: Option<u64>,
    fails: bool,
    takes: Duration,
    asked_active: usize,
    asked_version: usize,
}

impl Shelf {
    fn push(&self, yaml: &str) -> u64 {
        let mut state = self.0.lock().unwrap();
        let number = state.versions.len() as u64 + 1;
        let content = NewVersion {
            files: BTreeMap::from([("integration.yaml".to_owned(), yaml.to_owned())]),
            settings: Map::new(),
            note: String::new(),
            created_at: "2026-01-05T10:00:00Z".to_owned(),
            created_by: String::new(),
            replaces: None,
            streams: Vec::new(),
        };
        state.versions.insert(number, content);
        state.active = Some(number);
        number
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    fn asked(&self) -> (usize, usize) {
        let state = self.0.lock().unwrap();
        (state.asked_active, state.asked_version)
    }

    /// Takes its time, then fails where it was told to.
    async fn answer<T>(&self, answer: impl FnOnce(&mut State) -> T) -> Result<T, StorageError> {
        let takes = self.0.lock().unwrap().takes;
        tokio::time::sleep(takes).await;
        let mut state = self.0.lock().unwrap();
        if state.fails {
            return Err(StorageError::unavailable(
                "cannot read the table secret-table",
                "throttled",
            ));
        }
        Ok(answer(&mut state))
    }
}

#[async_trait::async_trait]
impl IntegrationStore for Shelf {
    async fn add(&self, _: &str, _: NewVersion) -> Result<u64, StorageError> {
        panic!("serving adds nothing")
    }

    async fn version(&self, name: &str, version: u64) -> Result<Option<IntegrationVersion>, StorageError> {
        self.set(|state| state.asked_version += 1);
        self.answer(|state| {
            state.versions.get(&version).map(|content| IntegrationVersion {
                name: name.to_owned(),
                version,
                content: content.clone(),
            })
        })
        .await
    }

    async fn versions(&self, _: &str) -> Result<Vec<VersionInfo>, StorageError> {
        panic!("serving lists nothing")
    }

    async fn active(&self, name: &str) -> Result<Option<u64>, StorageError> {
        self.set(|state| state.asked_active += 1);
        self.answer(|state| state.active.filter(|_| name == "it")).await
    }

    async fn all_active(&self) -> Result<Vec<(String, u64)>, StorageError> {
        self.answer(|state| {
            state
                .active
                .map(|version| ("it".to_owned(), version))
                .into_iter()
                .collect()
        })
        .await
    }

    async fn scheduled(&self) -> Result<Vec<(String, Vec<ScheduledStream>)>, StorageError> {
        Ok(Vec::new())
    }

    async fn activate(&self, _: &str, _: Option<u64>, _: Option<u64>) -> Result<(), StorageError> {
        panic!("serving activates nothing")
    }
}

/// An integration that loads; its YAML has a name of its own.
fn yaml(description: &str) -> String {
    format!(
        "name: desk\ndescription: {description}\nconnector: {{base_url: https://desk.example.com}}\n\
         http_actions: {{}}\nactions: {{query_ticket_by_id: {{return: {{output_mapper: data.context}}}}}}\n"
    )
}

fn stored() -> (Arc<Shelf>, Arc<Stored>) {
    let shelf = Arc::new(Shelf::default());
    let stored = Arc::new(Stored::new(
        Arc::clone(&shelf) as Arc<dyn IntegrationStore>,
        REFRESH,
    ));
    (shelf, stored)
}

async fn version(stored: &Stored) -> Option<u64> {
    let found = stored.find("it").await.unwrap()?;
    found.version
}

async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}

#[tokio::test(start_paused = true)]
async fn an_integration_goes_by_the_name_it_is_stored_under() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    let found = stored.find("it").await.unwrap().unwrap();
    assert_eq!(found.name(), "it");
    assert_eq!(found.installation.connector.integration, "it");
    assert_eq!(stored.known(), ["it"]);
    assert!(stored.find("desk").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_new_version_is_served_once_the_refresh_time_is_over() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    assert_eq!(version(&stored).await, Some(1));
    shelf.push(&yaml("two"));
    pass(REFRESH - Duration::from_millis(1)).await;
    assert_eq!(version(&stored).await, Some(1));
    assert_eq!(shelf.asked(), (1, 1), "nothing is asked for in the meantime");
    pass(Duration::from_millis(1)).await;
    assert_eq!(version(&stored).await, Some(2));
    pass(REFRESH).await;
    assert_eq!(version(&stored).await, Some(2));
    assert_eq!(shelf.asked(), (3, 2), "the same version is not loaded again");

    shelf.set(|state| state.active = Some(1));
    pass(REFRESH).await;
    assert_eq!(version(&stored).await, Some(1), "back to the first");

    shelf.set(|state| state.active = None);
    pass(REFRESH).await;
    assert_eq!(version(&stored).await, None, "none is active any more");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_leaves_the_last_good_version() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    assert_eq!(version(&stored).await, Some(1));
    shelf.push(&yaml("two"));
    shelf.set(|state| state.fails = true);
    pass(REFRESH).await;
    assert_eq!(version(&stored).await, Some(1));
    let asked = shelf.asked().0;
    assert_eq!(version(&stored).await, Some(1));
    assert_eq!(shelf.asked().0, asked, "it is left alone for a moment");

    shelf.set(|state| state.fails = false);
    pass(Duration::from_secs(1)).await;
    assert_eq!(version(&stored).await, Some(2), "and asked again soon");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_less_and_less_often() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    shelf.set(|state| state.fails = true);
    for _ in 0..600 {
        let error = stored.find("it").await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InternalServerError);
        pass(Duration::from_secs(1)).await;
    }
    let asked = shelf.asked().0;
    assert!((20..60).contains(&asked), "{asked} times in 10 minutes");
}

#[tokio::test(start_paused = true)]
async fn without_a_version_the_error_is_safe_and_says_when_to_come_back() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    shelf.set(|state| state.fails = true);
    let error = stored.find("it").await.unwrap_err();
    assert!(!error.message().contains("secret-table"), "{error}");
    assert!(error.retry_after().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_delays_a_call_for_two_seconds_and_no_more() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    assert_eq!(version(&stored).await, Some(1));
    shelf.set(|state| state.takes = Duration::from_secs(60));
    pass(REFRESH).await;
    let asked = tokio::time::Instant::now();
    assert_eq!(version(&stored).await, Some(1));
    assert_eq!(asked.elapsed().as_secs(), 2);
    let again = tokio::time::Instant::now();
    assert_eq!(version(&stored).await, Some(1));
    assert_eq!(again.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_load_once() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    shelf.set(|state| state.takes = Duration::from_millis(100));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let stored = Arc::clone(&stored);
            tokio::spawn(async move { version(&stored).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Some(1));
    }
    assert_eq!(shelf.asked(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn while_one_call_asks_the_others_are_served_at_once() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    assert_eq!(version(&stored).await, Some(1));
    shelf.push(&yaml("two"));
    shelf.set(|state| state.takes = Duration::from_millis(100));
    pass(REFRESH).await;
    let first = tokio::spawn({
        let stored = Arc::clone(&stored);
        async move { version(&stored).await }
    });
    tokio::task::yield_now().await;
    let asked = tokio::time::Instant::now();
    assert_eq!(version(&stored).await, Some(1));
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert_eq!(first.await.unwrap(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_knows_is_asked_for_once_in_five_seconds() {
    let (shelf, stored) = stored();
    for _ in 0..10 {
        assert!(stored.find("typo").await.unwrap().is_none());
    }
    assert_eq!(shelf.asked(), (1, 0));
    pass(Duration::from_secs(5)).await;
    assert!(stored.find("typo").await.unwrap().is_none());
    assert_eq!(shelf.asked(), (2, 0));
    for name in ["", "a", "UPPER", "a/b", "../x", &"a".repeat(64)] {
        assert!(stored.find(name).await.unwrap().is_none());
    }
    assert_eq!(shelf.asked(), (2, 0), "what can be no name is not asked for");
    assert_eq!(stored.known(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_does_not_load_leaves_the_last_good_one() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    assert_eq!(version(&stored).await, Some(1));
    shelf.push("name: desk\nno: integration");
    for _ in 0..3 {
        pass(REFRESH).await;
        assert_eq!(version(&stored).await, Some(1));
    }
    assert_eq!(shelf.asked(), (4, 2), "it is not loaded again and again");
    shelf.push(&yaml("three"));
    pass(REFRESH).await;
    assert_eq!(version(&stored).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_first_version_that_does_not_load_is_an_error_that_tells_the_caller_nothing_of_it() {
    let (shelf, stored) = stored();
    shelf.push("name: desk\nhidden_word: 1");
    let error = stored.find("it").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InternalServerError);
    assert!(!error.message().contains("hidden_word"), "{error}");
    assert!(error.message().contains("log"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn warming_loads_what_is_active_before_the_first_call() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    stored.warm(10).await.unwrap();
    assert_eq!(stored.known(), ["it"]);
    assert_eq!(version(&stored).await, Some(1));
    assert_eq!(shelf.asked(), (0, 1));

    let (shelf, stored) = self::stored();
    shelf.push(&yaml("one"));
    stored.warm(0).await.unwrap();
    assert_eq!(stored.known(), [""; 0]);
    shelf.set(|state| state.fails = true);
    assert!(stored.warm(10).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_gateway_serves_what_is_stored() {
    let (shelf, stored) = stored();
    shelf.push(&yaml("one"));
    let gateway = actions::Gateway::builder(crate::support::client())
        .installations(stored)
        .build()
        .unwrap();
    let answer = crate::support::get(&gateway, "/v1/it/tickets/1").await;
    assert_eq!(answer.status, 502, "its mapping gives no ticket: {answer:?}");
    let answer = crate::support::get(&gateway, "/v1/other/tickets/1").await;
    assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"));
    assert_eq!(gateway.integrations(), ["it"]);

    shelf.set(|state| state.fails = true);
    let answer = crate::support::get(&gateway, "/v1/it2/tickets/1").await;
    assert_eq!((answer.status, answer.code()), (500, "INTERNAL_SERVER_ERROR"));
    assert_eq!(answer.header("retry-after"), Some("1"));
}
