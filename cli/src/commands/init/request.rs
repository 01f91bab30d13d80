//! The HTTP actions of a proposal. Several ticket actions may share one: it then has all that any of them sends.

use super::operation::{Body, BodyKind, Operation, Segment};
use super::resource::Resource;
use super::shape::{Kind, Leaf};
use super::words::snake;
use super::yaml::{Entry, Yaml, entry, remarked};

/// An HTTP action.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) operation: usize,
    pub(crate) name: String,
    /// Whether its path names a ticket.
    pub(crate) takes_ticket: bool,
    above: Vec<String>,
    method: String,
    path: String,
    description: String,
    query: Vec<Entry>,
    headers: Vec<Entry>,
    kind: Option<BodyKind>,
    body: Vec<Sent>,
    pub(crate) paginate: Vec<Entry>,
    repeatable: bool,
}

/// One value of a body.
#[derive(Debug)]
struct Sent {
    path: Vec<String>,
    value: Yaml,
    optional: bool,
    above: Vec<String>,
}

/// What an installation fills in.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) entries: Vec<Entry>,
}

impl Settings {
    /// A setting for a parameter that every request of this installation has the same.
    pub(crate) fn add(&mut self, leaf: &Leaf, said: &str) -> String {
        let name = snake(leaf.name());
        let name = if name == "base_url" {
            "base_url_value".to_owned()
        } else {
            name
        };
        if self.entries.iter().any(|known| known.key == name) {
            return name;
        }
        let kind = match leaf.kind {
            Kind::Number if leaf.format == "float" || leaf.format == "double" => "number",
            Kind::Number => "integer",
            Kind::Boolean => "boolean",
            Kind::List => "list",
            Kind::Object => "object",
            Kind::Text | Kind::Unknown => "text",
        };
        let description = first_sentence(&leaf.description);
        let description = if description.is_empty() {
            said.to_owned()
        } else {
            description
        };
        self.entries.push(entry(
            &name,
            Yaml::map([
                ("type", Yaml::text(kind)),
                ("required", Yaml::Plain("true".to_owned())),
                ("description", Yaml::text(description)),
            ]),
        ));
        name
    }
}

impl Request {
    /// The request with what it always sends: its path, and the parameters that it cannot do without.
    pub(crate) fn new(
        index: usize,
        operation: &Operation,
        resource: &Resource,
        settings: &mut Settings,
        taken: &[String],
    ) -> Self {
        let mut request = Self {
            operation: index,
            name: free_name(operation, taken),
            takes_ticket: false,
            above: Vec::new(),
            method: operation.method.clone(),
            path: String::new(),
            description: first_sentence(&operation.summary),
            query: Vec::new(),
            headers: Vec::new(),
            kind: operation.body.as_ref().map(|body| body.kind),
            body: Vec::new(),
            paginate: Vec::new(),
            repeatable: false,
        };
        request.build_path(operation, resource, settings);
        for parameter in operation.parameters.iter().filter(|parameter| parameter.required) {
            let ours = ["authorization", "accept", "content-type", "cookie"];
            match parameter.place.as_str() {
                "query" | "header" => {
                    if ours.contains(&parameter.name.to_lowercase().as_str()) {
                        continue;
                    }
                    let mut text = fixed(&parameter.leaf).unwrap_or_default();
                    if text.is_empty() {
                        let setting = settings.add(&parameter.leaf, "A parameter that the API needs");
                        text = format!("{{{{settings.{setting}}}}}");
                    }
                    if parameter.place == "query" {
                        request.query.push(entry(&parameter.name, Yaml::text(text)));
                    } else {
                        request.headers.push(entry(&parameter.name, Yaml::text(text)));
                    }
                }
                _ => {}
            }
        }
        request
    }

