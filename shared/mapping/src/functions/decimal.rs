use serde_json::Number;

use super::{Call, Flow, Function, numeral};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static DECIMAL: Function = Function {
    name: "$DECIMAL",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$DECIMAL",
        signature: "$DECIMAL(value) -> number",
        summary: "Makes a decimal number of a text or a number, `4.0` of `4`. White space around the text \
                  does not matter. `null` stays `null`.",
        parameters: &[Parameter {
            name: "value",
            description: "A text that holds a number, or a number.",
        }],
        examples: &[
            Example {
                title: "A price",
                mapping: "$DECIMAL(price) * 2",
                input: r#"{"price": "12.34"}"#,
                output: "24.68",
            },
            Example {
                title: "Whole numbers become decimal",
                mapping: r#"$DECIMAL("4")"#,
                input: "{}",
                output: "4.0",
            },
            Example {
                title: "Nothing",
                mapping: "price.$DECIMAL()",
                input: "{}",
                output: "null",
            },
            Example {
                title: "Not a number",
                mapping: "price.$DECIMAL()",
                input: r#"{"price": "12,34"}"#,
                output: "TG0303",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let Some(number) = numeral::read(call)? else {
        return Ok(Datum::Null);
    };
    match number.as_f64().and_then(Number::from_f64) {
        Some(number) => Ok(Datum::Number(number)),
        None => Err(call.bad_value("the number is too large")),
    }
}
