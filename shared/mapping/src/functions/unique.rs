use super::{Call, Flow, Function};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static UNIQUE: Function = Function {
    name: "$UNIQUE",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$UNIQUE",
        signature: "$UNIQUE(list) -> list",
        summary: "Keeps one of each: of elements that are equal in the sense of `==`, the first stays, in its place. \
                  `null` gives an empty list.",
        parameters: &[Parameter {
            name: "list",
            description: "The list. Its elements may be of any type.",
        }],
        examples: &[
            Example {
                title: "Each id once",
                mapping: "tickets.$MAP(ticket => ticket.owner).$UNIQUE()",
                input: r#"{"tickets": [{"owner": 7}, {"owner": 4}, {"owner": 7.0}]}"#,
                output: "[7, 4]",
            },
            Example {
                title: "Types are told apart, the order of fields is not",
                mapping: "xs.$UNIQUE()",
                input: r#"{"xs": ["1", 1, {"a": 1, "b": [2]}, {"b": [2], "a": 1}, null, null, false]}"#,
                output: r#"["1", 1, {"a": 1, "b": [2]}, null, false]"#,
            },
            Example {
                title: "Nothing",
                mapping: "$UNIQUE(tickets)",
                input: "{}",
                output: "[]",
            },
            Example {
                title: "A text has no elements",
                mapping: "name.$UNIQUE()",
                input: r#"{"name": "Ada"}"#,
                output: "TG0301",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match call.value(0)? {
        Datum::Null => call.new_list(Vec::new()),
        Datum::List(list) => {
            let unique = call.machine.unique(&list)?;
            call.new_list(unique)
        }
        other => Err(call.expected("list", 0, &other)),
    }
}
