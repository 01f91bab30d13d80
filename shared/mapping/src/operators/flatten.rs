use super::{Evaluate, Operator, constructor, refuse};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, Shape, Tracer};

pub(crate) static FLATTEN: Operator = Operator {
    documentation: Documentation {
        name: "FLATTEN()",
        signature: "FLATTEN(): [<mapping>, ...]",
        summary: "One list of many: elements that are lists are replaced by their elements, one level deep. Other \
                  elements stay as they are.",
        parameters: &[Parameter {
            name: "items",
            description: "Written directly under FLATTEN(): a list of mappings, or a mapping whose value is a list. \
                          A missing list is an empty one.",
        }],
        examples: &[
            Example {
                title: "Values and lists",
                mapping: "FLATTEN(): [owner, watchers, \"'helpdesk'\"]",
                input: r#"{"owner": "ann", "watchers": ["bo", "cy"]}"#,
                output: r#"["ann", "bo", "cy", "helpdesk"]"#,
            },
            Example {
                title: "A list of lists, one level",
                mapping: "FLATTEN(): pages",
                input: r#"{"pages": [[1, [2]], [], [3]]}"#,
                output: "[1, [2], 3]",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Flatten {
    items: MappingNode,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    if constructor(node).is_some() {
        refuse("FLATTEN()", "a list", node, compiler);
        return None;
    }
    Some(Box::new(Flatten {
        items: compiler.node(node),
    }))
}

impl Evaluate for Flatten {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let items = machine.node(&self.items)?;
        let items = machine.elements(&items, "FLATTEN()", &self.items)?;
        machine.flat(&items)
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        parts.argument(machine, "items", &self.items);
        FLATTEN.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let items = tracer.node(&self.items);
        tracer.flat(&items)
    }
}
