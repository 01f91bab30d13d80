//! Cases: an action of an integration, the exchanges with its ticketing system, and what comes of it.
//!
//! `test` plays them with [`play`], `record` makes them. The gateway runs as in production; only the way out of its
//! HTTP client is another one: a [`player::Player`] or a [`recorder::Recorder`].

pub(crate) mod case;
pub(crate) mod folder;
pub(crate) mod judge;
pub(crate) mod leaks;
pub(crate) mod play;
pub(crate) mod player;
pub(crate) mod read;
pub(crate) mod recorder;
pub(crate) mod shown;
#[cfg(test)]
mod skipped;
pub(crate) mod stand_ins;
pub(crate) mod update;
pub(crate) mod yaml;
