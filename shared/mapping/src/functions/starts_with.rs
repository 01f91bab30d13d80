use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static STARTS_WITH: Function = Function {
    name: "$STARTS_WITH",
    min_arguments: 2,
    max_arguments: 2,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$STARTS_WITH",
        signature: "$STARTS_WITH(text, prefix) -> boolean",
        summary: "Tells whether a text starts with another one, letter case included. Nothing starts with a \
                  missing prefix; a missing text gives `null`.",
        parameters: &[
            Parameter {
                name: "text",
                description: "The text.",
            },
            Parameter {
                name: "prefix",
                description: "What it may start with.",
            },
        ],
        examples: &[
            Example {
                title: "It does",
                mapping: r#"email.$LOWERCASE().$STARTS_WITH("ada@")"#,
                input: r#"{"email": "Ada@Example.com"}"#,
                output: "true",
            },
            Example {
                title: "Letter case counts",
                mapping: r#"$STARTS_WITH(id, "inc")"#,
                input: r#"{"id": "INC7-IT"}"#,
                output: "false",
            },
            Example {
                title: "A missing text",
                mapping: r#"id.$STARTS_WITH("x")"#,
                input: "{}",
                output: "null",
            },
            Example {
                title: "A missing prefix",
                mapping: "id.$STARTS_WITH(prefix)",
                input: r#"{"id": "INC7"}"#,
                output: "false",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let Some(text) = receiver::text(call, 0)? else {
        return Ok(Datum::Null);
    };
    let prefix = call.text(1)?;
    Ok(Datum::Bool(
        prefix.is_some_and(|prefix| text.starts_with(&*prefix)),
    ))
}
