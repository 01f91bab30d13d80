use super::arguments::Arguments;
use super::{Evaluate, Operator};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::{Machine, Output};
use crate::plan::{MappingNode, Shape, Tracer};

pub(crate) static MAP: Operator = Operator {
    documentation: Documentation {
        name: "MAP()",
        signature: "MAP(): {items: <mapping>, converter: <mapping>, context?: {item?, index?, length?, key?}}",
        summary: "Maps each element of a list, or each value of an object, and returns a list. In the converter \
                  `item` is the element and `loop` has `index0`, `index1`, `length` and, over an object, `key`; the \
                  rest of the input stays visible. Missing items are an empty list.",
        parameters: &[
            Parameter {
                name: "items",
                description: "A list or an object.",
            },
            Parameter {
                name: "converter",
                description: "The mapping of one element.",
            },
            Parameter {
                name: "context?",
                description: "Other names for `item`, for the index (from 0), the length and the key. Inside another \
                              loop, this is how the outer item is reached.",
            },
        ],
        examples: &[
            Example {
                title: "A list of objects",
                mapping: "MAP():\n  items: data.items\n  converter:\n    id: item.id\n    name: item.title.$TRIM()\n    number: loop.index1\n",
                input: r#"{"data": {"items": [{"id": 7, "title": " VPN "}, {"id": 9, "title": "Mail"}]}}"#,
                output: r#"[{"id": 7, "name": "VPN", "number": 1}, {"id": 9, "name": "Mail", "number": 2}]"#,
            },
            Example {
                title: "An object: `item` is the value, `loop.key` the key",
                mapping: "MAP():\n  items: states\n  converter: {code: loop.key, label: item}\n",
                input: r#"{"states": {"1": "New", "7": "Closed"}}"#,
                output: r#"[{"code": "1", "label": "New"}, {"code": "7", "label": "Closed"}]"#,
            },
            Example {
                title: "Two loops with names of their own",
                mapping: "FLATTEN():\n  MAP():\n    items: teams\n    context: {item: team}\n    converter:\n      MAP():\n        items: team.members\n        converter: $CONCAT([team.name, item], \"/\")\n",
                input: r#"{"teams": [{"name": "it", "members": ["ann", "bo"]}, {"name": "hr", "members": ["cy"]}]}"#,
                output: r#"["it/ann", "it/bo", "hr/cy"]"#,
            },
            Example {
                title: "No items",
                mapping: "MAP(): {items: data.items, converter: item.id}",
                input: "{}",
                output: "[]",
            },
            Example {
                title: "A text has no elements",
                mapping: "MAP(): {items: title, converter: item}",
                input: r#"{"title": "VPN"}"#,
                output: "TG0301",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Map {
    items: MappingNode,
    converter: MappingNode,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&MAP.documentation, node, compiler)?;
    let items = arguments.mapping("items", compiler);
    let names = arguments.loop_names(compiler);
    let converter = compiler.with_loop(&names, |compiler| arguments.mapping("converter", compiler));
    Some(Box::new(Map {
        items: items?,
        converter: converter?,
    }))
}

impl Evaluate for Map {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let items = machine.node(&self.items)?;
        let turns = machine.turns(&items, "MAP()", &self.items.place)?;
        let mut mapped = Vec::with_capacity(turns.len());
        for turn in turns {
            mapped.push(machine.with_turn(turn, |machine| machine.node(&self.converter))?);
        }
        machine.new_list(mapped)
    }

    fn write<'v>(&'v self, machine: &mut Machine<'v>, out: &mut Output<'_>) -> Result<(), Fault> {
        let items = machine.node(&self.items)?;
        let turns = machine.turns(&items, "MAP()", &self.items.place)?;
        machine.write_list(out, turns, |machine, out, turn| {
            machine.with_turn(turn, |machine| machine.write_node(&self.converter, out))
        })
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        parts.turns(
            machine,
            "MAP()",
            &self.items,
            ("converter", Some(&self.converter)),
            true,
        );
        MAP.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let items = tracer.node(&self.items);
        Shape::list_of(tracer.with_loop(&items, |tracer| tracer.node(&self.converter)))
    }
}
