//! Sends requests: budget, attempts, credentials, redirects, records.

mod backoff;
mod courier;
mod exchange;
mod rate;
mod redirect;
mod retry;
mod session;

pub use self::courier::{Courier, Receipt};
pub(crate) use self::exchange::Response;
pub(crate) use self::session::Session;
