//! What every adapter of a port has to do: one function per rule, and per port a macro that makes a test of
//! each. `$make` is an expression that gives a fresh, empty adapter; it is evaluated once per test, and may await.
//! Attributes after it are put on each test: `#[ignore = "…"]`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets a surprise stops"
)]

/// Makes a `#[tokio::test]` of each named rule.
#[macro_export]
macro_rules! contract_tests {
    ($port:ident, $make:expr, $attributes:tt, $($rule:ident),+ $(,)?) => {
        $($crate::contract_test!($port, $make, $attributes, $rule);)+
    };
}

/// Makes a `#[tokio::test]` of one rule.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_test {
    ($port:ident, $make:expr, [$($attribute:tt)*], $rule:ident) => {
        #[tokio::test]
        $($attribute)*
        async fn $rule() {
            $crate::contract::$port::$rule(&$make).await;
        }
    };
}

/// The tests of an [`IntegrationStore`](crate::IntegrationStore).
#[macro_export]
macro_rules! integration_store_contract {
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            integrations,
            $make,
            [$($($attribute)+)?],
            versions_count_up_per_integration,
            a_version_is_read_back_as_it_was_written,
            nothing_is_active_at_first,
            the_pointer_moves_only_from_what_was_expected,
            a_version_that_does_not_exist_cannot_be_active,
            an_integration_can_be_switched_off,
            versions_are_described,
            writers_at_once_get_versions_of_their_own,
            one_of_two_swaps_wins,
        );
    };
}

/// The tests of an [`IdempotencyStore`](crate::IdempotencyStore).
#[macro_export]
macro_rules! idempotency_store_contract {
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            idempotency,
            $make,
            [$($($attribute)+)?],
            a_free_key_is_claimed_once,
            a_finished_request_is_replayed_until_its_time_is_over,
            a_result_of_null_is_a_result,
            another_request_under_the_same_key_is_a_conflict,
            a_claim_whose_deadline_passed_is_free,
            a_dead_claim_says_nothing_of_another_request,
            a_dead_claim_is_remembered,
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
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            budget,
            $make,
            [$($($attribute)+)?],
            no_more_than_the_limit_is_granted,
            integrations_do_not_share_a_budget,
            the_wait_it_names_is_enough,
            a_limit_of_zero_grants_nothing,
            polls_leave_the_reserve_alone,
            a_refusal_stops_everybody_for_its_time,
            nothing_is_granted_when_the_system_says_nothing_remains,
            without_a_limit_only_the_word_of_the_system_blocks,
        );
    };
}

/// The tests of a [`CallerKeyStore`](crate::CallerKeyStore).
#[macro_export]
macro_rules! caller_key_store_contract {
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            keys,
            $make,
            [$($($attribute)+)?],
            a_key_is_known_by_its_text,
            keys_are_listed_without_their_text,
            a_removed_key_opens_nothing,
            a_key_is_not_overwritten,
        );
    };
}

/// Rules of an integration store.
pub mod integrations {
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
}

/// Rules of a rate budget.
pub mod budget {
    use std::time::Duration;

    use crate::{Budget, Lane, Observation, RateBudget, RateLimit};

    const THREE_A_MINUTE: RateLimit = RateLimit {
        requests: 3,
        per: Duration::from_secs(60),
        reserved: 1,
    };

    /// The one after the last is told to wait, at most a window, and a tenth where a process takes requests ahead.
    pub async fn no_more_than_the_limit_is_granted(budget: &impl RateBudget) {
        for _ in 0..3 {
            assert_eq!(
                budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap(),
                Budget::Granted
            );
        }
        let Budget::Exhausted { retry_after } =
            budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap()
        else {
            panic!("a fourth request was granted");
        };
        assert!(retry_after > Duration::ZERO && retry_after <= THREE_A_MINUTE.per.mul_f32(1.1));
    }

