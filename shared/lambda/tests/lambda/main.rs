//! The functions, called as Lambda calls them: with the events of API Gateway.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

mod api_keys;
mod describe;
mod dispatch;
mod events;
mod limits;
mod metrics;
mod polling;
mod polls;
mod read_events;
mod startup;
mod support;
mod tokens;
