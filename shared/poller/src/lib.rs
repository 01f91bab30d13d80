//! Polls installed integrations: the core of the `polling` crate over the gateway's own query by time range.
//!
//! [`streams_of`] says what of an integration is polled and how; a [`Poller`] runs one stream once, wherever the order
//! to do so came from: a queue, a timer, a person.

mod observer;
mod poller;
mod source;
mod streams;
mod tee;
pub mod timer;
pub mod webhook;

pub use observer::{PollObserver, Polled};
pub use poller::{PollError, Poller, PollerPorts};
pub use source::GatewaySource;
pub use streams::{Stream, scheduled, streams_of};
pub use tee::Tee;
