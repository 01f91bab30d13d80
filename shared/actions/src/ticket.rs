//! Tickets on the way out: times, ids and states in one form, then checked against the ticket schema.

use std::fmt;

use integration::{Dates, Installation};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::SetupError;
use crate::check::{Checker, found};
use crate::error::FieldProblem;
use crate::time;

/// What a ticket, a comment and an attachment must look like: a JSON Schema (draft 2020-12).
///
/// The schema also drives what is put into form: a field with `"format": "date-time"` is read as a time and
/// written in UTC, a number in a field of type `string` becomes text, and a null field that the schema names
/// is left out. A comment is what `properties.comments.items` says, an attachment likewise.
#[derive(Debug)]
pub struct TicketSchema {
    ticket: Checker,
    comment: Checker,
    attachment: Checker,
}

impl TicketSchema {
    /// The schema of the design, as `ticket.schema.json` beside this file has it.
    ///
    /// # Errors
    /// Never, as a test makes sure; the same as [`TicketSchema::new`] in form.
    pub fn shipped() -> Result<Self, SetupError> {
        let schema = serde_json::from_str(SHIPPED)
            .map_err(|error| SetupError::new(format!("the shipped ticket schema: {error}")))?;
        TicketSchema::new(schema)
    }

    /// Another schema in its place.
    ///
    /// # Errors
    /// When it is not a JSON Schema that can be compiled, or refers to a document elsewhere.
    pub fn new(schema: Value) -> Result<Self, SetupError> {
        let part = |name: &str| {
            let items = schema.pointer(&format!("/properties/{name}/items")).cloned();
            let mut part = match items {
                Some(Value::Object(items)) => items,
                _ => Map::from_iter([("type".to_owned(), json!("object"))]),
            };
            if let Some(definitions) = schema.get("$defs") {
                part.insert("$defs".to_owned(), definitions.clone());
            }
            compile(name, Value::Object(part))
        };
        let (comment, attachment) = (part("comments")?, part("attachments")?);
        Ok(TicketSchema {
            comment,
            attachment,
            ticket: compile("ticket", schema)?,
        })
    }

    /// The schema's text.
    pub fn as_json(&self) -> &Value {
        self.ticket.schema()
    }

    /// Puts a ticket into form and checks it. `path` names it in the problems.
    pub(crate) fn ticket(
        &self,
        ticket: &mut Value,
        path: &str,
        installation: &Installation,
    ) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let schema = self.ticket.schema();
        let form = Form {
            root: schema,
            dates: installation.dates.as_ref(),
        };
        form.put_in(schema, ticket, At::Whole(path), &mut problems);
        if let Some(ticket) = ticket.as_object_mut() {
            complete(ticket, installation);
        }
        add_new(&mut problems, self.ticket.problems(ticket, path));
        problems
    }

    pub(crate) fn comment(
        &self,
        comment: &mut Value,
        path: &str,
        installation: &Installation,
    ) -> Vec<FieldProblem> {
        checked(&self.comment, comment, path, installation)
    }

    pub(crate) fn attachment(
        &self,
        attachment: &mut Value,
        path: &str,
        installation: &Installation,
    ) -> Vec<FieldProblem> {
        checked(&self.attachment, attachment, path, installation)
    }
}

const SHIPPED: &str = include_str!("ticket.schema.json");

fn compile(name: &str, schema: Value) -> Result<Checker, SetupError> {
    Checker::new(schema).map_err(|error| SetupError::new(format!("the ticket schema ({name}): {error}")))
}

fn checked(
    checker: &Checker,
    value: &mut Value,
    path: &str,
    installation: &Installation,
) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let schema = checker.schema();
    let form = Form {
        root: schema,
        dates: installation.dates.as_ref(),
    };
    form.put_in(schema, value, At::Whole(path), &mut problems);
    add_new(&mut problems, checker.problems(value, path));
    problems
}

fn add_new(problems: &mut Vec<FieldProblem>, more: Vec<FieldProblem>) {
    for problem in more {
        if problems.iter().all(|known| known.field != problem.field) {
            problems.push(problem);
        }
    }
}

