//! Requests of curl lines as an OpenAPI document would describe them, so that the same rules choose among them. No line
//! shows an answer, and of a value only what no secret can be is kept: a word of the query, a small number, a boolean.

use serde_json::{Map, Value};

use super::line::{Data, Request, is_a_client_s, url_decoded};
use super::secret::{is_key, looks_secret, names_secret};
use super::{is_constant, templated};
use crate::commands::init::document::Document;
use crate::commands::init::meaning;
use crate::commands::init::operation::{Body, BodyKind, Operation, Parameter, segments};
use crate::commands::init::shape::{Kind, Leaf, Shape};
use crate::commands::init::words::words;

/// A larger number may be somebody's.
const LARGEST_NUMBER: i64 = 999;

/// What a line asks for.
pub(super) fn operation(request: &Request) -> Operation {
    let path = templated(&request.path, &mut Vec::new());
    let path = path.replace("{{{", "{").replace("}}}", "}");
    let mut parameters: Vec<Parameter> = Vec::new();
    for (name, value) in &request.query {
        let known = parameters.iter().any(|known| known.name == *name);
        if !known && !is_key(name, value) {
            parameters.push(parameter("query", name, value));
        }
    }
    for (name, value) in &request.headers {
        let is_ours = is_a_client_s(&name.to_lowercase());
        if !is_ours && !is_key(name, value) && is_constant(value) {
            parameters.push(parameter("header", name, value));
        }
    }
    Operation {
        method: request.method.clone(),
        segments: segments(&path),
        path,
        id: None,
        summary: String::new(),
        tags: Vec::new(),
        deprecated: false,
        parameters,
        body: body(&request.data, request.content_type()),
        answer: Shape::default(),
        has_link_header: false,
        security: Vec::new(),
    }
}

/// A parameter that narrows a list down or leads through it has another value each time; any other that is a plain word
/// is always sent.
fn parameter(place: &str, name: &str, value: &str) -> Parameter {
    let mut leaf = leaf(name, &Value::from(value));
    if value.parse::<i64>().is_ok() {
        leaf.kind = Kind::Number;
    }
    let is_fixed = is_constant(value) && !meaning::varies(&leaf);
    if is_fixed {
        leaf.values = vec![value.to_owned()];
    }
    Parameter {
        name: name.to_owned(),
        place: place.to_owned(),
        required: is_fixed,
        leaf,
        maximum: None,
    }
}

fn leaf(name: &str, value: &Value) -> Leaf {
    Leaf {
        path: vec![name.to_owned()],
        words: words(name),
        kind: match value {
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            _ => Kind::Text,
        },
        format: String::new(),
        description: String::new(),
        values: Vec::new(),
        default: None,
        required: false,
        read_only: false,
        in_example: false,
        example: None,
    }
}

fn body(data: &Data, content_type: Option<&str>) -> Option<Body> {
    match data {
        Data::None => None,
        Data::File => Some(Body {
            kind: BodyKind::Binary,
            shape: Shape::default(),
        }),
        Data::Text(text) => match serde_json::from_str::<Value>(text) {
            Ok(value @ Value::Object(_)) => Some(of_example(BodyKind::Json, &value)),
            Ok(_) => None,
            Err(_) => {
                let form = content_type.is_none_or(|kind| kind.contains("x-www-form-urlencoded"));
                (form && text.contains('=')).then(|| of_example(BodyKind::Form, &fields(text)))
            }
        },
        Data::Parts(parts) => {
            let leaves = parts.iter().map(|part| {
                let mut leaf = leaf(&part.name, &Value::Null);
                // A text part that a line sends is needed; of a file its name is not.
                leaf.required = !part.is_file;
                leaf.format = match part.is_file {
                    true => "binary".to_owned(),
                    false => part.content_type.clone().unwrap_or_default(),
                };
                leaf
            });
            Some(Body {
                kind: BodyKind::Multipart,
                shape: Shape {
                    leaves: leaves.collect(),
                    ..Shape::default()
                },
            })
        }
    }
}

fn fields(form: &str) -> Value {
    let mut fields = Map::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.insert(url_decoded(name), url_decoded(value).into());
    }
    Value::Object(fields)
}

/// What a line sends counts as needed.
fn of_example(kind: BodyKind, example: &Value) -> Body {
    let nothing = Document {
        name: String::new(),
        root: Value::Null,
    };
    let mut shape = Shape::of(&nothing, &Value::Null, &[example]);
    for leaf in &mut shape.leaves {
        let value = leaf.path.iter().try_fold(example, |value, key| value.get(key));
        leaf.required = !names_secret(leaf.name()) && !value.is_some_and(is_secret);
        leaf.default = value.filter(|value| is_plain(value)).cloned();
    }
    Body { kind, shape }
}

fn is_secret(value: &Value) -> bool {
    value.as_str().is_some_and(looks_secret)
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => number
            .as_i64()
            .is_some_and(|number| (0..=LARGEST_NUMBER).contains(&number)),
        _ => false,
    }
}
