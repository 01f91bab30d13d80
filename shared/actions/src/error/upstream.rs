//! What the caller is told when a call to the ticketing system fails.

use integration::contract::TasAction;
use upstream::{ErrorKind, HttpAction, UpstreamError};

use super::{ApiError, ErrorCode, FromUpstream};

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

/// Translates a failed call of the HTTP action `step`; `action` is none outside the twelve. `changed` says that an
/// earlier step was carried out.
pub(crate) fn failed(
    error: &UpstreamError,
    step: &HttpAction,
    action: Option<TasAction>,
    changed: bool,
) -> ApiError {
    // A 404 is about the ticket only where a request names one: not where the path is the same for every ticket,
    // and a page in HTML comes from something that is not the API at all. Creating and listing name nothing.
    let is_page = error
        .excerpt()
        .is_some_and(|text| text.trim_start().starts_with('<'));
    let missing = match action {
        _ if changed || is_page || step.path.is_constant() => None,
        None | Some(TasAction::CreateTicket | TasAction::QueryTicketsByTimeRange) => None,
        Some(TasAction::QueryTicketsByRequestor) => Some("the ticketing system knows no such requestor"),
        Some(_) => Some("the ticketing system has no such ticket"),
    };
    let said = error.to_string();
    let said = said.trim_end().trim_end_matches('.');
    let (code, message) = match (error.kind(), missing) {
        (ErrorKind::Status(404 | 410), Some(_)) if error.is_worded_by_rule() => {
            (ErrorCode::NotFound, error.to_string())
        }
        (ErrorKind::Status(409), _) if error.is_worded_by_rule() => (ErrorCode::Conflict, error.to_string()),
        (ErrorKind::FailWhen(code), _) => (code.into(), error.to_string()),
        (ErrorKind::Status(404 | 410), Some(missing)) => (ErrorCode::NotFound, missing.to_owned()),
        (ErrorKind::Status(409), _) => (
            ErrorCode::Conflict,
            "the ticketing system refused: the ticket's present state does not allow it".to_owned(),
        ),
        (ErrorKind::Status(403), _) => (
            ErrorCode::ExternalRestError,
            format!("{said}; whoever runs the gateway must check what the gateway's account may do there"),
        ),
        (ErrorKind::Status(401) | ErrorKind::Credentials, _) => (
            ErrorCode::ExternalRestError,
            format!("{said}; whoever runs the gateway must check the gateway's credentials"),
        ),
        (ErrorKind::Status(429) | ErrorKind::RateLimited | ErrorKind::Budget, _) => {
            (ErrorCode::RateLimitExceeded, error.to_string())
        }
        (ErrorKind::Timeout, _) => (ErrorCode::ExternalTimeout, error.to_string()),
        (ErrorKind::Input, _) => (ErrorCode::InputValidationFailed, error.to_string()),
        (ErrorKind::Mapping | ErrorKind::Internal, _) => (ErrorCode::InternalServerError, error.to_string()),
        _ => (ErrorCode::ExternalRestError, error.to_string()),
    };
    // A 4xx tells a caller, and many a library, to send the request again, corrected or later: a ticket too many.
    // What an integration chose for its rule stays.
    // A value that is missing then is one that the system's answer did not have.
    let rule = matches!(error.kind(), ErrorKind::FailWhen(_));
    let missing_value = error.kind() == ErrorKind::Mapping;
    let code = if changed && !rule && (missing_value || code.status().is_client_error()) {
        ErrorCode::ExternalRestError
    } else {
        code
    };
    let mut told = ApiError::new(code, message)
        .detail("code", error.code())
        .detail("step", step.name.as_str());
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
        told = told.retry_in(error.retry_after());
    }
    told.of_upstream(sort_of(error))
}

fn sort_of(error: &UpstreamError) -> FromUpstream {
    match (error.status(), error.kind()) {
        (Some(401 | 403), _) => FromUpstream::Lasting,
        (Some(408 | 425 | 429 | 500..), _) => FromUpstream::Passing,
        (Some(400..=499), _) | (_, ErrorKind::FailWhen(_)) => FromUpstream::Refused,
        (
            _,
            ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::RateLimited
            | ErrorKind::Budget
            | ErrorKind::BadAnswer
            | ErrorKind::Internal,
        ) => FromUpstream::Passing,
        _ => FromUpstream::Lasting,
    }
}