    fn build_path(&mut self, operation: &Operation, resource: &Resource, settings: &mut Settings) {
        for (place, segment) in operation.segments.iter().enumerate() {
            self.path.push('/');
            match segment {
                Segment::Word(word) => self.path.push_str(word),
                Segment::Parameter { name, end } => {
                    let is_ticket = place + 1 == resource.item.len()
                        && (resource.is_item(operation) || resource.tail(operation).is_some());
                    let parameter = operation
                        .parameters
                        .iter()
                        .find(|parameter| parameter.place == "path" && parameter.name == *name);
                    if is_ticket {
                        self.takes_ticket = true;
                        self.path.push_str("{{{ticket_id}}}");
                    } else if let Some(word) = parameter.and_then(|parameter| fixed(&parameter.leaf)) {
                        self.path.push_str(&word);
                    } else if let Some(parameter) = parameter {
                        let setting = settings.add(&parameter.leaf, "A part of every path");
                        self.path.push_str(&format!("{{{{{{settings.{setting}}}}}}}"));
                    } else {
                        let setting = settings.add(&unknown_leaf(name), "A part of every path");
                        self.path.push_str(&format!("{{{{{{settings.{setting}}}}}}}"));
                    }
                    self.path.push_str(&end.replace("{format}", "json"));
                }
            }
        }
    }

    /// A comment above it.
    pub(crate) fn remark(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.above.contains(&text) {
            self.above.push(text);
        }
    }

    /// A parameter that is always the same.
    pub(crate) fn query(&mut self, name: &str, value: &str) {
        if !self.query.iter().any(|known| known.key == name) {
            self.query.push(entry(name, Yaml::text(value)));
        }
    }

    /// A parameter that is left out where `variable` is empty; `value` is an expression over it.
    pub(crate) fn query_if(&mut self, name: &str, variable: &str, value: &str) {
        let key = format!("{{{{#{variable}}}}}{name}{{{{/{variable}}}}}");
        if !self.query.iter().any(|known| known.key == key) {
            let value = format!("{{{{#{variable}}}}}{{{{{value}}}}}{{{{/{variable}}}}}");
            self.query.push(entry(key, Yaml::text(value)));
        }
    }

    /// A value of the body; the first to set it wins.
    pub(crate) fn send(&mut self, path: &[String], value: Yaml, optional: bool, above: Vec<String>) {
        let clean = path
            .iter()
            .all(|name| !name.contains('.') && !name.ends_with("()"));
        if clean && !self.body.iter().any(|known| known.path == path) {
            self.body.push(Sent {
                path: path.to_vec(),
                value,
                optional,
                above,
            });
        }
    }

    /// Adds what is in a body and is not sent yet, with an empty value and what is to be done.
    pub(crate) fn keep(&mut self, body: &Body) {
        let leaves = &body.shape.leaves;
        for leaf in leaves {
            let is_above = leaves
                .iter()
                .any(|other| other.path.len() > leaf.path.len() && other.path.starts_with(&leaf.path));
            let is_inside = self.body.iter().any(|sent| leaf.path.starts_with(&sent.path));
            if is_above || is_inside || self.sends_below(&leaf.path) {
                continue;
            }
            let (value, optional) = match self.kind.unwrap_or(BodyKind::Json) {
                BodyKind::Json => (Yaml::text("NULL"), true),
                BodyKind::Multipart if leaf.format.contains('/') => {
                    let keys = [("text", "\"\""), ("content_type", &leaf.format)];
                    (Yaml::map(keys.map(|(key, text)| (key, Yaml::text(text)))), false)
                }
                BodyKind::Form | BodyKind::Multipart | BodyKind::Binary => (Yaml::text("\"\""), false),
            };
            let todo = format!("TODO: `{}` is sent empty; say what it is.", leaf.dotted());
            self.send(&leaf.path, value, optional, vec![todo]);
            if !self.sends(&leaf.path) {
                self.remark(format!(
                    "TODO: `{}` is not sent: a name with a dot is written with `EVAL()`.",
                    leaf.dotted()
                ));
            }
        }
    }

    pub(crate) fn sends(&self, path: &[String]) -> bool {
        self.body.iter().any(|known| known.path == path)
    }

