use super::arguments::Arguments;
use super::{Evaluate, Operator};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, Shape, Tracer};

pub(crate) static FILTER: Operator = Operator {
    documentation: Documentation {
        name: "FILTER()",
        signature: "FILTER(): {items: <mapping>, condition?: <mapping>, context?: {item?, index?, length?, key?}}",
        summary: "Keeps the elements of a list, or the values of an object, for which a condition holds. The result \
                  is a list, also over an object; the function $FILTER keeps the keys. Missing items are an empty \
                  list.",
        parameters: &[
            Parameter {
                name: "items",
                description: "A list or an object.",
            },
            Parameter {
                name: "condition?",
                description: "Evaluated for each `item`. Without it, elements are kept that are truthy.",
            },
            Parameter {
                name: "context?",
                description: "Other names for `item`, index, length and key, as in MAP().",
            },
        ],
        examples: &[
            Example {
                title: "By a condition",
                mapping: "FILTER():\n  items: comments\n  condition: NOT item.private\n",
                input: r#"{"comments": [{"text": "a", "private": true}, {"text": "b"}]}"#,
                output: r#"[{"text": "b"}]"#,
            },
            Example {
                title: "Without one, empty elements go",
                mapping: "FILTER(): {items: [first, middle, last]}",
                input: r#"{"first": "Ada", "middle": "", "last": "Lovelace"}"#,
                output: r#"["Ada", "Lovelace"]"#,
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Filter {
    items: MappingNode,
    condition: Option<MappingNode>,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&FILTER.documentation, node, compiler)?;
    let items = arguments.mapping("items", compiler);
    let names = arguments.loop_names(compiler);
    let condition = compiler.with_loop(&names, |compiler| arguments.mapping("condition", compiler));
    Some(Box::new(Filter {
        items: items?,
        condition,
    }))
}

impl Evaluate for Filter {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let items = machine.node(&self.items)?;
        let turns = machine.turns(&items, "FILTER()", &self.items.place)?;
        let mut kept = Vec::new();
        for turn in turns {
            let item = turn.item.clone();
            if machine.holds(self.condition.as_ref(), turn)? {
                kept.push(item);
            }
        }
        machine.new_list(kept)
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        parts.turns(
            machine,
            "FILTER()",
            &self.items,
            ("condition", self.condition.as_ref()),
            false,
        );
        FILTER.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let items = tracer.node(&self.items);
        tracer.condition(self.condition.as_ref(), &items);
        Shape::list_of(tracer.each(&items))
    }
}
