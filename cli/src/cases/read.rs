//! Reads a case file, and tells every mistake in it with its place.

use actions::TasAction;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use mapping::{Content, Diagnostic, Node, did_you_mean};
use serde_json::{Map, Value, json};
use upstream::WholeAnswer;

use super::case::{Case, End, Exchange, Expectation, Loss, Reply};
use super::shown::{self, put};

/// A case file that is not one: a key that does not exist, is missing, or holds another kind of thing.
pub(crate) const MISTAKE: &str = "TG0501";

/// The time of a case that names none.
const NOW: &str = "2026-01-05T12:00:00Z";

const CASE: [&str; 11] = [
    "name",
    "action",
    "context",
    "settings",
    "secrets",
    "idempotency_key",
    "now",
    "in_any_order",
    "not_secret",
    "exchanges",
    "expect",
];
const EXCHANGE: [&str; 3] = ["request", "response", "repeat"];
const REQUEST: [&str; 9] = [
    "method",
    "path",
    "query",
    "headers",
    "body",
    "form",
    "multipart",
    "text",
    "base64",
];
const PART: [&str; 6] = ["name", "file_name", "content_type", "body", "text", "base64"];
const RESPONSE: [&str; 6] = ["status", "headers", "body", "text", "base64", "failure"];
const EXPECT: [&str; 2] = ["output", "error"];
const ERROR: [&str; 5] = ["code", "status", "message", "outcome", "details"];

/// The JSON Schema of a case file, for editors.
pub(crate) const SCHEMA: &str = include_str!("schema.json");

/// Reads a case. `without_expectation` allows one that has none yet.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn case(node: &Node, without_expectation: bool) -> Result<Case, Vec<Diagnostic>> {
    let mut reader = Reader::default();
    let case = reader.case(node, without_expectation);
    match case {
        Some(case) if reader.mistakes.is_empty() => Ok(case),
        _ => Err(reader.mistakes),
    }
}

#[derive(Default)]
struct Reader {
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    fn mistake(&mut self, node: &Node, message: impl Into<String>) {
        self.mistakes
            .push(Diagnostic::error(MISTAKE, message).at(&node.place));
    }

    fn mistake_with_help(&mut self, node: &Node, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes
            .push(Diagnostic::error(MISTAKE, message).at(&node.place).help(help));
    }

    fn wrong_kind(&mut self, node: &Node, what: &str, expected: &str) {
        self.mistake(
            node,
            format!("{what}: expected {expected}, found {}", node.kind()),
        );
    }

    /// Whether it is an object; keys that it does not have are mistakes.
    fn is_object(&mut self, node: &Node, what: &str, known: &[&str]) -> bool {
        if !matches!(node.content, Content::Object(_)) {
            self.wrong_kind(node, what, "an object");
            return false;
        }
        for (key, _) in node.entries() {
            if known.contains(&key.name.as_str()) {
                continue;
            }
            let message = format!("{what} has no key `{}`", key.name);
            let help = match did_you_mean(&key.name, known.iter().copied()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("its keys: {}", known.join(", ")),
            };
            self.mistakes
                .push(Diagnostic::error(MISTAKE, message).at(&key.place).help(help));
        }
        true
    }

