//! The port to a ticketing system: one page of a window.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Gives the tickets of one stream, page by page.
#[async_trait]
pub trait Source: Send + Sync {
    /// One page of what changed in a window. The request is finished, in one way or the other, well within
    /// [`Limits::reserve`](crate::Limits::reserve).
    ///
    /// # Errors
    /// See [`SourceError`].
    async fn page(&self, request: &PageRequest) -> Result<Page, SourceError>;
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Start of the window in the words of the ticketing system's filter: a multiple of the granularity, before
    /// the first moment if the filter excludes it.
    pub start: Timestamp,
    /// End of the window, likewise.
    pub end: Timestamp,
    /// The page: `next` of the one before; none for the first.
    pub token: Option<String>,
}

/// A page, as the ticketing system gave it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Its tickets, in its order.
    pub tickets: Vec<Ticket>,
    /// The token of the next page; none after the last one. A page without tickets can have one.
    pub next: Option<String>,
    /// The time that the ticketing system gave for its answer: the HTTP header `Date`.
    pub date: Option<Timestamp>,
    /// Why rows of the page could not be made tickets. They are counted and reported, and not asked for again.
    pub unusable: Vec<String>,
}

/// A normalised ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Its id.
    pub id: String,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was made, if the integration tells.
    pub created_at: Option<Timestamp>,
    /// All its fields, as in the ticket schema.
    pub fields: Map<String, Value>,
}

/// Why there is no page. The text is shown to operators and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    RateLimited { retry_after: Option<Duration> },
    Transient,
    TokenExpired,
    Permanent,
}

impl SourceError {
    /// Too many calls (429), or the budget for polling is used up. `retry_after` as the answer had it.
    pub fn rate_limited(message: impl Into<String>, retry_after: Option<Duration>) -> Self {
        Self::new(Kind::RateLimited { retry_after }, message)
    }

    /// It may work the next time: a time-out, a lost connection, a 5xx, an answer that cannot be read.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(Kind::Transient, message)
    }

    /// The page token is no longer good: the list has to be read from its first page.
    pub fn token_expired(message: impl Into<String>) -> Self {
        Self::new(Kind::TokenExpired, message)
    }

    /// Somebody has to change something: credentials, permissions, the integration.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(Kind::Permanent, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Whether the ticketing system turned us away for the number of calls, and when it wants us back.
    pub fn rate_limit(&self) -> Option<Option<Duration>> {
        match self.kind {
            Kind::RateLimited { retry_after } => Some(retry_after),
            _ => None,
        }
    }

    /// Whether the page token is no longer good.
    pub fn is_token_expired(&self) -> bool {
        self.kind == Kind::TokenExpired
    }

    /// Whether the same request may work later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        self.kind == Kind::Transient
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for SourceError {}
