use super::{Call, Flow, Function};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static COALESCE: Function = Function {
    name: "$COALESCE",
    min_arguments: 1,
    max_arguments: usize::MAX,
    lambdas: &[],
    patterns: &[],
    flow: Flow::OneOf,
    documentation: Documentation {
        name: "$COALESCE",
        signature: "$COALESCE(value, ...) -> value",
        summary: "Gives the first value that is not `null`, or `null`. One list as the only argument stands \
                  for its elements. What follows the answer is not evaluated. Unlike `OR` and the operator \
                  `COALESCE()` it keeps `0`, `false` and empty values.",
        parameters: &[Parameter {
            name: "value",
            description: "Any number of values, or one list of them.",
        }],
        examples: &[
            Example {
                title: "The first that is there",
                mapping: r#"$COALESCE(user.nick, user.name, "unknown")"#,
                input: r#"{"user": {"name": "Ada"}}"#,
                output: r#""Ada""#,
            },
            Example {
                title: "Zero and false are values",
                mapping: "$COALESCE(count, 5)",
                input: r#"{"count": 0}"#,
                output: "0",
            },
            Example {
                title: "A list",
                mapping: "phones.$COALESCE()",
                input: r#"{"phones": [null, "555-1234"]}"#,
                output: r#""555-1234""#,
            },
            Example {
                title: "The rest is not evaluated",
                mapping: r#"$COALESCE(1, "x".$INTEGER())"#,
                input: "{}",
                output: "1",
            },
            Example {
                title: "Nothing",
                mapping: "$COALESCE(a, b)",
                input: "{}",
                output: "null",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    if call.count() == 1 {
        return Ok(match call.value(0)? {
            Datum::List(list) => {
                call.spend(list.len() as u64 / 16)?;
                list.iter()
                    .find(|element| !element.is_null())
                    .unwrap_or(Datum::Null)
            }
            other => other,
        });
    }
    for index in 0..call.count() {
        let value = call.value(index)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Datum::Null)
}
