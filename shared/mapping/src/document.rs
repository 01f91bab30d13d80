//! A YAML or JSON text as a tree in which every value and every key knows where it was written.

mod json;
mod known_keys;
mod place;
mod value;
mod yaml;

use serde_json::{Map, Number, Value};

use crate::Diagnostic;

pub use place::{Place, Source};
pub(crate) use place::{Ruler, Written};
pub use value::from_value;

/// How many lists and objects may lie inside one another in a document.
pub(crate) const MAX_DEPTH: usize = 128;

/// How many values and keys a document may have once its aliases are followed: one takes some hundred bytes.
pub(crate) const MAX_NODES: usize = 100_000;

/// How many bytes of text a document may have once its aliases are followed.
pub(crate) const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// A value of a document and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value is written. Of a text it covers the quotes, of an object the braces if it has any.
    pub place: Place,
    /// The value.
    pub content: Content,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// `null`, or nothing after a key.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; whole numbers keep 64 bits.
    Number(Number),
    /// A text, unquoted and unescaped.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object in the order it is written. Keys are unique.
    Object(Vec<(Key, Node)>),
}

/// A key of an object. A number or a boolean written as a key is its text.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where the key is written, quotes included.
    pub place: Place,
    /// The key, unquoted and unescaped.
    pub name: String,
}

impl Node {
    /// The value under `key` when this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|(k, _)| k.name == key)
            .map(|(_, node)| node)
    }

    /// The entries when this is an object, else none.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.content {
            Content::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The elements when this is a list, else none.
    pub fn elements(&self) -> &[Node] {
        match &self.content {
            Content::List(elements) => elements,
            _ => &[],
        }
    }

    /// The text when this is one. Numbers and booleans are not.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean when this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.content {
            Content::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number when this is one.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.content {
            Content::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether this is `null` or nothing.
    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// How many values and keys this is, itself included.
    pub fn count(&self) -> usize {
        match &self.content {
            Content::List(elements) => 1 + elements.iter().map(Node::count).sum::<usize>(),
            Content::Object(entries) => 1 + entries.iter().map(|(_, node)| 1 + node.count()).sum::<usize>(),
            _ => 1,
        }
    }

    /// What this is, as messages call it: `null`, `boolean`, `number`, `text`, `list` or `object`.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "null",
            Content::Bool(_) => "boolean",
            Content::Number(_) => "number",
            Content::Text(_) => "text",
            Content::List(_) => "list",
            Content::Object(_) => "object",
        }
    }

    /// The plain JSON value, without places.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(elements) => Value::Array(elements.iter().map(Node::to_value).collect()),
            Content::Object(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.name.clone(), node.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

/// Reads one YAML 1.2 document (core schema), of which JSON is a part.
///
/// `name` is what people are shown, usually the path of the file.
///
/// # Errors
/// `TG0100`, with the place, for text that is not YAML; a key that appears twice; a key that is not a scalar;
/// several documents; tags other than those of the core schema; merge keys (`<<`); more than 128 levels; more than
/// 100,000 values and keys or 16 MiB of text, aliases followed; a number that no 64-bit format holds.
pub fn parse(name: impl Into<String>, text: impl Into<String>) -> Result<Node, Diagnostic> {
    let source = Source::new(name, text);
    // JSON that is not YAML to the letter (surrogate pairs, tabs) must still be read as what it is.
    match json::parse(&source) {
        Some(node) => node,
        None => yaml::parse(&source, Bounds::OWN),
    }
}

/// Reads one YAML document of a stranger's, such as the description of an API, which is larger than what people write
/// by hand. For documents that are read once and thrown away: each value takes some hundred bytes.
///
/// # Errors
/// As [`parse`], but only at 4,000,000 values and keys or 64 MiB of text.
pub fn parse_large(name: impl Into<String>, text: impl Into<String>) -> Result<Node, Diagnostic> {
    yaml::parse(&Source::new(name, text), Bounds::LARGE)
}

/// How large a document may be, once its aliases are followed.
#[derive(Clone, Copy)]
struct Bounds {
    /// Values and keys.
    nodes: usize,
    /// Bytes of their texts.
    text_bytes: usize,
}

impl Bounds {
    const OWN: Self = Self {
        nodes: MAX_NODES,
        text_bytes: MAX_TEXT_BYTES,
    };
    const LARGE: Self = Self {
        nodes: 4_000_000,
        text_bytes: 64 * 1024 * 1024,
    };
}
