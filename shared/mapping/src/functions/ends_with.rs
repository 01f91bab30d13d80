use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static ENDS_WITH: Function = Function {
    name: "$ENDS_WITH",
    min_arguments: 2,
    max_arguments: 2,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$ENDS_WITH",
        signature: "$ENDS_WITH(text, suffix) -> boolean",
        summary: "Tells whether a text ends with another one, letter case included. Nothing ends with a \
                  missing suffix; a missing text gives `null`.",
        parameters: &[
            Parameter {
                name: "text",
                description: "The text.",
            },
            Parameter {
                name: "suffix",
                description: "What it may end with.",
            },
        ],
        examples: &[
            Example {
                title: "It does",
                mapping: r#"email.$LOWERCASE().$ENDS_WITH("@example.com")"#,
                input: r#"{"email": "Ada@Example.com"}"#,
                output: "true",
            },
            Example {
                title: "Letter case counts",
                mapping: r#"$ENDS_WITH(id, "-it")"#,
                input: r#"{"id": "INC7-IT"}"#,
                output: "false",
            },
            Example {
                title: "A missing text",
                mapping: r#"id.$ENDS_WITH("x")"#,
                input: "{}",
                output: "null",
            },
            Example {
                title: "A missing suffix",
                mapping: "id.$ENDS_WITH(suffix)",
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
    let suffix = call.text(1)?;
    Ok(Datum::Bool(suffix.is_some_and(|suffix| text.ends_with(&*suffix))))
}