    fn needed<'n>(&mut self, node: &'n Node, what: &str, key: &str) -> Option<&'n Node> {
        let found = node.get(key);
        if found.is_none() {
            self.mistake(node, format!("{what} needs the key `{key}`"));
        }
        found
    }

    fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = node.as_text().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.wrong_kind(node, what, "text");
        }
        text.map(str::to_owned)
    }

    fn flag(&mut self, node: Option<&Node>, what: &str) -> bool {
        let Some(node) = node else { return false };
        node.as_bool().unwrap_or_else(|| {
            self.wrong_kind(node, what, "true or false");
            false
        })
    }

    /// A whole number of at least `least`.
    fn number(&mut self, node: &Node, what: &str, least: u64, most: u64) -> Option<u64> {
        let number = node.as_number().and_then(serde_json::Number::as_u64);
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.mistake(
                node,
                format!("{what}: expected a whole number from {least} to {most}"),
            );
        }
        number
    }

    fn case(&mut self, node: &Node, without_expectation: bool) -> Option<Case> {
        if !self.is_object(node, "a case", &CASE) {
            return None;
        }
        let name = self.needed(node, "a case", "name");
        let name = name.and_then(|node| self.text(node, "`name`"));
        let action = self.needed(node, "a case", "action");
        let action = action.and_then(|node| self.action(node));
        let now = match node.get("now") {
            Some(node) => self.text(node, "`now`").and_then(|text| self.time(node, &text)),
            None => NOW.parse().ok(),
        };
        let settings = match node.get("settings").map(|node| (node, node.to_value())) {
            None => Map::new(),
            Some((_, Value::Object(settings))) => settings,
            Some((node, _)) => {
                self.wrong_kind(node, "`settings`", "an object");
                Map::new()
            }
        };
        let secrets = node.get("secrets").map(|node| self.texts(node, "`secrets`"));
        // Read where secrets are looked for.
        if let Some(node) = node.get("not_secret") {
            self.texts(node, "`not_secret`");
        }
        let idempotency_key = node.get("idempotency_key");
        let idempotency_key = idempotency_key.and_then(|node| self.text(node, "`idempotency_key`"));
        let in_any_order = self.flag(node.get("in_any_order"), "`in_any_order`");
        let mut exchanges = Vec::new();
        if let Some(list) = node.get("exchanges") {
            if !matches!(list.content, Content::List(_) | Content::Null) {
                self.wrong_kind(list, "`exchanges`", "a list");
            }
            for element in list.elements() {
                exchanges.extend(self.exchange(element));
            }
        }
        let expect = match node.get("expect") {
            Some(node) => self.expectation(node),
            None if without_expectation => None,
            None => {
                self.mistake_with_help(
                    node,
                    "a case needs the key `expect`",
                    "`ticket-gateway test --update` writes it from what comes of the case",
                );
                None
            }
        };
        Some(Case {
            name: name?,
            action: action?,
            context: node.get("context").map_or_else(|| json!({}), Node::to_value),
            settings,
            settings_place: node
                .get("settings")
                .map_or(&node.place, |node| &node.place)
                .clone(),
            secrets,
            idempotency_key,
            now: now?,
            in_any_order,
            exchanges,
            expect,
            place: node.place.clone(),
        })
    }

    fn action(&mut self, node: &Node) -> Option<TasAction> {
        let key = self.text(node, "`action`")?;
        let action = TasAction::from_key(&key);
        if action.is_none() {
            let known = TasAction::ALL.map(TasAction::key);
            let help = match did_you_mean(&key, known) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("the actions: {}", known.join(", ")),
            };
            self.mistake_with_help(node, format!("there is no ticket action `{key}`"), help);
        }
        action
    }

    fn time(&mut self, node: &Node, text: &str) -> Option<Timestamp> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.mistake(node, "`now`: expected a time such as 2026-01-05T12:00:00Z");
        }
        parsed
    }

    fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        if !matches!(node.content, Content::List(_)) {
            self.wrong_kind(node, what, "a list of texts");
        }
        let elements = node.elements().iter();
        elements.filter_map(|element| self.text(element, what)).collect()
    }

    fn exchange(&mut self, node: &Node) -> Option<Exchange> {
        if !self.is_object(node, "an exchange", &EXCHANGE) {
            return None;
        }
        let request = self.needed(node, "an exchange", "request");
        let shown = request.and_then(|node| self.request(node));
        let response = self.needed(node, "an exchange", "response");
        let reply = response.and_then(|node| self.response(node));
        let times = match node.get("repeat") {
            Some(node) => self.number(node, "`repeat`", 1, 1000),
            None => Some(1),
        };
        Some(Exchange {
            request: shown?,
            times: u32::try_from(times?).unwrap_or(1),
            reply: reply?,
            place: request?.place.clone(),
        })
    }

    /// The request in the form of [`shown::request`].
    fn request(&mut self, node: &Node) -> Option<Value> {
        if !self.is_object(node, "a request", &REQUEST) {
            return None;
        }
        let method = self.needed(node, "a request", "method");
        let method = method.and_then(|node| self.text(node, "`method`"));
        let path = self.needed(node, "a request", "path");
        let path = path.and_then(|node| self.path(node));
        let mut request = Map::new();
        put(&mut request, "method", method?.to_ascii_uppercase());
        put(&mut request, "path", path?);
        if let Some(query) = node.get("query").map(|node| self.fields(node, "`query`"))
            && !query.is_empty()
        {
            put(&mut request, "query", query);
        }
        if let Some(headers) = node.get("headers") {
            let mut named = Map::new();
            for (key, value) in headers.entries() {
                let value = match &value.content {
                    Content::Null => Value::Null,
                    _ => self.scalar(value, "a header")?.into(),
                };
                named.insert(key.name.to_ascii_lowercase(), value);
            }
            if named.is_empty() {
                self.wrong_kind(headers, "`headers`", "an object");
            }
            put(&mut request, "headers", named);
        }
        match self.one_body(node, &["body", "form", "multipart", "text", "base64"])? {
            None => {}
            Some((key @ "body", node)) => put(&mut request, key, node.to_value()),
            Some((key @ "form", node)) => put(&mut request, key, self.fields(node, "`form`")),
            Some((key @ "multipart", node)) => {
                let parts: Vec<Value> = node
                    .elements()
                    .iter()
                    .filter_map(|part| self.part(part))
                    .collect();
                if parts.is_empty() {
                    self.wrong_kind(node, "`multipart`", "a list of parts");
                }
                put(&mut request, key, parts);
            }
            Some((key, node)) => {
                let bytes = self.bytes(key, node)?;
                // What is readable is shown as text however the case writes it.
                if let Some((key, value)) = shown::body(&bytes, "") {
                    put(&mut request, key, value);
                }
            }
        }
        Some(Value::Object(request))
    }

    fn path(&mut self, node: &Node) -> Option<String> {
        let path = self.text(node, "`path`")?;
        if path.contains('?') {
            self.mistake_with_help(
                node,
                "`path` holds no query",
                "write what follows the `?` under `query`",
            );
        } else if !path.starts_with('/') && !path.starts_with("http://") && !path.starts_with("https://") {
            self.mistake_with_help(
                node,
                "`path` is below the base URL and begins with `/`",
                "a request to another place, such as one for a token, has the whole URL",
            );
        }
        Some(path)
    }

    fn part(&mut self, node: &Node) -> Option<Value> {
        if !self.is_object(node, "a part", &PART) {
            return None;
        }
        let name = self.needed(node, "a part", "name");
        let mut part = Map::new();
        put(
            &mut part,
            "name",
            name.and_then(|node| self.text(node, "`name`"))?,
        );
        for key in ["file_name", "content_type"] {
            if let Some(node) = node.get(key) {
                put(&mut part, key, self.text(node, &format!("`{key}`"))?);
            }
        }
        match self.one_body(node, &["body", "text", "base64"])? {
            None => put(&mut part, "text", ""),
            Some((key @ "body", node)) => put(&mut part, key, node.to_value()),
            Some((key, content)) => {
                let bytes = self.bytes(key, content)?;
                let (key, value) = shown::content(&bytes, node.get("file_name").is_none());
                put(&mut part, key, value);
            }
        }
        Some(Value::Object(part))
    }

    fn response(&mut self, node: &Node) -> Option<Reply> {
        if !self.is_object(node, "a response", &RESPONSE) {
            return None;
        }
        if let Some(failure) = node.get("failure") {
            if let [_, (other, _), ..] = node.entries() {
                let message = "`failure` stands for an answer that did not come; nothing stands beside it";
                self.mistakes
                    .push(Diagnostic::error(MISTAKE, message).at(&other.place));
            }
            let word = self.text(failure, "`failure`")?;
            let loss = Loss::ALL.into_iter().find(|loss| loss.key() == word);
            if loss.is_none() {
                let known = Loss::ALL.map(Loss::key).join(", ");
                self.mistake(failure, format!("`failure`: expected one of {known}"));
            }
            return loss.map(Reply::Lost);
        }
        let status = self.needed(node, "a response", "status");
        let status = status.and_then(|node| self.number(node, "`status`", 100, 599));
        let mut headers = HeaderMap::new();
        for (key, value) in node.get("headers").map(Node::entries).unwrap_or_default() {
            let values = match &value.content {
                Content::List(values) => values.iter().collect(),
                _ => vec![value],
            };
            for value in values {
                let text = self.scalar(value, "a header")?;
                match (
                    HeaderName::from_bytes(key.name.as_bytes()),
                    HeaderValue::from_str(&text),
                ) {
                    (Ok(name), Ok(text)) => {
                        headers.append(name, text);
                    }
                    _ => {
                        self.mistake(value, format!("`{}: {text}` cannot be a header", key.name));
                    }
                }
            }
        }
        let (body, media_type) = match self.one_body(node, &["body", "text", "base64"])? {
            None => (Bytes::new(), None),
            Some(("body", node)) => (node.to_value().to_string().into(), Some("application/json")),
            Some((key @ "text", node)) => (self.bytes(key, node)?, Some("text/plain; charset=utf-8")),
            Some((key, node)) => (self.bytes(key, node)?, Some("application/octet-stream")),
        };
        if let Some(media_type) = media_type {
            headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static(media_type));
        }
        Some(Reply::Answer(WholeAnswer {
            status: u16::try_from(status?).unwrap_or_default(),
            headers,
            body,
        }))
    }

    /// The one key of several that holds the body.
    fn one_body<'n>(
        &mut self,
        node: &'n Node,
        keys: &[&'static str],
    ) -> Option<Option<(&'static str, &'n Node)>> {
        let mut there = keys.iter().filter_map(|key| Some((*key, node.get(key)?)));
        let first = there.next();
        if let (Some((first, _)), Some((second, node))) = (first, there.next()) {
            self.mistake(node, format!("one body only: `{first}` or `{second}`"));
            return None;
        }
        Some(first)
    }

    /// The bytes of `text` or `base64`.
    fn bytes(&mut self, key: &str, node: &Node) -> Option<Bytes> {
        let Some(text) = node.as_text() else {
            self.wrong_kind(node, &format!("`{key}`"), "text");
            return None;
        };
        if key != "base64" {
            return Some(text.to_owned().into());
        }
        let decoded = STANDARD.decode(text.split_ascii_whitespace().collect::<String>());
        if decoded.is_err() {
            self.mistake(node, "`base64`: it is not Base64 text");
        }
        decoded.ok().map(Bytes::from)
    }

    /// Names and values of a query or a form. A value that is null is not there.
    fn fields(&mut self, node: &Node, what: &str) -> Map<String, Value> {
        if !matches!(node.content, Content::Object(_)) {
            self.wrong_kind(node, what, "an object");
        }
        let mut pairs = Vec::new();
        for (key, value) in node.entries() {
            let values = match &value.content {
                Content::Null => Vec::new(),
                Content::List(values) => values.iter().collect(),
                _ => vec![value],
            };
            for value in values {
                if let Some(text) = self.scalar(value, what) {
                    pairs.push((key.name.clone(), text));
                }
            }
        }
        shown::fields(pairs.into_iter())
    }

    /// A text, number or boolean as text.
    fn scalar(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.content {
            Content::Text(text) => Some(text.clone()),
            Content::Number(number) => Some(number.to_string()),
            Content::Bool(flag) => Some(flag.to_string()),
            _ => {
                self.wrong_kind(node, what, "text");
                None
            }
        }
    }

    fn expectation(&mut self, node: &Node) -> Option<Expectation> {
        if !self.is_object(node, "`expect`", &EXPECT) {
            return None;
        }
        let end = match (node.get("output"), node.get("error")) {
            (Some(output), None) => End::Output(output.to_value()),
            (None, Some(error)) => {
                if !self.is_object(error, "`error`", &ERROR) {
                    return None;
                }
                self.needed(error, "`error`", "code");
                match error.to_value() {
                    Value::Object(named) => End::Error(named),
                    _ => return None,
                }
            }
            _ => {
                self.mistake(node, "`expect` has either `output` or `error`");
                return None;
            }
        };
        Some(Expectation {
            end,
            place: node.place.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema is written by hand; both must know the same keys.
    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let keys = |pointer: &str| {
            let object = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
            object.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys("/properties"), CASE);
        assert_eq!(keys("/$defs/exchange/properties"), EXCHANGE);
        assert_eq!(keys("/$defs/request/properties"), REQUEST);
        assert_eq!(keys("/$defs/part/properties"), PART);
        assert_eq!(keys("/$defs/response/properties"), RESPONSE);
        assert_eq!(keys("/properties/expect/properties"), EXPECT);
        assert_eq!(keys("/properties/expect/properties/error/properties"), ERROR);
        assert_eq!(
            schema["properties"]["action"]["enum"],
            json!(TasAction::ALL.map(TasAction::key))
        );
    }
}
