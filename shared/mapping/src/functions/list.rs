use super::{Call, Flow, Function};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static LIST: Function = Function {
    name: "$LIST",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Listed,
    documentation: Documentation {
        name: "$LIST",
        signature: "$LIST(value) -> list",
        summary: "Gives a list in any case: a list as it is, `null` as an empty list, anything else as the only \
                  element of one. For systems that leave out the list around a single element.",
        parameters: &[Parameter {
            name: "value",
            description: "Anything.",
        }],
        examples: &[
            Example {
                title: "A single value",
                mapping: "assigned.$LIST().$MAP(user => user.id)",
                input: r#"{"assigned": {"id": 7}}"#,
                output: "[7]",
            },
            Example {
                title: "A list",
                mapping: "assigned.$LIST().$MAP(user => user.id)",
                input: r#"{"assigned": [{"id": 7}, {"id": 9}]}"#,
                output: "[7, 9]",
            },
            Example {
                title: "Nothing",
                mapping: "$LIST(assigned)",
                input: r#"{"assigned": null}"#,
                output: "[]",
            },
            Example {
                title: "Empty is not nothing",
                mapping: "tag.$LIST()",
                input: r#"{"tag": ""}"#,
                output: r#"[""]"#,
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match call.value(0)? {
        Datum::Null => call.new_list(Vec::new()),
        list @ Datum::List(_) => Ok(list),
        other => call.new_list(vec![other]),
    }
}
