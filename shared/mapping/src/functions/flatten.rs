use super::{Call, Flow, Function};
use crate::datum::{Datum, List};
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static FLATTEN: Function = Function {
    name: "$FLATTEN",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Flattened,
    documentation: Documentation {
        name: "$FLATTEN",
        signature: "$FLATTEN(list) -> list",
        summary: "Makes one list of many: elements that are lists are replaced by their elements, one level deep, as \
                  by the operator `FLATTEN()`. Other elements stay as they are. `null` gives an empty list.",
        parameters: &[Parameter {
            name: "list",
            description: "The list.",
        }],
        examples: &[
            Example {
                title: "What several elements have, in one list",
                mapping: "groups.$MAP(group => group.members).$FLATTEN()",
                input: r#"{"groups": [{"members": ["ann", "bo"]}, {"members": []}, {"members": ["cy"]}]}"#,
                output: r#"["ann", "bo", "cy"]"#,
            },
            Example {
                title: "One level",
                mapping: "pages.$FLATTEN()",
                input: r#"{"pages": [[1, [2]], 3, null]}"#,
                output: "[1, [2], 3, null]",
            },
            Example {
                title: "Nothing",
                mapping: "$FLATTEN(pages)",
                input: "{}",
                output: "[]",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match call.value(0)? {
        Datum::Null => call.machine.flat(&List::Borrowed(&[])),
        Datum::List(list) => call.machine.flat(&list),
        other => Err(call.expected("list", 0, &other)),
    }
}
