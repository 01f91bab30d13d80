//! The twelve actions through the API, against a fake ticketing system.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod bad_input;
mod contract;
mod destinations;
mod documents;
mod events;
mod failures;
mod happy_path;
mod idempotency;
mod journal;
mod log;
mod lost_answers;
mod observer;
mod output;
mod pages;
mod protocol;
mod reads;
mod repeats;
mod safe_create;
mod states;
mod stored;
mod support;
mod twins;
