use super::{Call, Flow, Function, Lambda, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static ALL: Function = Function {
    name: "$ALL",
    min_arguments: 2,
    max_arguments: 2,
    lambdas: &[Lambda {
        argument: 1,
        parameters: 1,
        required: true,
    }],
    patterns: &[],
    flow: Flow::Tested,
    documentation: Documentation {
        name: "$ALL",
        signature: "$ALL(list, item => condition) -> boolean",
        summary: "Tells whether a condition holds for every element. It looks no further than it must. Of an \
                  object it takes the values. Without elements, and for `null`, the answer is `true`.",
        parameters: &[
            Parameter {
                name: "list",
                description: "A list, or an object whose values are taken.",
            },
            Parameter {
                name: "item => condition",
                description: "A condition, in the sense of `IF`.",
            },
        ],
        examples: &[
            Example {
                title: "Every ticket is closed",
                mapping: r#"tickets.$ALL(t => t.status == "closed")"#,
                input: r#"{"tickets": [{"status": "closed"}, {"status": "open"}]}"#,
                output: "false",
            },
            Example {
                title: "It stops at the answer",
                mapping: "xs.$ALL(x => x > 1)",
                input: r#"{"xs": [0, "not a number"]}"#,
                output: "false",
            },
            Example {
                title: "No elements",
                mapping: "$ALL(xs, x => x)",
                input: r#"{"xs": []}"#,
                output: "true",
            },
            Example {
                title: "Nothing",
                mapping: "xs.$ALL(x => x)",
                input: "{}",
                output: "true",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let elements = receiver::elements(call)?;
    for element in elements.iter() {
        if !call.apply(1, [element])?.is_truthy() {
            return Ok(Datum::Bool(false));
        }
    }
    Ok(Datum::Bool(true))
}
