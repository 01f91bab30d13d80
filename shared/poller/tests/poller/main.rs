//! The poller through its public surface.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, in its helping functions too"
)]

mod desk;
mod feeds;
mod source;
mod streams;
mod teamswork;
mod timer;
mod webhook;
