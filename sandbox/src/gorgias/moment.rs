//! Times as the API shows them: `2019-11-16T15:59:41.966927`, in UTC, with or without `+00:00`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A point in time, in microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) const START: Self = Self(0);

    pub(super) fn of(timestamp: Timestamp) -> Self {
        Self(timestamp.as_microsecond())
    }

    pub(super) fn microseconds(self) -> i64 {
        self.0
    }

    pub(super) fn plus(self, microseconds: i64) -> Self {
        Self(self.0.saturating_add(microseconds))
    }

    pub(super) fn plus_seconds(self, seconds: i64) -> Self {
        self.plus(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds from `earlier` to this.
    pub(super) fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// ISO 8601 with or without a fraction, with `T` or a space; without an offset it is UTC.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Some(Self::of(timestamp));
        }
        // Jiff reads a date alone as midnight; the API wants a time of day.
        let local = text.parse::<DateTime>().ok().filter(|_| text.len() > 10)?;
        Some(Self::of(local.to_zoned(TimeZone::UTC).ok()?.timestamp()))
    }

    pub(super) fn text(self, with_offset: bool) -> String {
        let timestamp = Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let text = timestamp.strftime("%Y-%m-%dT%H:%M:%S%.6f");
        let offset = if with_offset { "+00:00" } else { "" };
        format!("{text}{offset}")
    }
}
