//! `curl` lines made into HTTP actions.
//!
//! Nothing that signs a request, and no value of a body, is written to the files: what is variable becomes a variable.

mod line;
mod secret;

use std::path::Path;

use integration::TasAction;
use serde_json::Value;

use self::line::{Data, Request};
use self::secret::{Found, looks_secret, names_secret};
use super::draft::Draft;
use super::report::{Report, Row};
use super::request::{by_path, free};
use super::server;
use super::states;
use super::words::{singular, snake};
use super::yaml::{Entry, Yaml, entry, remarked};
use crate::failure::Failure;

/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the file and writes an HTTP action for each line.
pub(crate) fn propose(name: &str, path: &Path) -> Result<(Draft, Report), Failure> {
    let shown = path.display().to_string();
    let unreadable = |error| Failure::failed(format!("cannot read {shown}: {error}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(Failure::failed(format!(
            "{shown} is larger than {MAX_BYTES} bytes"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let requests = line::read(&shown, &text)?;
    if requests.is_empty() {
        return Err(
            Failure::failed(format!("{shown} has no curl line")).help("each begins with the word `curl`")
        );
    }
    Ok(Lines::new(&requests).finish(name, requests.len()))
}

struct Lines {
    origin: Option<String>,
    auth: Option<Found>,
    actions: Vec<Entry>,
    names: Vec<String>,
    remarks: Vec<String>,
}

impl Lines {
    fn new(requests: &[Request]) -> Self {
        let origin = requests.iter().find_map(|request| request.origin.clone());
        let mut lines = Self {
            origin,
            auth: None,
            actions: Vec::new(),
            names: Vec::new(),
            remarks: Vec::new(),
        };
        for request in requests {
            lines.add(request);
        }
        lines
    }

    fn remark(&mut self, text: String) {
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }

    fn add(&mut self, request: &Request) {
        let line = request.line;
        if let (Some(origin), Some(own)) = (&self.origin, &request.origin)
            && origin != own
        {
            self.remark(format!(
                "line {line} goes to another host and was left out: an integration reaches one"
            ));
            return;
        }
        for said in &request.remarks {
            self.remark(format!("line {line}: {said}"));
        }
        let mut variables = Vec::new();
        let path = templated(&request.path, &mut variables);
        let query = self.query(request, &mut variables);
        let headers = self.headers(request);
        if request.user.is_some() {
            self.found(line, Found::Basic);
        }
        let name = free(&by_path(&request.method, &request.path_words()), &self.names);
        let mut keys = vec![
            entry("method", Yaml::text(&request.method)),
            entry("path", Yaml::text(path)),
        ];
        if !query.is_empty() {
            keys.push(entry("query", Yaml::Map(query)));
        }
        if !headers.is_empty() {
            keys.push(entry("headers", Yaml::Map(headers)));
        }
        if let Some(body) = body(&request.data, request.content_type(), &mut variables) {
            keys.push(entry("body", body));
        }
        let above = if variables.is_empty() {
            vec![format!("Line {line}.")]
        } else {
            vec![format!("Line {line}. Its step gives: {}.", variables.join(", "))]
        };
        self.names.push(name.clone());
        self.actions.push(remarked(above, name, Yaml::Map(keys)));
    }

    /// What signs a request becomes `auth`; the first kind that is met is taken.
    fn found(&mut self, line: usize, found: Found) {
        self.remark(format!(
            "line {line}: {} was not written; it becomes the secret `{}`",
            found.shown(),
            found.secret()
        ));
        match &self.auth {
            None => self.auth = Some(found),
            Some(known) if *known == found => {}
            Some(_) => self.remark(format!(
                "line {line}: {} is a second way to sign a request, and an integration has one: it was left out",
                found.shown()
            )),
        }
    }

    fn query(&mut self, request: &Request, variables: &mut Vec<String>) -> Vec<Entry> {
        let mut query: Vec<Entry> = Vec::new();
        for (key, value) in &request.query {
            if names_secret(key) {
                self.found(request.line, Found::Query(key.clone()));
            } else if query.iter().any(|known| known.key == *key) {
                self.remark(format!(
                    "line {}: the parameter {key} stands there twice; the first is kept",
                    request.line
                ));
            } else if is_constant(value) {
                query.push(entry(key, Yaml::text(value)));
            } else {
                let variable = variable(key, variables);
                query.push(entry(key, Yaml::text(format!("{{{{{variable}}}}}"))));
            }
        }
        query
    }

    fn headers(&mut self, request: &Request) -> Vec<Entry> {
        let mut headers = Vec::new();
        for (name, value) in &request.headers {
            let lower = name.to_lowercase();
            if lower == "authorization" || names_secret(name) {
                let found = Found::of_header(name, value);
                self.found(request.line, found);
            } else if lower == "cookie" {
                self.remark(format!(
                    "line {}: the cookie was not written. A session is no way to sign requests for long: use an API key",
                    request.line
                ));
            } else if line::is_a_client_s(&lower) || lower == "content-type" {
                // The gateway's own client has its own.
            } else if looks_secret(value) {
                self.remark(format!(
                    "line {}: the header {name} was left out, since its value may be a secret",
                    request.line
                ));
            } else {
                headers.push(entry(name, Yaml::text(value)));
            }
        }
        headers
    }

    fn finish(self, name: &str, lines: usize) -> (Draft, Report) {
        let mut settings = vec![server::setting("Address of the API", self.origin.as_deref())];
        let (auth, shown, secret) = match &self.auth {
            Some(found) => {
                settings.extend(found.settings());
                (found.entry(), found.shown(), Some(found.secret().to_owned()))
            }
            None => (
                remarked(
                    vec!["TODO: no line shows how requests are signed.".to_owned()],
                    "auth",
                    Yaml::map([("kind", Yaml::text("none"))]),
                ),
                "none found".to_owned(),
                None,
            ),
        };
        let reason = "curl lines do not say what a ticket action does";
        let rows = TasAction::ALL.map(|action| Row {
            action,
            sure: 0.0,
            request: None,
            operation_id: None,
            because: vec![reason.to_owned()],
            todos: Vec::new(),
        });
        let capabilities = TasAction::ALL.map(|action| {
            let reason = Yaml::text("Not written yet");
            entry(action.key(), Yaml::map([("reason", reason)]))
        });
        let draft = Draft {
            name: name.to_owned(),
            about: vec![
                format!(
                    "Made by `ticket-gateway init` of {lines} curl lines. TODO: write the ticket actions under `actions`;"
                ),
                "docs/integration.md begins with one. Take each out of `capabilities` when it is written."
                    .to_owned(),
            ],
            description: name.to_owned(),
            settings,
            connector: vec![entry("base_url", Yaml::text("{{settings.base_url}}")), auth],
            http_actions: self.actions,
            actions: Vec::new(),
            capabilities: capabilities.into(),
            states: Vec::new(),
            about_states: states::UNKNOWN.iter().map(|line| (*line).to_owned()).collect(),
            polled: false,
        };
        let report = Report {
            ticket: String::new(),
            auth: shown,
            secret,
            paging: None,
            rows: rows.into(),
            remarks: self.remarks,
        };
        (draft, report)
    }
}

/// A path with a variable where an id stands.
fn templated(path: &str, variables: &mut Vec<String>) -> String {
    let mut text = String::new();
    let mut before = "";
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        text.push('/');
        let (own, end) = match segment.rsplit_once('.') {
            Some((own, end)) if ["json", "xml"].contains(&end) => (own, format!(".{end}")),
            _ => (segment, String::new()),
        };
        if is_id(own) {
            let noun = snake(&singular(&before.to_lowercase()));
            let name = if before.is_empty() {
                "id".to_owned()
            } else {
                format!("{noun}_id")
            };
            let variable = variable(&name, variables);
            text.push_str(&format!("{{{{{{{variable}}}}}}}{end}"));
        } else {
            text.push_str(&own.replace("{{", "{ {"));
            text.push_str(&end);
            before = own;
        }
    }
    if text.is_empty() { "/".to_owned() } else { text }
}

/// Whether a segment is a particular thing's: a number, a UUID, `ABC-123`, a placeholder, or long and random.
fn is_id(segment: &str) -> bool {
    let digits = segment.chars().filter(char::is_ascii_digit).count();
    let placeholder =
        segment.starts_with([':', '{', '<', '$']) || segment.starts_with("%7B") || segment.contains("${");
    let version = segment.len() <= 4 && segment.starts_with(['v', 'V']);
    let key = segment.split_once('-').is_some_and(|(word, number)| {
        !word.is_empty()
            && word
                .chars()
                .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
            && !number.is_empty()
            && number.chars().all(|letter| letter.is_ascii_digit())
    });
    let number = digits > 0 && digits == segment.len();
    let letter_number = digits >= 3 && !segment.contains('_') && segment.len() - digits <= 4;
    let address = segment.contains('@') || segment.contains("%40");
    !version && (placeholder || key || number || letter_number || address || looks_secret(segment))
}

/// Whether a value of a query is worth keeping as it is: a plain word or a small number, nothing of a person's.
fn is_constant(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 40
        && !looks_secret(value)
        && !value.starts_with('$')
        && value.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-,.:".contains(letter))
        // A time or an id is another one the next time.
        && (value.len() <= 4 || value.chars().filter(char::is_ascii_digit).count() < 4)
}

/// A new variable's name.
fn variable(name: &str, variables: &mut Vec<String>) -> String {
    let free = free(&snake(name), variables);
    variables.push(free.clone());
    free
}

fn body(data: &Data, content_type: Option<&str>, variables: &mut Vec<String>) -> Option<Yaml> {
    match data {
        Data::None => None,
        Data::Text(text) => {
            let form = content_type.is_none_or(|kind| kind.contains("x-www-form-urlencoded"));
            match serde_json::from_str::<Value>(text) {
                Ok(value @ (Value::Object(_) | Value::Array(_))) => {
                    Some(Yaml::map([("json", json(&value, "value", variables, 0))]))
                }
                _ if form && text.contains('=') && !text.contains('\n') => {
                    Some(Yaml::map([("form", form_of(text, variables))]))
                }
                _ => {
                    let name = variable("text", variables);
                    let kind = content_type.unwrap_or("text/plain");
                    Some(Yaml::map([
                        ("text", Yaml::text(format!("{{{{{{{name}}}}}}}"))),
                        ("content_type", Yaml::text(kind)),
                    ]))
                }
            }
        }
        Data::File => {
            let content = variable("content", variables);
            Some(Yaml::map([
                ("binary", Yaml::text(content)),
                (
                    "content_type",
                    Yaml::text(content_type.unwrap_or("application/octet-stream")),
                ),
            ]))
        }
        Data::Parts(parts) => {
            let parts = parts.iter().map(|(name, is_file)| {
                let part = if *is_file {
                    let content = variable("content", variables);
                    let file_name = variable("file_name", variables);
                    let kind = variable("content_type", variables);
                    Yaml::map([
                        ("file", Yaml::text(content)),
                        ("file_name", Yaml::text(format!("{{{{{{{file_name}}}}}}}"))),
                        ("content_type", Yaml::text(format!("{{{{{{{kind}}}}}}}"))),
                    ])
                } else {
                    Yaml::map([("text", Yaml::text(variable(name, variables)))])
                };
                (name.clone(), part)
            });
            Some(Yaml::map([("multipart", Yaml::map(parts.collect::<Vec<_>>()))]))
        }
    }
}

/// Objects as they are, with a variable for each value; a list is one variable.
fn json(value: &Value, name: &str, variables: &mut Vec<String>, depth: usize) -> Yaml {
    match value {
        Value::Object(entries)
            if depth < 8
                && entries
                    .keys()
                    .all(|key| !key.contains('.') && !key.ends_with("()")) =>
        {
            Yaml::map(
                entries
                    .iter()
                    .map(|(key, value)| (key, json(value, key, variables, depth + 1)))
                    .collect::<Vec<_>>(),
            )
        }
        Value::Bool(true) => Yaml::text("TRUE"),
        Value::Bool(false) => Yaml::text("FALSE"),
        Value::Null => Yaml::text("NULL"),
        _ => Yaml::text(variable(name, variables)),
    }
}

fn form_of(text: &str, variables: &mut Vec<String>) -> Yaml {
    let mut entries: Vec<Entry> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let key = line::url_decoded(pair.split('=').next().unwrap_or_default());
        if key.is_empty() || entries.iter().any(|known| known.key == key) {
            continue;
        }
        let variable = variable(&key, variables);
        entries.push(entry(key, Yaml::text(format!("{{{{{variable}}}}}"))));
    }
    Yaml::Map(entries)
}
