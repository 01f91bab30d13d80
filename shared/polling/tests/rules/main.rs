//! The rules of the poller, W1 to W10, and what follows from them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that meets a surprise stops; its parts see each other"
)]

mod causes;
mod events;
mod faults;
mod operating;
mod support;
mod windows;
