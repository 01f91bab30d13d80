use super::arguments::Arguments;
use super::{Evaluate, Operator};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::{Machine, Turn};
use crate::plan::{MappingNode, Shape, Tracer};

pub(crate) static CONCAT: Operator = Operator {
    documentation: Documentation {
        name: "CONCAT()",
        signature: "CONCAT(): {items: <mapping>, separator?: <text>}",
        summary: "Joins texts to one. Numbers and booleans are written as in JSON; null is skipped together with its \
                  separator; lists and objects are an error. No list gives null.",
        parameters: &[
            Parameter {
                name: "items",
                description: "A list of mappings, or a mapping whose value is a list.",
            },
            Parameter {
                name: "separator?",
                description: "The text between them, as it is and not as an expression. Without it there is none.",
            },
        ],
        examples: &[
            Example {
                title: "With a separator",
                mapping: "CONCAT():\n  items: [user.first, user.middle, user.last]\n  separator: \" \"\n",
                input: r#"{"user": {"first": "Ada", "last": "Lovelace"}}"#,
                output: r#""Ada Lovelace""#,
            },
            Example {
                title: "Numbers become text",
                mapping: "CONCAT(): {items: [\"'INC'\", number]}",
                input: r#"{"number": 42}"#,
                output: r#""INC42""#,
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Concat {
    items: MappingNode,
    separator: String,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&CONCAT.documentation, node, compiler)?;
    let items = arguments.mapping("items", compiler);
    let separator = arguments.text("separator", compiler).unwrap_or_default();
    Some(Box::new(Concat {
        items: items?,
        separator,
    }))
}

impl Evaluate for Concat {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let items = machine.node(&self.items)?;
        if items.is_null() {
            return Ok(Datum::Null);
        }
        let turns = machine.turns(&items, "CONCAT()", &self.items.place)?;
        let mut joined = String::new();
        let mut first = true;
        for Turn { item, .. } in turns {
            if item.is_null() {
                continue;
            }
            if matches!(item, Datum::List(_) | Datum::Object(_)) {
                let message = format!("expected texts, found {}", item.kind());
                return Err(Fault::types("CONCAT()", message).in_place(&self.items.place));
            }
            if !first {
                joined.push_str(&self.separator);
            }
            first = false;
            joined.push_str(&machine.text_form(&item)?);
            machine.check_text(&joined)?;
        }
        machine.new_text(joined)
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        parts.argument(machine, "items", &self.items);
        CONCAT.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        tracer.used(&self.items);
        Shape::computed()
    }
}