    /// Whether something inside of the object at `path` is sent.
    pub(crate) fn sends_below(&self, path: &[String]) -> bool {
        self.body
            .iter()
            .any(|known| known.path.len() > path.len() && known.path.starts_with(path))
    }

    /// Whether something in the same object is sent.
    pub(crate) fn sends_beside(&self, path: &[String]) -> bool {
        let above = |path: &[String]| path.split_last().map(|(_, above)| above.to_vec());
        self.body.iter().any(|known| above(&known.path) == above(path))
    }

    /// How the body is sent, where the document does not say it or says it wrong.
    pub(crate) fn set_kind(&mut self, kind: BodyKind) {
        self.kind = Some(kind);
    }

    /// A search by POST may be sent again.
    pub(crate) fn only_reads(&mut self) {
        self.repeatable = self.method == "POST";
    }

    pub(crate) fn entry(&self) -> Entry {
        let mut keys = Vec::new();
        if !self.description.is_empty() {
            keys.push(entry("description", Yaml::text(&self.description)));
        }
        keys.push(entry("method", Yaml::text(&self.method)));
        keys.push(entry("path", Yaml::text(&self.path)));
        if !self.query.is_empty() {
            keys.push(entry("query", Yaml::Map(self.query.clone())));
        }
        if !self.headers.is_empty() {
            keys.push(entry("headers", Yaml::Map(self.headers.clone())));
        }
        if let Some(body) = self.body_yaml() {
            keys.push(entry("body", body));
        }
        if !self.paginate.is_empty() {
            keys.push(entry("paginate", Yaml::Map(self.paginate.clone())));
        }
        if self.repeatable {
            keys.push(entry("repeatable", Yaml::Plain("true".to_owned())));
        }
        remarked(self.above.clone(), &self.name, Yaml::Map(keys))
    }

    fn body_yaml(&self) -> Option<Yaml> {
        if self.body.is_empty() && self.kind != Some(BodyKind::Binary) {
            return None;
        }
        match self.kind.unwrap_or(BodyKind::Json) {
            BodyKind::Json => {
                let sent: Vec<(&[String], &Sent)> = self
                    .body
                    .iter()
                    .map(|sent| (sent.path.as_slice(), sent))
                    .collect();
                Some(Yaml::map([("json", nested(&sent, true).0)]))
            }
            BodyKind::Form => {
                let fields = self.body.iter().map(|sent| {
                    let name = form_name(&sent.path);
                    let value = expression(&sent.value);
                    let plain = value
                        .chars()
                        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
                    let (key, cell) = if value == "\"\"" {
                        (name, String::new())
                    } else if sent.optional && plain {
                        (
                            format!("{{{{#{value}}}}}{name}{{{{/{value}}}}}"),
                            format!("{{{{#{value}}}}}{{{{{value}}}}}{{{{/{value}}}}}"),
                        )
                    } else {
                        (name, format!("{{{{{value}}}}}"))
                    };
                    remarked(sent.above.clone(), key, Yaml::text(cell))
                });
                Some(Yaml::map([("form", Yaml::Map(fields.collect()))]))
            }
            BodyKind::Multipart => {
                let parts = self.body.iter().map(|sent| {
                    let part = match &sent.value {
                        Yaml::Map(_) => sent.value.clone(),
                        value => Yaml::map([("text", value.clone())]),
                    };
                    remarked(sent.above.clone(), form_name(&sent.path), part)
                });
                Some(Yaml::map([("multipart", Yaml::Map(parts.collect()))]))
            }
            BodyKind::Binary => Some(Yaml::map([
                ("binary", Yaml::text("content")),
                ("content_type", Yaml::text("{{{content_type}}}")),
            ])),
        }
    }
}

