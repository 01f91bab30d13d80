use super::{Call, Flow, Function, Lambda, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static REDUCE: Function = Function {
    name: "$REDUCE",
    min_arguments: 2,
    max_arguments: 3,
    lambdas: &[Lambda {
        argument: 1,
        parameters: 2,
        required: true,
    }],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$REDUCE",
        signature: "$REDUCE(list, (result, item) => expression, initial?) -> value",
        summary: "Folds a list into one value: for each element the expression makes a new result of the \
                  result so far and the element. Of an object it takes the values.",
        parameters: &[
            Parameter {
                name: "list",
                description: "A list, or an object whose values are taken.",
            },
            Parameter {
                name: "(result, item) => expression",
                description: "What to make of the result so far and an element.",
            },
            Parameter {
                name: "initial?",
                description: "The result to start from, also `null`. Without it the first element is the \
                              start, and no elements give `null`. It may also stand before the lambda.",
            },
        ],
        examples: &[
            Example {
                title: "A sum",
                mapping: "items.$REDUCE((sum, item) => sum + item.price, 0)",
                input: r#"{"items": [{"price": 2}, {"price": 3}]}"#,
                output: "5",
            },
            Example {
                title: "The largest, without a start",
                mapping: "$REDUCE(xs, (a, b) => IF a > b THEN a ELSE b)",
                input: r#"{"xs": [3, 9, 4]}"#,
                output: "9",
            },
            Example {
                title: "No elements",
                mapping: "xs.$REDUCE((a, b) => a + b)",
                input: r#"{"xs": []}"#,
                output: "null",
            },
            Example {
                title: "Nothing, with a start",
                mapping: "xs.$REDUCE((a, b) => a + b, 0)",
                input: "{}",
                output: "0",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let elements = receiver::elements(call)?;
    let mut rest = elements.iter();
    let mut result = match call.optional(2)? {
        Some(initial) => initial,
        None => match rest.next() {
            Some(first) => first,
            None => return Ok(Datum::Null),
        },
    };
    for element in rest {
        result = call.apply(1, [result, element])?;
    }
    Ok(result)
}
