//! The ticket actions about one ticket.

use integration::TasAction;

use super::super::choose::{assignee_leaf, comment_leaf, state_leaf, visibility_leaf};
use super::super::operation::{BodyKind, Operation};
use super::super::paging::access;
use super::super::resource::{TITLE, likeness};
use super::super::shape::{Kind, Leaf, Shape};
use super::super::ticket;
use super::super::words::any;
use super::super::yaml::{Yaml, entry};
use super::{Proposal, Written, step};

impl Proposal<'_> {
    pub(super) fn create(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let mut given = vec![];
        let empty = Shape::default();
        let body = operation.body_shape().unwrap_or(&empty);
        let title = body.find(TITLE).cloned();
        let description = description_leaf(body, title.as_ref().map(|leaf| leaf.path.as_slice())).cloned();
        let requestor = requestor_of_body(body).cloned();
        match &title {
            Some(leaf) => {
                self.request(index, operation)
                    .send(&leaf.path, Yaml::text("title"), false, Vec::new());
                given.push(("title", "data.context.payload.short_description".to_owned()));
            }
            None => written.todos.push(
                "send `data.context.payload.short_description`: the document does not show where".to_owned(),
            ),
        }
        if let Some(leaf) = &description {
            self.request(index, operation)
                .send(&leaf.path, Yaml::text("description"), true, Vec::new());
            given.push(("description", "data.context.payload.description".to_owned()));
            if leaf.kind == Kind::Object {
                written
                    .todos
                    .push(format!("`{}` is an object, not a text", leaf.dotted()));
            }
        }
        if let Some(leaf) = &requestor {
            self.request(index, operation)
                .send(&leaf.path, Yaml::text("requester"), true, Vec::new());
            given.push((
                "requester",
                "data.context.requestor_info.requestor.email_addr".to_owned(),
            ));
            if leaf.words.contains(&"id".to_owned()) {
                written.todos.push(format!(
                    "`{}` takes an id, and this is an e-mail address: look the person up first",
                    leaf.dotted()
                ));
            }
        }
        self.required(index, operation, body);
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "made"));
        self.answer(&mut written, &operation.answer, "made", true);
        written
    }

    /// What the body must have beside what was sent: settings, because the API cannot do without.
    fn required(&mut self, index: usize, operation: &Operation, body: &Shape) {
        let leaves: Vec<Leaf> = body
            .leaves
            .iter()
            .filter(|leaf| leaf.required && !leaf.read_only)
            .cloned()
            .collect();
        for leaf in &leaves {
            let covered = self.request(index, operation).sends(&leaf.path)
                || leaves
                    .iter()
                    .any(|other| other.path.len() > leaf.path.len() && other.path.starts_with(&leaf.path))
                || self.covers(index, &leaf.path, body);
            if covered {
                continue;
            }
            let value = match (&leaf.default, leaf.values.as_slice()) {
                (Some(default @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))), _) => {
                    Yaml::Plain(default.to_string())
                }
                (Some(serde_json::Value::String(text)), _) => Yaml::text(quoted(text)),
                (_, [only]) => Yaml::text(quoted(only)),
                _ => {
                    let setting = self.settings.add(leaf, "Needed for a new ticket");
                    Yaml::text(format!("settings.{setting}"))
                }
            };
            let above = vec![format!(
                "TODO: the API needs `{}`; is it the same for every ticket?",
                leaf.dotted()
            )];
            self.request(index, operation)
                .send(&leaf.path, value, false, above);
        }
    }

    /// Whether something inside of an object is sent, so that the object is.
    fn covers(&self, index: usize, path: &[String], body: &Shape) -> bool {
        let request = self.requests.iter().find(|request| request.operation == index);
        body.leaves
            .iter()
            .filter(|leaf| leaf.path.len() > path.len() && leaf.path.starts_with(path))
            .any(|leaf| request.is_some_and(|request| request.sends(&leaf.path)))
    }

    pub(super) fn get(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let request = self.request(index, operation);
        written.steps.push(step(
            &request.name,
            &[("ticket_id", "data.context.ticket_id".to_owned())],
            "found",
        ));
        self.map_ticket(&mut written, "data.found");
        written
    }

    /// The fields of the ticket that stands at `base`.
    fn map_ticket(&self, written: &mut Written, base: &str) {
        let (fields, todos) = ticket::fields(&self.ticket, base, self.resource, &self.hints);
        written.output = fields;
        if !todos.is_empty() {
            written.todos.push(format!("find out {}", todos.join(", ")));
        }
    }

    pub(super) fn update(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let mut given = vec![("ticket_id", "data.context.ticket.id".to_owned())];
        let empty = Shape::default();
        let body = operation.body_shape().unwrap_or(&empty);
        // What the body that makes a ticket takes, that which changes it most likely takes, too.
        let title = body.find(TITLE).map(|leaf| leaf.path.clone());
        let title = title.or_else(|| {
            written.todos.push(
                "the document does not show the fields: they are taken from the request that makes a ticket"
                    .to_owned(),
            );
            self.hints.title.clone()
        });
        if let Some(path) = title.clone() {
            self.request(index, operation)
                .send(&path, Yaml::text("title"), true, Vec::new());
            given.push(("title", "data.context.payload.short_description".to_owned()));
        }
        if let Some(leaf) = description_leaf(body, title.as_deref()).cloned() {
            self.request(index, operation)
                .send(&leaf.path, Yaml::text("description"), true, Vec::new());
            given.push(("description", "data.context.payload.description".to_owned()));
        }
        self.still_needed(&mut written, index, body);
        written.todos.push("other fields of `data.context.payload` are passed over: send them, or refuse them with `fail_when`".to_owned());
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "changed"));
        self.answer(&mut written, &operation.answer, "changed", false);
        written
    }

    fn still_needed(&self, written: &mut Written, index: usize, body: &Shape) {
        let request = self.requests.iter().find(|request| request.operation == index);
        let needed: Vec<String> = body
            .leaves
            .iter()
            .filter(|leaf| leaf.required && !leaf.read_only && leaf.path.len() == 1)
            .filter(|leaf| {
                !request.is_some_and(|request| request.sends(&leaf.path))
                    && !self.covers(index, &leaf.path, body)
            })
            .map(|leaf| format!("`{}`", leaf.dotted()))
            .collect();
        if !needed.is_empty() {
            written
                .todos
                .push(format!("the API needs {}, too", needed.join(", ")));
        }
    }

    pub(super) fn state(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let mut given = vec![("ticket_id", "data.context.ticket.id".to_owned())];
        match operation.body_shape().and_then(state_leaf).cloned() {
            Some(leaf) => {
                let shared = self.is_shared(index);
                self.request(index, operation)
                    .send(&leaf.path, Yaml::text("state"), shared, Vec::new());
                given.push(("state", "data.context.state".to_owned()));
                if leaf.kind == Kind::Number || leaf.words.contains(&"id".to_owned()) {
                    written.todos.push(format!(
                        "`{}` takes an id, and `data.context.state` is the state's name: look the id up in a step before",
                        leaf.dotted()
                    ));
                }
            }
            None if operation.body.is_some() => {
                written
                    .todos
                    .push("the document does not show what the body needs".to_owned());
            }
            None => {}
        }
        if let Some(body) = operation.body_shape() {
            self.still_needed(&mut written, index, body);
        }
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "changed"));
        self.answer(&mut written, &operation.answer, "changed", false);
        written
    }

    /// Whether several ticket actions use the request, so that each leaves out what the others send.
    fn is_shared(&self, index: usize) -> bool {
        let used = self.choices.iter().filter_map(|(_, choice)| choice.as_ref());
        used.filter(|choice| choice.operation == index).count() > 1
    }

    pub(super) fn assign(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let mut given = vec![("ticket_id", "data.context.ticket.id".to_owned())];
        let shared = self.is_shared(index);
        let leaf = operation
            .body_shape()
            .and_then(|body| {
                assignee_leaf(body).or_else(|| body.find(&["account id", "user id", "name", "email"]))
            })
            .cloned();
        match leaf {
            Some(leaf) => {
                let value = match leaf.kind {
                    Kind::List => "assignees",
                    _ => "assignee",
                };
                self.request(index, operation)
                    .send(&leaf.path, Yaml::text(value), shared, Vec::new());
                let who = if any(&leaf.words, &["id", "login", "username"]) {
                    "data.context.assignee.id OR data.context.assignee"
                } else {
                    "data.context.assignee.email OR data.context.assignee"
                };
                let expression = if leaf.kind == Kind::List {
                    format!("[{who}]")
                } else {
                    who.to_owned()
                };
                given.push((value, expression));
                written.todos.push(format!("does `{}` take what callers give (an address, a name or an id)? If not, look it up first", leaf.dotted()));
            }
            None => written
                .todos
                .push("the document does not show where the person goes".to_owned()),
        }
        let group = operation
            .body_shape()
            .and_then(|body| {
                body.find(&[
                    "assignment group",
                    "group",
                    "group id",
                    "team",
                    "team id",
                    "queue",
                ])
            })
            .cloned();
        match group.filter(|leaf| !matches!(leaf.kind, Kind::Object | Kind::List)) {
            Some(leaf) => {
                self.request(index, operation).send(
                    &leaf.path,
                    Yaml::text("assignment_group"),
                    true,
                    Vec::new(),
                );
                given.push(("assignment_group", "data.context.assignment_group".to_owned()));
            }
            None => written.todos.push(
                "`data.context.assignment_group` is passed over: send it, or refuse it with `fail_when`"
                    .to_owned(),
            ),
        }
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "changed"));
        self.answer(&mut written, &operation.answer, "changed", false);
        written
    }

    pub(super) fn comment(&mut self, index: usize, operation: &Operation, public: bool) -> Written {
        let mut written = Written::default();
        let mut given = vec![("ticket_id", "data.context.ticket.id".to_owned())];
        let empty = Shape::default();
        let body = operation.body_shape().unwrap_or(&empty);
        let shared = self.resource.is_item(operation) && self.is_shared(index);
        let names = ["comment", "comment body", "notes", "reply"];
        let text = if self.resource.is_item(operation) {
            body.find(&names)
        } else {
            comment_leaf(body)
        };
        match text.cloned() {
            Some(leaf) => {
                self.request(index, operation)
                    .send(&leaf.path, Yaml::text("comment"), shared, Vec::new());
                if !matches!(leaf.kind, Kind::Text) {
                    written.todos.push(format!(
                        "the document does not say that `{}` is a text: it may take an object",
                        leaf.dotted()
                    ));
                }
            }
            None => {
                written
                    .todos
                    .push("the document does not show where the text goes: `body` is a guess".to_owned());
                self.request(index, operation).send(
                    &["body".to_owned()],
                    Yaml::text("comment"),
                    shared,
                    Vec::new(),
                );
            }
        }
        given.push(("comment", "data.context.comment".to_owned()));
        if let Some((leaf, means_public)) = visibility_leaf(body).map(|(leaf, means)| (leaf.clone(), means)) {
            self.request(index, operation)
                .send(&leaf.path, Yaml::text("visible"), shared, Vec::new());
            let flag = if means_public == public { "TRUE" } else { "FALSE" };
            given.push(("visible", flag.to_owned()));
        } else if public {
            written
                .todos
                .push("who sees this comment? The document does not say".to_owned());
        }
        self.still_needed(&mut written, index, body);
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "added"));
        let added = |names: &[&str]| {
            operation
                .answer
                .find(names)
                .filter(|leaf| leaf.path.len() <= 2)
                .map(|leaf| access("data.added", &leaf.path))
        };
        if !self.resource.is_item(operation) {
            for (field, names) in [
                ("id", &["id", "comment id"][..]),
                (
                    "created_at",
                    &["created at", "created", "created on", "created datetime"],
                ),
            ] {
                if let Some(expression) = added(names) {
                    written.output.push(entry(field, Yaml::text(expression)));
                }
            }
        }
        written
            .output
            .push(entry("body", Yaml::text("data.context.comment")));
        written.output.push(entry(
            "is_public",
            Yaml::text(if public { "TRUE" } else { "FALSE" }),
        ));
        written
    }

    pub(super) fn attach(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let mut given = Vec::new();
        if self.request(index, operation).takes_ticket {
            given.push(("ticket_id", "data.context.ticket.id".to_owned()));
        } else {
            written
                .todos
                .push("this uploads the file only: join it to the ticket in a second step".to_owned());
        }
        given.push(("content", "data.context.content".to_owned()));
        let empty = Shape::default();
        let body = operation.body_shape().unwrap_or(&empty);
        let kind = operation.body.as_ref().map(|body| body.kind);
        let name = body.find(&["file name", "filename", "name", "title"]).cloned();
        match kind {
            Some(BodyKind::Binary) => given.push(("content_type", "data.context.content_type".to_owned())),
            Some(BodyKind::Json | BodyKind::Form) => {
                let content = body
                    .find(&[
                        "content",
                        "data",
                        "file",
                        "base64",
                        "file content",
                        "body",
                        "byte",
                        "attachment",
                    ])
                    .cloned();
                let path = content.map_or_else(
                    || {
                        written.todos.push(
                            "the document does not show where the file goes: `content` is a guess".to_owned(),
                        );
                        vec!["content".to_owned()]
                    },
                    |leaf| leaf.path,
                );
                self.request(index, operation)
                    .send(&path, Yaml::text("content"), false, Vec::new());
                written
                    .todos
                    .push("the content is sent as Base64: does the API take that?".to_owned());
                if let Some(leaf) = &name {
                    self.request(index, operation).send(
                        &leaf.path,
                        Yaml::text("file_name"),
                        false,
                        Vec::new(),
                    );
                    given.push(("file_name", "data.context.file_name".to_owned()));
                }
            }
            Some(BodyKind::Multipart) | None => {
                let part = body.leaves.iter().find(|leaf| leaf.format == "binary");
                let part = part.or_else(|| body.find(&["file", "attachment", "upload", "content", "data"]));
                let path = part.map_or_else(
                    || {
                        written.todos.push(
                            "the document does not name the part that holds the file: `file` is a guess"
                                .to_owned(),
                        );
                        vec!["file".to_owned()]
                    },
                    |leaf| leaf.path.clone(),
                );
                let file = Yaml::map([
                    ("file", Yaml::text("content")),
                    ("file_name", Yaml::text("{{{file_name}}}")),
                    ("content_type", Yaml::text("{{{content_type}}}")),
                ]);
                let request = self.request(index, operation);
                request.set_kind(BodyKind::Multipart);
                request.send(&path, file, false, Vec::new());
                given.push(("file_name", "data.context.file_name".to_owned()));
                given.push(("content_type", "data.context.content_type".to_owned()));
            }
        }
        written
            .todos
            .push("`data.context.comment` is passed over: send it, or add it as a comment".to_owned());
        self.still_needed(&mut written, index, body);
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "attached"));
        // Some answer with a list of what was attached.
        let (base, shape) = match operation.answer.lists.iter().find(|(path, _)| path.len() <= 1) {
            Some((path, shape)) if operation.answer.find(&["id"]).is_none() => {
                (format!("{}[0]", access("data.attached", path)), shape)
            }
            _ => ("data.attached".to_owned(), &operation.answer),
        };
        for (field, names) in [
            ("id", &["id", "attachment id"][..]),
            ("size", &["size", "file size", "length"]),
        ] {
            if let Some(leaf) = shape.find(names).filter(|leaf| leaf.path.len() <= 2) {
                written
                    .output
                    .push(entry(field, Yaml::text(access(&base, &leaf.path))));
            }
        }
        written
            .output
            .push(entry("file_name", Yaml::text("data.context.file_name")));
        written
    }

    /// What a write answers with: the ticket in its own answer, or read again.
    fn answer(&mut self, written: &mut Written, answer: &Shape, key: &str, made: bool) {
        if likeness(answer) > 0.6 {
            let (fields, todos) = ticket::fields(answer, &format!("data.{key}"), self.resource, &self.hints);
            written.output = fields;
            written
                .todos
                .extend(todos.iter().map(|todo| format!("find out {todo}")));
            return;
        }
        let id = if made {
            let path = ticket::id_path(answer, self.resource).unwrap_or_else(|| {
                written
                    .todos
                    .push("find out where the id of the new ticket is in the answer".to_owned());
                vec!["id".to_owned()]
            });
            access(&format!("data.{key}"), &path)
        } else {
            "data.context.ticket.id".to_owned()
        };
        let read = self
            .choices
            .iter()
            .find(|(action, _)| *action == TasAction::QueryTicketById);
        let read = read
            .and_then(|(_, choice)| choice.as_ref())
            .and_then(|choice| Some((choice.operation, self.operations.get(choice.operation)?)));
        if let Some((index, operation)) = read {
            // The answer does not show the ticket as it is now.
            let name = self.request(index, operation).name.clone();
            written.steps.push(step(&name, &[("ticket_id", id)], "ticket"));
            self.map_ticket(written, "data.ticket");
        } else {
            self.map_ticket(written, &format!("data.{key}"));
            if !made && let Some(first) = written.output.first_mut() {
                first.value = Yaml::text(id);
            }
        }
    }
}