/// Fills what the integration's settings know and its mapping did not give.
fn complete(ticket: &mut Map<String, Value>, installation: &Installation) {
    let ticketing = &installation.integration.ticketing;
    if !ticket.contains_key("internal_state_code")
        && let Some(state) = ticket.get("state").and_then(Value::as_str)
    {
        match ticketing.internal_state(state) {
            Some(internal) => {
                ticket.insert("internal_state_code".to_owned(), json!(internal.code()));
            }
            None if ticketing.states().is_empty() => {}
            None => tracing::warn!(
                integration = installation.integration.name,
                state,
                "the state map does not know this state; the ticket goes out without internal_state_code"
            ),
        }
    }
    if !ticket.contains_key("destination")
        && let Some(destination) = ticket
            .get("id")
            .and_then(Value::as_str)
            .and_then(|id| ticketing.destination_of_ticket(id))
    {
        ticket.insert("destination".to_owned(), json!(destination.name));
    }
}

/// Where in a ticket: text only for the one in a thousand that has a problem.
#[derive(Clone, Copy)]
enum At<'a> {
    Whole(&'a str),
    Field(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Whole(path) => formatter.write_str(path),
            At::Field(At::Whole(""), name) => formatter.write_str(name),
            At::Field(parent, name) => write!(formatter, "{parent}.{name}"),
            At::Item(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

/// What values are brought into.
#[derive(Clone, Copy)]
struct Form<'a> {
    root: &'a Value,
    /// How the ticketing system writes times, where the integration says it.
    dates: Option<&'a Dates>,
}

impl Form<'_> {
    fn put_in(self, schema: &Value, value: &mut Value, at: At<'_>, problems: &mut Vec<FieldProblem>) {
        let schema = crate::check::resolve(self.root, schema);
        match value {
            Value::String(_) | Value::Number(_) if is_time(schema) => match self.time(value) {
                Some(parsed) => *value = Value::String(time::canonical(parsed)),
                None => problems.push(FieldProblem::new(
                    at.to_string(),
                    format!(
                        "expected a time (RFC 3339, or epoch seconds or milliseconds), found {}",
                        found(value)
                    ),
                )),
            },
            Value::Number(number)
                if takes(schema, "string") && !takes(schema, "number") && !takes(schema, "integer") =>
            {
                *value = Value::String(number.to_string());
            }
            Value::Object(fields) => {
                let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
                    return;
                };
                fields.retain(|name, value| match properties.get(name) {
                    Some(property) => !self.is_nothing(property, value),
                    None => true,
                });
                for (name, value) in fields.iter_mut() {
                    if let Some(property) = properties.get(name) {
                        self.put_in(property, value, At::Field(&at, name), problems);
                    }
                }
            }
            Value::Array(items) => {
                let Some(item_schema) = schema.get("items") else {
                    return;
                };
                for (index, item) in items.iter_mut().enumerate() {
                    self.put_in(item_schema, item, At::Item(&at, index), problems);
                }
            }
            _ => {}
        }
    }

    /// The time that a value is, in the system's own form or in one that everybody understands.
    fn time(self, value: &Value) -> Option<Timestamp> {
        let own = match (self.dates, value) {
            (Some(dates), Value::String(text)) => dates.form.read(text).ok(),
            _ => None,
        };
        own.or_else(|| time::parse_lenient(value))
    }

    /// Whether a field says nothing: null, or where a time should be, empty text or what the system writes for no time.
    fn is_nothing(self, schema: &Value, value: &Value) -> bool {
        let schema = crate::check::resolve(self.root, schema);
        let is_empty_time = || {
            let empty = self.dates.map(|dates| dates.empty.as_slice()).unwrap_or_default();
            is_time(schema) && empty.contains(value)
        };
        match value {
            Value::Null => !takes(schema, "null"),
            Value::String(text) if text.trim().is_empty() => is_time(schema),
            Value::String(_) | Value::Number(_) => is_empty_time(),
            _ => false,
        }
    }
}

fn is_time(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some("date-time")
}

fn takes(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|name| name == kind),
        _ => false,
    }
}
