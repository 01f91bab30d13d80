//! What `upstream` does on the wire, against servers on this machine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise stops"
)]

mod auth;
mod bodies;
mod canary;
mod fallback;
mod guard;
mod limits;
mod look_ups;
mod one_page;
mod paginate;
mod reads;
mod redirects;
mod requests;
mod responses;
mod retries;
mod rotation;
mod session;
mod support;
