//! Rules of a store of callers' keys.

use crate::CallerKeyStore;
use crate::caller_key::{Access, Slot, generate, verify};

const NOW: &str = "2026-01-05T10:30:45Z";

/// And no other text does.
pub async fn a_key_is_known_by_its_text(store: &impl CallerKeyStore) {
    let (key, text) = generate(
        "teams-work",
        "portal",
        Slot::Primary,
        Access::ReadOnly,
        NOW.to_owned(),
    )
    .unwrap();
    assert_eq!(verify(store, text.expose()).await.unwrap(), None);
    store.add_key(key.clone()).await.unwrap();
    assert_eq!(verify(store, text.expose()).await.unwrap(), Some(key.clone()));
    let last = text.expose().chars().last().unwrap();
    let other = if last == 'A' { 'E' } else { 'A' };
    let forged = format!("{}{other}", &text.expose()[..text.expose().len() - 1]);
    for wrong in [forged.as_str(), "", "tgk", "tgk_teams-work_zzzzzzzz_x", &key.hash] {
        assert_eq!(verify(store, wrong).await.unwrap(), None, "{wrong}");
    }
}

/// The text is nowhere in what is stored.
pub async fn keys_are_listed_without_their_text(store: &impl CallerKeyStore) {
    let mut texts = Vec::new();
    for (integration, slot) in [
        ("one", Slot::Primary),
        ("one", Slot::Secondary),
        ("two", Slot::Primary),
    ] {
        let made = generate(integration, "portal", slot, Access::ReadWrite, NOW.to_owned());
        let (key, text) = made.unwrap();
        store.add_key(key).await.unwrap();
        texts.push(text);
    }
    let listed = store.keys("one").await.unwrap();
    assert_eq!(listed.len(), 2);
    let shown = format!("{listed:?}");
    for text in &texts {
        let secret = text.expose().splitn(4, '_').last().unwrap();
        assert!(!shown.contains(secret));
    }
    assert!(store.keys("three").await.unwrap().is_empty());
}

/// At once.
pub async fn a_removed_key_opens_nothing(store: &impl CallerKeyStore) {
    let made = generate("one", "portal", Slot::Primary, Access::ReadWrite, NOW.to_owned());
    let (key, text) = made.unwrap();
    store.add_key(key.clone()).await.unwrap();
    assert!(store.remove_key("one", &key.id).await.unwrap());
    assert!(!store.remove_key("one", &key.id).await.unwrap());
    assert_eq!(verify(store, text.expose()).await.unwrap(), None);
}

/// An id is not given twice.
pub async fn a_key_is_not_overwritten(store: &impl CallerKeyStore) {
    let made = generate("one", "portal", Slot::Primary, Access::ReadWrite, NOW.to_owned());
    let (key, _) = made.unwrap();
    store.add_key(key.clone()).await.unwrap();
    assert!(store.add_key(key).await.unwrap_err().is_conflict());
}
