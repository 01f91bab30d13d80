//! The ticket actions that add something to a ticket: a comment, a file.

use super::super::meaning::{comment_leaf, structured_text, visibility_leaf};
use super::super::operation::{BodyKind, Operation};
use super::super::paging::access;
use super::super::shape::{Kind, Shape};
use super::super::yaml::{Yaml, entry};
use super::state::Comment;
use super::{Proposal, STRUCTURED, Written, step};

impl Proposal<'_> {
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
                let structured = structured_text(&leaf, "comment");
                let is_structured = structured.is_some();
                let value = structured.unwrap_or_else(|| Yaml::text("comment"));
                self.request(index, operation)
                    .send(&leaf.path, value, shared, Vec::new());
                if is_structured {
                    written.todos.push(STRUCTURED.to_owned());
                } else if !matches!(leaf.kind, Kind::Text) {
                    written.unknown(
                        "the form of the text",
                        format!(
                            "the file does not say that `{}` is a text: it may take an object",
                            leaf.dotted()
                        ),
                    );
                }
            }
            None => {
                written.unknown(
                    "where the text goes",
                    "the file does not show where the text goes: `body` is a guess",
                );
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
            let flag = match (leaf.kind == Kind::Number, means_public == public) {
                (true, true) => "1",
                (true, false) => "0",
                (false, true) => "TRUE",
                (false, false) => "FALSE",
            };
            given.push(("visible", flag.to_owned()));
        } else if public {
            written.unknown(
                "who sees the comment",
                "who sees this comment? The file does not say",
            );
        }
        self.still_needed(&mut written, index, body);
        self.also_takes(&mut written, index, body);
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
            written.unknown(
                "how the file is joined to the ticket",
                "this uploads the file only: join it to the ticket in a second step",
            );
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
                            "the file does not show where the file goes: `content` is a guess".to_owned(),
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
                        written.unknown(
                            "the part that holds the file",
                            "the file does not name the part that holds the file: `file` is a guess",
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
        self.still_needed(&mut written, index, body);
        self.also_takes(&mut written, index, body);
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "attached"));
        if self.comment_step(&mut written) == Comment::Lost {
            written
                .todos
                .push("`data.context.comment` is passed over: send it, or add it as a comment".to_owned());
        }
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
}
