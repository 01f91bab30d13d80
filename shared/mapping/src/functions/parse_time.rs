use super::{
    Call, Flow, Function,
    moment::{moment, seconds, zone},
    receiver,
};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;
use crate::time;

pub(crate) static PARSE_TIME: Function = Function {
    name: "$PARSE_TIME",
    min_arguments: 1,
    max_arguments: 3,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$PARSE_TIME",
        signature: "$PARSE_TIME(text, format?, zone?) -> number",
        summary: "Reads a time as seconds since 1970-01-01T00:00:00 UTC, to be compared with another time or \
                  counted with. The number is an integer where the second is whole, else it is exact to the \
                  microsecond. A number is a time already. `null` stays `null`.",
        parameters: &[
            Parameter {
                name: "text",
                description: "Without a format: ISO 8601 or RFC 3339 with `T` or a space, with or without \
                              time of day, fraction and zone; RFC 2822, as in mails and HTTP headers; \
                              seconds since 1970 in nine digits or more.",
            },
            Parameter {
                name: "format?",
                description: "A `strftime` format such as `%Y-%m-%d %H:%M`.",
            },
            Parameter {
                name: "zone?",
                description: "The zone of a text that names none: an IANA name such as `Europe/Berlin`, \
                              `UTC`, or an offset such as `+02:00`; UTC without it.",
            },
        ],
        examples: &[
            Example {
                title: "RFC 3339",
                mapping: r#"$PARSE_TIME("2024-05-01T12:00:00+02:00")"#,
                input: "{}",
                output: "1714557600",
            },
            Example {
                title: "Without a zone it is UTC; a fraction is kept",
                mapping: "created.$PARSE_TIME()",
                input: r#"{"created": "2024-05-01 10:00:00.250001"}"#,
                output: "1714557600.250001",
            },
            Example {
                title: "A date",
                mapping: "due.$PARSE_TIME() < $TIME()",
                input: r#"{"due": "2024-05-01"}"#,
                output: "true",
            },
            Example {
                title: "A mail",
                mapping: "sent.$PARSE_TIME()",
                input: r#"{"sent": "Wed, 01 May 2024 10:00:00 GMT"}"#,
                output: "1714557600",
            },
            Example {
                title: "A format and a zone",
                mapping: r#"created.$PARSE_TIME("%m/%d/%Y %H:%M", "America/New_York")"#,
                input: r#"{"created": "05/01/2024 06:00"}"#,
                output: "1714557600",
            },
            Example {
                title: "A missing time",
                mapping: "created.$PARSE_TIME()",
                input: "{}",
                output: "null",
            },
            Example {
                title: "Not a time",
                mapping: "created.$PARSE_TIME()",
                input: r#"{"created": "soon"}"#,
                output: "TG0303",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let text = match call.value(0)? {
        Datum::Null => return Ok(Datum::Null),
        Datum::Number(number) => return moment(call, &Datum::Number(number)).map(seconds),
        Datum::Text(text) => text,
        other => return Err(call.expected("text or number", 0, &other)),
    };
    receiver::spend_on(call, &text)?;
    let format = call.text(1)?;
    let zone = zone(call, 2)?;
    let time = time::parse(&text, format.as_deref(), &zone).map_err(|message| call.bad_value(message))?;
    Ok(seconds(time))
}
