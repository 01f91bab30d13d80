//! The adapters on DynamoDB and Secrets Manager, against a server that speaks their protocols.
//!
//! `tests/with-aws-server cargo test -p storage --test aws -- --ignored` starts one and runs these. Each test has a
//! table, a prefix of secrets and, where it disturbs the traffic, a proxy of its own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets a surprise stops"
)]

mod budget;
mod contract;
mod faults;
mod idempotency;
mod integrations;
mod proxy;
mod secrets;
mod support;
