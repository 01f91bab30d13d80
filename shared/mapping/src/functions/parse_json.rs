use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static PARSE_JSON: Function = Function {
    name: "$PARSE_JSON",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$PARSE_JSON",
        signature: "$PARSE_JSON(text) -> value",
        summary: "Reads a JSON text. `null` stays `null`.",
        parameters: &[Parameter {
            name: "text",
            description: "Strict JSON (RFC 8259), at most 127 levels deep.",
        }],
        examples: &[
            Example {
                title: "A field of an encoded object",
                mapping: "payload.$PARSE_JSON().user.id",
                input: r#"{"payload": "{\"user\": {\"id\": 7}}"}"#,
                output: "7",
            },
            Example {
                title: "Nothing",
                mapping: "payload.$PARSE_JSON()",
                input: "{}",
                output: "null",
            },
            Example {
                title: "Not JSON",
                mapping: "payload.$PARSE_JSON()",
                input: r#"{"payload": "{user: 7}"}"#,
                output: "TG0303",
            },
            Example {
                title: "An object was read already",
                mapping: "payload.$PARSE_JSON()",
                input: r#"{"payload": {"user": 7}}"#,
                output: "TG0301",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let Some(text) = call.text(0)? else {
        return Ok(Datum::Null);
    };
    receiver::spend_on(call, &text)?;
    match serde_json::from_str(&text) {
        Ok(value) => call.new_value(value),
        // The message of the library gives line and column, and nothing of the text.
        Err(error) => Err(call.bad_value(format_args!("the text is not JSON: {error}"))),
    }
}
