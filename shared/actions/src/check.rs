//! Checks JSON against a JSON Schema and says what is wrong in a person's words.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::error::FieldProblem;

/// With so many problems told, the rest says nothing new, and finding it would cost a caller nothing and us much.
pub(crate) const MAX_PROBLEMS: usize = 20;

/// The longest part of a name from outside that is shown; a longer one resembles no name of ours.
const SHOWN_NAME: usize = 100;

/// A schema that was compiled once, with the text it came from for the messages.
#[derive(Debug)]
pub(crate) struct Checker {
    schema: Value,
    validator: Validator,
}

impl Checker {
    /// Compiles a schema. The error says what is wrong with the schema itself.
    pub(crate) fn new(schema: Value) -> Result<Self, String> {
        let validator = jsonschema::options()
            .offline()
            .build(&schema)
            .map_err(|error| error.to_string())?;
        Ok(Checker { schema, validator })
    }

    pub(crate) fn schema(&self) -> &Value {
        &self.schema
    }

    /// The problems with `value`, at most [`MAX_PROBLEMS`]; each field's path starts with `prefix` (empty for
    /// none).
    pub(crate) fn problems(&self, value: &Value, prefix: &str) -> Vec<FieldProblem> {
        // Most values have no problem, and finding that out alone is much quicker.
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        let mut problems: Vec<FieldProblem> = Vec::new();
        for error in self.validator.iter_errors(value) {
            if problems.len() >= MAX_PROBLEMS {
                break;
            }
            self.explain(&error, value, prefix, &mut problems);
        }
        problems
    }

    fn explain(
        &self,
        error: &ValidationError<'_>,
        root: &Value,
        prefix: &str,
        problems: &mut Vec<FieldProblem>,
    ) {
        let pointer = error.instance_path().as_str();
        let schema = schema_at(&self.schema, pointer);
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let expected = schema
                    .and_then(|schema| property_schema(&self.schema, schema, name))
                    .map_or_else(
                        || "a value".to_owned(),
                        |schema| expectation(&self.schema, schema),
                    );
                add(
                    problems,
                    path(prefix, pointer, Some(name)),
                    format!("expected {expected}, found nothing"),
                );
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known: Vec<&str> = schema
                    .map(|schema| property_names(&self.schema, schema))
                    .unwrap_or_default();
                for name in unexpected.iter().take(MAX_PROBLEMS) {
                    add(
                        problems,
                        path(prefix, pointer, Some(name)),
                        unknown_name("field", name, &known),
                    );
                }
            }
            // The alternative that came furthest is the one that was meant.
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }
                if deepest(context, pointer).is_some() =>
            {
                for inner in deepest(context, pointer).unwrap_or_default() {
                    self.explain(inner, root, prefix, problems);
                }
            }
            ValidationErrorKind::MaxLength { limit } => {
                let length = error.instance().as_str().map_or(0, |text| text.chars().count());
                add(
                    problems,
                    path(prefix, pointer, None),
                    format!("expected text of at most {limit} characters, found {length}"),
                );
            }
            _ => {
                let expected = schema.map_or_else(
                    || "something else".to_owned(),
                    |schema| expectation(&self.schema, schema),
                );
                let found = found(root.pointer(pointer).unwrap_or(&Value::Null));
                add(
                    problems,
                    path(prefix, pointer, None),
                    format!("expected {expected}, found {found}"),
                );
            }
        }
    }
}

/// `unknown field; did you mean ...?` or the list of what there is.
pub(crate) fn unknown_name(what: &str, name: &str, known: &[&str]) -> String {
    let near = (name.len() <= SHOWN_NAME)
        .then(|| mapping::did_you_mean(name, known.iter().copied()))
        .flatten();
    match near {
        Some(near) => format!("unknown {what}; did you mean `{near}`?"),
        None if known.is_empty() => format!("unknown {what}; none is expected here"),
        None => format!("unknown {what}; expected one of {}", known.join(", ")),
    }
}

