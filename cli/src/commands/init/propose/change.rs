//! The ticket actions that change a ticket's own fields: its texts, who works on it.

use super::super::meaning::assignee_leaf;
use super::super::operation::Operation;
use super::super::resource::title_leaf;
use super::super::shape::{Kind, Shape};
use super::super::words::any;
use super::super::yaml::Yaml;
use super::create::description_leaf;
use super::{Proposal, Written, step};

impl Proposal<'_> {
    pub(super) fn update(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let mut given = vec![("ticket_id", "data.context.ticket.id".to_owned())];
        let empty = Shape::default();
        let body = operation.body_shape().unwrap_or(&empty);
        // What the body that makes a ticket takes, that which changes it most likely takes, too.
        let title = title_leaf(body).map(|leaf| leaf.path.clone());
        let title = title.or_else(|| {
            written.todos.push(
                "the file does not show the fields: they are taken from the request that makes a ticket"
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
            None => written.unknown(
                "where the person goes",
                "the file does not show where the person goes",
            ),
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
        if let Some(body) = operation.body_shape() {
            self.still_needed(&mut written, index, body);
            self.also_takes(&mut written, index, body);
        }
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "changed"));
        self.answer(&mut written, &operation.answer, "changed", false);
        written
    }
}
