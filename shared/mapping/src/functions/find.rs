use super::{Call, Flow, Function, Lambda, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static FIND: Function = Function {
    name: "$FIND",
    min_arguments: 2,
    max_arguments: 2,
    lambdas: &[Lambda {
        argument: 1,
        parameters: 1,
        required: true,
    }],
    patterns: &[],
    flow: Flow::Chosen,
    documentation: Documentation {
        name: "$FIND",
        signature: "$FIND(list, item => condition) -> element",
        summary: "Gives the first element for which a condition holds, or `null` when there is none. It \
                  looks no further. Of an object it takes the values.",
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
                title: "The first that fits",
                mapping: r#"users.$FIND(u => u.email == "b@x.com").id"#,
                input: r#"{"users": [{"id": 1, "email": "a@x.com"}, {"id": 2, "email": "b@x.com"}]}"#,
                output: "2",
            },
            Example {
                title: "None fits",
                mapping: "users.$FIND(u => u.id == 9).email",
                input: r#"{"users": [{"id": 1}]}"#,
                output: "null",
            },
            Example {
                title: "Nothing",
                mapping: "$FIND(users, u => u.id == 9)",
                input: "{}",
                output: "null",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let elements = receiver::elements(call)?;
    for element in elements.iter() {
        if call.apply(1, [element.clone()])?.is_truthy() {
            return Ok(element);
        }
    }
    Ok(Datum::Null)
}