/// Objects inside one another, and whether this one may be missing. What is null is left out, and an inner object of
/// which nothing is left: many systems take null as "make it empty".
fn nested(sent: &[(&[String], &Sent)], is_whole: bool) -> (Yaml, bool) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut optional = 0;
    let mut done: Vec<&str> = Vec::new();
    for (path, value) in sent {
        let Some((first, rest)) = path.split_first() else {
            continue;
        };
        if done.contains(&first.as_str()) {
            continue;
        }
        done.push(first);
        if rest.is_empty() {
            optional += usize::from(value.optional);
            entries.push(remarked(value.above.clone(), first, value.value.clone()));
        } else {
            let inner: Vec<(&[String], &Sent)> = sent
                .iter()
                .filter_map(|(path, sent)| {
                    let (name, rest) = path.split_first()?;
                    (name == first && !rest.is_empty()).then_some((rest, *sent))
                })
                .collect();
            let (inner, may_miss) = nested(&inner, false);
            optional += usize::from(may_miss);
            entries.push(entry(first, inner));
        }
    }
    if optional == 0 {
        return (Yaml::Map(entries), false);
    }
    let may_miss = !is_whole && optional == entries.len();
    let left = "given.$FILTER(value => value != NULL)";
    let expression = if may_miss {
        format!("IF {left}.$LENGTH() == 0 THEN NULL ELSE {left}")
    } else {
        left.to_owned()
    };
    let all = Yaml::map([
        ("args", Yaml::map([("given", Yaml::Map(entries))])),
        ("expression", Yaml::text(expression)),
    ]);
    (Yaml::map([("EVAL()", all)]), may_miss)
}

fn expression(value: &Yaml) -> String {
    match value {
        Yaml::Text(text) | Yaml::Plain(text) => text.clone(),
        Yaml::List(items) => {
            let items: Vec<String> = items.iter().map(expression).collect();
            format!("[{}]", items.join(", "))
        }
        Yaml::Map(_) => String::new(),
    }
}

/// `user[name]` of `user.name`.
fn form_name(path: &[String]) -> String {
    let Some((first, rest)) = path.split_first() else {
        return String::new();
    };
    rest.iter()
        .fold(first.clone(), |name, inner| format!("{name}[{inner}]"))
}

/// The only word that a parameter may have, or JSON where formats are to choose from.
fn fixed(leaf: &Leaf) -> Option<String> {
    match leaf.values.as_slice() {
        [only] => Some(only.clone()),
        values if values.iter().any(|value| value == "json") => Some("json".to_owned()),
        _ => None,
    }
    .filter(|word| {
        !word.is_empty()
            && word
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_-.,:".contains(letter))
    })
}

fn unknown_leaf(name: &str) -> Leaf {
    Leaf {
        path: vec![name.to_owned()],
        words: Vec::new(),
        kind: Kind::Text,
        format: String::new(),
        description: String::new(),
        values: Vec::new(),
        default: None,
        required: true,
        read_only: false,
        in_example: false,
        example: None,
    }
}

/// A name by the `operationId`, else by method and path, that no other has.
fn free_name(operation: &Operation, taken: &[String]) -> String {
    let by_id = operation.id.as_deref().map(snake).filter(|name| !name.is_empty());
    let name = by_id.unwrap_or_else(|| by_path(&operation.method, &operation.path));
    free(&name, taken)
}

/// `get_tickets_comments`
pub(crate) fn by_path(method: &str, path: &str) -> String {
    let words: Vec<&str> = path
        .split('/')
        .filter(|part| {
            !part.is_empty() && !part.contains('{') && !["api", "rest", "v1", "v2", "v3", "v4"].contains(part)
        })
        .collect();
    snake(&format!("{}_{}", method.to_lowercase(), words.join("_")))
}

/// The name, with a number where it is taken.
pub(crate) fn free(name: &str, taken: &[String]) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while taken.contains(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

/// What a description says first, in at most 120 characters.
pub(crate) fn first_sentence(text: &str) -> String {
    let line = text
        .split(['\n', '\r'])
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let end = line.find(". ").map_or(line.len(), |at| at);
    let sentence = line.get(..end).unwrap_or(line).trim_end_matches('.');
    if sentence.chars().count() <= 120 {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(117).collect();
    format!("{}...", cut.trim_end())
}
