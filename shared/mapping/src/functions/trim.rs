use std::borrow::Cow;

use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static TRIM: Function = Function {
    name: "$TRIM",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$TRIM",
        signature: "$TRIM(text) -> text",
        summary: "Removes white space from both ends of a text. `null` stays `null`.",
        parameters: &[Parameter {
            name: "text",
            description: "The text.",
        }],
        examples: &[
            Example {
                title: "White space at both ends goes, inside it stays",
                mapping: "name.$TRIM()",
                input: r#"{"name": "  Ada  Lovelace\n"}"#,
                output: r#""Ada  Lovelace""#,
            },
            Example {
                title: "A missing text",
                mapping: "name.$TRIM()",
                input: "{}",
                output: "null",
            },
            Example {
                title: "Only texts can be trimmed",
                mapping: "name.$TRIM()",
                input: r#"{"name": {"first": "Ada"}}"#,
                output: "TG0301",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match receiver::text(call, 0)? {
        None => Ok(Datum::Null),
        Some(Cow::Borrowed(text)) => Ok(Datum::borrowed(text.trim())),
        Some(Cow::Owned(text)) => call.new_text(text.trim().to_owned()),
    }
}
