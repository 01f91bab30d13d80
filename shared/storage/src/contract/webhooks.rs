//! Rules of a store of webhooks.

use jiff::Timestamp;

use crate::{EventCursor, Lease, Swap, Webhook, WebhookStore};

fn webhook(integration: &str, id: &str) -> Webhook {
    Webhook {
        id: id.to_owned(),
        integration: integration.to_owned(),
        url: "https://example.com/hook".to_owned(),
        revision: 0,
        created_at: time("2026-01-05T10:30:45.123456Z"),
        cursor: None,
        attempts: 0,
        not_before: None,
        failing_since: None,
        disabled_at: None,
        last_error: None,
        lease: None,
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Nothing of it is lost.
pub async fn a_webhook_is_read_back_as_it_was_written(store: &impl WebhookStore) {
    let mut full = Webhook {
        cursor: Some(EventCursor("0000000000000007".to_owned())),
        attempts: 3,
        not_before: Some(time("2026-01-05T11:00:00Z")),
        failing_since: Some(time("2026-01-05T10:59:00Z")),
        disabled_at: Some(time("2026-01-05T12:00:00Z")),
        last_error: Some("the receiver answered 500".to_owned()),
        lease: Some(Lease {
            owner: "a".to_owned(),
            until: time("2026-01-05T10:31:00Z"),
        }),
        ..webhook("one", "wh_1")
    };
    assert_eq!(store.store_webhook(&full).await.unwrap(), Swap::Stored);
    full.revision = 1;
    assert_eq!(store.webhooks(Some("one")).await.unwrap(), [full]);
}

/// Those of one, or all.
pub async fn webhooks_are_listed_by_integration_and_id(store: &impl WebhookStore) {
    assert!(store.webhooks(None).await.unwrap().is_empty());
    for (integration, id) in [
        ("one-more", "wh_1"),
        ("one", "wh_2"),
        ("two", "wh_1"),
        ("one", "wh_1"),
    ] {
        store.store_webhook(&webhook(integration, id)).await.unwrap();
    }
    let listed = async |integration: Option<&str>| -> Vec<(String, String)> {
        let webhooks = store.webhooks(integration).await.unwrap();
        let names = webhooks
            .into_iter()
            .map(|webhook| (webhook.integration, webhook.id));
        names.collect()
    };
    let named = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    assert_eq!(
        listed(None).await,
        named(&[
            ("one", "wh_1"),
            ("one", "wh_2"),
            ("one-more", "wh_1"),
            ("two", "wh_1")
        ])
    );
    assert_eq!(
        listed(Some("one")).await,
        named(&[("one", "wh_1"), ("one", "wh_2")])
    );
    assert!(listed(Some("three")).await.is_empty());
}

/// And a swap that comes too late changes nothing.
pub async fn a_webhook_is_stored_only_over_the_revision_it_was_read_at(store: &impl WebhookStore) {
    let mut ahead = webhook("one", "wh_1");
    ahead.revision = 1;
    assert_eq!(store.store_webhook(&ahead).await.unwrap(), Swap::Conflict);
    assert!(store.webhooks(None).await.unwrap().is_empty());

    let first = webhook("one", "wh_1");
    assert_eq!(store.store_webhook(&first).await.unwrap(), Swap::Stored);
    assert_eq!(store.store_webhook(&first).await.unwrap(), Swap::Conflict);
    ahead.attempts = 1;
    assert_eq!(store.store_webhook(&ahead).await.unwrap(), Swap::Stored);
    assert_eq!(store.store_webhook(&ahead).await.unwrap(), Swap::Conflict);
    let stored = store.webhooks(None).await.unwrap();
    assert_eq!((stored[0].revision, stored[0].attempts), (2, 1));
}

/// And its id is free.
pub async fn a_removed_webhook_is_gone(store: &impl WebhookStore) {
    store.store_webhook(&webhook("one", "wh_1")).await.unwrap();
    assert!(!store.remove_webhook("two", "wh_1").await.unwrap());
    assert!(store.remove_webhook("one", "wh_1").await.unwrap());
    assert!(!store.remove_webhook("one", "wh_1").await.unwrap());
    assert!(store.webhooks(None).await.unwrap().is_empty());
    let again = store.store_webhook(&webhook("one", "wh_1")).await.unwrap();
    assert_eq!(again, Swap::Stored);
}
