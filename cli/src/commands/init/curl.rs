//! `curl` lines made into HTTP actions, and into the ticket actions that their paths and bodies show.
//!
//! Nothing that signs a request, and no value of a body, is written to the files: what is variable becomes a variable.

mod base;
mod described;
mod line;
mod secret;
mod signing;

use std::path::Path;

use integration::TasAction;
use serde_json::Value;

use self::base::Base;
use self::line::Part;
use self::line::{Data, Request};
use self::secret::{is_key, looks_secret};
use self::signing::Signing;
use super::choose::choose;
use super::draft::Draft;
use super::operation::Operation;
use super::propose::{Bodies, TicketActions, ticket_actions};
use super::report::{Report, Row};
use super::request::{by_path, free};
use super::resource::Resource;
use super::server;
use super::states;
use super::words::{singular, snake};
use super::yaml::{Entry, Yaml, entry, remarked};
use crate::failure::Failure;

/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// Why there is no ticket action.
const NO_TICKETS: &str =
    "no line has a path such as /tickets/42; if a ticket is called otherwise, name it with --noun";

/// Reads the file, writes an HTTP action for each line, and the ticket actions that the lines show.
pub(crate) fn propose(name: &str, path: &Path, noun: Option<&str>) -> Result<(Draft, Report), Failure> {
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
    let count = requests.len();
    let mut lines = Lines::default();
    let mut requests = lines.of_one_host(requests);
    lines.base = base::take(&mut requests);
    lines.signing = signing::decide(&requests, &lines.base);
    for said in std::mem::take(&mut lines.signing.remarks) {
        lines.remark(said);
    }
    if let Some(login) = lines.signing.login {
        requests.remove(login);
    }
    let tickets = tickets(&requests, noun);
    for (index, request) in requests.iter().enumerate() {
        let known = tickets.as_ref().and_then(|tickets| {
            let mut actions = tickets.http_actions.iter();
            actions.find(|(operation, _)| *operation == index)
        });
        lines.add(request, known.map(|(_, action)| action), tickets.as_ref());
    }
    if tickets.is_none() {
        lines.remark(NO_TICKETS.to_owned());
    }
    Ok(lines.finish(name, count, tickets))
}

/// The ticket actions, where a path shows a ticket.
fn tickets(requests: &[Request], noun: Option<&str>) -> Option<TicketActions> {
    let operations: Vec<Operation> = requests.iter().map(described::operation).collect();
    let resource = Resource::find(&operations, noun)?;
    let choices = choose(&operations, &resource);
    Some(ticket_actions(&operations, &resource, &choices, Bodies::Sent))
}

#[derive(Default)]
struct Lines {
    origin: Option<String>,
    base: Base,
    signing: Signing,
    actions: Vec<Entry>,
    names: Vec<String>,
    remarks: Vec<String>,
}

impl Lines {
    /// The requests to the host that is named first.
    fn of_one_host(&mut self, requests: Vec<Request>) -> Vec<Request> {
        self.origin = requests.iter().find_map(|request| request.origin.clone());
        let mut kept = Vec::new();
        for request in requests {
            if request.origin.is_some() && request.origin != self.origin {
                self.remark(format!(
                    "line {} goes to another host and was left out: an integration reaches one",
                    request.line
                ));
            } else {
                kept.push(request);
            }
        }
        kept
    }

    fn remark(&mut self, text: String) {
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }

