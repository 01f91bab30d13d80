use std::collections::HashMap;

use super::arguments::Arguments;
use super::{Evaluate, Operator, is_call};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::{Content, Node};
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, Shape, Tracer};

pub(crate) static LOOKUP: Operator = Operator {
    documentation: Documentation {
        name: "LOOKUP()",
        signature: "LOOKUP(): {key: <mapping>, mapping: {<key>: <mapping>, ...}, default?: <mapping>}",
        summary: "The mapping that stands under a key. Only that one is evaluated. If no key matches, the default; \
                  without one, null.",
        parameters: &[
            Parameter {
                name: "key",
                description: "What to look up. Numbers and booleans match the key that is their text (`7`, `true`); \
                              null matches none.",
            },
            Parameter {
                name: "mapping",
                description: "Keys, written as they are and not as expressions, with the mappings of what they stand \
                              for. Or a mapping whose value is an object, such as `settings.states`: then the fields \
                              of that object are the results.",
            },
            Parameter {
                name: "default?",
                description: "The result if no key matches.",
            },
        ],
        examples: &[
            Example {
                title: "A code and its label",
                mapping: "LOOKUP():\n  key: state\n  mapping:\n    1: \"'New'\"\n    7: \"'Closed'\"\n  default: \"'Unknown'\"\n",
                input: r#"{"state": 7}"#,
                output: r#""Closed""#,
            },
            Example {
                title: "Results are mappings",
                mapping: "LOOKUP():\n  key: kind\n  mapping:\n    incident: {id: incident.number}\n    request: {id: request.number}\n",
                input: r#"{"kind": "request", "request": {"number": "R1"}}"#,
                output: r#"{"id": "R1"}"#,
            },
            Example {
                title: "A table that is data",
                mapping: "LOOKUP(): {key: state, mapping: settings.states, default: state}",
                input: r#"{"state": "Started", "settings": {"states": {"Started": "WIP"}}}"#,
                output: r#""WIP""#,
            },
            Example {
                title: "No such key",
                mapping: "LOOKUP(): {key: state, mapping: {a: \"'A'\"}}",
                input: r#"{"state": "b"}"#,
                output: "null",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Lookup {
    key: MappingNode,
    table: Table,
    default: Option<MappingNode>,
}

#[derive(Debug)]
enum Table {
    Written {
        results: Vec<MappingNode>,
        positions: HashMap<String, usize>,
    },
    Computed(MappingNode),
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&LOOKUP.documentation, node, compiler)?;
    let key = arguments.mapping("key", compiler);
    let table = arguments.get("mapping").map(|node| match &node.content {
        // The keys of a table are texts as they are, also one that looks like an operator's.
        Content::Object(entries) if !is_call(node) => Table::Written {
            results: entries.iter().map(|(_, result)| compiler.node(result)).collect(),
            positions: entries
                .iter()
                .enumerate()
                .map(|(at, (key, _))| (key.name.clone(), at))
                .collect(),
        },
        content => {
            if matches!(content, Content::List(_)) {
                arguments.wrong_kind("mapping", "an object", node, compiler);
            }
            Table::Computed(compiler.node(node))
        }
    });
    let default = arguments.mapping("default", compiler);
    Some(Box::new(Lookup {
        key: key?,
        table: table?,
        default,
    }))
}

impl Lookup {
    fn find<'v>(&'v self, key: &Datum<'v>, machine: &mut Machine<'v>) -> Result<Option<Datum<'v>>, Fault> {
        if key.is_null() {
            return Ok(None);
        }
        let text = machine.text_form(key)?;
        // As `3.0` equals `3`, it is found as either.
        let whole = match key {
            Datum::Number(_) => text.strip_suffix(".0"),
            _ => None,
        };
        match &self.table {
            Table::Written { results, positions } => {
                let result = positions
                    .get(text.as_ref())
                    .or_else(|| positions.get(whole?))
                    .and_then(|position| results.get(*position));
                result.map(|result| machine.node(result)).transpose()
            }
            Table::Computed(table) => match machine.node(table)? {
                Datum::Null => Ok(None),
                Datum::Object(object) => {
                    machine.spend(object.len() as u64 / 16)?;
                    Ok(object.get(&text).or_else(|| object.get(whole?)))
                }
                other => {
                    let message = format!("mapping must be an object, found {}", other.kind());
                    Err(Fault::types("LOOKUP()", message).in_place(&table.place))
                }
            },
        }
    }
}

impl Evaluate for Lookup {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let key = machine.node(&self.key)?;
        match (self.find(&key, machine)?, &self.default) {
            (Some(result), _) => Ok(result),
            (None, Some(default)) => machine.node(default),
            (None, None) => Ok(Datum::Null),
        }
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        let Some(key) = parts.argument(machine, "key", &self.key) else {
            return LOOKUP.documentation.name;
        };
        if let Table::Computed(table) = &self.table {
            parts.argument(machine, "mapping", table);
        }
        let found = machine.aside(|machine| self.find(&key, machine));
        if let (Ok(None), Some(default)) = (found, &self.default) {
            parts.argument(machine, "default", default);
        }
        LOOKUP.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        tracer.used(&self.key);
        let mut shape = match &self.table {
            Table::Written { results, .. } => results
                .iter()
                .fold(Shape::computed(), |shape, result| shape.or(tracer.node(result))),
            Table::Computed(table) => {
                let table = tracer.node(table);
                tracer.walk(&table);
                tracer.each(&table)
            }
        };
        if let Some(default) = &self.default {
            shape = shape.or(tracer.node(default));
        }
        shape
    }
}
