use super::{Call, Flow, Function, Lambda, receiver, receiver::Elements};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static FILTER: Function = Function {
    name: "$FILTER",
    min_arguments: 2,
    max_arguments: 2,
    lambdas: &[Lambda {
        argument: 1,
        parameters: 1,
        required: true,
    }],
    patterns: &[],
    flow: Flow::Kept,
    documentation: Documentation {
        name: "$FILTER",
        signature: "$FILTER(list, item => condition) -> list",
        summary: "Keeps the elements for which a condition holds. Of an object it keeps the entries whose \
                  value passes, with their keys. `null` gives an empty list.",
        parameters: &[
            Parameter {
                name: "list",
                description: "A list or an object.",
            },
            Parameter {
                name: "item => condition",
                description: "What must hold, in the sense of `IF`, for an element to stay.",
            },
        ],
        examples: &[
            Example {
                title: "Elements of a list",
                mapping: r#"tickets.$FILTER(t => t.status == "open").$MAP(t => t.id)"#,
                input: r#"{"tickets": [{"id": 1, "status": "open"}, {"id": 2, "status": "closed"}]}"#,
                output: "[1]",
            },
            Example {
                title: "Entries of an object",
                mapping: "fields.$FILTER(value => value)",
                input: r#"{"fields": {"title": "Help", "note": null, "tag": ""}}"#,
                output: r#"{"title": "Help"}"#,
            },
            Example {
                title: "Nothing",
                mapping: "$FILTER(tickets, t => t.open)",
                input: "{}",
                output: "[]",
            },
            Example {
                title: "A text has no elements",
                mapping: "name.$FILTER(c => c)",
                input: r#"{"name": "Ada"}"#,
                output: "TG0301",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let elements = receiver::elements(call)?;
    if let Elements::Object(object) = elements {
        let mut kept = Vec::new();
        for (key, value) in object.iter() {
            if call.apply(1, [value.clone()])?.is_truthy() {
                kept.push((key, value));
            }
        }
        return call.new_object(kept);
    }
    let mut kept = Vec::new();
    for element in elements.iter() {
        if call.apply(1, [element.clone()])?.is_truthy() {
            kept.push(element);
        }
    }
    call.new_list(kept)
}