    /// Writes the HTTP action of a line; `known` is the one that a ticket action is made of.
    fn add(&mut self, request: &Request, known: Option<&Entry>, tickets: Option<&TicketActions>) {
        let line = request.line;
        for said in &request.remarks {
            self.remark(format!("line {line}: {said}"));
        }
        let mut variables = Vec::new();
        let path = templated(&request.path, &mut variables);
        let query = self.query(request, &mut variables);
        let headers = self.headers(request);
        if let Some(action) = known {
            let mut action = action.clone();
            action.above.insert(0, format!("Line {line}."));
            if !matches!(request.data, Data::None) && described::operation(request).body.is_none() {
                let lost = "its body is a list or a plain text, which no ticket action sends yet";
                self.remark(format!("line {line}: {lost}"));
                action.above.push(format!("TODO: {lost}: write it as `body`."));
            }
            self.actions.push(action);
            return;
        }
        let mut taken = self.names.clone();
        taken.extend(
            tickets
                .iter()
                .flat_map(|it| &it.http_actions)
                .map(|(_, it)| it.key.clone()),
        );
        let name = free(&by_path(&request.method, &request.path_words()), &taken);
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
            vec![format!(
                "Line {line}. Its variables, which a step gives as `input_args`: {}.",
                variables.join(", ")
            )]
        };
        self.names.push(name.clone());
        self.actions.push(remarked(above, name, Yaml::Map(keys)));
    }

    fn query(&mut self, request: &Request, variables: &mut Vec<String>) -> Vec<Entry> {
        let mut query: Vec<Entry> = Vec::new();
        for (key, value) in &request.query {
            if is_key(key, value) {
                // What signs the request is said in `auth`.
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
            if lower == "authorization" || is_key(name, value) {
                // What signs the request is said in `auth`.
            } else if lower == "cookie" {
                self.remark(
                    "the cookies were not written. A session of a browser signs no requests for long: use an API key, or a \
                     login (`session` in docs/integration.md)"
                        .to_owned(),
                );
            } else if line::is_a_client_s(&lower) || lower == "content-type" {
                // The gateway's own client has its own.
            } else if looks_secret(value) {
                self.remark(format!(
                    "the header {name} was left out, since its value may be a secret"
                ));
            } else {
                headers.push(entry(name, Yaml::text(value)));
            }
        }
        headers
    }

    fn finish(self, name: &str, lines: usize, tickets: Option<TicketActions>) -> (Draft, Report) {
        let origin = self
            .origin
            .map(|origin| format!("{origin}{}", self.base.installed));
        let mut settings = vec![server::address(origin.as_deref().unwrap_or_default(), true)];
        settings.extend(self.signing.settings);
        let shown = match self.signing.auth {
            Some(_) => self.signing.shown,
            None => "none found".to_owned(),
        };
        let auth = self.signing.auth.unwrap_or_else(|| {
            remarked(
                vec!["TODO: no line shows how requests are signed.".to_owned()],
                "auth",
                Yaml::map([("kind", Yaml::text("none"))]),
            )
        });
        let base_url = format!("{{{{settings.base_url}}}}{}", self.base.api);
        let mut connector = vec![entry("base_url", Yaml::text(base_url)), auth];
        if !self.signing.headers.is_empty() {
            connector.push(entry("headers", Yaml::Map(self.signing.headers)));
        }
        let mut about = vec![format!("Made by `ticket-gateway init` of {lines} curl lines.")];
        about.push(match &tickets {
            Some(_) => "`sure` is between 0 and 1, and no line shows an answer: go through every TODO.".to_owned(),
            None => "TODO: write the ticket actions under `actions`; docs/integration.md begins with one. Take each out of \
                     `capabilities` when it is written."
                .to_owned(),
        });
        let tickets = tickets.unwrap_or_else(none_found);
        settings.extend(tickets.settings);
        let draft = Draft {
            name: name.to_owned(),
            about,
            description: name.to_owned(),
            settings,
            connector,
            http_actions: self.actions,
            actions: tickets.actions,
            capabilities: tickets.capabilities,
            states: Vec::new(),
            about_states: states::UNKNOWN.iter().map(|line| (*line).to_owned()).collect(),
            polled: tickets.polled,
        };
        let report = Report {
            ticket: tickets.ticket,
            auth: shown,
            secrets: self.signing.secrets,
            paging: tickets.paging,
            rows: tickets.rows,
            remarks: self.remarks,
        };
        (draft, report)
    }
}

/// No line has a path such as `/tickets/42`.
fn none_found() -> TicketActions {
    let capabilities = TasAction::ALL.map(|action| {
        let reason = Yaml::text("Not written yet");
        entry(action.key(), Yaml::map([("reason", reason)]))
    });
    let rows = TasAction::ALL.map(|action| Row {
        action,
        sure: 0.0,
        request: None,
        operation_id: None,
        because: vec![NO_TICKETS.to_owned()],
        todos: Vec::new(),
    });
    TicketActions {
        ticket: String::new(),
        settings: Vec::new(),
        http_actions: Vec::new(),
        actions: Vec::new(),
        capabilities: capabilities.into(),
        rows: rows.into(),
        paging: None,
        states: (Vec::new(), String::new()),
        needed: Vec::new(),
        polled: false,
    }
}

/// A path with a variable where an id stands.
fn templated(path: &str, variables: &mut Vec<String>) -> String {
    let mut text = String::new();
    // The last word, and the last segment.
    let (mut before, mut last) = ("", "");
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        text.push('/');
        let (own, end) = match segment.rsplit_once('.') {
            Some((own, end)) if ["json", "xml"].contains(&end) => (own, format!(".{end}")),
            _ => (segment, String::new()),
        };
        if is_id(last, own) {
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
        last = own;
    }
    if text.is_empty() { "/".to_owned() } else { text }
}

/// Whether a segment is a particular thing's: a number, a UUID, `ABC-123`, a placeholder, or long and random. A small
/// number after `api`, `rest` or `v` is a version.
fn is_id(before: &str, segment: &str) -> bool {
    let small = segment.len() <= 2 && segment.chars().all(|letter| letter.is_ascii_digit());
    if small && ["api", "rest", "v", "version"].contains(&before.to_lowercase().as_str()) {
        return false;
    }
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
            let parts = parts
                .iter()
                .map(|part| (part.name.clone(), part_of(part, variables)));
            Some(Yaml::map([("multipart", Yaml::map(parts.collect::<Vec<_>>()))]))
        }
    }
}

fn part_of(part: &Part, variables: &mut Vec<String>) -> Yaml {
    if !part.is_file {
        let mut keys = vec![("text", Yaml::text(variable(&part.name, variables)))];
        keys.extend(
            part.content_type
                .as_ref()
                .map(|kind| ("content_type", Yaml::text(kind))),
        );
        return Yaml::map(keys);
    }
    let content = variable("content", variables);
    let file_name = variable("file_name", variables);
    let kind = match &part.content_type {
        Some(kind) => kind.clone(),
        None => format!("{{{{{{{}}}}}}}", variable("content_type", variables)),
    };
    Yaml::map([
        ("file", Yaml::text(content)),
        ("file_name", Yaml::text(format!("{{{{{{{file_name}}}}}}}"))),
        ("content_type", Yaml::text(kind)),
    ])
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
