//! How a ticketing system writes times, and the range of a list in steps coarser than a time.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{RoundMode, Span, Timestamp, Unit};
use mapping::TimeForm;
use serde_json::Value;

/// How a ticketing system writes times.
#[derive(Debug, Clone)]
pub struct Dates {
    /// Format and zone.
    pub form: TimeForm,
    /// Values that mean no time.
    pub empty: Vec<Value>,
    /// How the ends of a range are rounded outwards. None: they are written as the format has them, which cuts off what it
    /// does not hold.
    pub(crate) round: Option<Rounding>,
}

/// Steps of the times of a zone.
#[derive(Debug, Clone)]
pub(crate) struct Rounding {
    pub(crate) step: TimeStep,
    pub(crate) zone: TimeZone,
}

/// A step of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeStep {
    Second,
    Minute,
    Hour,
    Day,
}

impl Dates {
    /// The start of a range as text. Nothing that changed at it or after it has an earlier time, however the system reads
    /// a text that stands for two moments.
    ///
    /// # Errors
    /// When there is no such time: what went wrong.
    pub fn start(&self, time: Timestamp) -> Result<String, String> {
        self.write(time, Rounding::before)
    }

    /// The end of a range as text. Nothing that changed at it or before it has a later time.
    ///
    /// # Errors
    /// As [`Dates::start`].
    pub fn end(&self, time: Timestamp) -> Result<String, String> {
        self.write(time, Rounding::after)
    }

    fn write(
        &self,
        time: Timestamp,
        rounded: fn(&Rounding, Timestamp) -> Result<Timestamp, jiff::Error>,
    ) -> Result<String, String> {
        let time = match &self.round {
            Some(round) => rounded(round, time).map_err(|error| error.to_string())?,
            None => time,
        };
        self.form.write(time)
    }
}

impl Rounding {
    /// The beginning of the step. In the first of two hours that read alike, the end of the hour before them: the text
    /// could mean the second.
    fn before(&self, time: Timestamp) -> Result<Timestamp, jiff::Error> {
        let mut local = self.floor(self.zone.to_datetime(time))?;
        if let AmbiguousOffset::Fold { before, after } = self.zone.to_ambiguous_timestamp(local).offset()
            && self.zone.to_offset(time) == before
            && let Some(change) = self.zone.following(time).next()
        {
            let first_of_both = after.to_datetime(change.timestamp());
            local = self.floor(first_of_both.checked_sub(Span::new().nanoseconds(1))?)?;
        }
        self.zone.to_ambiguous_timestamp(local).earlier()
    }

    /// The beginning of the next step. In the second of two hours that read alike, the end of both.
    fn after(&self, time: Timestamp) -> Result<Timestamp, jiff::Error> {
        let mut local = self
            .floor(self.zone.to_datetime(time))?
            .checked_add(self.step.span())?;
        if let AmbiguousOffset::Fold { before, after } = self.zone.to_ambiguous_timestamp(local).offset()
            && self.zone.to_offset(time) == after
            && let Some(change) = self
                .zone
                .preceding(time.checked_add(Span::new().nanoseconds(1))?)
                .next()
        {
            let end_of_both = before.to_datetime(change.timestamp());
            local = self.round(end_of_both, RoundMode::Ceil)?;
        }
        self.zone.to_ambiguous_timestamp(local).later()
    }

    fn floor(&self, local: DateTime) -> Result<DateTime, jiff::Error> {
        self.round(local, RoundMode::Floor)
    }

    fn round(&self, local: DateTime, mode: RoundMode) -> Result<DateTime, jiff::Error> {
        local.round(
            jiff::civil::DateTimeRound::new()
                .smallest(self.step.unit())
                .mode(mode),
        )
    }
}

impl TimeStep {
    fn unit(self) -> Unit {
        match self {
            Self::Second => Unit::Second,
            Self::Minute => Unit::Minute,
            Self::Hour => Unit::Hour,
            Self::Day => Unit::Day,
        }
    }

    fn span(self) -> Span {
        match self {
            Self::Second => Span::new().seconds(1),
            Self::Minute => Span::new().minutes(1),
            Self::Hour => Span::new().hours(1),
            Self::Day => Span::new().days(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The range from one time to another as a system in Berlin writes it.
    fn range(step: TimeStep, format: &str, start: &str, end: &str) -> (String, String) {
        let dates = Dates {
            form: TimeForm::new(format, "Europe/Berlin").unwrap(),
            empty: Vec::new(),
            round: Some(Rounding {
                step,
                zone: TimeZone::get("Europe/Berlin").unwrap(),
            }),
        };
        let start = dates.start(start.parse().unwrap()).unwrap();
        (start, dates.end(end.parse().unwrap()).unwrap())
    }

    const MINUTES: &str = "%Y-%m-%d %H:%M";

    #[test]
    fn a_range_is_widened_to_whole_steps_of_the_systems_zone() {
        let (start, end) = ("2026-01-05T10:30:45.5Z", "2026-01-05T22:59:00Z");
        for (step, format, expected) in [
            (
                TimeStep::Second,
                "%Y-%m-%d %H:%M:%S",
                ("2026-01-05 11:30:45", "2026-01-05 23:59:01"),
            ),
            (
                TimeStep::Minute,
                MINUTES,
                ("2026-01-05 11:30", "2026-01-06 00:00"),
            ),
            (TimeStep::Hour, MINUTES, ("2026-01-05 11:00", "2026-01-06 00:00")),
            (TimeStep::Day, "%Y-%m-%d", ("2026-01-05", "2026-01-06")),
        ] {
            let (from, to) = range(step, format, start, end);
            assert_eq!((from.as_str(), to.as_str()), expected, "{step:?}");
        }
    }

    /// Clocks are set back from 03:00 to 02:00 at 01:00 UTC.
    #[test]
    fn in_the_hour_that_comes_twice_a_range_covers_both() {
        for (start, end, expected) in [
            // Both ends before, and both behind.
            ("2026-10-24T23:30:10Z", "2026-10-24T23:40:10Z", ("01:30", "01:41")),
            ("2026-10-25T02:30:10Z", "2026-10-25T02:40:10Z", ("03:30", "03:41")),
            // Both in the first: the text of the start could mean the second.
            ("2026-10-25T00:30:10Z", "2026-10-25T00:40:10Z", ("01:59", "02:41")),
            // One in each.
            ("2026-10-25T00:50:10Z", "2026-10-25T01:10:10Z", ("01:59", "03:00")),
            // Both in the second: the text of the end could mean the first.
            ("2026-10-25T01:30:10Z", "2026-10-25T01:40:10Z", ("02:30", "03:00")),
            ("2026-10-25T01:00:00Z", "2026-10-25T01:00:00Z", ("02:00", "03:00")),
        ] {
            let (from, to) = range(TimeStep::Minute, MINUTES, start, end);
            let time = |text: &str| text.split_once(' ').unwrap().1.to_owned();
            assert_eq!(
                (time(&from).as_str(), time(&to).as_str()),
                expected,
                "{start} to {end}"
            );
        }
    }
}
