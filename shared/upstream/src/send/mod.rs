//! Sends requests: budget, attempts, credentials, redirects, records.

mod backoff;
mod exchange;
mod redirect;
mod retry;
mod session;

pub(crate) use self::backoff::retry_after;
pub(crate) use self::exchange::Response;
pub(crate) use self::retry::once_sent;
pub(crate) use self::session::Session;
