use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static LENGTH: Function = Function {
    name: "$LENGTH",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Tested,
    documentation: Documentation {
        name: "$LENGTH",
        signature: "$LENGTH(value) -> integer",
        summary: "Counts the elements of a list, the characters of a text or the keys of an object. `null` \
                  has the length 0.",
        parameters: &[Parameter {
            name: "value",
            description: "A list, a text, an object or `null`.",
        }],
        examples: &[
            Example {
                title: "Elements",
                mapping: "tickets.$FILTER(t => t.open).$LENGTH()",
                input: r#"{"tickets": [{"open": true}, {"open": false}]}"#,
                output: "1",
            },
            Example {
                title: "Characters, not bytes",
                mapping: "name.$LENGTH()",
                input: r#"{"name": "Zoë"}"#,
                output: "3",
            },
            Example {
                title: "Keys",
                mapping: r#"'$LENGTH({"a": 1, "b": 2})'"#,
                input: "{}",
                output: "2",
            },
            Example {
                title: "Nothing",
                mapping: "tickets.$LENGTH()",
                input: "{}",
                output: "0",
            },
            Example {
                title: "A number has no length",
                mapping: "n.$LENGTH()",
                input: r#"{"n": 12}"#,
                output: "TG0301",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let length = match call.value(0)? {
        Datum::Null => 0,
        Datum::List(list) => list.len(),
        Datum::Object(object) => object.len(),
        Datum::Text(text) => {
            receiver::spend_on(call, &text)?;
            text.chars().count()
        }
        other => return Err(call.expected("list, text or object", 0, &other)),
    };
    Ok(Datum::integer(length as u64))
}
