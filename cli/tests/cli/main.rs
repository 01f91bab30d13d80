//! What the command does, seen from a shell.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, but does not count the functions that tests share"
)]

mod call;
mod cases;
mod describe;
mod doctor;
mod events;
mod explain;
mod fixtures;
mod help;
mod init;
mod keys;
mod lint;
mod live;
mod map;
mod poll;
mod polled;
mod process;
mod push;
mod sandbox;
mod secret;
mod up;
mod webhooks;
