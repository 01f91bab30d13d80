use std::borrow::Cow;
use std::ops::Range;

use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static MATCH: Function = Function {
    name: "$MATCH",
    min_arguments: 2,
    max_arguments: 3,
    lambdas: &[],
    patterns: &[1],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$MATCH",
        signature: "$MATCH(text, pattern, all?) -> text",
        summary: "Gives the first match of a regular expression in a text, or `null`; with `true` as the \
                  third argument a list of all matches. The pattern may match anywhere. Its syntax is that \
                  of `$REPLACE`. `null` stays `null`.",
        parameters: &[
            Parameter {
                name: "text",
                description: "The text.",
            },
            Parameter {
                name: "pattern",
                description: "A regular expression. `^` and `$` tie it to the ends of the text.",
            },
            Parameter {
                name: "all?",
                description: "`true` for a list of all matches.",
            },
        ],
        examples: &[
            Example {
                title: "The first match",
                mapping: r#"subject.$MATCH("INC\d+")"#,
                input: r#"{"subject": "Re: INC0042 and INC7"}"#,
                output: r#""INC0042""#,
            },
            Example {
                title: "All matches",
                mapping: r#"subject.$MATCH("INC\d+", true)"#,
                input: r#"{"subject": "Re: INC0042 and INC7"}"#,
                output: r#"["INC0042", "INC7"]"#,
            },
            Example {
                title: "As a condition",
                mapping: r#"IF email.$MATCH("@example\.com$") THEN "inside" ELSE "outside""#,
                input: r#"{"email": "ada@example.com"}"#,
                output: r#""inside""#,
            },
            Example {
                title: "No match",
                mapping: r#"'["a".$MATCH("x"), "a".$MATCH("x", true)]'"#,
                input: "{}",
                output: "[null, []]",
            },
            Example {
                title: "A missing text",
                mapping: r#"subject.$MATCH("x")"#,
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
    let Some(pattern) = call.regex(1)? else {
        return Err(call.expected("regular expression", 1, &Datum::Null));
    };
    let price = receiver::spend_on_search(call, &text, &pattern)?;
    let all = match call.value(2)? {
        Datum::Null => false,
        Datum::Bool(all) => all,
        other => return Err(call.expected("true or false", 2, &other)),
    };
    if !all {
        return match pattern.find(&text) {
            Some(found) => part(call, &text, found),
            None => Ok(Datum::Null),
        };
    }
    let mut list = Vec::new();
    for found in pattern.matches(&text) {
        receiver::spend_on_match(call, text.len() - found.start, price)?;
        list.push(part(call, &text, found)?);
    }
    call.new_list(list)
}

fn part<'v>(call: &mut Call<'_, 'v>, text: &Cow<'v, str>, range: Range<usize>) -> Result<Datum<'v>, Fault> {
    match text {
        Cow::Borrowed(text) => Ok(Datum::borrowed(text.get(range).unwrap_or_default())),
        Cow::Owned(text) => call.new_text(text.get(range).unwrap_or_default().to_owned()),
    }
}
