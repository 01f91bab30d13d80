use std::borrow::Cow;

use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static SPLIT: Function = Function {
    name: "$SPLIT",
    min_arguments: 2,
    max_arguments: 2,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$SPLIT",
        signature: "$SPLIT(text, separator) -> list",
        summary: "Cuts a text at every separator. The separator is plain text, not a pattern; an empty one \
                  cuts between all characters. `null` stays `null`.",
        parameters: &[
            Parameter {
                name: "text",
                description: "The text.",
            },
            Parameter {
                name: "separator",
                description: "The text to cut at.",
            },
        ],
        examples: &[
            Example {
                title: "The date of a time",
                mapping: r#"from_date.$SPLIT("T")[0]"#,
                input: r#"{"from_date": "2024-05-01T10:00:00Z"}"#,
                output: r#""2024-05-01""#,
            },
            Example {
                title: "A dot is a dot",
                mapping: r#"$SPLIT(version, ".")"#,
                input: r#"{"version": "1.22.3"}"#,
                output: r#"["1", "22", "3"]"#,
            },
            Example {
                title: "Separators side by side",
                mapping: r#"tags.$SPLIT(",")"#,
                input: r#"{"tags": "a,,b"}"#,
                output: r#"["a", "", "b"]"#,
            },
            Example {
                title: "Characters",
                mapping: r#"code.$SPLIT("")"#,
                input: r#"{"code": "äb"}"#,
                output: r#"["ä", "b"]"#,
            },
            Example {
                title: "A missing text",
                mapping: r#"tags.$SPLIT(",")[0]"#,
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
    let Some(separator) = call.text(1)? else {
        return Err(call.expected("text", 1, &Datum::Null));
    };
    let pieces = if separator.is_empty() {
        text.chars().count()
    } else {
        text.matches(&*separator).count() + 1
    };
    receiver::reserve(call, pieces)?;
    let mut list = Vec::with_capacity(pieces);
    match text {
        Cow::Borrowed(text) if separator.is_empty() => {
            list.extend(text.split_inclusive(|_| true).map(Datum::borrowed));
        }
        Cow::Borrowed(text) => list.extend(text.split(&*separator).map(Datum::borrowed)),
        Cow::Owned(text) if separator.is_empty() => {
            for next in text.chars() {
                list.push(call.new_text(next.to_string())?);
            }
        }
        Cow::Owned(text) => {
            for piece in text.split(&*separator) {
                list.push(call.new_text(piece.to_owned())?);
            }
        }
    }
    call.new_list(list)
}
