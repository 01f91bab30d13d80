//! Text, templates, expressions, and values taken as they are.

use std::borrow::Cow;

use mapping::{Content, Mapping, Node, Place, Template};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{Decode, Report};

/// Plain text, with its place.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) place: Place,
}

impl Decode for Text {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match node.as_text() {
            Some(text) => Some(Self {
                value: text.to_owned(),
                place: node.place.clone(),
            }),
            None => {
                report.wrong_type(node, "text");
                None
            }
        }
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// Mustache text. Numbers and `true`/`false` are taken as their text.
pub(crate) struct TemplateText(pub(crate) Template);

impl Decode for TemplateText {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        if !matches!(
            node.content,
            Content::Text(_) | Content::Number(_) | Content::Bool(_)
        ) {
            report.wrong_type(node, "text with {{variables}}");
            return None;
        }
        match Template::compile(node) {
            Ok(template) => Some(Self(template)),
            Err(diagnostic) => {
                report.push(diagnostic);
                None
            }
        }
    }
}

impl JsonSchema for TemplateText {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Mustache text: {{variable}}, {{#section}}...{{/section}}.",
            "type": ["string", "number", "boolean"],
        })
    }
}

/// A mapping in the Data Mapping language. The node is kept for what can be read off its shape.
pub(crate) struct Expression {
    pub(crate) mapping: Mapping,
    pub(crate) node: Node,
}

impl Decode for Expression {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match Mapping::compile(node) {
            Ok(mapping) => {
                report.diagnostics.extend(mapping.warnings().iter().cloned());
                Some(Self {
                    mapping,
                    node: node.clone(),
                })
            }
            Err(diagnostics) => {
                report.diagnostics.extend(diagnostics);
                None
            }
        }
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Mapping".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Data Mapping language: text is an expression (quote a text constant inside: \"'text'\"), an object with a key such as MAP() is an operator, other objects and lists are built as they stand.",
        })
    }
}

/// A value taken as it is.
pub(crate) struct Literal {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

impl Decode for Literal {
    fn decode(node: &Node, _: &mut Report) -> Option<Self> {
        Some(Self {
            value: node.to_value(),
            place: node.place.clone(),
        })
    }
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}
