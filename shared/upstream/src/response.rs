//! Reads answers: the body by its format, and the object that mappings see as `response`.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AGE, DATE};
use mapping::Segment;
use serde_json::{Map, Value};

use crate::model::{HttpAction, PageKind, ResponseFormat, SendTo};
use crate::reads::BodyReads;
use crate::redact::Redactor;
use crate::send::Response;

/// Whether the status is 2xx.
pub(crate) fn is_good(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The body by its format, JSON as far as `reads` says. An answer that is not good is read whole, as JSON or else as
/// text, whatever the format, for the conditions that look at it.
pub(crate) fn body(
    response: &Response,
    format: ResponseFormat,
    reads: &BodyReads,
    redactor: &Redactor,
) -> Result<Value, String> {
    if is_good(response.status) && format == ResponseFormat::Bytes {
        return Ok(Value::String(STANDARD.encode(&response.body)));
    }
    let text = response.text();
    let as_json = |reads: &BodyReads| match reads.parse(&text) {
        _ if text.trim().is_empty() => Ok(Value::Null),
        Ok(value) => Ok(value),
        Err(error) => Err(format!(
            "the answer ({}, {}) is not JSON: {}",
            response.status,
            redactor.text(response.content_type()),
            syntax_error(&error)
        )),
    };
    let mut value = match (is_good(response.status), format) {
        (true, ResponseFormat::Json) => as_json(reads)?,
        (false, _) => {
            as_json(&BodyReads::everything()).unwrap_or_else(|_| Value::String(text.clone().into_owned()))
        }
        (true, _) => Value::String(text.clone().into_owned()),
    };
    redactor.value(&mut value, &text);
    Ok(value)
}

/// The body as JSON, as far as `reads` says, or else as text, with whatever secrets there are in it.
pub(crate) fn plain_body(response: &Response, reads: &BodyReads) -> Value {
    let text = response.text();
    match reads.parse(&text) {
        _ if text.trim().is_empty() => Value::Null,
        Ok(value) => value,
        Err(_) => Value::String(text.into_owned()),
    }
}

/// Where the syntax is wrong, without the parser's words, which may quote the body.
fn syntax_error(error: &serde_json::Error) -> String {
    if error.is_eof() {
        "it ends too early".to_owned()
    } else {
        format!("see line {}, column {}", error.line(), error.column())
    }
}

/// The system's time: the `Date` of an answer that does not come out of a cache (RFC 9110 section 6.6.1, RFC 9111
/// section 5.1).
pub(crate) fn date(headers: &HeaderMap) -> Option<String> {
    if headers.contains_key(AGE) {
        return None;
    }
    Some(headers.get(DATE)?.to_str().ok()?.to_owned())
}

/// `{status, headers, body}`. Each header is there under its name in lower case, and under the spelling that
/// the action's mappings use for it.
pub(crate) fn object(response: &Response, body: Value, action: &HttpAction, redactor: &Redactor) -> Value {
    let mut headers = headers(&response.headers, redactor);
    for spelling in header_spellings(action) {
        if let Some(value) = headers.get(&spelling.to_ascii_lowercase()).cloned() {
            headers.insert(spelling.to_owned(), value);
        }
    }
    let mut object = Map::new();
    object.insert("status".to_owned(), response.status.into());
    object.insert("headers".to_owned(), headers.into());
    object.insert("body".to_owned(), body);
    object.into()
}

/// Headers that came several times are joined as RFC 9110 section 5.2 says.
fn headers(headers: &HeaderMap, redactor: &Redactor) -> Map<String, Value> {
    let mut object = Map::new();
    for name in headers.keys() {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let joined = values.join(", ");
        let shown = if redactor.occurs(&joined) {
            redactor.text(&joined)
        } else {
            joined
        };
        object.insert(name.as_str().to_owned(), Value::String(shown));
    }
    object
}

/// The header names that the action's mappings read, as they spell them.
fn header_spellings(action: &HttpAction) -> BTreeSet<&str> {
    let mut spellings = BTreeSet::new();
    for mapping in action.mappings_over_answers() {
        for path in mapping.reads() {
            if let [
                Segment::Key(response),
                Segment::Key(headers),
                Segment::Key(name),
                ..,
            ] = path.segments.as_slice()
                && response == "response"
                && headers == "headers"
            {
                spellings.insert(name.as_str());
            }
        }
    }
    let sends = action
        .paginate
        .iter()
        .flat_map(|paginate| [Some(&paginate.kind), paginate.otherwise.as_ref()]);
    for kind in sends.flatten() {
        if let PageKind::Token {
            send: SendTo::Header(name),
            ..
        } = kind
        {
            spellings.insert(name);
        }
    }
    spellings
}
