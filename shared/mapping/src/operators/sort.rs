use std::cmp::Ordering;

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

pub(crate) static SORT: Operator = Operator {
    documentation: Documentation {
        name: "SORT()",
        signature: "SORT(): {items: <mapping>, key: <mapping>, desc?: <mapping>, context?: {item?, index?, length?, key?}}",
        summary: "Sorts the elements of a list, or the values of an object, by a key, lowest first. Elements with \
                  equal keys keep their order. Null comes first, then numbers by value, texts by code point, `false` \
                  before `true`; lists are compared element by element. Keys of different types are an error.",
        parameters: &[
            Parameter {
                name: "items",
                description: "A list or an object. Missing items are an empty list.",
            },
            Parameter {
                name: "key",
                description: "What to sort by, evaluated once for each `item`; a list of several keys sorts by the \
                              first, then the next.",
            },
            Parameter {
                name: "desc?",
                description: "Highest first (null last) if it is truthy. Evaluated once, outside of the loop.",
            },
            Parameter {
                name: "context?",
                description: "Other names for `item`, index, length and key, as in MAP().",
            },
        ],
        examples: &[
            Example {
                title: "By two keys",
                mapping: "MAP():\n  items:\n    SORT():\n      items: tickets\n      key: [item.priority, item.id]\n  converter: item.id\n",
                input: r#"{"tickets": [{"id": 3, "priority": 2}, {"id": 1, "priority": 2}, {"id": 2, "priority": 1}]}"#,
                output: "[2, 1, 3]",
            },
            Example {
                title: "Newest first",
                mapping: "SORT(): {items: dates, key: item, desc: true}",
                input: r#"{"dates": ["2024-01-02", "2024-03-01", null, "2024-02-03"]}"#,
                output: r#"["2024-03-01", "2024-02-03", "2024-01-02", null]"#,
            },
            Example {
                title: "Keys of different types",
                mapping: "SORT(): {items: values, key: item}",
                input: r#"{"values": [1, "2"]}"#,
                output: "TG0301",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Sort {
    items: MappingNode,
    key: MappingNode,
    descending: Option<MappingNode>,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&SORT.documentation, node, compiler)?;
    let items = arguments.mapping("items", compiler);
    let descending = arguments.mapping("desc", compiler);
    let names = arguments.loop_names(compiler);
    let key = compiler.with_loop(&names, |compiler| arguments.mapping("key", compiler));
    Some(Box::new(Sort {
        items: items?,
        key: key?,
        descending,
    }))
}

impl Evaluate for Sort {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let items = machine.node(&self.items)?;
        let descending = match &self.descending {
            Some(descending) => machine.node(descending)?.is_truthy(),
            None => false,
        };
        let turns = machine.turns(&items, "SORT()", &self.items.place)?;
        let mut keyed = Vec::with_capacity(turns.len());
        for turn in turns {
            let item = turn.item.clone();
            keyed.push((machine.with_turn(turn, |machine| machine.node(&self.key))?, item));
        }
        let sorted = merge_sort(keyed, &mut |left, right| {
            let order = machine.sort_order(left, right)?;
            Ok(if descending { order.reverse() } else { order })
        });
        let sorted = sorted.map_err(|fault: Fault| fault.in_place(&self.key.place))?;
        machine.new_list(sorted.into_iter().map(|(_, item)| item).collect())
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        parts.turns(machine, "SORT()", &self.items, ("key", Some(&self.key)), false);
        if let Some(descending) = &self.descending {
            parts.argument(machine, "desc", descending);
        }
        SORT.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let items = tracer.node(&self.items);
        if let Some(descending) = &self.descending {
            tracer.used(descending);
        }
        tracer.with_loop(&items, |tracer| tracer.used(&self.key));
        Shape::list_of(tracer.each(&items))
    }
}

type Keyed<'v> = (Datum<'v>, Datum<'v>);

/// Stable. The sort of the standard library cannot stop at an error.
fn merge_sort<'v>(
    mut left: Vec<Keyed<'v>>,
    order: &mut dyn FnMut(&Datum<'v>, &Datum<'v>) -> Result<Ordering, Fault>,
) -> Result<Vec<Keyed<'v>>, Fault> {
    if left.len() < 2 {
        return Ok(left);
    }
    let right = left.split_off(left.len() / 2);
    let mut sorted = Vec::with_capacity(left.len() + right.len());
    let mut left = merge_sort(left, order)?.into_iter().peekable();
    let mut right = merge_sort(right, order)?.into_iter().peekable();
    while let (Some((left_key, _)), Some((right_key, _))) = (left.peek(), right.peek()) {
        let from_right = order(left_key, right_key)? == Ordering::Greater;
        sorted.extend(if from_right { right.next() } else { left.next() });
    }
    sorted.extend(left);
    sorted.extend(right);
    Ok(sorted)
}
