//! Rules of an idempotency store.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{Begin, IdempotencyStore};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_000_000 + seconds)
}

/// The second claim learns until when the first one holds.
pub async fn a_free_key_is_claimed_once(store: &impl IdempotencyStore) {
    assert_eq!(
        store.begin("k", "f", at(30), at(0)).await.unwrap(),
        Begin::Started
    );
    let second = store.begin("k", "f", at(40), at(1)).await.unwrap();
    assert_eq!(second, Begin::InProgress { until: at(30) });
    assert_eq!(
        store.begin("other", "f", at(30), at(1)).await.unwrap(),
        Begin::Started
    );
}

/// The result is given again, then the key is free.
pub async fn a_finished_request_is_replayed_until_its_time_is_over(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    store
        .finish("k", at(30), json!({"id": "T-1"}), at(100))
        .await
        .unwrap();
    let replay = Begin::Replay(json!({"id": "T-1"}));
    assert_eq!(store.begin("k", "f", at(130), at(99)).await.unwrap(), replay);
    assert_eq!(
        store.begin("k", "f", at(130), at(101)).await.unwrap(),
        Begin::Started
    );
}

/// Null is not mistaken for "no result yet".
pub async fn a_result_of_null_is_a_result(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    store.finish("k", at(30), Value::Null, at(100)).await.unwrap();
    assert_eq!(
        store.begin("k", "f", at(30), at(1)).await.unwrap(),
        Begin::Replay(Value::Null)
    );
}

/// Both while it is in progress and after.
pub async fn another_request_under_the_same_key_is_a_conflict(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    assert_eq!(
        store.begin("k", "g", at(30), at(1)).await.unwrap(),
        Begin::Conflict
    );
    store.finish("k", at(30), json!(1), at(100)).await.unwrap();
    assert_eq!(
        store.begin("k", "g", at(30), at(1)).await.unwrap(),
        Begin::Conflict
    );
}

/// Whoever claimed it has died, and may have carried the request out; deletion need not have happened.
pub async fn a_claim_whose_deadline_passed_is_free(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    assert_eq!(
        store.begin("k", "f", at(90), at(31)).await.unwrap(),
        Begin::Resumed
    );
    assert_eq!(
        store.begin("k", "f", at(90), at(32)).await.unwrap(),
        Begin::InProgress { until: at(90) }
    );
}

/// Another request may use the key of one that died.
pub async fn a_dead_claim_says_nothing_of_another_request(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    assert_eq!(
        store.begin("k", "g", at(90), at(31)).await.unwrap(),
        Begin::Started
    );
}

/// However many other keys were claimed since.
pub async fn a_dead_claim_is_remembered(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    for other in 0..40 {
        store
            .begin(&format!("other-{other}"), "f", at(3000), at(2000))
            .await
            .unwrap();
    }
    assert_eq!(
        store.begin("k", "f", at(3600), at(2001)).await.unwrap(),
        Begin::Resumed
    );
}

/// The caller may try again at once.
pub async fn an_abandoned_key_is_free(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    store.abandon("k", at(30)).await.unwrap();
    assert_eq!(
        store.begin("k", "g", at(30), at(1)).await.unwrap(),
        Begin::Started
    );
    store.abandon("never claimed", at(30)).await.unwrap();
}

/// A writer that outlives its claim can neither end nor free the one that came after it.
pub async fn a_claim_that_is_over_touches_nothing(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    store.begin("k", "f", at(90), at(31)).await.unwrap();
    let late = store.finish("k", at(30), json!("late"), at(100)).await;
    assert!(late.unwrap_err().is_conflict());
    store.abandon("k", at(30)).await.unwrap();
    assert_eq!(
        store.begin("k", "f", at(120), at(32)).await.unwrap(),
        Begin::InProgress { until: at(90) }
    );
    store.finish("k", at(90), json!("ours"), at(200)).await.unwrap();
    assert_eq!(
        store.begin("k", "f", at(130), at(95)).await.unwrap(),
        Begin::Replay(json!("ours"))
    );
}

/// What was carried out stays carried out.
pub async fn a_finished_key_cannot_be_abandoned(store: &impl IdempotencyStore) {
    store.begin("k", "f", at(30), at(0)).await.unwrap();
    store.finish("k", at(30), json!(1), at(100)).await.unwrap();
    store.abandon("k", at(30)).await.unwrap();
    assert_eq!(
        store.begin("k", "f", at(30), at(1)).await.unwrap(),
        Begin::Replay(json!(1))
    );
}

/// A result belongs to a claim.
pub async fn a_key_that_was_never_claimed_cannot_be_finished(store: &impl IdempotencyStore) {
    assert!(
        store
            .finish("k", at(30), json!(1), at(100))
            .await
            .unwrap_err()
            .is_not_found()
    );
}

/// Claims are atomic.
pub async fn of_many_claims_at_once_one_wins(store: &impl IdempotencyStore) {
    let (a, b, c, d) = tokio::join!(
        store.begin("k", "f", at(30), at(0)),
        store.begin("k", "f", at(30), at(0)),
        store.begin("k", "f", at(30), at(0)),
        store.begin("k", "f", at(30), at(0)),
    );
    let started = [a, b, c, d]
        .into_iter()
        .filter(|claim| matches!(claim, Ok(Begin::Started)))
        .count();
    assert_eq!(started, 1);
}
