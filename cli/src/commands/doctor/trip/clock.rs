//! Whether the times of what is new are the present.

use jiff::Timestamp;
use serde_json::Value;

use crate::commands::doctor::fields::at;
use crate::live::tape::Exchange;

/// Seconds that two clocks, and the way between them, may differ.
const NEAR: i64 = 120;
/// Seconds of the step between time zones.
const QUARTER: i64 = 900;
/// Seconds of the farthest that two time zones are apart.
const FARTHEST: i64 = 26 * 3600;

/// When a request was answered: by the clock of the system where it says so (`Date`, RFC 9110 section 6.6.1), or else by
/// ours.
pub(super) fn answered_at(exchange: Option<&Exchange>) -> Timestamp {
    let date = exchange.and_then(|exchange| {
        let answer = exchange.answer.as_ref()?.as_ref().ok()?;
        let date = answer.headers.get(http::header::DATE)?.to_str().ok()?;
        jiff::fmt::rfc2822::parse(date).ok()
    });
    date.map_or_else(Timestamp::now, |date| date.timestamp())
}

/// A time of the ticket that is not the one at which it was made.
pub(super) struct Off {
    pub(super) said: String,
    /// Whether it is off by what time zones are apart.
    pub(super) is_zone: bool,
}

/// How far a time, of the ticket or of what belongs to it, lies from when that was made, where it is too far. `what` was
/// made, for a person.
pub(super) fn off(of: &Value, name: &str, made: Timestamp, what: &str) -> Option<Off> {
    let time: Timestamp = at(of, name).as_str()?.parse().ok()?;
    let seconds = time.as_second().saturating_sub(made.as_second());
    let distance = seconds.abs();
    if distance <= NEAR {
        return None;
    }
    let beyond = distance % QUARTER;
    let is_zone = distance <= FARTHEST && (beyond <= NEAR || QUARTER - beyond <= NEAR);
    let side = match seconds > 0 {
        true => "after",
        false => "before",
    };
    let steps = (distance + QUARTER / 2) / QUARTER;
    let far = match (is_zone, steps % 4) {
        (true, 0) => format!("{} h", steps / 4),
        (true, _) => format!("{} h {} min", steps / 4, steps % 4 * 15),
        (false, _) => format!("{distance} s"),
    };
    Some(Off {
        said: format!("`{name}` is {time}, {far} {side} {what} was made"),
        is_zone,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(time: &str) -> Option<(String, bool)> {
        let made = "2026-03-01T12:00:00Z".parse().unwrap();
        off(&json!({"created_at": time}), "created_at", made, "the ticket").map(|off| (off.said, off.is_zone))
    }

    #[test]
    fn a_time_that_is_off_by_hours_is_one_of_another_zone() {
        assert_eq!(told("2026-03-01T12:00:20Z"), None);
        let (said, is_zone) = told("2026-03-01T13:00:01Z").unwrap();
        assert!(
            said.ends_with("1 h after the ticket was made") && is_zone,
            "{said}"
        );
        let (said, is_zone) = told("2026-03-01T06:30:01Z").unwrap();
        assert!(
            said.ends_with("5 h 30 min before the ticket was made") && is_zone,
            "{said}"
        );
    }

    #[test]
    fn another_distance_is_that_of_a_clock() {
        let (said, is_zone) = told("2026-03-01T12:07:00Z").unwrap();
        assert!(said.contains("420 s after") && !is_zone, "{said}");
    }
}