/// A text as an expression.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Beside the title: deeper down there are descriptions of other things.
fn description_leaf<'a>(body: &'a Shape, title: Option<&[String]>) -> Option<&'a Leaf> {
    let beside = title
        .and_then(<[String]>::split_last)
        .map_or(&[][..], |(_, before)| before);
    let names = [
        "description",
        "body",
        "content",
        "details",
        "text",
        "comment",
        "message",
        "comment body",
        "description text",
        "description html",
        "body text",
    ];
    let leaf = names.iter().find_map(|name| {
        body.leaves.iter().find(|leaf| {
            let parent = leaf.path.split_last().map(|(_, before)| before);
            parent == Some(beside) && leaf.is_called(&[name]) && leaf.kind != Kind::List
        })
    })?;
    let inside = body.leaves.iter().find(|inner| {
        inner.path.len() == leaf.path.len() + 1
            && inner.path.starts_with(&leaf.path)
            && inner.is_called(&["body", "text", "content", "plain body", "value"])
            && inner.kind == Kind::Text
    });
    inside.or(Some(leaf))
}

fn requestor_of_body(body: &Shape) -> Option<&Leaf> {
    let flat = [
        "requester email",
        "requestor email",
        "reporter email",
        "customer email",
        "contact email",
        "email",
        "submitter email",
    ];
    if let Some(leaf) = body.find(&flat).filter(|leaf| leaf.path.len() == 1) {
        return Some(leaf);
    }
    let person = body.find(&[
        "requester",
        "requestor",
        "reporter",
        "customer",
        "contact",
        "requester id",
        "requestor id",
        "reporter id",
        "customer id",
    ])?;
    if person.kind == Kind::Object {
        return body.leaves.iter().find(|leaf| {
            leaf.path.len() == person.path.len() + 1
                && leaf.path.starts_with(&person.path)
                && leaf.is_called(&["email", "email address", "id"])
        });
    }
    (person.kind != Kind::List).then_some(person)
}
