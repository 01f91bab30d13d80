//! What every adapter of a port has to do: one function per rule, and per port a macro that makes a test of
//! each. `$make` is an expression that gives a fresh, empty adapter; it is evaluated once per test, and may await.
//! Attributes after it are put on each test: `#[ignore = "…"]`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets a surprise stops"
)]

pub mod budget;
pub mod event_log;
pub mod idempotency;
pub mod integrations;
pub mod keys;
pub mod poll_state;
pub mod webhooks;
pub mod write_journal;

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
            what_is_polled_follows_the_active_version,
            an_integration_without_streams_is_not_polled,
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

/// The tests of a [`PollState`](crate::PollState).
#[macro_export]
macro_rules! poll_state_contract {
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            poll_state,
            $make,
            [$($($attribute)+)?],
            a_stream_is_read_back_as_it_was_written,
            streams_are_kept_apart_and_listed_by_key,
            a_stream_is_stored_only_over_the_revision_it_was_read_at,
            of_many_writers_of_a_stream_one_wins,
            a_ticket_is_read_back_as_it_was_written,
            a_ticket_is_stored_only_over_the_revision_it_was_read_at,
            each_ticket_of_a_batch_is_stored_for_itself,
            a_hundred_tickets_are_stored_and_read_at_once,
            tickets_of_integrations_are_kept_apart,
            odd_ticket_ids_are_ids,
            a_pending_event_outlives_its_record,
        );
    };
}

/// The tests of an [`EventLog`](crate::EventLog).
#[macro_export]
macro_rules! event_log_contract {
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            event_log,
            $make,
            [$($($attribute)+)?],
            an_empty_log_has_no_end,
            events_are_read_in_the_order_of_acceptance,
            a_reader_goes_on_from_its_cursor,
            an_event_that_is_offered_again_is_accepted_and_not_added,
            a_batch_with_an_event_that_is_known_adds_the_others,
            integrations_do_not_share_a_log,
            reading_many_is_reading_them_in_parts,
            the_end_is_where_only_new_events_follow,
            what_is_no_cursor_is_told_apart_from_one_that_is_too_old,
            of_many_appenders_at_once_nothing_is_lost_or_repeated,
            twins_that_offer_the_same_at_once_add_it_once,
            a_reader_beside_appenders_misses_nothing,
        );
    };
}

/// The tests of a [`WriteJournal`](crate::WriteJournal).
#[macro_export]
macro_rules! write_journal_contract {
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            write_journal,
            $make,
            [$($($attribute)+)?],
            writes_are_found_by_ticket,
            the_same_request_replaces_its_write,
            a_day_later_a_write_is_forgotten,
            the_newest_writes_of_a_busy_ticket_are_kept,
            writes_noted_at_once_are_all_kept,
        );
    };
}

/// The tests of a [`WebhookStore`](crate::WebhookStore).
#[macro_export]
macro_rules! webhook_store_contract {
    ($make:expr $(, $($attribute:tt)+)?) => {
        $crate::contract_tests!(
            webhooks,
            $make,
            [$($($attribute)+)?],
            a_webhook_is_read_back_as_it_was_written,
            webhooks_are_listed_by_integration_and_id,
            a_webhook_is_stored_only_over_the_revision_it_was_read_at,
            a_removed_webhook_is_gone,
        );
    };
}
