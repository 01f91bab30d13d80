//! Times and durations on a command line and in tables.

use std::time::Duration;

use jiff::Timestamp;

/// A moment: RFC 3339, or how long ago: `90s`, `15m`, `2h`, `3d`.
pub(crate) fn moment(text: &str) -> Result<Timestamp, &'static str> {
    const FORM: &str =
        "expected a time as in 2026-01-05T10:30:45Z, or how long ago: a number and s, m, h or d, as in 2h";
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let mut letters = text.chars();
    let seconds = match letters.next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 24 * 3600,
        _ => return Err(FORM),
    };
    let number: u64 = letters.as_str().parse().map_err(|_| FORM)?;
    let ago = number.checked_mul(seconds).ok_or(FORM)?;
    Timestamp::now()
        .checked_sub(Duration::from_secs(ago))
        .map_err(|_| FORM)
}

/// A stretch of time in its two largest units: `45 s`, `12 min`, `3 h 20 min`, `2 d 5 h`.
pub(crate) fn stretch(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / (24 * 3600));
    let and = |rest: u64, unit: &str| match rest {
        0 => String::new(),
        rest => format!(" {rest} {unit}"),
    };
    if seconds < 120 {
        format!("{seconds} s")
    } else if hours < 1 {
        format!("{minutes} min")
    } else if days < 1 {
        format!("{hours} h{}", and(minutes % 60, "min"))
    } else {
        format!("{days} d{}", and(hours % 24, "h"))
    }
}

/// How long ago `moment` was at `now`; nothing if it is to come.
pub(crate) fn since(moment: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(moment)).unwrap_or_default()
}

/// A moment for a person: whole seconds, UTC.
pub(crate) fn shown(moment: Timestamp) -> String {
    format!("{moment:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        assert_eq!(
            moment("2026-01-05T10:30:45Z").unwrap().to_string(),
            "2026-01-05T10:30:45Z"
        );
        let ago = since(moment("2h").unwrap(), Timestamp::now());
        assert!(ago.abs_diff(Duration::from_secs(7200)) < Duration::from_secs(5));
        for wrong in [
            "",
            "2",
            "h",
            "2w",
            "-2h",
            "2026-01-05",
            "99999999999999999999d",
            "é",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_stretch_of_time_has_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (3600, "1 h"),
            (12_000, "3 h 20 min"),
            (86_400, "1 d"),
            (190_800, "2 d 5 h"),
        ] {
            assert_eq!(stretch(Duration::from_secs(seconds)), text);
        }
    }
}
