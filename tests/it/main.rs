//! What the gateway does, seen from outside: the command is started, requests go over HTTP, and a
//! ticketing system stands behind it on loopback.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise, in its helping functions too"
)]

mod bad_input;
mod gateway;
mod gorgias;
mod gorgias_channels;
mod gorgias_limits;
mod gorgias_oauth;
mod gorgias_twelve_actions;
mod restart;
mod safe_create;
mod secrets;
mod twelve_actions;
mod twins;
mod upstream_faults;
