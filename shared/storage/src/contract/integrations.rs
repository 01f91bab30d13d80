//! Rules of an integration store.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{IntegrationStore, NewVersion, ScheduledStream, VersionInfo};

fn content(note: &str) -> NewVersion {
    NewVersion {
        files: BTreeMap::from([("integration.yaml".to_owned(), format!("name: {note}\n"))]),
        settings: json!({"z": 1, "a": {"b": null}}).as_object().unwrap().clone(),
        note: note.to_owned(),
        created_at: "2026-01-05T10:30:45Z".to_owned(),
        created_by: "molly@laptop".to_owned(),
        replaces: Some(7),
        streams: vec![ScheduledStream {
            destination: None,
            interval_seconds: 30,
        }],
    }
}

async fn numbers(store: &impl IntegrationStore, name: &str) -> Vec<u64> {
    let versions = store.versions(name).await.unwrap();
    versions.iter().map(|info| info.version).collect()
}

/// Numbers start at 1 and do not depend on other integrations.
pub async fn versions_count_up_per_integration(store: &impl IntegrationStore) {
    assert_eq!(store.add("one", content("a")).await.unwrap(), 1);
    assert_eq!(store.add("one", content("b")).await.unwrap(), 2);
    assert_eq!(store.add("one-more", content("c")).await.unwrap(), 1);
    assert_eq!(numbers(store, "one").await, [1, 2]);
    assert_eq!(numbers(store, "other").await, [0_u64; 0]);
}

/// Nothing of a version is lost, the order of its settings included.
pub async fn a_version_is_read_back_as_it_was_written(store: &impl IntegrationStore) {
    let version = store.add("one", content("a")).await.unwrap();
    let read = store.version("one", version).await.unwrap().unwrap();
    assert_eq!((read.name.as_str(), read.version), ("one", version));
    assert_eq!(read.content, content("a"));
    assert_eq!(read.content.settings.keys().collect::<Vec<_>>(), ["z", "a"]);
    assert!(store.version("one", version + 1).await.unwrap().is_none());
}

/// A list of versions tells them apart without reading them: the digest is that of the content alone.
pub async fn versions_are_described(store: &impl IntegrationStore) {
    store.add("one", content("a")).await.unwrap();
    let mut again = content("a");
    again.note = "the same once more".to_owned();
    store.add("one", again.clone()).await.unwrap();
    let versions = store.versions("one").await.unwrap();
    assert_eq!(
        versions,
        [VersionInfo::of(1, &content("a")), VersionInfo::of(2, &again)]
    );
    assert_eq!(versions[0].digest, versions[1].digest);
    assert_ne!(versions[0].digest, content("b").digest());
}

/// Two writers get two numbers, and each its own version.
pub async fn writers_at_once_get_versions_of_their_own(store: &impl IntegrationStore) {
    let (a, b, c) = tokio::join!(
        store.add("one", content("a")),
        store.add("one", content("b")),
        store.add("one", content("c")),
    );
    let mut got = Vec::new();
    for (number, note) in [(a, "a"), (b, "b"), (c, "c")] {
        let number = number.unwrap();
        assert_eq!(
            store.version("one", number).await.unwrap().unwrap().content,
            content(note)
        );
        got.push(number);
    }
    got.sort_unstable();
    assert_eq!(got, [1, 2, 3]);
}

/// Of two that swap the pointer from the same state, one wins.
pub async fn one_of_two_swaps_wins(store: &impl IntegrationStore) {
    store.add("one", content("a")).await.unwrap();
    store.add("one", content("b")).await.unwrap();
    let (a, b) = tokio::join!(
        store.activate("one", Some(1), None),
        store.activate("one", Some(2), None),
    );
    assert!(a.is_ok() != b.is_ok());
    assert!(a.err().or(b.err()).unwrap().is_conflict());
}

/// Adding a version does not make it active.
pub async fn nothing_is_active_at_first(store: &impl IntegrationStore) {
    store.add("one", content("a")).await.unwrap();
    assert!(store.active("one").await.unwrap().is_none());
    assert!(store.all_active().await.unwrap().is_empty());
}