/// What a value is, without showing it: it may be private.
pub(crate) fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(text) if text.trim().is_empty() => "empty text",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(fields) if fields.is_empty() => "an empty object",
        Value::Object(_) => "an object",
    }
}

fn add(problems: &mut Vec<FieldProblem>, field: String, message: String) {
    // One field can fail several keywords for one reason; the first says it.
    if problems.len() < MAX_PROBLEMS && problems.iter().all(|known| known.field != field) {
        problems.push(FieldProblem { field, message });
    }
}

fn path(prefix: &str, pointer: &str, last: Option<&str>) -> String {
    let mut text = prefix.to_owned();
    let segments = pointer
        .split('/')
        .skip(1)
        .map(unescape)
        .chain(last.map(str::to_owned));
    for segment in segments {
        if segment.bytes().all(|byte| byte.is_ascii_digit()) && !segment.is_empty() {
            text.push_str(&format!("[{segment}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&shown(&segment));
        }
    }
    if text.is_empty() { "body".to_owned() } else { text }
}

/// A name from outside, cut where it is longer than anybody reads.
pub(crate) fn shown(name: &str) -> String {
    match name.char_indices().nth(SHOWN_NAME) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}

fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

fn deepest<'e>(
    context: &'e [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Option<&'e [ValidationError<'static>]> {
    context
        .iter()
        .filter(|errors| {
            !errors.is_empty()
                && errors.iter().all(|error| {
                    error.instance_path().as_str().len() > pointer.len()
                        || !matches!(error.kind(), ValidationErrorKind::Type { .. })
                })
        })
        .map(Vec::as_slice)
        .next()
}

pub(crate) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(schema)
}

/// The schema itself and, where it is a choice, each alternative; a choice can be between choices.
fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let schema = resolve(root, schema);
    let choices = schema
        .get("anyOf")
        .or_else(|| schema.get("oneOf"))
        .and_then(Value::as_array);
    let inner = choices
        .into_iter()
        .flatten()
        .flat_map(|choice| alternatives(root, choice));
    std::iter::once(schema).chain(inner).collect()
}

fn property_schema<'s>(root: &'s Value, schema: &'s Value, name: &str) -> Option<&'s Value> {
    alternatives(root, schema)
        .into_iter()
        .find_map(|schema| schema.get("properties")?.get(name))
}

fn property_names<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s str> {
    alternatives(root, schema)
        .into_iter()
        .filter_map(|schema| schema.get("properties")?.as_object())
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect()
}

fn schema_at<'s>(root: &'s Value, pointer: &str) -> Option<&'s Value> {
    let mut schema = root;
    for segment in pointer.split('/').skip(1).map(unescape) {
        schema = property_schema(root, schema, &segment).or_else(|| {
            alternatives(root, schema)
                .into_iter()
                .find_map(|schema| schema.get("items"))
        })?;
    }
    Some(resolve(root, schema))
}

/// What a schema asks for, in words.
fn expectation(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<&str> = options.iter().filter_map(Value::as_str).collect();
        return format!("one of {}", words.join(", "));
    }
    if let Some(choices) = schema
        .get("anyOf")
        .or_else(|| schema.get("oneOf"))
        .and_then(Value::as_array)
    {
        let words: Vec<String> = choices
            .iter()
            .filter(|choice| choice.get("type").and_then(Value::as_str) != Some("null"))
            .map(|choice| expectation(root, choice))
            .collect();
        return words.join(" or ");
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let words: Vec<&str> = types
        .iter()
        .filter(|name| **name != "null")
        .map(|name| match *name {
            "string" if schema.get("format").and_then(Value::as_str) == Some("date-time") => {
                "a time such as 2026-01-05T10:30:45Z"
            }
            "string" if schema.get("pattern").is_some() || schema.get("minLength").is_some() => {
                "non-empty text"
            }
            "string" => "text",
            "object" if schema.get("minProperties").is_some() => "an object with at least one field",
            "object" => "an object",
            "array" => "a list",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            _ => "something else",
        })
        .collect();
    if words.is_empty() {
        "a value".to_owned()
    } else {
        words.join(" or ")
    }
}
