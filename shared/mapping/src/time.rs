//! Reading and writing times, over `jiff`.
//!
//! A time in a mapping is a number of seconds since 1970-01-01T00:00:00 UTC, as `$TIME()` gives it.
//! It is an integer where the second is whole, else a float exact to the microsecond, so that two
//! times compare with `<` and differ with `-`. Functions that take a time also take its text.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::fmt::{rfc2822, strtime, temporal};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Number;

/// Reads a time. Without `format`: ISO 8601 or RFC 3339 (`T` or space, fraction, zone and time of
/// day optional), RFC 2822, or a number of seconds since 1970. `zone` is that of a text that names none.
pub(crate) fn parse(text: &str, format: Option<&str>, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    match format {
        Some(format) => parse_with(text, format, zone),
        None => parse_epoch(text)
            .or_else(|| parse_iso(text, zone))
            .or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
            .ok_or_else(|| {
                "the text is not a time; it must be ISO 8601 such as `2024-05-01` or `2024-05-01T10:00:00Z`, RFC 2822, \
                 or seconds since 1970, or a format must be given"
                    .to_owned()
            }),
    }
}

// The messages of the library repeat its input, which must not reach an error message; so it is left out of ours.
fn parse_with(text: &str, format: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let parts = strtime::parse(format, text).map_err(|_| "the text does not fit the format".to_owned())?;
    let time = if parts.timestamp().is_some() || parts.offset().is_some() {
        parts.to_timestamp()
    } else if parts.iana_time_zone().is_some() {
        parts.to_zoned().map(|zoned| zoned.timestamp())
    } else {
        parts.to_datetime().and_then(|civil| zone.to_timestamp(civil))
    };
    time.map_err(|_| "the format gives no date, or one that does not exist".to_owned())
}

/// Nine digits or more are seconds since 1970. Fewer are more likely a year or a date (`20240501`).
fn parse_epoch(text: &str) -> Option<Timestamp> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) || whole.len() < 9 {
        return None;
    }
    from_seconds(text.parse().ok()?).ok()
}

fn parse_iso(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    const PARSER: temporal::DateTimeParser = temporal::DateTimeParser::new();
    let spelled;
    let pieces = match PARSER.parse_pieces(text) {
        Ok(pieces) => pieces,
        Err(_) => {
            spelled = without_space_before_zone(text)?;
            PARSER.parse_pieces(&spelled).ok()?
        }
    };
    let civil = pieces
        .date()
        .to_datetime(pieces.time().unwrap_or(Time::midnight()));
    if let Some(offset) = pieces.to_numeric_offset() {
        return offset.to_timestamp(civil).ok().or_else(|| end_of_time(civil));
    }
    let named = pieces.to_time_zone().ok()?;
    named
        .as_ref()
        .unwrap_or(zone)
        .to_timestamp(civil)
        .ok()
        .or_else(|| end_of_time(civil))
}

/// Systems write `9999-12-31T23:59:59` for "never ends", which is hours past the last instant there
/// is here, 9999-12-30T22:00:00Z.
fn end_of_time(civil: DateTime) -> Option<Timestamp> {
    (civil.year() == 9999).then_some(Timestamp::MAX)
}

/// `2024-05-01 10:00:00 +0000` and `... UTC`, as Ruby and Go print times.
fn without_space_before_zone(text: &str) -> Option<String> {
    let (time, zone) = text.rsplit_once(' ')?;
    match zone {
        "UTC" | "GMT" | "Z" => Some(format!("{time}Z")),
        _ if zone.starts_with(['+', '-']) => Some(format!("{time}{zone}")),
        _ => None,
    }
}

/// A number of seconds since 1970.
pub(crate) fn from_number(number: &Number) -> Result<Timestamp, String> {
    match number.as_i64() {
        Some(seconds) => Timestamp::from_second(seconds).map_err(|_| outside()),
        None => from_seconds(number.as_f64().unwrap_or(f64::MAX)),
    }
}

fn from_seconds(seconds: f64) -> Result<Timestamp, String> {
    // Rounded to the microsecond: a float near today's time carries no more.
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).map_err(|_| outside())
}

