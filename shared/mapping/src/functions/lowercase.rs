use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static LOWERCASE: Function = Function {
    name: "$LOWERCASE",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$LOWERCASE",
        signature: "$LOWERCASE(text) -> text",
        summary: "Writes a text in lower case, in any script. `null` stays `null`.",
        parameters: &[Parameter {
            name: "text",
            description: "The text.",
        }],
        examples: &[
            Example {
                title: "All letters become lower case",
                mapping: "name.$LOWERCASE()",
                input: r#"{"name": "Zoë Müller"}"#,
                output: r#""zoë müller""#,
            },
            Example {
                title: "Over a list",
                mapping: "tags.$MAP(tag => tag.$LOWERCASE())",
                input: r#"{"tags": ["Vip", "NEW"]}"#,
                output: r#"["vip", "new"]"#,
            },
            Example {
                title: "A missing text",
                mapping: "$LOWERCASE(name)",
                input: "{}",
                output: "null",
            },
            Example {
                title: "A number is not a text",
                mapping: "id.$LOWERCASE()",
                input: r#"{"id": 7}"#,
                output: "TG0301",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match receiver::text(call, 0)? {
        None => Ok(Datum::Null),
        Some(text) => call.new_text(text.to_lowercase()),
    }
}
