use super::{Call, Flow, Function};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example};
use crate::fault::Fault;

pub(crate) static TIME: Function = Function {
    name: "$TIME",
    min_arguments: 0,
    max_arguments: 0,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$TIME",
        signature: "$TIME() -> integer",
        summary: "The present as whole seconds since 1970-01-01T00:00:00 UTC. It is the same throughout an \
                  evaluation.",
        parameters: &[],
        examples: &[
            Example {
                title: "Now",
                mapping: "$TIME()",
                input: "{}",
                output: "1714564800",
            },
            Example {
                title: "An hour ago",
                mapping: "($TIME() - 3600).$FORMAT_TIME()",
                input: "{}",
                output: r#""2024-05-01T11:00:00Z""#,
            },
            Example {
                title: "Older than a day",
                mapping: "updated.$PARSE_TIME() < $TIME() - 86400",
                input: r#"{"updated": "2024-04-29T08:00:00Z"}"#,
                output: "true",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    Ok(Datum::integer(call.environment().now.as_second()))
}