    /// A busy integration does not stop another.
    pub async fn integrations_do_not_share_a_budget(budget: &impl RateBudget) {
        for _ in 0..3 {
            budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
        }
        assert_eq!(
            budget.take("two", THREE_A_MINUTE, Lane::Action).await.unwrap(),
            Budget::Granted
        );
    }

    /// After `retry_after` a request is granted.
    pub async fn the_wait_it_names_is_enough(budget: &impl RateBudget) {
        let limit = RateLimit {
            requests: 1,
            per: Duration::from_millis(50),
            reserved: 0,
        };
        assert_eq!(
            budget.take("one", limit, Lane::Action).await.unwrap(),
            Budget::Granted
        );
        if let Budget::Exhausted { retry_after } = budget.take("one", limit, Lane::Action).await.unwrap() {
            tokio::time::sleep(retry_after).await;
            assert_eq!(
                budget.take("one", limit, Lane::Action).await.unwrap(),
                Budget::Granted
            );
        }
    }

    /// And does not divide by it.
    pub async fn a_limit_of_zero_grants_nothing(budget: &impl RateBudget) {
        let limit = RateLimit {
            requests: 0,
            per: Duration::from_secs(1),
            reserved: 0,
        };
        assert!(matches!(
            budget.take("one", limit, Lane::Action).await.unwrap(),
            Budget::Exhausted { .. }
        ));
    }

    /// The poller leaves the reserve to those who wait.
    pub async fn polls_leave_the_reserve_alone(budget: &impl RateBudget) {
        let mut granted = 0;
        while budget.take("one", THREE_A_MINUTE, Lane::Poll).await.unwrap() == Budget::Granted {
            granted += 1;
        }
        assert_eq!(granted, 2);
        let action = budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
        assert_eq!(action, Budget::Granted);
    }

    /// A system that refused is left alone for as long as it asked, by both lanes.
    pub async fn a_refusal_stops_everybody_for_its_time(budget: &impl RateBudget) {
        let refusal = Observation {
            retry_after: Some(Duration::from_secs(20)),
            ..Observation::default()
        };
        budget.observe("one", refusal).await.unwrap();
        for lane in [Lane::Action, Lane::Poll] {
            let Budget::Exhausted { retry_after } = budget.take("one", THREE_A_MINUTE, lane).await.unwrap()
            else {
                panic!("granted in spite of the refusal");
            };
            assert!(retry_after > Duration::from_secs(15) && retry_after <= Duration::from_secs(20));
        }
        let other = budget.take("two", THREE_A_MINUTE, Lane::Action).await.unwrap();
        assert_eq!(other, Budget::Granted);
    }

    /// What the system says remains is believed.
    pub async fn nothing_is_granted_when_the_system_says_nothing_remains(budget: &impl RateBudget) {
        let seen = |remaining| Observation {
            remaining: Some(remaining),
            resets_in: Some(Duration::from_secs(20)),
            retry_after: None,
        };
        budget.observe("one", seen(1)).await.unwrap();
        let first = budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
        assert_eq!(first, Budget::Granted);
        budget.observe("one", seen(0)).await.unwrap();
        let second = budget.take("one", THREE_A_MINUTE, Lane::Action).await.unwrap();
        assert!(matches!(second, Budget::Exhausted { .. }));
    }

    /// And it does.
    pub async fn without_a_limit_only_the_word_of_the_system_blocks(budget: &impl RateBudget) {
        for lane in [Lane::Action, Lane::Poll].repeat(10) {
            let taken = budget.take("one", RateLimit::UNLIMITED, lane).await.unwrap();
            assert_eq!(taken, Budget::Granted);
        }
        let observation = Observation {
            retry_after: Some(Duration::from_secs(30)),
            ..Observation::default()
        };
        budget.observe("one", observation).await.unwrap();
        for lane in [Lane::Action, Lane::Poll] {
            let taken = budget.take("one", RateLimit::UNLIMITED, lane).await.unwrap();
            assert!(matches!(taken, Budget::Exhausted { .. }));
        }
    }
}

/// Rules of a store of callers' keys.
pub mod keys {
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
}
