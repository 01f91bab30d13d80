//! The ticket action that makes a ticket.

use super::super::meaning::structured_text;
use super::super::operation::Operation;
use super::super::resource::title_leaf;
use super::super::shape::{Kind, Leaf, Shape};
use super::super::yaml::Yaml;
use super::{Proposal, STRUCTURED, Written, step};

impl Proposal<'_> {
    pub(super) fn create(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let mut given = vec![];
        let empty = Shape::default();
        let body = operation.body_shape().unwrap_or(&empty);
        let title = title_leaf(body).cloned();
        let description = description_leaf(body, title.as_ref().map(|leaf| leaf.path.as_slice())).cloned();
        let requestor = requestor_of_body(body).cloned();
        match &title {
            Some(leaf) => {
                self.request(index, operation)
                    .send(&leaf.path, Yaml::text("title"), false, Vec::new());
                given.push(("title", "data.context.payload.short_description".to_owned()));
            }
            None => written.unknown(
                "where the title goes",
                "send `data.context.payload.short_description`: the file does not show where",
            ),
        }
        if let Some(leaf) = &description {
            let structured = structured_text(leaf, "description");
            let is_structured = structured.is_some();
            let value = structured.map_or_else(
                || Yaml::text("description"),
                |whole| {
                    let args = [("whole", whole), ("given", Yaml::text("description"))];
                    let of = Yaml::map([
                        ("args", Yaml::map(args)),
                        ("expression", Yaml::text("IF given == NULL THEN NULL ELSE whole")),
                    ]);
                    Yaml::map([("EVAL()", of)])
                },
            );
            self.request(index, operation)
                .send(&leaf.path, value, true, Vec::new());
            given.push(("description", "data.context.payload.description".to_owned()));
            if is_structured {
                written.todos.push(STRUCTURED.to_owned());
            } else if leaf.kind == Kind::Object {
                written.unknown(
                    "the form of the description",
                    format!(
                        "`{}` is an object, not a text: a text is refused there. Make it what the document shows",
                        leaf.dotted()
                    ),
                );
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
                || self.request(index, operation).sends_below(&leaf.path);
            if covered {
                continue;
            }
            let value = match (&leaf.default, leaf.values.as_slice()) {
                (Some(default @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))), _) => {
                    Yaml::Plain(default.to_string())
                }
                (Some(serde_json::Value::String(text)), _) => Yaml::text(quoted(text)),
                (_, [only]) if leaf.kind == Kind::Number => Yaml::Plain(only.clone()),
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
}

/// A text as an expression.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Beside the title: deeper down there are descriptions of other things.
pub(super) fn description_leaf<'a>(body: &'a Shape, title: Option<&[String]>) -> Option<&'a Leaf> {
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
