//! The embedded adapters: what holds beyond the contract of the ports.

#![allow(clippy::unwrap_used, reason = "a test that meets a surprise stops")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Map, json};
use storage::embedded::{ChainSecrets, EmbeddedStore, EnvironmentSecrets, FileSecrets, StaticSecrets};
use storage::{
    Begin, Event, EventKind, EventLog, EventSink, EventWindow, IdempotencyStore, IntegrationStore,
    NewVersion, PollState, Secret, SecretStore, SecretWriter, StreamKey, StreamRecord, Swap, TicketVersion,
};

async fn text(store: &impl SecretStore, integration: &str, key: &str) -> Option<String> {
    store
        .secret(integration, key)
        .await
        .unwrap()
        .map(|secret| secret.expose().to_owned())
}

fn version(note: &str) -> NewVersion {
    NewVersion {
        files: BTreeMap::new(),
        settings: Map::new(),
        note: note.to_owned(),
        created_at: "2026-01-05T10:30:45Z".to_owned(),
        created_by: String::new(),
        replaces: None,
        streams: Vec::new(),
    }
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
        store.add("one", version("first")).await.unwrap();
        store.activate("one", Some(1), None).await.unwrap();
        store.begin("k", "f", later, now).await.unwrap();
        store.finish("k", later, json!({"id": 7}), later).await.unwrap();
    }
    let store = EmbeddedStore::open(&file).unwrap();
    assert_eq!(store.active("one").await.unwrap(), Some(1));
    assert_eq!(
        store.begin("k", "f", later, now).await.unwrap(),
        Begin::Replay(json!({"id": 7}))
    );
}

#[tokio::test]
async fn what_the_poller_knows_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    let began: Timestamp = "2026-01-05T10:30:45Z".parse().unwrap();
    let key = StreamKey {
        integration: "one".to_owned(),
        destination: None,
    };
    let event = || Event {
        event_id: "evt_1".to_owned(),
        kind: EventKind::Created,
        integration: "one".to_owned(),
        destination: None,
        ticket_id: "T-1".to_owned(),
        version: TicketVersion {
            updated_at: began,
            content: "0123".to_owned(),
            ordinal: 0,
        },
        window: EventWindow {
            start: began,
            end: began,
        },
        observed_at: began,
        ticket: Map::new(),
        changes: None,
        caused_by: None,
        omitted: Vec::new(),
    };
    {
        let store = EmbeddedStore::open(&file).unwrap();
        let record = StreamRecord::new(key.clone(), began, began);
        assert_eq!(store.store_stream(&record).await.unwrap(), Swap::Stored);
        store.publish(&[event()]).await.unwrap();
    }
    let store = EmbeddedStore::open(&file).unwrap();
    let record = store.stream(&key).await.unwrap().unwrap();
    assert_eq!((record.revision, record.watermark), (1, began));
    store.publish(&[event()]).await.unwrap();
    let read = EventLog::read(&store, "one", None, 10).await.unwrap();
    assert_eq!(read.len(), 1);
}

#[tokio::test]
async fn only_the_owner_may_read_the_state_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    let _store = EmbeddedStore::open(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Two handles hold the file's locks apart from each other, as two processes do.
#[tokio::test]
async fn what_one_process_writes_another_sees() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    let (server, command) = (
        EmbeddedStore::open(&file).unwrap(),
        EmbeddedStore::open(&file).unwrap(),
    );
    assert_eq!(server.active("one").await.unwrap(), None);
    command.add("one", version("first")).await.unwrap();
    command.activate("one", Some(1), None).await.unwrap();
    assert_eq!(server.active("one").await.unwrap(), Some(1));
    let read = server.version("one", 1).await.unwrap().unwrap();
    assert_eq!(read.content.note, "first");
    let swapped = server.activate("one", None, None).await;
    assert!(swapped.unwrap_err().is_conflict());
}

