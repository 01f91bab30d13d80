//! The crate's error.

use std::fmt;
use std::time::Duration;

use mapping::{Diagnostic, EvaluationError};

use crate::model::ErrorCode;

/// Why a call failed. Neither its text nor its `Debug` form holds a secret or a query string.
pub struct UpstreamError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    outcome: Outcome,
    status: Option<u16>,
    retry_after: Option<Duration>,
    excerpt: Option<String>,
    evaluation: Option<EvaluationError>,
    worded_by_rule: bool,
}

/// The class of an [`UpstreamError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The host is, or resolves to, an address that the operator does not allow.
    AddressRefused,
    /// No connection, or it was lost before an answer came.
    Connect,
    /// The request or the whole call took too long.
    Timeout,
    /// The system answered with this status.
    Status(u16),
    /// The system answered 429 and the time left does not allow another attempt.
    RateLimited,
    /// The answer is not what it should be: not JSON, cut short, too large.
    BadAnswer,
    /// The system answered with a redirect that is not followed.
    Redirect,
    /// A `fail_when` condition held.
    FailWhen(ErrorCode),
    /// A value cannot be put where the request needs it, or a page token is not one of ours.
    Input,
    /// A mapping or a template expression failed.
    Mapping,
    /// A secret is missing, or the system refused the credentials.
    Credentials,
    /// Paging gave the same page or the same token twice.
    NoProgress,
    /// The rate budget of the connector is used up.
    Budget,
    /// A port of `storage` failed, or the client could not be set up.
    Internal,
}

/// Whether the system may have carried out the request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not sent.
    NotSent,
    /// It was sent and refused, or it was a read: nothing changed.
    Refused,
    /// It was sent; whether it was carried out is not known.
    Unknown,
}

impl UpstreamError {
    pub(crate) fn new(kind: ErrorKind, outcome: Outcome, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            outcome,
            status: None,
            retry_after: None,
            excerpt: None,
            evaluation: None,
            worded_by_rule: false,
        }))
    }

    /// The same, laid to the integration instead of to a value.
    pub(crate) fn of_integration(mut self) -> Self {
        if self.0.kind == ErrorKind::Input {
            self.0.kind = ErrorKind::Mapping;
        }
        self
    }

    /// A mapping failed. `what` names its place in the action: "`fail_when` of `list_tickets`".
    pub(crate) fn mapping(what: &str, error: EvaluationError, outcome: Outcome) -> Self {
        let mut made = Self::new(ErrorKind::Mapping, outcome, format!("{what} failed: {error}"));
        made.0.evaluation = Some(error);
        made
    }

    /// The same, laid to an answer that has not what it should; `had` says what it has.
    pub(crate) fn of_answer(mut self, had: &str) -> Self {
        self.0.kind = ErrorKind::BadAnswer;
        self.0.message = format!("{}; {had}", self.0.message);
        self
    }

    /// A port of `storage` failed. Why is for the log: it names roles, tables and files, and the message reaches callers.
    pub(crate) fn storage(what: &str, integration: &str, error: &storage::StorageError) -> Self {
        tracing::error!(integration, %error, "{what}");
        let message = format!("{what}; the gateway's log says why");
        Self::new(ErrorKind::Internal, Outcome::NotSent, message)
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// The request that failed only prepares the one that was asked for, which was not sent.
    pub(crate) fn before_sending(self) -> Self {
        self.with_outcome(Outcome::NotSent)
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_excerpt(mut self, excerpt: Option<String>) -> Self {
        self.0.excerpt = excerpt;
        self
    }

    /// The message is that of a `fail_when`.
    pub(crate) fn worded_by_rule(mut self, by_rule: bool) -> Self {
        self.0.worded_by_rule = by_rule;
        self
    }

    /// Stable code, `TG0401` to `TG0414`.
    pub fn code(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::AddressRefused => "TG0401",
            ErrorKind::Connect => "TG0402",
            ErrorKind::Timeout => "TG0403",
            ErrorKind::Status(_) => "TG0404",
            ErrorKind::RateLimited => "TG0405",
            ErrorKind::BadAnswer => "TG0406",
            ErrorKind::Redirect => "TG0407",
            ErrorKind::FailWhen(_) => "TG0408",
            ErrorKind::Input => "TG0409",
            ErrorKind::Mapping => "TG0410",
            ErrorKind::Credentials => "TG0411",
            ErrorKind::NoProgress => "TG0412",
            ErrorKind::Budget => "TG0413",
            ErrorKind::Internal => "TG0414",
        }
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status that the system answered with, when it answered.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// When another try makes sense, as the system or the budget said.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The beginning of the system's answer, redacted, at most 500 characters.
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// Whether the system may have carried out the request.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Whether the text is what the message of a `fail_when` gave: words that the integration chose for the caller.
    pub fn is_worded_by_rule(&self) -> bool {
        self.0.worded_by_rule
    }

    /// The place in the YAML, for an error of a mapping.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        self.0.evaluation.as_ref().map(EvaluationError::to_diagnostic)
    }

    /// Whether the same call may succeed later without a change.
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::RateLimited | ErrorKind::Budget => true,
            ErrorKind::Status(status) => status >= 500,
            _ => false,
        }
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for UpstreamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for UpstreamError {}
