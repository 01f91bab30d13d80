use super::{Call, Flow, Function, Lambda, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static MAP: Function = Function {
    name: "$MAP",
    min_arguments: 2,
    max_arguments: 2,
    lambdas: &[Lambda {
        argument: 1,
        parameters: 1,
        required: true,
    }],
    patterns: &[],
    flow: Flow::Mapped,
    documentation: Documentation {
        name: "$MAP",
        signature: "$MAP(list, item => expression) -> list",
        summary: "Makes a list of what an expression gives for each element. Of an object it takes the \
                  values. `null` gives an empty list.",
        parameters: &[
            Parameter {
                name: "list",
                description: "A list, or an object whose values are taken.",
            },
            Parameter {
                name: "item => expression",
                description: "What to make of an element.",
            },
        ],
        examples: &[
            Example {
                title: "A field of each",
                mapping: "users.$MAP(u => u.name.$UPPERCASE())",
                input: r#"{"users": [{"name": "ada"}, {"name": "bo"}]}"#,
                output: r#"["ADA", "BO"]"#,
            },
            Example {
                title: "The values of an object",
                mapping: "prices.$MAP(p => p * 2)",
                input: r#"{"prices": {"a": 1, "b": 2}}"#,
                output: "[2, 4]",
            },
            Example {
                title: "Nothing",
                mapping: "$MAP(users, u => u.name)",
                input: "{}",
                output: "[]",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let elements = receiver::elements(call)?;
    let mut list = Vec::with_capacity(elements.len());
    for element in elements.iter() {
        list.push(call.apply(1, [element])?);
    }
    call.new_list(list)
}
