use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static TITLECASE: Function = Function {
    name: "$TITLECASE",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$TITLECASE",
        signature: "$TITLECASE(text) -> text",
        summary: "Writes the first letter of each word in upper case and the others in lower case. A word \
                  starts at a letter that follows neither a letter nor a digit nor an apostrophe. `null` \
                  stays `null`.",
        parameters: &[Parameter {
            name: "text",
            description: "The text.",
        }],
        examples: &[
            Example {
                title: "The rest of a word becomes lower case",
                mapping: "status.$TITLECASE()",
                input: r#"{"status": "APPROVED"}"#,
                output: r#""Approved""#,
            },
            Example {
                title: "Words, also behind a hyphen and with an apostrophe",
                mapping: "name.$TITLECASE()",
                input: r#"{"name": "anna-lena o'neill, IT DEPARTMENT"}"#,
                output: r#""Anna-Lena O'neill, It Department""#,
            },
            Example {
                title: "A missing text",
                mapping: "status.$TITLECASE()",
                input: "{}",
                output: "null",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let Some(text) = receiver::text(call, 0)? else {
        return Ok(Datum::Null);
    };
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for next in text.chars() {
        if inside {
            out.extend(next.to_lowercase());
        } else {
            out.extend(next.to_uppercase());
        }
        inside = next.is_alphanumeric() || matches!(next, '\'' | '\u{2019}');
    }
    call.new_text(out)
}
