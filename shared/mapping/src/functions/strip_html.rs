use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static STRIP_HTML: Function = Function {
    name: "$STRIP_HTML",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$STRIP_HTML",
        signature: "$STRIP_HTML(text) -> text",
        summary: "Gives the text of an HTML text, as the operator `STRIP_HTML()`: tags go, entities become \
                  characters, blocks and `<br>` begin a new line. `null` stays `null`.",
        parameters: &[Parameter {
            name: "text",
            description: "The HTML.",
        }],
        examples: &[
            Example {
                title: "One of two fields, as text",
                mapping: "$STRIP_HTML(note.html OR note.body)",
                input: r#"{"note": {"body": "<p>The <b>VPN</b> is down.</p><p>1 &lt; 2</p>"}}"#,
                output: r#""The VPN is down.\n1 < 2""#,
            },
            Example {
                title: "HTML that was encoded once more",
                mapping: "body.$STRIP_HTML().$STRIP_HTML()",
                input: r#"{"body": "&lt;p&gt;Since 9&lt;/p&gt;"}"#,
                output: r#""Since 9""#,
            },
            Example {
                title: "A missing text",
                mapping: "body.$STRIP_HTML()",
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
        Some(html) => call.machine.stripped(&html),
    }
}