/// A swap with a wrong expectation changes nothing.
pub async fn the_pointer_moves_only_from_what_was_expected(store: &impl IntegrationStore) {
    store.add("one", content("a")).await.unwrap();
    store.add("one", content("b")).await.unwrap();
    store.activate("one", Some(1), None).await.unwrap();
    assert!(
        store
            .activate("one", Some(2), None)
            .await
            .unwrap_err()
            .is_conflict()
    );
    assert!(
        store
            .activate("one", Some(2), Some(7))
            .await
            .unwrap_err()
            .is_conflict()
    );
    assert_eq!(store.active("one").await.unwrap(), Some(1));
    store.activate("one", Some(2), Some(1)).await.unwrap();
    assert_eq!(store.active("one").await.unwrap(), Some(2));
    assert_eq!(store.all_active().await.unwrap(), [("one".to_owned(), 2)]);
}

/// The pointer never points at nothing.
pub async fn a_version_that_does_not_exist_cannot_be_active(store: &impl IntegrationStore) {
    assert!(
        store
            .activate("one", Some(1), None)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(store.active("one").await.unwrap().is_none());
}

/// No active version, and the versions stay.
pub async fn an_integration_can_be_switched_off(store: &impl IntegrationStore) {
    store.add("one", content("a")).await.unwrap();
    store.activate("one", Some(1), None).await.unwrap();
    store.activate("one", None, Some(1)).await.unwrap();
    assert!(store.active("one").await.unwrap().is_none());
    assert_eq!(numbers(store, "one").await, [1]);
}

fn polled(note: &str, streams: &[(Option<&str>, u32)]) -> NewVersion {
    let mut version = content(note);
    version.streams = streams
        .iter()
        .map(|(destination, interval_seconds)| ScheduledStream {
            destination: destination.map(str::to_owned),
            interval_seconds: *interval_seconds,
        })
        .collect();
    version
}

/// From the activation of a version to that of another one, to none.
pub async fn what_is_polled_follows_the_active_version(store: &impl IntegrationStore) {
    let first = polled("a", &[(None, 30)]);
    let second = polled("b", &[(Some("it"), 10), (Some("hr"), 3600)]);
    store.add("two", polled("c", &[(None, 60)])).await.unwrap();
    store.add("one", first.clone()).await.unwrap();
    store.add("one", second.clone()).await.unwrap();
    assert!(store.scheduled().await.unwrap().is_empty());

    store.activate("two", Some(1), None).await.unwrap();
    store.activate("one", Some(1), None).await.unwrap();
    let of_two = ("two".to_owned(), polled("c", &[(None, 60)]).streams);
    let scheduled = store.scheduled().await.unwrap();
    assert_eq!(
        scheduled,
        [("one".to_owned(), first.streams.clone()), of_two.clone()]
    );

    store.activate("one", Some(2), Some(1)).await.unwrap();
    let scheduled = store.scheduled().await.unwrap();
    assert_eq!(scheduled, [("one".to_owned(), second.streams), of_two.clone()]);

    store.activate("one", Some(1), Some(2)).await.unwrap();
    let scheduled = store.scheduled().await.unwrap();
    assert_eq!(scheduled, [("one".to_owned(), first.streams), of_two.clone()]);

    store.activate("one", None, Some(1)).await.unwrap();
    assert_eq!(store.scheduled().await.unwrap(), [of_two]);
}

/// And is not in the way of those that have some.
pub async fn an_integration_without_streams_is_not_polled(store: &impl IntegrationStore) {
    store.add("one", polled("a", &[])).await.unwrap();
    store.add("one", polled("b", &[(None, 30)])).await.unwrap();
    store.add("two", polled("c", &[])).await.unwrap();
    store.activate("one", Some(1), None).await.unwrap();
    store.activate("two", Some(1), None).await.unwrap();
    assert!(store.scheduled().await.unwrap().is_empty());
    store.activate("one", Some(2), Some(1)).await.unwrap();
    assert_eq!(store.scheduled().await.unwrap().len(), 1);
    store.activate("one", Some(1), Some(2)).await.unwrap();
    assert!(store.scheduled().await.unwrap().is_empty());
}
