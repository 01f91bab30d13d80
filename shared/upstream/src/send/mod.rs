//! Sends requests: budget, attempts, credentials, redirects, records.

mod backoff;
mod exchange;
mod rate;
mod redirect;
mod retry;
mod session;

pub(crate) use self::exchange::Response;
pub(crate) use self::retry::{after_doubt, once_sent};
pub(crate) use self::session::Session;
