//! Lets the program around the poller see how each run went, without reading its log.

use std::time::Duration;

use jiff::Timestamp;
use polling::{Outcome, Report};
use storage::StreamKey;

/// Is told of every run. It must not block.
pub trait PollObserver: Send + Sync {
    /// One run came to its end.
    fn polled(&self, polled: &Polled<'_>);
}

/// How one run went: names and numbers.
#[derive(Debug, Clone)]
pub struct Polled<'p> {
    /// The stream.
    pub stream: &'p StreamKey,
    /// What the run did.
    pub report: &'p Report,
    /// Now minus the watermark; none where it could not be read.
    pub lag: Option<Duration>,
    /// How much of the lag is more than a stream has that is up to date: zero after a run that published everything,
    /// whatever its interval and look-back are. None where the watermark could not be read.
    pub overdue: Option<Duration>,
    /// How long the run took.
    pub duration: Duration,
    /// When it ended.
    pub at: Timestamp,
}

impl Polled<'_> {
    /// Writes the log line: an error where the run failed, a debug line where there was nothing to do.
    pub(crate) fn log(&self) {
        let report = self.report;
        for reason in &report.unusable_reasons {
            tracing::warn!(
                integration = self.stream.integration,
                destination = self.stream.destination,
                reason,
                "a row of the ticketing system's answer could not be made a ticket; nothing is published of it"
            );
        }
        let (outcome, error) = match &report.outcome {
            Outcome::CaughtUp => ("caught_up", None),
            Outcome::MoreToDo => ("more_to_do", None),
            Outcome::Busy { .. } => ("busy", None),
            Outcome::NotDue { .. } => ("not_due", None),
            Outcome::Paused => ("paused", None),
            Outcome::Throttled { .. } => ("throttled", None),
            Outcome::Superseded => ("superseded", None),
            Outcome::Failed(error) => ("failed", Some(error.as_str())),
        };
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    integration = self.stream.integration,
                    destination = self.stream.destination,
                    outcome,
                    error,
                    watermark = report.watermark.map(tracing::field::display),
                    lag_seconds = self.lag.map(|lag| lag.as_secs()),
                    pages = report.pages,
                    tickets = report.tickets,
                    published = report.published,
                    stale = report.stale,
                    unusable = report.unusable,
                    skew_ms = report.skew_milliseconds,
                    duration_ms = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
                    "poll"
                )
            };
        }
        match &report.outcome {
            Outcome::Failed(_) => line!(error),
            Outcome::Throttled { .. } => line!(warn),
            Outcome::CaughtUp | Outcome::MoreToDo if report.published > 0 => line!(info),
            _ => line!(debug),
        }
    }
}
