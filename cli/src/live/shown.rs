//! Requests and answers as people see them: without credentials, cut short.

use serde_json::{Map, Value, json};
use upstream::{Lost, Prepared, PreparedBody, WholeAnswer};

use crate::cases::shown::fields;

use super::tape::{Exchange, Tape, is_shown, names_secret};

/// Characters of a body.
const SHOWN: usize = 600;
const HIDDEN: &str = "***";

/// `POST /tickets?page=2&key=***`, with the query as it reads before it is encoded, and the body where there is one.
pub(crate) fn request(request: &Prepared, tape: &Tape) -> Vec<String> {
    let parameters: Vec<String> = query(request, tape)
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = match parameters.is_empty() {
        true => String::new(),
        false => cut(&format!("?{}", parameters.join("&")), SHOWN),
    };
    let path = tape.without_secrets(request.url.path());
    let mut lines = vec![format!("{} {path}{query}", request.method)];
    lines.extend(body(&request.body, tape).map(|body| format!("body {body}")));
    lines
}

/// `401 in 12 ms`, and the beginning of the body.
pub(crate) fn answer(exchange: &Exchange, tape: &Tape) -> Vec<String> {
    let took = |word: &str| match exchange.took {
        Some(took) => format!(" {word} {} ms", took.as_millis()),
        None => String::new(),
    };
    match &exchange.answer {
        None => vec!["no answer yet".to_owned()],
        Some(Err(lost)) => vec![format!("none{}: {}", took("after"), lost.message)],
        Some(Ok(answer)) => {
            let mut lines = vec![format!("{}{}", answer.status, took("in"))];
            match text(&answer.body, tape) {
                Some(body) => lines.push(format!("body {body}")),
                None => lines.push("no body".to_owned()),
            }
            lines
        }
    }
}

/// The same as data.
pub(crate) fn to_json(exchange: &Exchange, tape: &Tape) -> Value {
    let request = &exchange.request;
    json!({
        "request": {
            "method": request.method.as_str(),
            "path": tape.without_secrets(request.url.path()),
            "query": fields(query(request, tape).into_iter()),
            "headers": headers(&request.headers, tape),
            "body": body(&request.body, tape),
        },
        "answer": match &exchange.answer {
            None => Value::Null,
            Some(Err(lost)) => lost_json(lost),
            Some(Ok(answer)) => answer_json(answer, tape),
        },
        "milliseconds": exchange.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
    })
}

/// The parameters of the query, in order. The value of one that is named like a secret is hidden, and in the others what
/// is known to be one.
fn query(request: &Prepared, tape: &Tape) -> Vec<(String, String)> {
    let parameters = request.url.query_pairs().map(|(name, value)| {
        let value = match names_secret(&name) {
            true => HIDDEN.to_owned(),
            false => tape.without_secrets(&value),
        };
        (name.into_owned(), value)
    });
    parameters.collect()
}

fn lost_json(lost: &Lost) -> Value {
    json!({"status": lost.status, "failure": lost.message})
}

fn answer_json(answer: &WholeAnswer, tape: &Tape) -> Value {
    json!({"status": answer.status, "headers": headers(&answer.headers, tape), "body": text(&answer.body, tape)})
}

fn headers(headers: &http::HeaderMap, tape: &Tape) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in headers {
        let value = match (is_shown(name), value.to_str()) {
            (true, Ok(value)) => tape.without_secrets(value),
            _ => HIDDEN.to_owned(),
        };
        shown.insert(name.as_str().to_owned(), value.into());
    }
    shown
}

fn body(body: &PreparedBody, tape: &Tape) -> Option<String> {
    match body {
        PreparedBody::None => None,
        PreparedBody::Bytes(bytes) => text(bytes, tape),
        PreparedBody::Multipart(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match &part.file_name {
                    Some(name) => {
                        format!(
                            "{}: file {name} ({}, {} bytes)",
                            part.name,
                            part.media_type.as_deref().unwrap_or_default(),
                            part.content.len()
                        )
                    }
                    None => format!("{}: {}", part.name, text(&part.content, tape).unwrap_or_default()),
                })
                .collect();
            Some(format!("multipart {}", parts.join("; ")))
        }
    }
}

/// The beginning of a body on one line, JSON without the values of fields that are named like a secret.
pub(crate) fn text(bytes: &[u8], tape: &Tape) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some(format!("{} bytes that are no text", bytes.len()));
    };
    let text = match serde_json::from_str::<Value>(text) {
        Ok(value) => without_named_secrets(value).to_string(),
        Err(_) => text.to_owned(),
    };
    Some(cut(&tape.without_secrets(&text), SHOWN))
}

/// A value on one line, without secrets.
pub(crate) fn value(value: &Value, tape: &Tape, most: usize) -> String {
    cut(
        &tape.without_secrets(&without_named_secrets(value.clone()).to_string()),
        most,
    )
}

/// What is longer than `most` characters ends in dots; control characters, which could draw on a terminal, are spaces.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut letters = text.chars();
    let begin: String = letters
        .by_ref()
        .take(most)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    match letters.next() {
        Some(_) => format!("{begin}..."),
        None => begin,
    }
}

/// JSON without the values of fields that are named like a secret.
pub(crate) fn without_named_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                // A field that is called `key` is one of the data more often than not.
                let hidden = name != "key" && names_secret(&name) && (value.is_string() || value.is_number());
                let value = match hidden {
                    true => HIDDEN.into(),
                    false => without_named_secrets(value),
                };
                (name, value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.into_iter().map(without_named_secrets).collect(),
        other => other,
    }
}

/// Why a path is null, with the path: `item.x is null`, ``item.x.y: `item` has no `x` ``.
pub(crate) fn missing(path: &str, why: &str) -> String {
    match why == format!("`{path}` is null") {
        true => format!("{path} is null"),
        false => format!("{path}: {}", worded(why)),
    }
}

/// Why a path is null, where what it begins with is no name but an expression of its own.
pub(crate) fn worded(why: &str) -> String {
    why.replace("`what stands in front`", "what the path begins with")
        .replace("`what stands in front", "`(...)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_path_is_null_is_said_once_and_without_a_placeholder() {
        assert_eq!(missing("item.x", "`item.x` is null"), "item.x is null");
        assert_eq!(
            missing("item.x.y", "`item.x` is null and has no `y`"),
            "item.x.y: `item.x` is null and has no `y`"
        );
        assert_eq!(
            missing("$FIND(x).id", "`what stands in front` is null"),
            "$FIND(x).id: what the path begins with is null"
        );
        assert_eq!(
            missing("$FIND(x).id", "`what stands in front.id` is null"),
            "$FIND(x).id: `(...).id` is null"
        );
    }
}
