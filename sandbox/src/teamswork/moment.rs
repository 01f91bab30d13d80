//! Times as the API shows them: ISO 8601 with milliseconds, such as `2026-01-05T10:30:45.123Z`.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const HOUR_MS: i64 = 3_600_000;

/// A point in time, in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) const START: Self = Self(0);

    pub(super) fn of(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }

    pub(super) fn milliseconds(self) -> i64 {
        self.0
    }

    pub(super) fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this.
    pub(super) fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// An ISO 8601 date-time with an offset.
    pub(super) fn parse_date_time(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(Self::of)
    }

    /// The first moment of a day `YYYY-MM-DD` in the zone that lies `timezone` hours before UTC.
    pub(super) fn parse_date(text: &str, timezone: i8) -> Option<Self> {
        // Jiff reads a date out of a date-time too; the length tells them apart.
        let date = if text.len() == 10 {
            text.parse::<Date>().ok()?
        } else {
            return None;
        };
        let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(Self::of(midnight).plus(-i64::from(timezone) * HOUR_MS))
    }

    /// The time in the zone `timezone` hours off UTC; with a `Z` for 0.
    pub(super) fn text(self, timezone: i8) -> String {
        let timestamp = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        if timezone == 0 {
            return format!("{timestamp:.3}");
        }
        let shift = SignedDuration::from_hours(i64::from(timezone));
        let offset = Offset::try_from(shift).unwrap_or(Offset::UTC);
        format!("{:.3}", timestamp.display_with_offset(offset))
    }
}
