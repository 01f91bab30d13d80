use super::{
    Call, Flow, Function,
    moment::{moment, zone},
    receiver,
};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;
use crate::time;

pub(crate) static FORMAT_TIME: Function = Function {
    name: "$FORMAT_TIME",
    min_arguments: 1,
    max_arguments: 3,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$FORMAT_TIME",
        signature: "$FORMAT_TIME(time, format?, zone?) -> text",
        summary: "Writes a time. `null` stays `null`.",
        parameters: &[
            Parameter {
                name: "time",
                description: "Seconds since 1970, or a text that `$PARSE_TIME` reads without a format.",
            },
            Parameter {
                name: "format?",
                description: "A `strftime` format such as `%Y-%m-%d %H:%M`; RFC 3339 without it, with a \
                              fraction only where there is one.",
            },
            Parameter {
                name: "zone?",
                description: "An IANA name such as `Europe/Berlin`, `UTC`, or an offset such as `+02:00`; \
                              UTC without it.",
            },
        ],
        examples: &[
            Example {
                title: "RFC 3339",
                mapping: "$FORMAT_TIME(1714557600)",
                input: "{}",
                output: r#""2024-05-01T10:00:00Z""#,
            },
            Example {
                title: "A format",
                mapping: r#"updated.$FORMAT_TIME("%b %d, %Y")"#,
                input: r#"{"updated": "2024-05-01T23:30:00Z"}"#,
                output: r#""May 01, 2024""#,
            },
            Example {
                title: "A zone",
                mapping: r#"updated.$FORMAT_TIME("%Y-%m-%d %H:%M %Z", "Europe/Berlin")"#,
                input: r#"{"updated": "2024-05-01T23:30:00Z"}"#,
                output: r#""2024-05-02 01:30 CEST""#,
            },
            Example {
                title: "A fraction",
                mapping: "($TIME() + 0.5).$FORMAT_TIME()",
                input: "{}",
                output: r#""2024-05-01T12:00:00.5Z""#,
            },
            Example {
                title: "A missing time",
                mapping: r#"updated.$FORMAT_TIME("%Y")"#,
                input: "{}",
                output: "null",
            },
            Example {
                title: "An unknown zone",
                mapping: r#"$TIME().$FORMAT_TIME("%H:%M", "Mars/Olympus")"#,
                input: "{}",
                output: "TG0303",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let value = call.value(0)?;
    if value.is_null() {
        return Ok(Datum::Null);
    }
    let time = moment(call, &value)?;
    let format = call.text(1)?;
    let zone = zone(call, 2)?;
    if let Some(format) = &format {
        // Padding makes a byte of format up to 255 of text.
        receiver::spend_on(call, format)?;
        call.spend(format.len() as u64)?;
    }
    let text = time::format(time, format.as_deref(), &zone).map_err(|message| call.bad_value(message))?;
    call.new_text(text)
}
