//! The metrics of polling.
//!
//! Each is there twice: of all streams together (`Action`: `poll`), for alarms, and by integration. A count of nothing is
//! no metric: CloudWatch takes 30 cents a month for each name and integration that had a value, and an integration in
//! which nothing happens has only its lag and its calls.

use poller::{PollObserver, Polled};
use polling::Outcome;
use serde_json::Value;

use super::embedded::{Line, Unit};
use super::{Metrics, milliseconds};
use crate::environment::Environment;
use crate::error::Error;
use crate::poll::Dispatched;

const METRICS: &str = "TICKET_GATEWAY_POLL_METRICS";

/// What of polling is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollMetrics {
    /// Whether each integration has metrics of its own.
    pub by_integration: bool,
}

impl Default for PollMetrics {
    fn default() -> Self {
        PollMetrics { by_integration: true }
    }
}

impl PollMetrics {
    /// Reads `TICKET_GATEWAY_POLL_METRICS`: `ByIntegration` (as without it) or `Together`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let by_integration = match Environment::new(&variable).optional(METRICS).as_deref() {
            None | Some("ByIntegration") => true,
            Some("Together") => false,
            Some(other) => {
                return Err(Error::environment(
                    METRICS,
                    format!("is `{other}`; expected `ByIntegration` or `Together`"),
                ));
            }
        };
        Ok(PollMetrics { by_integration })
    }
}

impl Metrics {
    pub(crate) fn with_polls(mut self, polls: PollMetrics) -> Self {
        self.polls = polls;
        self
    }

    /// Writes what one call of the function did that sends the orders.
    pub(crate) fn dispatched(&self, dispatched: &Dispatched) {
        let mut line = Line::of("Action", "poll_dispatch");
        line.metric("PollStreams", Unit::Count, dispatched.streams);
        line.metric("PollOrders", Unit::Count, dispatched.orders);
        line.metric("PollOrdersLate", Unit::Count, dispatched.late);
        self.write(line);
    }

    /// Writes that an integration could not be loaded, so that nothing of it was polled. Where that does not pass by
    /// itself it has an alarm of its own: nothing is in the stream's record, so no failures in a row are counted.
    pub(crate) fn poll_not_begun(&self, integration: &str, is_passing: bool) {
        self.poll_line(integration, |line| {
            line.metric("FailedPolls", Unit::Count, 1);
            if !is_passing {
                line.metric("UnloadablePolls", Unit::Count, 1);
            }
        });
    }

    /// Writes that an order came too late and was dropped: there are too few workers for a while, or for good.
    pub(crate) fn poll_outdated(&self, integration: &str) {
        self.poll_line(integration, |line| line.metric("OutdatedPolls", Unit::Count, 1));
    }

    fn poll_line(&self, integration: &str, mut add: impl FnMut(&mut Line)) {
        let mut line = Line::of("Action", "poll");
        add(&mut line);
        if self.polls.by_integration {
            line.dimension("Integration", integration);
            add(&mut line);
        } else {
            line.property("Integration", integration);
        }
        // A run that found the stream in other hands has nothing to tell.
        if !line.is_empty() {
            self.write(line);
        }
    }
}

impl PollObserver for Metrics {
    fn polled(&self, polled: &Polled<'_>) {
        let report = polled.report;
        let is_ours = !matches!(
            report.outcome,
            Outcome::Paused | Outcome::Busy { .. } | Outcome::Superseded
        );
        self.poll_line(&polled.stream.integration, |line| {
            // What is normal for the stream is no lag: alarms are for all streams, whatever their intervals are. One that
            // is paused is behind on purpose; of one that somebody else polls, that run tells.
            if let Some(overdue) = polled.overdue.filter(|_| is_ours) {
                line.metric("PollLagSeconds", Unit::Seconds, overdue.as_secs());
            }
            let failures = if is_ours { report.failures } else { 0 };
            let has_failed = matches!(report.outcome, Outcome::Failed(_));
            let is_throttled = matches!(report.outcome, Outcome::Throttled { .. });
            for (name, count) in [
                ("PollPages", report.pages),
                ("TicketsRead", report.tickets),
                ("EventsPublished", report.published),
                ("StaleTickets", report.stale),
                ("UnusableRows", report.unusable),
                ("FailedPolls", u64::from(has_failed)),
                ("PollFailuresInARow", u64::from(failures)),
                ("ThrottledPolls", u64::from(is_throttled)),
            ] {
                if count > 0 {
                    line.metric(name, Unit::Count, count);
                }
            }
            if report.is_skewed() {
                let skew = report.skew_milliseconds.unsigned_abs();
                line.metric("ClockSkewMilliseconds", Unit::Milliseconds, skew);
            }
            let destination = polled.stream.destination.as_deref();
            line.property("destination", destination.map_or(Value::Null, Value::from));
            line.property("duration_ms", milliseconds(polled.duration));
        });
    }
}
