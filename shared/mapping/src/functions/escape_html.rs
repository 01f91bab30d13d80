use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static ESCAPE_HTML: Function = Function {
    name: "$ESCAPE_HTML",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$ESCAPE_HTML",
        signature: "$ESCAPE_HTML(text) -> text",
        summary: "Escapes a text for HTML, so that it is shown as it is: `&`, `<`, `>` and `\"` become entities, as \
                  with `{{x}}` in `RENDER()`. Line breaks stay line breaks. `null` stays `null`, so that a field \
                  that was not given can be left out.",
        parameters: &[Parameter {
            name: "text",
            description: "The text. Not one that is HTML already: that would be shown with its tags.",
        }],
        examples: &[
            Example {
                title: "A text for a field with HTML",
                mapping: "body.$ESCAPE_HTML()",
                input: r#"{"body": "Is 1 < 2 & \"3\" > 2?"}"#,
                output: r#""Is 1 &lt; 2 &amp; &quot;3&quot; &gt; 2?""#,
            },
            Example {
                title: "Line breaks that are seen",
                mapping: r#"body.$ESCAPE_HTML().$REPLACE("\r?\n", "<br>")"#,
                input: r#"{"body": "Dear <all>,\nit works."}"#,
                output: r#""Dear &lt;all&gt;,<br>it works.""#,
            },
            Example {
                title: "A missing text",
                mapping: "body.$ESCAPE_HTML()",
                input: "{}",
                output: "null",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match receiver::text(call, 0)? {
        None => Ok(Datum::Null),
        Some(text) => call.new_text(html_escape::encode_double_quoted_attribute(&text).into_owned()),
    }
}
