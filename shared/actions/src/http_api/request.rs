//! From an HTTP request to the input of an action.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use integration::contract::TasAction;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::action::{ActionDefinition, too_large};
use crate::check::{MAX_PROBLEMS, found, shown, unknown_name};
use crate::error::{ApiError, FieldProblem};

/// The largest request body, in bytes: 6 MiB, as much as Lambda takes in one request.
pub const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;

/// The caller's `x-request-id` where it can be put into a log line as it is, otherwise a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let sane = |id: &&str| {
        (1..=128).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte))
    };
    headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok())
        .filter(sane)
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

/// The `Idempotency-Key`. Its form is checked with the rest of the call; here it must only be text.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut keys = headers.get_all("idempotency-key").iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(None),
        (Some(key), None) if key.to_str().is_ok() => Ok(key.to_str().ok().map(str::to_owned)),
        _ => Err(one_problem(
            "Idempotency-Key",
            "expected one header of 1 to 255 visible ASCII characters",
        )),
    }
}

/// The input: the fields of the body or of the query, and those of the path.
pub(super) fn input(
    definition: &ActionDefinition,
    request: &Request<Bytes>,
    parameters: Vec<(&'static str, String)>,
) -> Result<Value, ApiError> {
    let mut fields = if definition.reads_query() {
        query(
            &definition.query_parameters()?,
            request.uri().query().unwrap_or_default(),
        )?
    } else {
        if let Some((name, _)) = pairs(request.uri().query().unwrap_or_default()).next() {
            return Err(one_problem(
                &shown(&name),
                "unknown query parameter; none is expected here",
            ));
        }
        body(definition, request)?
    };
    for (name, value) in parameters {
        if fields.insert(name.to_owned(), Value::String(value)).is_some() {
            return Err(one_problem(
                name,
                "stands in the path and cannot be given a second time",
            ));
        }
    }
    Ok(Value::Object(fields))
}

/// The parameters of a query, as text. One that is not in `known`, or comes twice, is told.
pub(super) fn query(known: &[&str], query: &str) -> Result<Map<String, Value>, ApiError> {
    let mut fields = Map::new();
    let mut problems = Vec::new();
    for (name, value) in pairs(query) {
        if problems.len() == MAX_PROBLEMS {
            break;
        }
        if !known.contains(&name.as_ref()) {
            problems.push(FieldProblem::new(
                shown(&name),
                unknown_name("query parameter", &name, known),
            ));
        } else if fields
            .insert(name.to_string(), Value::String(value.into_owned()))
            .is_some()
        {
            problems.push(FieldProblem::new(name, "expected once, found several times"));
        }
    }
    if problems.is_empty() {
        Ok(fields)
    } else {
        Err(ApiError::invalid(&problems))
    }
}

fn pairs(query: &str) -> url::form_urlencoded::Parse<'_> {
    url::form_urlencoded::parse(query.as_bytes())
}

fn body(definition: &ActionDefinition, request: &Request<Bytes>) -> Result<Map<String, Value>, ApiError> {
    let body = request.body();
    if body.len() > MAX_BODY_BYTES {
        return Err(if definition.action == TasAction::AddAttachment {
            one_problem("content", &too_large())
        } else {
            one_problem(
                "body",
                &format!("expected at most {MAX_BODY_BYTES} bytes, found more"),
            )
        });
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    if let Some(content_type) = request.headers().get(CONTENT_TYPE)
        && !content_type.to_str().is_ok_and(is_json)
    {
        return Err(one_problem(
            "Content-Type",
            "expected application/json, found another media type",
        ));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(one_problem(
            "body",
            &format!("expected a JSON object, found {}", found(&other)),
        )),
        Err(error) => Err(one_problem("body", &format!("expected JSON: {error}"))),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn one_problem(field: &str, message: &str) -> ApiError {
    ApiError::invalid(&[FieldProblem::new(field, message)])
}
