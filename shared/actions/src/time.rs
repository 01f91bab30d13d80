//! Times in and out: strict from callers, lenient from ticketing systems, one form inside.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Epoch numbers at least this large are milliseconds: as seconds it is the year 5138, as
/// milliseconds March 1973.
const SMALLEST_MILLISECONDS: f64 = 100_000_000_000.0;

/// The form of every time in contexts and answers: UTC, RFC 3339, six decimals, `Z`
/// (`2026-01-05T10:30:45.123456Z`, as the contract's examples have it).
pub(crate) fn canonical(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// A caller's time: RFC 3339 with an offset.
pub(crate) fn parse_strict(text: &str) -> Option<Timestamp> {
    // jiff also reads forms of ISO 8601 that RFC 3339 leaves out; its date always has this shape.
    let bytes = text.as_bytes();
    let shaped = bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
        && matches!(bytes.get(10), Some(b'T' | b't' | b' '))
        && bytes.get(13) == Some(&b':')
        && bytes.get(16) == Some(&b':')
        && !text.contains('[');
    if shaped { with_offset(text) } else { None }
}

/// A time with an offset. "The end of time", as databases write it, lies within the hours that the clock
/// inside does not have, so that every offset has room: then it is the last time that there is.
fn with_offset(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let pieces = Pieces::parse(text).ok()?;
        let is_whole = pieces.time().is_some() && pieces.to_numeric_offset().is_some();
        (is_whole && pieces.date().year() == 9999).then_some(Timestamp::MAX)
    })
}

/// A ticketing system's time: RFC 3339, with a space for the `T`, without an offset (then UTC), a
/// date alone, an e-mail date (RFC 2822), or epoch seconds or milliseconds as a number or as text.
pub(crate) fn parse_lenient(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse_text(text.trim()),
        Value::Number(number) => from_epoch(number.as_f64()?),
        _ => None,
    }
}

fn parse_text(text: &str) -> Option<Timestamp> {
    if let Some(time) = with_offset(text) {
        return Some(time);
    }
    if let Ok(number) = text.parse::<f64>() {
        return from_epoch(number);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        let zoned = local.to_zoned(TimeZone::UTC).ok();
        let last = (local.year() == 9999).then_some(Timestamp::MAX);
        return zoned.map(|zoned| zoned.timestamp()).or(last);
    }
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

fn from_epoch(number: f64) -> Option<Timestamp> {
    if !number.is_finite() {
        return None;
    }
    let microseconds = if number.abs() < SMALLEST_MILLISECONDS {
        number * 1_000_000.0
    } else {
        number * 1_000.0
    };
    if microseconds.abs() >= 9.0e18 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked above")]
    Timestamp::from_microsecond(microseconds.round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_that_ticketing_systems_send_becomes_utc_microseconds() {
        for (sent, meant) in [
            (
                json!("2026-01-05T10:30:45.123456Z"),
                "2026-01-05T10:30:45.123456Z",
            ),
            (json!("2026-01-05T12:30:45+02:00"), "2026-01-05T10:30:45.000000Z"),
            (json!("2026-01-05T12:30:45.5+0200"), "2026-01-05T10:30:45.500000Z"),
            (json!("2026-01-05 10:30:45Z"), "2026-01-05T10:30:45.000000Z"),
            (json!("2026-01-05 10:30:45"), "2026-01-05T10:30:45.000000Z"),
            (
                json!("2026-01-05T10:30:45.1234567"),
                "2026-01-05T10:30:45.123456Z",
            ),
            (json!("2026-01-05T10:30"), "2026-01-05T10:30:00.000000Z"),
            (json!("2026-01-05"), "2026-01-05T00:00:00.000000Z"),
            (
                json!("Mon, 5 Jan 2026 10:30:45 +0000"),
                "2026-01-05T10:30:45.000000Z",
            ),
            (json!(1_767_609_045), "2026-01-05T10:30:45.000000Z"),
            (json!(1_767_609_045_123_i64), "2026-01-05T10:30:45.123000Z"),
            (json!(1_767_609_045.5), "2026-01-05T10:30:45.500000Z"),
            (json!("1767609045123"), "2026-01-05T10:30:45.123000Z"),
            (json!("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59.000000Z"),
            // How .NET and SQL databases write "never" and "for ever".
            (json!("0001-01-01T00:00:00"), "0001-01-01T00:00:00.000000Z"),
            (
                json!("9999-12-31T23:59:59.9999999"),
                "9999-12-30T22:00:00.999999Z",
            ),
            (json!("9999-12-31T23:59:59Z"), "9999-12-30T22:00:00.999999Z"),
            (json!("9999-12-31"), "9999-12-30T22:00:00.999999Z"),
        ] {
            assert_eq!(
                parse_lenient(&sent).map(canonical).as_deref(),
                Some(meant),
                "{sent}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_not_guessed_at() {
        for sent in [
            json!("yesterday"),
            json!(""),
            json!(true),
            json!(null),
            json!([]),
            json!("NaN"),
            json!(1e300),
        ] {
            assert_eq!(parse_lenient(&sent), None, "{sent}");
        }
    }

    #[test]
    fn a_caller_must_write_rfc_3339_with_an_offset() {
        assert!(parse_strict("2026-01-05T10:30:45Z").is_some());
        assert!(parse_strict("2026-01-05T10:30:45.123456+02:00").is_some());
        assert!(parse_strict("9999-12-31T23:59:59Z").is_some());
        for wrong in [
            "2026-01-05",
            "2026-01-05T10:30:45",
            "20260105T103045Z",
            "1767609045",
            "2026-13-05T10:30:45Z",
            "2026-01-05T10:30:45+02:00[Europe/Paris]",
            "2026-01-05T10Z",
            "",
        ] {
            assert!(parse_strict(wrong).is_none(), "{wrong}");
        }
    }
}
