//! The errors of the API: a stable code, an HTTP status, a message for a person.

pub(crate) mod evaluation;
pub(crate) mod outcome;
pub(crate) mod upstream;

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

pub use outcome::Outcome;

/// The stable words in `error.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 400: the request is wrong; `details.fields` names what.
    InputValidationFailed,
    /// 401: the caller's own key is missing or wrong. Given by what stands in front of the gateway.
    AuthenticationFailed,
    /// 403: the caller's key does not reach this integration or method.
    PermissionDenied,
    /// 404: no such path, integration or ticket.
    NotFound,
    /// 405: the path exists, with other methods; the `Allow` header names them.
    MethodNotAllowed,
    /// 409: the ticketing system refused because of the ticket's present state, or an
    /// idempotency key is used twice.
    Conflict,
    /// 410: what follows an event cursor is not kept any more.
    CursorExpired,
    /// 422: this integration cannot do that action, or has it switched off.
    ActionNotSupported,
    /// 429: too many requests, here or upstream; `Retry-After` says when to come back.
    RateLimitExceeded,
    /// 500: the gateway or the integration's configuration is at fault.
    InternalServerError,
    /// 502: the ticketing system failed, or answered what cannot be used.
    ExternalRestError,
    /// 504: the ticketing system did not answer in time.
    ExternalTimeout,
}

impl ErrorCode {
    /// Every code, in the order of its status.
    pub const ALL: [ErrorCode; 12] = [
        ErrorCode::InputValidationFailed,
        ErrorCode::AuthenticationFailed,
        ErrorCode::PermissionDenied,
        ErrorCode::NotFound,
        ErrorCode::MethodNotAllowed,
        ErrorCode::Conflict,
        ErrorCode::CursorExpired,
        ErrorCode::ActionNotSupported,
        ErrorCode::RateLimitExceeded,
        ErrorCode::InternalServerError,
        ErrorCode::ExternalRestError,
        ErrorCode::ExternalTimeout,
    ];

    /// The word in `error.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InputValidationFailed => "INPUT_VALIDATION_FAILED",
            ErrorCode::AuthenticationFailed => "AUTHENTICATION_FAILED",
            ErrorCode::PermissionDenied => "PERMISSION_DENIED",
            ErrorCode::NotFound => "NOT_FOUND",
            ErrorCode::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            ErrorCode::Conflict => "CONFLICT",
            ErrorCode::CursorExpired => "CURSOR_EXPIRED",
            ErrorCode::ActionNotSupported => "ACTION_NOT_SUPPORTED",
            ErrorCode::RateLimitExceeded => "RATE_LIMIT_EXCEEDED",
            ErrorCode::InternalServerError => "INTERNAL_SERVER_ERROR",
            ErrorCode::ExternalRestError => "EXTERNAL_REST_ERROR",
            ErrorCode::ExternalTimeout => "EXTERNAL_TIMEOUT",
        }
    }

    /// The code that is written so.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        ErrorCode::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> StatusCode {
        match self {
            ErrorCode::InputValidationFailed => StatusCode::BAD_REQUEST,
            ErrorCode::AuthenticationFailed => StatusCode::UNAUTHORIZED,
            ErrorCode::PermissionDenied => StatusCode::FORBIDDEN,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::Conflict => StatusCode::CONFLICT,
            ErrorCode::CursorExpired => StatusCode::GONE,
            ErrorCode::ActionNotSupported => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::RateLimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::ExternalRestError => StatusCode::BAD_GATEWAY,
            ErrorCode::ExternalTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// One thing that is wrong with a request: where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's path in the request, for example `payload.short_description`.
    pub field: String,
    /// What was expected and what was found.
    pub message: String,
}

impl FieldProblem {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        FieldProblem {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// Why an action was not done, ready to be shown to the caller.
///
/// It never holds a secret, a request body or a value that a mapping worked on.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    code: ErrorCode,
    message: String,
    details: Map<String, Value>,
    retry_after: Option<Duration>,
    from_upstream: Option<FromUpstream>,
}

/// What went wrong with the ticketing system, for those who decide whether to ask it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromUpstream {
    /// It understood the request and refused it: a 4xx that is not about credentials or the number of calls, or a
    /// `fail_when` of the integration.
    Refused,
    /// It may work the next time: no connection, no answer in time, a 5xx, an answer that cannot be read, a store of
    /// ours that failed.
    Passing,
    /// Somebody has to change something: credentials, permissions, addresses, the integration.
    Lasting,
}

impl ApiError {
    /// An error with this code and message, without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ApiError(Box::new(Inner {
            code,
            message: message.into(),
            details: Map::new(),
            retry_after: None,
            from_upstream: None,
        }))
    }

    /// `INTERNAL_SERVER_ERROR`: the gateway or the integration is at fault.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        ApiError::new(ErrorCode::InternalServerError, message)
    }

    /// `INPUT_VALIDATION_FAILED` with every problem in the message and in `details.fields`.
    pub fn invalid(problems: &[FieldProblem]) -> Self {
        let message: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect();
        let fields: Vec<Value> = problems
            .iter()
            .map(|problem| json!({"field": problem.field, "message": problem.message}))
            .collect();
        ApiError::new(ErrorCode::InputValidationFailed, message.join("; ")).detail("fields", fields)
    }

    /// Adds an entry to `error.details`.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn retry_in(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn of_upstream(mut self, upstream: FromUpstream) -> Self {
        self.0.from_upstream = Some(upstream);
        self
    }

    pub(crate) fn and_say(mut self, sentence: &str) -> Self {
        self.0.message = format!("{}. {sentence}", self.0.message.trim_end_matches('.'));
        self
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    /// The text for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What `error.details` holds; empty when there is nothing to add.
    pub fn details(&self) -> &Map<String, Value> {
        &self.0.details
    }

    /// How long to wait before trying again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What went wrong with a call of the ticketing system; none for an error of another kind.
    pub fn from_upstream(&self) -> Option<FromUpstream> {
        self.0.from_upstream
    }

    /// The body of the answer: `{"error": {"code", "message", "request_id", "details"?}}`.
    pub fn to_json(&self, request_id: &str) -> Value {
        let mut error = json!({
            "code": self.0.code.as_str(),
            "message": self.0.message,
            "request_id": request_id,
        });
        if let (false, Value::Object(error)) = (self.0.details.is_empty(), &mut error) {
            error.insert("details".to_owned(), Value::Object(self.0.details.clone()));
        }
        json!({"error": error})
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl std::error::Error for ApiError {}
