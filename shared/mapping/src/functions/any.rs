use super::{Call, Flow, Function, Lambda, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static ANY: Function = Function {
    name: "$ANY",
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
        name: "$ANY",
        signature: "$ANY(list, item => condition) -> boolean",
        summary: "Tells whether a condition holds for at least one element. It looks no further than it \
                  must. Of an object it takes the values. Without elements, and for `null`, the answer is \
                  `false`.",
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
                title: "A prefix out of several",
                mapping: r#"'["Mr.", "Dr."].$ANY(p => name.$STARTS_WITH(p))'"#,
                input: r#"{"name": "Dr. Jane Doe"}"#,
                output: "true",
            },
            Example {
                title: "It stops at the answer",
                mapping: "xs.$ANY(x => x > 1)",
                input: r#"{"xs": [0, 2, "not a number"]}"#,
                output: "true",
            },
            Example {
                title: "No elements",
                mapping: "$ANY(xs, x => x)",
                input: r#"{"xs": []}"#,
                output: "false",
            },
            Example {
                title: "Nothing",
                mapping: "xs.$ANY(x => x)",
                input: "{}",
                output: "false",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let elements = receiver::elements(call)?;
    for element in elements.iter() {
        if call.apply(1, [element])?.is_truthy() {
            return Ok(Datum::Bool(true));
        }
    }
    Ok(Datum::Bool(false))
}
