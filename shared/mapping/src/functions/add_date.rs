use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Number;

use super::{
    Call, Flow, Function,
    moment::{moment, seconds, zone},
};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;
use crate::time::{self, Unit};

pub(crate) static ADD_DATE: Function = Function {
    name: "$ADD_DATE",
    min_arguments: 2,
    max_arguments: 4,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$ADD_DATE",
        signature: "$ADD_DATE(time, amount, unit?, zone?) or $ADD_DATE(time, years, months, days) -> number",
        summary: "Adds to a time by the calendar and gives seconds since 1970, like `$PARSE_TIME`. A day \
                  keeps its time of day when clocks change, and a month that is too short gives its last \
                  day. `null` as time or amount gives `null`.",
        parameters: &[
            Parameter {
                name: "time",
                description: "Seconds since 1970, or a text that `$PARSE_TIME` reads without a format.",
            },
            Parameter {
                name: "amount",
                description: "A whole number; a negative one goes back.",
            },
            Parameter {
                name: "unit?",
                description: "`seconds`, `minutes`, `hours`, `days`, `weeks`, `months` or `years`, also in \
                              the singular; days without it.",
            },
            Parameter {
                name: "zone?",
                description: "The zone of the calendar: an IANA name such as `Europe/Berlin`, `UTC`, or an \
                              offset such as `+02:00`; UTC without it.",
            },
        ],
        examples: &[
            Example {
                title: "A week ago",
                mapping: r#"$ADD_DATE($TIME(), -7).$FORMAT_TIME("%Y-%m-%d")"#,
                input: "{}",
                output: r#""2024-04-24""#,
            },
            Example {
                title: "The end of a month",
                mapping: r#"due.$ADD_DATE(1, "month").$FORMAT_TIME()"#,
                input: r#"{"due": "2024-01-31T09:00:00Z"}"#,
                output: r#""2024-02-29T09:00:00Z""#,
            },
            Example {
                title: "Years, months and days",
                mapping: r#"due.$ADD_DATE(1, 0, -1).$FORMAT_TIME("%Y-%m-%d")"#,
                input: r#"{"due": "2024-05-01"}"#,
                output: r#""2025-04-30""#,
            },
            Example {
                title: "Over a change of clocks",
                mapping: r#"start.$ADD_DATE(1, "day", "Europe/Berlin").$FORMAT_TIME("%H:%M", "Europe/Berlin")"#,
                input: r#"{"start": "2024-03-30T12:00:00+01:00"}"#,
                output: r#""12:00""#,
            },
            Example {
                title: "A missing time",
                mapping: "due.$ADD_DATE(1)",
                input: "{}",
                output: "null",
            },
            Example {
                title: "Not a unit",
                mapping: r#"$TIME().$ADD_DATE(1, "fortnight")"#,
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
    if call.count() == 4 && matches!(call.value(2)?, Datum::Number(_)) {
        return years_months_days(call, time);
    }
    let Some(amount) = amount(call, 1)? else {
        return Ok(Datum::Null);
    };
    let unit = match call.text(2)? {
        Some(unit) => unit.parse().map_err(|message| call.bad_value(message))?,
        None => Unit::Days,
    };
    let zone = zone(call, 3)?;
    let time = time::add(time, amount, unit, &zone).map_err(|message| call.bad_value(message))?;
    Ok(seconds(time))
}

/// As in Go: a number of each unit.
fn years_months_days<'v>(call: &mut Call<'_, 'v>, mut time: Timestamp) -> Result<Datum<'v>, Fault> {
    for (argument, unit) in [(1, Unit::Years), (2, Unit::Months), (3, Unit::Days)] {
        let Some(amount) = amount(call, argument)? else {
            return Ok(Datum::Null);
        };
        time = time::add(time, amount, unit, &TimeZone::UTC).map_err(|message| call.bad_value(message))?;
    }
    Ok(seconds(time))
}

fn amount(call: &mut Call<'_, '_>, argument: usize) -> Result<Option<i64>, Fault> {
    match call.number(argument)?.map(|number| whole(&number)) {
        None => Ok(None),
        Some(Some(amount)) => Ok(Some(amount)),
        Some(None) => Err(call.bad_value("the amount must be a whole number; use a smaller unit")),
    }
}

/// `3` and `3.0` are both whole.
fn whole(number: &Number) -> Option<i64> {
    let float = || {
        number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 1e15)
    };
    number.as_i64().or_else(|| float().map(|float| float as i64))
}
