use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static UPPERCASE: Function = Function {
    name: "$UPPERCASE",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$UPPERCASE",
        signature: "$UPPERCASE(text) -> text",
        summary: "Writes a text in upper case, in any script. `null` stays `null`.",
        parameters: &[Parameter {
            name: "text",
            description: "The text.",
        }],
        examples: &[
            Example {
                title: "All letters become upper case",
                mapping: "name.$UPPERCASE()",
                input: r#"{"name": "Zoë Müller"}"#,
                output: r#""ZOË MÜLLER""#,
            },
            Example {
                title: "Over a list",
                mapping: "tags.$MAP(tag => tag.$UPPERCASE())",
                input: r#"{"tags": ["Vip", "NEW"]}"#,
                output: r#"["VIP", "NEW"]"#,
            },
            Example {
                title: "A missing text",
                mapping: "$UPPERCASE(name)",
                input: "{}",
                output: "null",
            },
            Example {
                title: "A number is not a text",
                mapping: "id.$UPPERCASE()",
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
        Some(text) => call.new_text(text.to_uppercase()),
    }
}
