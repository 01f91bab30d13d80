//! The adapters on DynamoDB, Secrets Manager, EventBridge and SQS, against a server that speaks their protocols.
//!
//! `tests/with-aws-server cargo test -p storage --test aws -- --ignored` starts one and runs these. Each test has a
//! table, a prefix of secrets and, where it disturbs the traffic, a proxy of its own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets a surprise stops"
)]

mod budget;
mod contract;
mod event_bridge;
mod event_log;
mod fake;
mod faults;
mod idempotency;
mod integrations;
mod poll_queue;
mod poll_state;
mod proxy;
mod secrets;
mod support;
