use super::{Call, Flow, Function};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static STRINGIFY_JSON: Function = Function {
    name: "$STRINGIFY_JSON",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$STRINGIFY_JSON",
        signature: "$STRINGIFY_JSON(value) -> text",
        summary: "Writes a value as JSON without spaces, keys in the order they have. `null` becomes the \
                  text `null`.",
        parameters: &[Parameter {
            name: "value",
            description: "Anything.",
        }],
        examples: &[
            Example {
                title: "An object",
                mapping: "$STRINGIFY_JSON(user)",
                input: r#"{"user": {"name": "Ada", "id": 7}}"#,
                output: r#""{\"name\":\"Ada\",\"id\":7}""#,
            },
            Example {
                title: "A text gets quotes",
                mapping: "name.$STRINGIFY_JSON()",
                input: r#"{"name": "Ada"}"#,
                output: r#""\"Ada\"""#,
            },
            Example {
                title: "Nothing",
                mapping: "$STRINGIFY_JSON(user)",
                input: "{}",
                output: r#""null""#,
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let value = call.value(0)?;
    let text = call.json(&value)?;
    call.new_text(text)
}
