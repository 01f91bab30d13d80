use std::borrow::Cow;
use std::collections::HashMap;

use super::{Evaluate, Operator, constructor, refuse};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, NodeKind, Shape, Tracer};

pub(crate) static MERGE: Operator = Operator {
    documentation: Documentation {
        name: "MERGE()",
        signature: "MERGE(): [<mapping>, ...]",
        summary: "One object of many: all fields of all objects; of fields with the same key the last one counts. It \
                  does not go deeper: a nested object is replaced, not merged. Fields are in the order in which their \
                  keys first appear; null is skipped.",
        parameters: &[Parameter {
            name: "items",
            description: "Written directly under MERGE(): a list of mappings, or a mapping whose value is a list. \
                          Each is an object or null.",
        }],
        examples: &[
            Example {
                title: "What one step returned, joined with another",
                mapping: "MERGE():\n  - data.ticket\n  - comments: data.notes\n    state: \"'open'\"\n",
                input: r#"{"data": {"ticket": {"id": 1, "state": "new"}, "notes": ["n"]}}"#,
                output: r#"{"id": 1, "state": "open", "comments": ["n"]}"#,
            },
            Example {
                title: "Only objects can be merged",
                mapping: "MERGE(): [data, \"'text'\"]",
                input: r#"{"data": {}}"#,
                output: "TG0301",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Merge {
    items: MappingNode,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    if constructor(node).is_some() {
        refuse("MERGE()", "a list", node, compiler);
        return None;
    }
    Some(Box::new(Merge {
        items: compiler.node(node),
    }))
}

impl Evaluate for Merge {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let items = machine.node(&self.items)?;
        let items = machine.elements(&items, "MERGE()", &self.items)?;
        let mut merged: Vec<(Cow<'v, str>, Datum<'v>)> = Vec::new();
        let mut positions: HashMap<Cow<'v, str>, usize> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let object = match item {
                Datum::Object(object) => object,
                Datum::Null => continue,
                other => {
                    let message = format!("expected objects, found {}", other.kind());
                    let written = match &self.items.kind {
                        NodeKind::List(elements) => elements.get(index),
                        _ => None,
                    };
                    let place = &written.unwrap_or(&self.items).place;
                    return Err(Fault::types("MERGE()", message).in_place(place));
                }
            };
            machine.spend(1 + object.len() as u64)?;
            for (key, value) in object.iter() {
                match positions.get(&key).and_then(|position| merged.get_mut(*position)) {
                    Some(known) => known.1 = value,
                    None => {
                        positions.insert(key.clone(), merged.len());
                        merged.push((key, value));
                    }
                }
            }
        }
        machine.new_object(merged)
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        match &self.items.kind {
            NodeKind::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    parts.candidate(machine, index, element);
                }
            }
            _ => {
                parts.argument(machine, "items", &self.items);
            }
        }
        MERGE.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let items = tracer.node(&self.items);
        tracer.walk(&items);
        let each = tracer.each(&items);
        tracer.walk(&each);
        each
    }
}
