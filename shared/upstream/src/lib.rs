//! Talks HTTP to ticketing systems: templates, authentication, pagination, retries, budgets and the
//! address guard. It knows nothing of tickets.
//!
//! A [`Client`] lives as long as the process. [`Client::call`] performs one [`HttpAction`] of a
//! [`Connector`] and gives an [`Answer`] or an [`UpstreamError`] that says what happened, whether a
//! write may have happened, and never holds a secret or a query string. Requests leave over a [`Transport`]: the
//! [`Network`], or what a test puts in its place.

mod answer;
mod auth;
mod cache;
mod client;
mod error;
mod guard;
mod model;
mod paginate;
mod reads;
mod redact;
mod request;
mod response;
mod send;
mod tls;
mod transport;

pub use client::{Answer, CallContext, CallRecord, Client, ClientOptions};
pub use error::{ErrorKind, Outcome, UpstreamError};
pub use http::Method;
pub use model::{
    ApiKeyLocation, Auth, Body, ClientAuthentication, Connector, ErrorCode, FailWhen, Fallback, HttpAction,
    PageKind, Paginate, Parameter, Part, PartContent, RateSignals, ResponseFormat, RetryPolicy, SecretHeader,
    SendTo, SessionLocation, SessionLogin,
};
pub use reads::BodyReads;
pub use redact::Redactor;
pub use request::{Prepared, PreparedBody, PreparedPart};
pub use send::{Courier, Receipt};
pub use storage::{Lane, RateLimit};
pub use transport::{Lost, Network, Progress, Transport, WholeAnswer};
