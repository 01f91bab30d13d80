//! A mapping that failed at run time: the integration's fault, told by code and place.

use mapping::{EvaluationError, InputPath, Mapping, Place, Segment};

use super::{ApiError, FieldProblem};

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

/// `INPUT_VALIDATION_FAILED` where the expression that failed reads nothing but what the caller sent: another value would
/// not have failed.
pub(crate) fn of_callers_value(error: &EvaluationError, doing: &str) -> Option<ApiError> {
    let place = error.place().filter(|_| !error.is_limit())?;
    let text = place.source.text.get(place.start..place.end)?;
    // Text that is escaped in the YAML is no expression as it stands there, and says nothing then.
    let expression = Mapping::compile_text(text).ok()?;
    let fields: Option<Vec<String>> = expression.reads().iter().map(callers_field).collect();
    let fields = fields.filter(|fields| !fields.is_empty())?;
    let message = format!("this value cannot be used: {}", error.message());
    let problems: Vec<FieldProblem> = fields
        .iter()
        .map(|field| FieldProblem::new(field, message.as_str()))
        .collect();
    let place = position(place);
    tracing::debug!(
        place,
        code = error.code(),
        "{doing} failed over a value of the caller"
    );
    Some(
        ApiError::invalid(&problems)
            .detail("place", place)
            .detail("code", error.code()),
    )
}

/// The name of a field of the request that a path of the data bank leads to.
fn callers_field(path: &InputPath) -> Option<String> {
    /// What the gateway or the integration puts into the context.
    const OURS: [&str; 4] = ["destination", "integration", "state", "internal_state_code"];
    let mut names = Vec::new();
    for segment in &path.segments {
        match segment {
            Segment::Key(name) => names.push(name.as_str()),
            Segment::Index(_) | Segment::Any => break,
        }
    }
    match names.as_slice() {
        ["data", "context", "ticket", "id"] => Some("ticket_id".to_owned()),
        ["data", "context", "ticket", ..] => None,
        ["data", "context", name, ..] if OURS.contains(name) => None,
        ["data", "context", field @ ..] if !field.is_empty() => Some(field.join(".")),
        _ => None,
    }
}

/// `file:line:column`.
pub(crate) fn position(place: &Place) -> String {
    let (line, column) = place.line_column();
    format!("{}:{line}:{column}", place.source.name)
}
