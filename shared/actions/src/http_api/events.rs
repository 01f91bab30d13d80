//! `GET /v1/{integration}/events`: what the query asks for, and the line in the log.

use std::time::Duration;

use serde_json::{Map, Value};

use super::request;
use crate::check::shown;
use crate::error::{ApiError, ErrorCode, FieldProblem};
use crate::events::{After, EventsPage, EventsQuery, MAX_LIMIT, MAX_WAIT};

/// The route's path below `/v1/{integration}`, as a template of one.
pub(crate) const PATH: &str = "/events";

/// The query parameters.
const KNOWN: [&str; 3] = ["after", "limit", "wait"];

/// What a query asks for.
pub(super) fn query(query: &str) -> Result<EventsQuery, ApiError> {
    let fields = request::query(&KNOWN, query)?;
    let mut problems = Vec::new();
    let after = match text(&fields, "after") {
        None => After::Oldest,
        Some(after) => After::parse(after).unwrap_or_else(|problem| {
            problems.push(problem);
            After::Oldest
        }),
    };
    let mut number = |name, range: std::ops::RangeInclusive<u64>, default| {
        let Some(given) = text(&fields, name) else {
            return default;
        };
        // `parse` also takes a sign.
        let number = given
            .parse()
            .ok()
            .filter(|_| given.bytes().all(|byte| byte.is_ascii_digit()));
        number.filter(|number| range.contains(number)).unwrap_or_else(|| {
            problems.push(FieldProblem::new(
                name,
                format!(
                    "expected a whole number from {} to {}, found \"{}\"",
                    range.start(),
                    range.end(),
                    shown(given)
                ),
            ));
            default
        })
    };
    let most = u64::try_from(MAX_LIMIT).unwrap_or(u64::MAX);
    let limit = number("limit", 1..=most, most);
    let wait = number("wait", 0..=MAX_WAIT, 0);
    if !problems.is_empty() {
        return Err(ApiError::invalid(&problems));
    }
    Ok(EventsQuery {
        after,
        wait: Duration::from_secs(wait),
        limit: usize::try_from(limit).unwrap_or(MAX_LIMIT),
    })
}

fn text<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f str> {
    fields.get(name).and_then(Value::as_str)
}

/// Writes one line: at debug level where nothing had come, which is most of the time.
pub(super) fn log(end: &Result<EventsPage, ApiError>, request_id: &str, integration: &str, took: Duration) {
    let events = end.as_ref().map_or(0, EventsPage::len);
    let status = end.as_ref().map_or_else(|error| error.status().as_u16(), |_| 200);
    let code = end.as_ref().err().map(|error| ErrorCode::as_str(error.code()));
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if events == 0 && code.is_none() {
        tracing::debug!(request_id, integration, status, events, duration_ms, "events");
    } else {
        tracing::info!(
            request_id,
            integration,
            status,
            code,
            events,
            duration_ms,
            "events"
        );
    }
}
