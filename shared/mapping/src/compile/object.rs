//! Object constructors: keys with dots nest, and what they build together is one object.

use super::Compiler;
use crate::diagnostic::{Diagnostic, code};
use crate::document::{Key, MAX_DEPTH, Node};
use crate::operators;
use crate::plan::{MappingNode, NodeKind};

/// A field under construction.
struct Field<'a> {
    name: &'a str,
    key: &'a Key,
    value: FieldValue<'a>,
}

enum FieldValue<'a> {
    Node(&'a Node),
    Fields(Vec<Field<'a>>),
}

impl Compiler {
    pub(super) fn object(&mut self, entries: &[(Key, Node)]) -> NodeKind {
        let fields = self.gather(Vec::new(), entries);
        self.fields(fields)
    }

    fn fields(&mut self, fields: Vec<Field<'_>>) -> NodeKind {
        let compiled = fields.into_iter().map(|field| {
            let node = match field.value {
                FieldValue::Node(node) => self.node(node),
                FieldValue::Fields(fields) => {
                    let place = field.key.place.clone();
                    let kind = self
                        .nested(|compiler| compiler.fields(fields))
                        .unwrap_or_else(|| {
                            self.too_deep(&place);
                            NodeKind::Constant(serde_json::Value::Null)
                        });
                    MappingNode { place, kind }
                }
            };
            (field.name.to_owned(), node)
        });
        NodeKind::Object(compiled.collect())
    }

    fn gather<'a>(&mut self, mut fields: Vec<Field<'a>>, entries: &'a [(Key, Node)]) -> Vec<Field<'a>> {
        for (key, node) in entries {
            if !key.name.contains('.') {
                self.put(&mut fields, &[&key.name], key, node);
                continue;
            }
            let path = segments(&key.name);
            if path.len() > MAX_DEPTH {
                self.too_deep(&key.place);
            } else {
                self.put(&mut fields, &path, key, node);
            }
        }
        fields
    }

    fn put<'a>(&mut self, fields: &mut Vec<Field<'a>>, path: &[&'a str], key: &'a Key, node: &'a Node) {
        let Some((name, deeper)) = path.split_first() else {
            return;
        };
        let Some(field) = fields.iter_mut().find(|field| field.name == *name) else {
            let mut inner = Vec::new();
            let value = if deeper.is_empty() {
                FieldValue::Node(node)
            } else {
                self.put(&mut inner, deeper, key, node);
                FieldValue::Fields(inner)
            };
            fields.push(Field { name, key, value });
            return;
        };
        // Two keys build one field: both must be objects whose fields are known.
        let mut inner = match std::mem::replace(&mut field.value, FieldValue::Fields(Vec::new())) {
            FieldValue::Fields(inner) => inner,
            FieldValue::Node(known) => match operators::constructor(known) {
                Some(entries) => self.gather(Vec::new(), entries),
                None => return self.clash(field.key, key, name),
            },
        };
        if !deeper.is_empty() {
            self.put(&mut inner, deeper, key, node);
        } else if let Some(entries) = operators::constructor(node) {
            inner = self.gather(inner, entries);
        } else {
            return self.clash(field.key, key, name);
        }
        field.value = FieldValue::Fields(inner);
    }

    fn clash(&mut self, first: &Key, second: &Key, name: &str) {
        let (line, _) = first.place.line_column();
        self.report(
            Diagnostic::error(code::KEY_CLASH, format!("the field \"{name}\" is built twice"))
                .at(&second.place)
                .label("again here")
                .help(format!(
                    "\"{}\" on line {line} builds it already; objects that are computed are joined with MERGE()",
                    first.name
                )),
        );
    }
}

/// `a.b` is a way into nested objects. With an empty part it is nothing but a key.
fn segments(key: &str) -> Vec<&str> {
    let segments: Vec<&str> = key.split('.').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        vec![key]
    } else {
        segments
    }
}
