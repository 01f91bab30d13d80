use super::{Call, Flow, Function};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static TEXT: Function = Function {
    name: "$TEXT",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$TEXT",
        signature: "$TEXT(value) -> text",
        summary: "Writes a value as text: texts stay as they are, numbers and booleans are written as in \
                  JSON, lists and objects as compact JSON. `null` stays `null`.",
        parameters: &[Parameter {
            name: "value",
            description: "Anything.",
        }],
        examples: &[
            Example {
                title: "A number",
                mapping: "$TEXT(id)",
                input: r#"{"id": 4211}"#,
                output: r#""4211""#,
            },
            Example {
                title: "Before a text function",
                mapping: r#"id.$TEXT().$STARTS_WITH("42")"#,
                input: r#"{"id": 4211}"#,
                output: "true",
            },
            Example {
                title: "A list",
                mapping: "tags.$TEXT()",
                input: r#"{"tags": ["a", 1]}"#,
                output: r#""[\"a\",1]""#,
            },
            Example {
                title: "Nothing",
                mapping: "name.$TEXT()",
                input: "{}",
                output: "null",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match call.value(0)? {
        Datum::Null => Ok(Datum::Null),
        Datum::Text(text) => Ok(Datum::Text(text)),
        other => {
            let text = call.text_form(&other)?.into_owned();
            call.new_text(text)
        }
    }
}