fn outside() -> String {
    "the time is outside the years -9999 to 9999; milliseconds must be divided by 1000 first".to_owned()
}

/// The time as seconds since 1970: an integer where the second is whole, else a float, cut to the microsecond.
pub(crate) fn to_number(time: Timestamp) -> Number {
    let whole = Number::from(time.as_second());
    if time.subsec_microsecond() == 0 {
        return whole;
    }
    // Dividing the whole number of microseconds gives the float nearest to the decimal number.
    Number::from_f64(time.as_microsecond() as f64 / 1e6).unwrap_or(whole)
}

/// Writes a time in a zone by a `strftime` format; without one as RFC 3339, with a fraction only where it has one.
pub(crate) fn format(time: Timestamp, format: Option<&str>, zone: &TimeZone) -> Result<String, String> {
    let zoned = time.to_zoned(zone.clone());
    let format = match format {
        Some(format) => format,
        None if *zone == TimeZone::UTC => "%Y-%m-%dT%H:%M:%S%.fZ",
        None => "%Y-%m-%dT%H:%M:%S%.f%:z",
    };
    let config = strtime::Config::new().custom(strtime::PosixCustom::new());
    strtime::BrokenDownTime::from(&zoned)
        .to_string_with_config(&config, microseconds(format).as_bytes())
        .map_err(|error| format!("the format cannot be used: {error}"))
}

/// `%f` is six digits, as everywhere that has it; `jiff` would leave out zeros at the end.
fn microseconds(format: &str) -> Cow<'_, str> {
    if !format.contains("%f") {
        return Cow::Borrowed(format);
    }
    let parts: Vec<String> = format.split("%%").map(|part| part.replace("%f", "%6f")).collect();
    Cow::Owned(parts.join("%%"))
}

/// A zone by its IANA name (`Europe/Berlin`), `UTC` or `Z`, or an offset such as `+02:00`.
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    let name = name.trim();
    if name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("Z") {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with(['+', '-']) {
        return strtime::parse("%:z", name)
            .or_else(|_| strtime::parse("%z", name))
            .ok()
            .and_then(|parts| parts.offset())
            .map(TimeZone::fixed)
            .ok_or_else(|| "the zone is not an offset such as `+02:00`".to_owned());
    }
    TimeZone::get(name)
        .map_err(|_| "the zone does not exist; it must be a name such as `Europe/Berlin`".to_owned())
}

/// A unit of calendar arithmetic.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

impl FromStr for Unit {
    type Err = String;

    /// Singular or plural, in any case.
    fn from_str(name: &str) -> Result<Unit, String> {
        let lower = name.trim().to_ascii_lowercase();
        match lower.strip_suffix('s').unwrap_or(&lower) {
            "second" => Ok(Unit::Seconds),
            "minute" => Ok(Unit::Minutes),
            "hour" => Ok(Unit::Hours),
            "day" => Ok(Unit::Days),
            "week" => Ok(Unit::Weeks),
            "month" => Ok(Unit::Months),
            "year" => Ok(Unit::Years),
            _ => Err("the unit must be seconds, minutes, hours, days, weeks, months or years".to_owned()),
        }
    }
}

/// Adds on the calendar of a zone: a day keeps the time of day across a change of clocks, and a
/// month's or year's end stays inside the month (31 January and one month is the last of February).
pub(crate) fn add(time: Timestamp, amount: i64, unit: Unit, zone: &TimeZone) -> Result<Timestamp, String> {
    let span = Span::new();
    let span = match unit {
        Unit::Seconds => span.try_seconds(amount),
        Unit::Minutes => span.try_minutes(amount),
        Unit::Hours => span.try_hours(amount),
        Unit::Days => span.try_days(amount),
        Unit::Weeks => span.try_weeks(amount),
        Unit::Months => span.try_months(amount),
        Unit::Years => span.try_years(amount),
    };
    span.and_then(|span| time.to_zoned(zone.clone()).checked_add(span))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| "the result is outside the years -9999 to 9999".to_owned())
}
