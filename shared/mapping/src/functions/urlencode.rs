use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static URLENCODE: Function = Function {
    name: "$URLENCODE",
    min_arguments: 1,
    max_arguments: 1,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$URLENCODE",
        signature: "$URLENCODE(text) -> text",
        summary: "Percent-encodes a text for a URL: everything but letters, digits and `-_.~` (the \
                  unreserved characters of RFC 3986), a space as `%20`. `null` stays `null`. Paths and \
                  queries of HTTP actions are encoded without it.",
        parameters: &[Parameter {
            name: "text",
            description: "The text.",
        }],
        examples: &[
            Example {
                title: "A query",
                mapping: "$URLENCODE(q)",
                input: r#"{"q": "a b&c=ä/1"}"#,
                output: r#""a%20b%26c%3D%C3%A4%2F1""#,
            },
            Example {
                title: "Nothing to encode",
                mapping: "id.$URLENCODE()",
                input: r#"{"id": "INC-7_a.b~c"}"#,
                output: r#""INC-7_a.b~c""#,
            },
            Example {
                title: "A missing text",
                mapping: "q.$URLENCODE()",
                input: "{}",
                output: "null",
            },
        ],
    },
    evaluate,
};

/// RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    match receiver::text(call, 0)? {
        None => Ok(Datum::Null),
        Some(text) => call.new_text(utf8_percent_encode(&text, RESERVED).to_string()),
    }
}
