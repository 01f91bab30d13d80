use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::{Content, Key, MAX_DEPTH, Node, Place, Source, Written};

/// The tree of a value that was never written down. Its source is the value as indented JSON.
///
/// What lies deeper than any document may be is left out; such a tree is too deep to be compiled anyway.
pub fn from_value(name: &str, value: &Value) -> Node {
    let mut printer = Printer::default();
    printer.value(value, 0);
    let source = Source::new(name, printer.text);
    let mut spans = printer.spans.into_iter();
    node(value, &source, &mut spans, 0)
}

/// One level more than a document has, so that the limit is seen to be passed.
const DEEPEST: usize = MAX_DEPTH + 1;

#[derive(Default)]
struct Printer {
    text: String,
    /// Start and end of every key and value, in the order in which they begin.
    spans: Vec<(usize, usize)>,
}

impl Printer {
    fn value(&mut self, value: &Value, depth: usize) {
        let index = self.open();
        match value {
            Value::Array(elements) if depth < DEEPEST && !elements.is_empty() => {
                self.text.push('[');
                for (i, element) in elements.iter().enumerate() {
                    self.line(i, depth + 1);
                    self.value(element, depth + 1);
                }
                self.line(0, depth);
                self.text.push(']');
            }
            Value::Object(entries) if depth < DEEPEST && !entries.is_empty() => {
                self.text.push('{');
                for (i, (key, element)) in entries.iter().enumerate() {
                    self.line(i, depth + 1);
                    let index = self.open();
                    self.scalar(&Value::String(key.clone()));
                    self.close(index);
                    self.text.push_str(": ");
                    self.value(element, depth + 1);
                }
                self.line(0, depth);
                self.text.push('}');
            }
            Value::Array(_) => self.text.push_str("[]"),
            Value::Object(_) => self.text.push_str("{}"),
            scalar => self.scalar(scalar),
        }
        self.close(index);
    }

    fn scalar(&mut self, value: &Value) {
        // Writing to a text does not fail.
        let _ = write!(self.text, "{value}");
    }

    fn line(&mut self, position: usize, depth: usize) {
        self.text.push_str(if position == 0 { "\n" } else { ",\n" });
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    fn open(&mut self) -> usize {
        self.spans.push((self.text.len(), 0));
        self.spans.len() - 1
    }

    fn close(&mut self, index: usize) {
        let end = self.text.len();
        if let Some(span) = self.spans.get_mut(index) {
            span.1 = end;
        }
    }
}

/// Walks the value as [`Printer`] did.
fn node(
    value: &Value,
    source: &Arc<Source>,
    spans: &mut impl Iterator<Item = (usize, usize)>,
    depth: usize,
) -> Node {
    let (start, end) = spans.next().unwrap_or_default();
    let mut written = Written::AsIs;
    let content = match value {
        Value::Null => Content::Null,
        Value::Bool(value) => Content::Bool(*value),
        Value::Number(number) => Content::Number(number.clone()),
        Value::String(text) => {
            written = Written::DoubleQuoted;
            Content::Text(text.clone())
        }
        Value::Array(_) if depth >= DEEPEST => Content::List(Vec::new()),
        Value::Object(_) if depth >= DEEPEST => Content::Object(Vec::new()),
        Value::Array(elements) => Content::List(
            elements
                .iter()
                .map(|element| node(element, source, spans, depth + 1))
                .collect(),
        ),
        Value::Object(entries) => Content::Object(
            entries
                .iter()
                .map(|(name, element)| {
                    let (start, end) = spans.next().unwrap_or_default();
                    let place = Place::written(source, start, end, Written::DoubleQuoted);
                    (
                        Key {
                            place,
                            name: name.clone(),
                        },
                        node(element, source, spans, depth + 1),
                    )
                })
                .collect(),
        ),
    };
    Node {
        place: Place::written(source, start, end, written),
        content,
    }
}
