//! What the command does, seen from a shell.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, but does not count the functions that tests share"
)]

mod call;
mod describe;
mod fixtures;
mod help;
mod keys;
mod lint;
mod map;
mod process;
mod push;
mod sandbox;
mod secret;
mod up;
