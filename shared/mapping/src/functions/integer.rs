use super::{Call, Flow, Function, numeral};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static INTEGER: Function = Function {
    name: "$INTEGER",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$INTEGER",
        signature: "$INTEGER(value) -> integer",
        summary: "Makes a whole number of a text or a number; digits behind the decimal point are cut off. \
                  White space around the text does not matter. `null` stays `null`.",
        parameters: &[Parameter {
            name: "value",
            description: "A text that holds a number, or a number.",
        }],
        examples: &[
            Example {
                title: "A sum of texts",
                mapping: "$INTEGER(state) + $INTEGER(impact)",
                input: r#"{"state": "7", "impact": " 4 "}"#,
                output: "11",
            },
            Example {
                title: "Cut, not rounded",
                mapping: r#"'["4.9".$INTEGER(), $INTEGER(-4.9)]'"#,
                input: "{}",
                output: "[4, -4]",
            },
            Example {
                title: "Nothing",
                mapping: "count.$INTEGER()",
                input: "{}",
                output: "null",
            },
            Example {
                title: "Not a number",
                mapping: "count.$INTEGER()",
                input: r#"{"count": "four"}"#,
                output: "TG0303",
            },
            Example {
                title: "An empty text is not a number either; say what it stands for",
                mapping: "$INTEGER(count OR 0)",
                input: r#"{"count": ""}"#,
                output: "0",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let Some(number) = numeral::read(call)? else {
        return Ok(Datum::Null);
    };
    if number.is_i64() || number.is_u64() {
        return Ok(Datum::Number(number));
    }
    // Every whole float of this size is exact as an integer.
    match number.as_f64().map(f64::trunc) {
        Some(whole) if whole >= i64::MIN as f64 && whole < i64::MAX as f64 => {
            Ok(Datum::integer(whole as i64))
        }
        _ => Err(call.bad_value("the number does not fit into 64 bits")),
    }
}
