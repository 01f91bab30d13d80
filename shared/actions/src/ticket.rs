//! Tickets on the way out: times, ids and states in one form, then checked against the ticket schema.

use std::collections::HashMap;
use std::fmt;

use integration::{Dates, Installation};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::SetupError;
use crate::check::{Checker, found, resolve};
use crate::error::FieldProblem;
use crate::time;

/// What a ticket, a comment and an attachment must look like: a JSON Schema (draft 2020-12).
///
/// The schema also drives what is put into form: a field with `"format": "date-time"` is read as a time and
/// written in UTC, a number in a field of type `string` becomes text, and a null field that the schema names
/// is left out. A comment is what `properties.comments.items` says, an attachment likewise.
#[derive(Debug)]
pub struct TicketSchema {
    ticket: Part,
    comment: Part,
    attachment: Part,
}

/// One of the three.
#[derive(Debug)]
struct Part {
    checker: Checker,
    form: Form,
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
        self.ticket.checker.schema()
    }

    /// Puts a ticket into form and checks it. `path` names it in the problems.
    pub(crate) fn ticket(
        &self,
        ticket: &mut Value,
        path: &str,
        installation: &Installation,
    ) -> Vec<FieldProblem> {
        let mut problems = self.ticket.put_in_form(ticket, path, installation);
        if let Some(ticket) = ticket.as_object_mut() {
            complete(ticket, installation);
        }
        add_new(&mut problems, self.ticket.checker.problems(ticket, path));
        problems
    }

    pub(crate) fn comment(
        &self,
        comment: &mut Value,
        path: &str,
        installation: &Installation,
    ) -> Vec<FieldProblem> {
        self.comment.checked(comment, path, installation)
    }

    pub(crate) fn attachment(
        &self,
        attachment: &mut Value,
        path: &str,
        installation: &Installation,
    ) -> Vec<FieldProblem> {
        self.attachment.checked(attachment, path, installation)
    }
}

const SHIPPED: &str = include_str!("ticket.schema.json");

fn compile(name: &str, schema: Value) -> Result<Part, SetupError> {
    let checker = Checker::new(schema)
        .map_err(|error| SetupError::new(format!("the ticket schema ({name}): {error}")))?;
    let form = Form::of(checker.schema());
    Ok(Part { checker, form })
}

impl Part {
    fn put_in_form(&self, value: &mut Value, path: &str, installation: &Installation) -> Vec<FieldProblem> {
        let mut putting = Putting {
            form: &self.form,
            dates: installation.dates.as_ref(),
            problems: Vec::new(),
        };
        if let Some(whole) = self.form.shapes.first() {
            putting.put(whole, value, At::Whole(path));
        }
        putting.problems
    }

    fn checked(&self, value: &mut Value, path: &str, installation: &Installation) -> Vec<FieldProblem> {
        let mut problems = self.put_in_form(value, path, installation);
        add_new(&mut problems, self.checker.problems(value, path));
        problems
    }
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

/// What values are brought into: what a schema says of that, looked up once.
#[derive(Debug, Default)]
struct Form {
    /// The first is that of the whole.
    shapes: Vec<Shape>,
}

/// The place of a shape in a form.
type ShapeId = usize;

/// What one schema says.
#[derive(Debug, Default)]
struct Shape {
    is_time: bool,
    takes_null: bool,
    /// Whether it takes text and no numbers.
    is_text: bool,
    /// By name, in order.
    properties: Option<Vec<(String, ShapeId)>>,
    items: Option<ShapeId>,
}

impl Form {
    fn of(schema: &Value) -> Self {
        let mut form = Form::default();
        form.add(schema, schema, &mut HashMap::new());
        form
    }

    /// Adds what a schema says, each once: it may lie inside itself.
    fn add(&mut self, root: &Value, schema: &Value, known: &mut HashMap<*const Value, ShapeId>) -> ShapeId {
        let schema = resolve(root, schema);
        let id = self.shapes.len();
        if let Some(id) = known.get(&std::ptr::from_ref(schema)) {
            return *id;
        }
        known.insert(schema, id);
        self.shapes.push(Shape::default());
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties = properties.map(|properties| {
            let mut named: Vec<(String, ShapeId)> = properties
                .iter()
                .map(|(name, property)| (name.clone(), self.add(root, property, known)))
                .collect();
            named.sort_unstable();
            named
        });
        let items = schema.get("items").map(|items| self.add(root, items, known));
        if let Some(shape) = self.shapes.get_mut(id) {
            *shape = Shape {
                is_time: schema.get("format").and_then(Value::as_str) == Some("date-time"),
                takes_null: takes(schema, "null"),
                is_text: takes(schema, "string") && !takes(schema, "number") && !takes(schema, "integer"),
                properties,
                items,
            };
        }
        id
    }

    fn property(&self, shape: &Shape, name: &str) -> Option<&Shape> {
        let properties = shape.properties.as_deref()?;
        let at = properties.binary_search_by(|(known, _)| known.as_str().cmp(name));
        let (_, id) = properties.get(at.ok()?)?;
        self.shapes.get(*id)
    }
}

/// Puts the values of one ticket, comment or attachment into form.
struct Putting<'a> {
    form: &'a Form,
    /// How the ticketing system writes times, where the integration says it.
    dates: Option<&'a Dates>,
    problems: Vec<FieldProblem>,
}

impl Putting<'_> {
    fn put(&mut self, shape: &Shape, value: &mut Value, at: At<'_>) {
        match value {
            Value::String(_) | Value::Number(_) if shape.is_time => match self.time(value) {
                Some(parsed) => *value = Value::String(time::canonical(parsed)),
                None => self.problems.push(FieldProblem::new(
                    at.to_string(),
                    format!(
                        "expected a time (RFC 3339, or epoch seconds or milliseconds), found {}",
                        found(value)
                    ),
                )),
            },
            Value::Number(number) if shape.is_text => *value = Value::String(number.to_string()),
            Value::Object(fields) if shape.properties.is_some() => {
                let form = self.form;
                fields.retain(|name, value| {
                    let Some(property) = form.property(shape, name) else {
                        return true;
                    };
                    let says_something = !self.is_nothing(property, value);
                    if says_something {
                        self.put(property, value, At::Field(&at, name));
                    }
                    says_something
                });
            }
            Value::Array(items) => {
                let form = self.form;
                let Some(of_items) = shape.items.and_then(|id| form.shapes.get(id)) else {
                    return;
                };
                for (index, item) in items.iter_mut().enumerate() {
                    self.put(of_items, item, At::Item(&at, index));
                }
            }
            _ => {}
        }
    }

    /// The time that a value is, in the system's own form or in one that everybody understands.
    fn time(&self, value: &Value) -> Option<Timestamp> {
        let own = match (self.dates, value) {
            (Some(dates), Value::String(text)) => dates.form.read(text).ok(),
            _ => None,
        };
        own.or_else(|| time::parse_lenient(value))
    }

    /// Whether a field says nothing: null, or where a time should be, empty text or what the system writes for no time.
    fn is_nothing(&self, shape: &Shape, value: &Value) -> bool {
        let is_empty_time = || {
            let empty = self.dates.map(|dates| dates.empty.as_slice()).unwrap_or_default();
            shape.is_time && empty.contains(value)
        };
        match value {
            Value::Null => !shape.takes_null,
            Value::String(text) if text.trim().is_empty() => shape.is_time,
            Value::String(_) | Value::Number(_) => is_empty_time(),
            _ => false,
        }
    }
}

fn takes(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|name| name == kind),
        _ => false,
    }
}
