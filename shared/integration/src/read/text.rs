//! Text, templates, expressions, and values taken as they are.

use std::borrow::Cow;

use mapping::{Content, Mapping, Node, Place, Replacements, Template};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{Decode, Fields, Report};
use crate::rules;

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

/// Mustache text, or an object with that as `template` and what is replaced in each value as `escape`.
pub(crate) struct EscapedText(pub(crate) Template);

impl EscapedText {
    /// The node of the text.
    pub(crate) fn text_of(node: &Node) -> &Node {
        node.get("template").unwrap_or(node)
    }
}

impl Decode for EscapedText {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Object(_) = node.content else {
            return TemplateText::decode(node, report).map(|text| Self(text.0));
        };
        let mut fields = Fields::of(node, "a text with `escape`", report)?;
        let template = fields.take("template");
        let escape = fields.take("escape");
        fields.finish(report);
        for (key, found) in [("template", template), ("escape", escape)] {
            if found.is_none() {
                let message = format!("a text with `escape` needs `{key}`");
                report.add(&rules::MISSING_KEY, &node.place, message);
            }
        }
        let template = TemplateText::decode(template?, report)?;
        let replacements = replacements(escape?, report)?;
        Some(Self(template.0.replacing(replacements)))
    }
}

fn replacements(node: &Node, report: &mut Report) -> Option<Replacements> {
    let Content::Object(entries) = &node.content else {
        report.wrong_type(node, "an object: what is replaced, and what stands for it");
        return None;
    };
    let mut pairs = Vec::new();
    for (key, value) in entries {
        if key.name.is_empty() {
            report.add(&rules::BAD_NAME, &key.place, "an empty text cannot be replaced");
        }
        match &value.content {
            Content::Text(text) => pairs.push((key.name.clone(), Some(text.clone()))),
            Content::Number(number) => pairs.push((key.name.clone(), Some(number.to_string()))),
            Content::Null => pairs.push((key.name.clone(), None)),
            _ => report.wrong_type(value, "text, or nothing (null) for what is refused"),
        }
    }
    Some(Replacements::new(pairs))
}

impl JsonSchema for EscapedText {
    fn schema_name() -> Cow<'static, str> {
        "EscapedText".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let template = generator.subschema_for::<TemplateText>();
        json_schema!({"anyOf": [template, {
            "type": "object",
            "properties": {
                "template": template,
                "escape": {
                    "description": "What is replaced in each value, and by what; null refuses a value that holds it.",
                    "type": "object",
                    "additionalProperties": {"type": ["string", "number", "null"]},
                },
            },
            "required": ["template", "escape"],
            "additionalProperties": false,
        }]})
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
                check_html(node, report);
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

impl Expression {
    /// Whether it looks at this field of `data.context`, or at all of them.
    pub(crate) fn reads_context(&self, field: &str) -> bool {
        self.mapping.reads().iter().any(|path| {
            let mut keys = path.keys();
            ["data", "context", field]
                .into_iter()
                .all(|name| keys.next().is_none_or(|key| key == name))
        })
    }
}

/// Warns of values that stand among the tags of a `RENDER()` as they are.
fn check_html(node: &Node, report: &mut Report) {
    match &node.content {
        Content::List(items) => items.iter().for_each(|item| check_html(item, report)),
        Content::Object(entries) => {
            for (key, value) in entries {
                if key.name == "RENDER()" {
                    check_render(value, report);
                }
                check_html(value, report);
            }
        }
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => {}
    }
}

fn check_render(render: &Node, report: &mut Report) {
    let Some(template) = render.get("template") else {
        return;
    };
    let text = template.as_text().unwrap_or_default();
    let mut tags = text.match_indices('<').filter_map(|(at, _)| text.get(at + 1..));
    if !tags.any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')) {
        return;
    }
    for raw in text
        .split("{{{")
        .skip(1)
        .filter_map(|rest| rest.split("}}}").next())
    {
        let name = raw.trim();
        let given = render.get("args").and_then(|args| args.get(name));
        if given.is_some_and(is_escaped) {
            continue;
        }
        let message = format!("`{{{{{{{name}}}}}}}` puts a value among HTML tags as it is");
        let help = format!("write `{{{{{name}}}}}`, which escapes it");
        report.push(rules::RAW_IN_HTML.at(&template.place, message).help(help));
    }
}

/// Whether a value is made by something that escapes HTML.
fn is_escaped(node: &Node) -> bool {
    match &node.content {
        Content::Text(text) => text.contains("$ESCAPE_HTML"),
        Content::List(items) => items.iter().any(is_escaped),
        Content::Object(entries) => entries
            .iter()
            .any(|(key, value)| key.name == "RENDER()" || is_escaped(value)),
        Content::Null | Content::Bool(_) | Content::Number(_) => false,
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
