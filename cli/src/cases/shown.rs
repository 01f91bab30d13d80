//! Requests as cases write them: one value, in which two requests that mean the same are equal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Map, Value, json};
use upstream::{Prepared, PreparedBody, PreparedPart};
use url::Url;

/// A request as a case writes it. `base` is the connector's base URL: what is below it is written as a path.
///
/// `{method, path, query?, headers, body | form | multipart | text | base64}`; the headers are all there are, names in
/// small letters, with Basic credentials in the clear.
pub(crate) fn request(request: &Prepared, base: &Url) -> Value {
    let mut shown = Map::new();
    put(&mut shown, "method", request.method.as_str());
    put(&mut shown, "path", path(&request.url, base));
    let query = fields(request.url.query_pairs());
    if !query.is_empty() {
        put(&mut shown, "query", query);
    }
    put(&mut shown, "headers", headers(&request.headers));
    match &request.body {
        PreparedBody::None => {}
        PreparedBody::Bytes(bytes) => {
            let media_type = request.headers.get(CONTENT_TYPE);
            let media_type = media_type
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            if let Some((key, value)) = body(bytes, media_type) {
                put(&mut shown, key, value);
            }
        }
        PreparedBody::Multipart(parts) => {
            put(&mut shown, "multipart", parts.iter().map(part).collect::<Value>());
        }
    }
    Value::Object(shown)
}

/// A body under the key that fits it; none where there is none.
pub(crate) fn body(bytes: &[u8], media_type: &str) -> Option<(&'static str, Value)> {
    if bytes.is_empty() {
        return None;
    }
    let media_type = media_type.to_ascii_lowercase();
    let Some(text) = as_text(bytes) else {
        return Some(("base64", STANDARD.encode(bytes).into()));
    };
    if media_type.contains("x-www-form-urlencoded") {
        return Some(("form", fields(url::form_urlencoded::parse(bytes)).into()));
    }
    if media_type.contains("json")
        && let Ok(value) = serde_json::from_str(text)
    {
        return Some(("body", value));
    }
    Some(("text", text.into()))
}

/// Sets a field.
pub(crate) fn put(fields: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    fields.insert(key.to_owned(), value.into());
}

/// One part of a multipart body: `{name, file_name?, content_type?, body | text | base64}`.
fn part(part: &PreparedPart) -> Value {
    let mut shown = Map::new();
    put(&mut shown, "name", part.name.as_str());
    for (key, value) in [("file_name", &part.file_name), ("content_type", &part.media_type)] {
        if let Some(value) = value {
            put(&mut shown, key, value.as_str());
        }
    }
    let (key, value) = content(&part.content, part.file_name.is_none());
    put(&mut shown, key, value);
    Value::Object(shown)
}

/// The content of a part. A field that is an object or a list in JSON is compared as one.
pub(crate) fn content(bytes: &[u8], may_be_json: bool) -> (&'static str, Value) {
    match as_text(bytes) {
        None => ("base64", STANDARD.encode(bytes).into()),
        Some(text) => match serde_json::from_str::<Value>(text) {
            Ok(value) if may_be_json && (value.is_object() || value.is_array()) => ("body", value),
            _ => ("text", text.into()),
        },
    }
}

/// Names and values, by name: the order says nothing. A name that comes more than once has a list.
pub(crate) fn fields<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl Iterator<Item = (K, V)>,
) -> Map<String, Value> {
    let mut pairs: Vec<(String, String)> = pairs
        .map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned()))
        .collect();
    pairs.sort();
    let mut fields = Map::new();
    for (name, value) in pairs {
        match fields.get_mut(&name) {
            None => {
                fields.insert(name, Value::String(value));
            }
            Some(Value::Array(values)) => values.push(Value::String(value)),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    fields
}

/// The headers: names in small letters, values of one name joined (RFC 9110 section 5.2).
pub(crate) fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let mut joined = values.join(", ");
        if *name == AUTHORIZATION {
            joined = basic_in_the_clear(&joined);
        }
        shown.insert(name.as_str().to_owned(), joined.into());
    }
    shown
}

/// `Basic user:password` instead of its Base64.
fn basic_in_the_clear(credentials: &str) -> String {
    let decoded = credentials
        .strip_prefix("Basic ")
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.map_or_else(|| credentials.to_owned(), |pair| format!("Basic {pair}"))
}

/// The path below the base URL, or the whole URL of another place; without the query.
fn path(url: &Url, base: &Url) -> String {
    let below = url
        .path()
        .strip_prefix(base.path().trim_end_matches('/'))
        .filter(|rest| url.origin() == base.origin() && (rest.is_empty() || rest.starts_with('/')));
    match below {
        Some("") => "/".to_owned(),
        Some(rest) => rest.to_owned(),
        None => {
            let mut whole = url.clone();
            whole.set_query(None);
            whole.to_string()
        }
    }
}

/// Text that a person can read: UTF-8 without control characters other than white space.
pub(crate) fn as_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(readable).then_some(text)
}
