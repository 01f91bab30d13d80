//! What the caller is told when a call to the ticketing system fails.

use integration::contract::TasAction;
use upstream::{ErrorKind, UpstreamError};

use super::{ApiError, ErrorCode};

impl From<upstream::ErrorCode> for ErrorCode {
    fn from(code: upstream::ErrorCode) -> Self {
        match code {
            upstream::ErrorCode::InputValidationFailed => ErrorCode::InputValidationFailed,
            upstream::ErrorCode::PermissionDenied => ErrorCode::PermissionDenied,
            upstream::ErrorCode::NotFound => ErrorCode::NotFound,
            upstream::ErrorCode::Conflict => ErrorCode::Conflict,
            upstream::ErrorCode::ActionNotSupported => ErrorCode::ActionNotSupported,
            upstream::ErrorCode::ExternalRestError => ErrorCode::ExternalRestError,
        }
    }
}

/// Translates a failed call. `step` is the HTTP action; `action` is none outside the twelve.
pub(crate) fn failed(error: &UpstreamError, step: &str, action: Option<TasAction>) -> ApiError {
    // Creating and listing by time name nothing, so a 404 cannot be about it.
    let missing = match action {
        None | Some(TasAction::CreateTicket | TasAction::QueryTicketsByTimeRange) => None,
        Some(TasAction::QueryTicketsByRequestor) => Some("the ticketing system knows no such requestor"),
        Some(_) => Some("the ticketing system has no such ticket"),
    };
    let (code, message) = match (error.kind(), missing) {
        (ErrorKind::FailWhen(code), _) => (code.into(), error.to_string()),
        (ErrorKind::Status(404 | 410), Some(missing)) => (ErrorCode::NotFound, missing.to_owned()),
        (ErrorKind::Status(409), _) => (
            ErrorCode::Conflict,
            "the ticketing system refused: the ticket's present state does not allow it".to_owned(),
        ),
        (ErrorKind::Status(403), _) => (
            ErrorCode::ExternalRestError,
            format!("{error}; whoever runs the gateway must check what the gateway's account may do there"),
        ),
        (ErrorKind::Status(401) | ErrorKind::Credentials, _) => (
            ErrorCode::ExternalRestError,
            format!("{error}; whoever runs the gateway must check the gateway's credentials"),
        ),
        (ErrorKind::Status(429) | ErrorKind::RateLimited | ErrorKind::Budget, _) => {
            (ErrorCode::RateLimitExceeded, error.to_string())
        }
        (ErrorKind::Timeout, _) => (ErrorCode::ExternalTimeout, error.to_string()),
        (ErrorKind::Input, _) => (ErrorCode::InputValidationFailed, error.to_string()),
        (ErrorKind::Mapping | ErrorKind::Internal, _) => (ErrorCode::InternalServerError, error.to_string()),
        _ => (ErrorCode::ExternalRestError, error.to_string()),
    };
    let mut told = ApiError::new(code, message)
        .detail("code", error.code())
        .detail("step", step);
    if let Some(status) = error.status() {
        told = told.detail("upstream_status", status);
    }
    if let Some(excerpt) = error.excerpt() {
        told = told.detail("upstream_excerpt", excerpt);
    }
    if let Some(place) = error.diagnostic().and_then(|diagnostic| diagnostic.place) {
        told = told.detail("place", super::evaluation::position(&place));
    }
    if code == ErrorCode::RateLimitExceeded {
        // Without a word from the system, a second is the shortest wait the header can express.
        told = told.retry_in(Some(
            error.retry_after().unwrap_or(std::time::Duration::from_secs(1)),
        ));
    }
    told
}