#[tokio::test]
async fn writers_of_two_processes_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    let stores = [
        EmbeddedStore::open(&file).unwrap(),
        EmbeddedStore::open(&file).unwrap(),
    ];
    let writers: Vec<_> = (0..20)
        .map(|index| {
            let store = stores[index % 2].clone();
            tokio::spawn(async move { store.add("one", version(&index.to_string())).await.unwrap() })
        })
        .collect();
    let mut numbers = Vec::new();
    for writer in writers {
        numbers.push(writer.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_state_file_that_is_kept_from_others_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.redb");
    // As a process opens it that shares it with nobody.
    let _alone = redb::Database::create(&file).unwrap();
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
    // A claim that ended without a result is remembered for a day.
    let next = 24 * 60 * 60 + 10;
    for index in 0..3 {
        store
            .begin(&format!("new-{index}"), "f", at(next + 90), at(next))
            .await
            .unwrap();
    }
    // A record that was deleted cannot be finished.
    let error = store
        .finish("old-0", at(1), json!(1), at(next + 90))
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    let finished = store
        .finish("new-0", at(next + 90), json!(1), at(next + 90))
        .await;
    assert!(finished.is_ok());
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
async fn secrets_that_are_set_are_there_at_once_and_for_the_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/secrets.json");
    let store = FileSecrets::open_optional(&path).unwrap();
    assert_eq!(text(&store, "one", "key").await, None);
    assert!(store.names("one").await.unwrap().is_empty());

    for (integration, key, value) in [
        ("one", "key", "abc"),
        ("one", "other", "\"quoted\"\n"),
        ("two", "key", "x"),
    ] {
        let secret = Secret::new(value.to_owned());
        store.set(integration, key, &secret).await.unwrap();
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(text(&store, "one", "key").await.as_deref(), Some("abc"));
    assert_eq!(
        text(&store, "one", "other").await.as_deref(),
        Some("\"quoted\"\n")
    );
    assert_eq!(store.names("one").await.unwrap(), ["key", "other"]);

    store
        .set("one", "key", &Secret::new("def".to_owned()))
        .await
        .unwrap();
    assert_eq!(text(&store, "one", "key").await.as_deref(), Some("def"));
    assert_eq!(text(&store, "two", "key").await.as_deref(), Some("x"));
}

#[tokio::test]
async fn secrets_do_not_go_through_a_file_or_link_that_others_made_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.json");
    let (before, elsewhere) = (
        folder.path().join("secrets.json.new"),
        folder.path().join("elsewhere"),
    );
    let store = FileSecrets::open_optional(&path).unwrap();

    fs::write(&before, "").unwrap();
    fs::set_permissions(&before, Permissions::from_mode(0o666)).unwrap();
    store
        .set("one", "key", &Secret::new("abc".to_owned()))
        .await
        .unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    fs::remove_file(&before).unwrap();
    fs::write(&elsewhere, "untouched").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &before).unwrap();
    store
        .set("one", "key", &Secret::new("def".to_owned()))
        .await
        .unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "untouched");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(text(&store, "one", "key").await.as_deref(), Some("def"));

    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "elsewhere",
            "secrets.json",
            "secrets.json.lock",
            "secrets.json.new"
        ]
    );
}

#[tokio::test]
async fn a_secrets_file_that_cannot_be_read_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileSecrets::open_optional(folder.path().join("secrets.json")).unwrap();
    let path = secrets_file(folder.path(), "{\"one\": {\"key\": \"abc\"", 0o600);
    let set = store.set("one", "other", &Secret::new("x".to_owned())).await;
    assert!(set.unwrap_err().is_configuration());
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"one\": {\"key\": \"abc\"");
}

#[tokio::test]
async fn secrets_set_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.json");
    let writers: Vec<_> = (0..10)
        .map(|index| {
            let store = FileSecrets::open_optional(&path).unwrap();
            tokio::spawn(async move {
                let secret = Secret::new(index.to_string());
                store.set("one", &format!("key_{index}"), &secret).await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let store = FileSecrets::open(&path).unwrap();
    assert_eq!(store.names("one").await.unwrap().len(), 10);
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
