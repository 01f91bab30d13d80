use std::borrow::Cow;

use super::arguments::Arguments;
use super::{Evaluate, Operator};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::{Machine, Turn};
use crate::plan::{MappingNode, NodeKind, Shape, Tracer};

pub(crate) static COALESCE: Operator = Operator {
    documentation: Documentation {
        name: "COALESCE()",
        signature: "COALESCE(): {items: <mapping>, condition?: <mapping>, context?: {item?, index?, length?, key?}}",
        summary: "The first element of a list, or value of an object, for which a condition holds; null if there is \
                  none. What comes after it is not evaluated.",
        parameters: &[
            Parameter {
                name: "items",
                description: "A list or an object; usually a list of mappings.",
            },
            Parameter {
                name: "condition?",
                description: "Evaluated for each `item`. Without it, the first element that is truthy is taken.",
            },
            Parameter {
                name: "context?",
                description: "Other names for `item`, index, length and key, as in MAP().",
            },
        ],
        examples: &[
            Example {
                title: "The first that has a value",
                mapping: "COALESCE():\n  items: [user.mobile, user.phone, \"'none'\"]\n",
                input: r#"{"user": {"mobile": "", "phone": "555-1234"}}"#,
                output: r#""555-1234""#,
            },
            Example {
                title: "The first that meets a condition",
                mapping: "COALESCE(): {items: values, condition: item > 4}",
                input: r#"{"values": [1, 6, "never looked at"]}"#,
                output: "6",
            },
            Example {
                title: "None",
                mapping: "COALESCE(): {items: [a, b]}",
                input: "{}",
                output: "null",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Coalesce {
    items: MappingNode,
    condition: Option<MappingNode>,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&COALESCE.documentation, node, compiler)?;
    let items = arguments.mapping("items", compiler);
    let names = arguments.loop_names(compiler);
    let condition = compiler.with_loop(&names, |compiler| arguments.mapping("condition", compiler));
    Some(Box::new(Coalesce {
        items: items?,
        condition,
    }))
}

impl Coalesce {
    /// The mappings that are written in place, with their keys; each is evaluated only when its turn comes.
    fn written(&self) -> Option<Vec<(Option<&str>, &MappingNode)>> {
        match &self.items.kind {
            NodeKind::List(elements) => Some(elements.iter().map(|element| (None, element)).collect()),
            NodeKind::Object(fields) => Some(
                fields
                    .iter()
                    .map(|(name, field)| (Some(name.as_str()), field))
                    .collect(),
            ),
            _ => None,
        }
    }
}

impl Evaluate for Coalesce {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        if let Some(written) = self.written() {
            let length = written.len();
            for (index, (key, node)) in written.into_iter().enumerate() {
                let item = machine.node(node)?;
                let turn = Turn {
                    item: item.clone(),
                    key: key.map(Cow::Borrowed),
                    index,
                    length,
                };
                if machine.holds(self.condition.as_ref(), turn)? {
                    return Ok(item);
                }
            }
            return Ok(Datum::Null);
        }
        let items = machine.node(&self.items)?;
        for turn in machine.turns(&items, "COALESCE()", &self.items.place)? {
            let item = turn.item.clone();
            if machine.holds(self.condition.as_ref(), turn)? {
                return Ok(item);
            }
        }
        Ok(Datum::Null)
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        if let Some(written) = self.written() {
            let length = written.len();
            for (index, (key, node)) in written.into_iter().enumerate() {
                let Some(item) = parts.candidate(machine, index, node) else {
                    break;
                };
                let turn = Turn {
                    item,
                    key: key.map(Cow::Borrowed),
                    index,
                    length,
                };
                let holds = machine.aside(|machine| machine.holds(self.condition.as_ref(), turn));
                if holds.is_ok_and(|holds| holds) {
                    break;
                }
            }
        } else {
            parts.turns(
                machine,
                "COALESCE()",
                &self.items,
                ("condition", self.condition.as_ref()),
                false,
            );
        }
        COALESCE.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let items = tracer.node(&self.items);
        tracer.condition(self.condition.as_ref(), &items);
        tracer.each(&items)
    }
}
