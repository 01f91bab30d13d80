//! Talks HTTP to ticketing systems: templates, authentication, pagination, retries, budgets and the
//! address guard. It knows nothing of tickets.
//!
//! A [`Client`] lives as long as the process. [`Client::call`] performs one [`HttpAction`] of a
//! [`Connector`] and gives an [`Answer`] or an [`UpstreamError`] that says what happened, whether a
//! write may have happened, and never holds a secret or a query string.

mod answer;
mod auth;
mod client;
mod error;
mod guard;
mod model;
mod paginate;
mod redact;
mod request;
mod response;
mod send;
mod tls;

pub use client::{Answer, CallContext, CallRecord, Client, ClientOptions};
pub use error::{ErrorKind, Outcome, UpstreamError};
pub use http::Method;
pub use model::{
    ApiKeyLocation, Auth, Body, ClientAuthentication, Connector, ErrorCode, FailWhen, Fallback, HttpAction,
    PageKind, Paginate, Part, PartContent, RateSignals, ResponseFormat, RetryPolicy, SendTo,
};
pub use storage::{Lane, RateLimit};
