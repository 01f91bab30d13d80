//! What every adapter of a port has to do: one function per rule, and per port a macro that makes a test of
//! each. `$make` is an expression that gives a fresh, empty adapter; it is evaluated once per test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets a surprise stops"
)]

/// Makes a `#[tokio::test]` of each named rule.
#[macro_export]
macro_rules! contract_tests {
    ($port:ident, $make:expr, $($rule:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $rule() {
            $crate::contract::$port::$rule(&$make).await;
        })+
    };
}

/// The tests of an [`IntegrationStore`](crate::IntegrationStore).
#[macro_export]
macro_rules! integration_store_contract {
    ($make:expr) => {
        $crate::contract_tests!(
            integrations,
            $make,
            versions_count_up_per_integration,
            a_version_is_read_back_as_it_was_written,
            nothing_is_active_at_first,
            the_pointer_moves_only_from_what_was_expected,
            a_version_that_does_not_exist_cannot_be_active,
            an_integration_can_be_switched_off,
        );
    };
}

/// The tests of an [`IdempotencyStore`](crate::IdempotencyStore).
#[macro_export]
macro_rules! idempotency_store_contract {
    ($make:expr) => {
        $crate::contract_tests!(
            idempotency,
            $make,
            a_free_key_is_claimed_once,
            a_finished_request_is_replayed_until_its_time_is_over,
            a_result_of_null_is_a_result,
            another_request_under_the_same_key_is_a_conflict,
            a_claim_whose_deadline_passed_is_free,
            an_abandoned_key_is_free,
            a_claim_that_is_over_touches_nothing,
            a_finished_key_cannot_be_abandoned,
            a_key_that_was_never_claimed_cannot_be_finished,
            of_many_claims_at_once_one_wins,
        );
    };
}

/// The tests of a [`RateBudget`](crate::RateBudget).
#[macro_export]
macro_rules! rate_budget_contract {
    ($make:expr) => {
        $crate::contract_tests!(
            budget,
            $make,
            no_more_than_the_limit_is_granted,
            integrations_do_not_share_a_budget,
            the_wait_it_names_is_enough,
            a_limit_of_zero_grants_nothing,
        );
    };
}

/// Rules of an integration store.
pub mod integrations {
    use std::collections::BTreeMap;

    use serde_json::json;

    use crate::{IntegrationStore, NewVersion};

    fn content(note: &str) -> NewVersion {
        NewVersion {
            files: BTreeMap::from([("integration.yaml".to_owned(), format!("name: {note}\n"))]),
            settings: json!({"z": 1, "a": {"b": null}}).as_object().unwrap().clone(),
            note: note.to_owned(),
            created_at: "2026-01-05T10:30:45Z".to_owned(),
        }
    }

    /// Numbers start at 1 and do not depend on other integrations.
    pub async fn versions_count_up_per_integration(store: &impl IntegrationStore) {
        assert_eq!(store.add("one", content("a")).await.unwrap(), 1);
        assert_eq!(store.add("one", content("b")).await.unwrap(), 2);
        assert_eq!(store.add("one-more", content("c")).await.unwrap(), 1);
        assert_eq!(store.versions("one").await.unwrap(), [1, 2]);
        assert_eq!(store.versions("other").await.unwrap(), [0_u64; 0]);
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
        assert_eq!(store.active("one").await.unwrap().unwrap().version, 1);
        store.activate("one", Some(2), Some(1)).await.unwrap();
        assert_eq!(store.active("one").await.unwrap().unwrap().content, content("b"));
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
        assert_eq!(store.versions("one").await.unwrap(), [1]);
    }
}

/// Rules of an idempotency store.
pub mod idempotency {
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

    /// Whoever claimed it has died; deletion need not have happened.
    pub async fn a_claim_whose_deadline_passed_is_free(store: &impl IdempotencyStore) {
        store.begin("k", "f", at(30), at(0)).await.unwrap();
        assert_eq!(
            store.begin("k", "f", at(90), at(31)).await.unwrap(),
            Begin::Started
        );
        assert_eq!(
            store.begin("k", "f", at(90), at(32)).await.unwrap(),
            Begin::InProgress { until: at(90) }
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
}

/// Rules of a rate budget.
pub mod budget {
    use std::time::Duration;

    use crate::{Budget, RateBudget, RateLimit};

    const THREE_A_MINUTE: RateLimit = RateLimit {
        requests: 3,
        per: Duration::from_secs(60),
    };

    /// The one after the last is told to wait, at most a window.
    pub async fn no_more_than_the_limit_is_granted(budget: &impl RateBudget) {
        for _ in 0..3 {
            assert_eq!(budget.take("one", THREE_A_MINUTE).await.unwrap(), Budget::Granted);
        }
        let Budget::Exhausted { retry_after } = budget.take("one", THREE_A_MINUTE).await.unwrap() else {
            panic!("a fourth request was granted");
        };
        assert!(retry_after > Duration::ZERO && retry_after <= THREE_A_MINUTE.per);
    }

    /// A busy integration does not stop another.
    pub async fn integrations_do_not_share_a_budget(budget: &impl RateBudget) {
        for _ in 0..3 {
            budget.take("one", THREE_A_MINUTE).await.unwrap();
        }
        assert_eq!(budget.take("two", THREE_A_MINUTE).await.unwrap(), Budget::Granted);
    }

    /// After `retry_after` a request is granted.
    pub async fn the_wait_it_names_is_enough(budget: &impl RateBudget) {
        let limit = RateLimit {
            requests: 1,
            per: Duration::from_millis(50),
        };
        assert_eq!(budget.take("one", limit).await.unwrap(), Budget::Granted);
        if let Budget::Exhausted { retry_after } = budget.take("one", limit).await.unwrap() {
            tokio::time::sleep(retry_after).await;
            assert_eq!(budget.take("one", limit).await.unwrap(), Budget::Granted);
        }
    }

    /// And does not divide by it.
    pub async fn a_limit_of_zero_grants_nothing(budget: &impl RateBudget) {
        let limit = RateLimit {
            requests: 0,
            per: Duration::from_secs(1),
        };
        assert!(matches!(
            budget.take("one", limit).await.unwrap(),
            Budget::Exhausted { .. }
        ));
    }
}
