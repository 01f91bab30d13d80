//! The embedded adapters: what holds beyond the contract of the ports.

#![allow(clippy::unwrap_used, reason = "a test that meets a surprise stops")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, json};
use storage::embedded::{ChainSecrets, EmbeddedStore, EnvironmentSecrets, FileSecrets, StaticSecrets};
use storage::{Begin, IdempotencyStore, IntegrationStore, NewVersion, SecretStore};

async fn text(store: &impl SecretStore, integration: &str, key: &str) -> Option<String> {
    store
        .secret(integration, key)
        .await
        .unwrap()
        .map(|secret| secret.expose().to_owned())
}

fn secrets_file(folder: &Path, content: &str, mode: u32) -> PathBuf {
    let path = folder.join("secrets.json");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[tokio::test]
async fn the_state_file_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(60));
    {
        let store = EmbeddedStore::open(&file).unwrap();
        let content = NewVersion {
            files: BTreeMap::new(),
            settings: Map::new(),
            note: "first".to_owned(),
            created_at: "2026-01-05T10:30:45Z".to_owned(),
        };
        store.add("one", content).await.unwrap();
        store.activate("one", Some(1), None).await.unwrap();
        store.begin("k", "f", later, now).await.unwrap();
        store.finish("k", later, json!({"id": 7}), later).await.unwrap();
    }
    let store = EmbeddedStore::open(&file).unwrap();
    assert_eq!(store.active("one").await.unwrap().unwrap().content.note, "first");
    assert_eq!(
        store.begin("k", "f", later, now).await.unwrap(),
        Begin::Replay(json!({"id": 7}))
    );
}

#[tokio::test]
async fn only_the_owner_may_read_the_state_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    let _store = EmbeddedStore::open(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_state_file_in_use_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    let _first = EmbeddedStore::open(&file).unwrap();
    let error = EmbeddedStore::open(&file).err().unwrap();
    assert!(error.is_locked());
    assert!(error.to_string().contains("in use by another process"), "{error}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_state_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "shopping list").unwrap();
    let error = EmbeddedStore::open(&file).err().unwrap();
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "shopping list");
}

#[tokio::test]
async fn records_that_are_over_are_deleted_as_new_ones_come() {
    let store = EmbeddedStore::in_memory().unwrap();
    let start = SystemTime::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    for index in 0..40 {
        store
            .begin(&format!("old-{index}"), "f", at(1), at(0))
            .await
            .unwrap();
    }
    for index in 0..3 {
        store
            .begin(&format!("new-{index}"), "f", at(100), at(10))
            .await
            .unwrap();
    }
    // A record that was deleted cannot be finished.
    let error = store.finish("old-0", at(1), json!(1), at(100)).await.unwrap_err();
    assert!(error.is_not_found());
    assert!(store.finish("new-0", at(100), json!(1), at(100)).await.is_ok());
}

#[tokio::test]
async fn secrets_of_the_environment_have_a_fixed_name() {
    assert_eq!(
        EnvironmentSecrets::variable("request-tracker", "api_key"),
        "TICKET_GATEWAY_SECRET_REQUEST_TRACKER_API_KEY"
    );
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let store = EnvironmentSecrets::from_variables([
        variable("TICKET_GATEWAY_SECRET_ONE_KEY", "abc"),
        variable("TICKET_GATEWAY_SECRET_ONE_EMPTY", ""),
    ]);
    assert_eq!(text(&store, "one", "key").await.as_deref(), Some("abc"));
    assert_eq!(text(&store, "one", "empty").await, None);
    assert_eq!(text(&store, "two", "key").await, None);
    assert_eq!(text(&EnvironmentSecrets::new(), "surely-not", "set").await, None);
}

#[tokio::test]
async fn secrets_of_a_file_are_read_again_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = secrets_file(folder.path(), r#"{"one": {"key": "abc"}}"#, 0o600);
    let store = FileSecrets::open(&path).unwrap();
    assert_eq!(text(&store, "one", "key").await.as_deref(), Some("abc"));
    assert_eq!(text(&store, "one", "other").await, None);
    assert_eq!(text(&store, "two", "key").await, None);
    fs::write(&path, r#"{"one": {"key": "def"}}"#).unwrap();
    assert_eq!(text(&store, "one", "key").await.as_deref(), Some("def"));
}

#[test]
fn a_secrets_file_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o644, 0o640, 0o604, 0o620] {
        let path = secrets_file(folder.path(), "{}", mode);
        let error = FileSecrets::open(&path).err().unwrap();
        assert!(error.is_configuration());
        let message = error.to_string();
        assert!(message.contains(&format!("mode {mode:04o}")), "{message}");
        assert!(message.contains("chmod 600"), "{message}");
    }
}

#[test]
fn a_bad_secrets_file_is_described_without_its_content() {
    let folder = tempfile::tempdir().unwrap();
    for content in [
        r#"{"one": {"key": 918273645}}"#,
        r#"{"one": "918273645"}"#,
        "918273645",
        "one: 918273645",
    ] {
        let path = secrets_file(folder.path(), content, 0o600);
        let message = FileSecrets::open(&path).err().unwrap().to_string();
        assert!(!message.contains("918273645"), "{message}");
        assert!(message.contains("line 1"), "{message}");
    }
    let missing = FileSecrets::open(folder.path().join("none.json")).err().unwrap();
    assert!(missing.to_string().contains("none.json"), "{missing}");
}

#[tokio::test]
async fn of_several_stores_the_first_that_has_the_secret_gives_it() {
    let chain = ChainSecrets::new(vec![
        Arc::new(StaticSecrets::new().with("one", "a", "first")),
        Arc::new(
            StaticSecrets::new()
                .with("one", "a", "second")
                .with("one", "b", "third"),
        ),
        Arc::new(EnvironmentSecrets::from_variables([])),
    ]);
    assert_eq!(text(&chain, "one", "a").await.as_deref(), Some("first"));
    assert_eq!(text(&chain, "one", "b").await.as_deref(), Some("third"));
    assert_eq!(text(&chain, "one", "c").await, None);
    assert_eq!(
        chain.how_to_set("one", "c").unwrap(),
        "set the environment variable TICKET_GATEWAY_SECRET_ONE_C"
    );
}
