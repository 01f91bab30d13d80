//! A mapping that failed at run time: the integration's fault, told by code and place.

use mapping::{EvaluationError, Place};

use super::ApiError;

/// `INTERNAL_SERVER_ERROR` for a mapping that failed; `doing` names what it was for.
pub(crate) fn failed(error: &EvaluationError, doing: &str) -> ApiError {
    let told = match error.place() {
        Some(place) => {
            let place = position(place);
            ApiError::internal(format!(
                "{doing} of the integration failed ({} at {place}): {}",
                error.code(),
                error.message()
            ))
            .detail("place", place)
        }
        None => ApiError::internal(format!(
            "{doing} of the integration failed ({}): {}",
            error.code(),
            error.message()
        )),
    };
    told.detail("code", error.code())
}

/// `file:line:column`.
pub(crate) fn position(place: &Place) -> String {
    let (line, column) = place.line_column();
    format!("{}:{line}:{column}", place.source.name)
}
