//! A list of tickets that is filtered again: `refilter`.

use std::time::Duration;

use integration::{CompoundAction, Installation};
use jiff::Timestamp;
use serde_json::Value;

use crate::time::{canonical, parse_strict};

/// The range that a caller asked for, both ends included. A ticketing system that ignores the filter gives every ticket.
#[derive(Debug)]
pub(crate) struct Range {
    /// As tickets have their times, so that text compares as time does.
    start: Option<String>,
    end: Option<String>,
}

impl Range {
    /// The range in the context of an action that wants its list filtered again.
    ///
    /// The start is rounded down to the step of the system's times (`polling.granularity`): a ticket that changed half a
    /// second after it may bear the second before.
    pub(crate) fn of(action: &CompoundAction, context: &Value, installation: &Installation) -> Option<Range> {
        if !action.refilter {
            return None;
        }
        let polling = installation.integration.polling.as_ref();
        let step = polling.map_or(Duration::from_secs(1), |polling| polling.granularity);
        let time = |key: &str| context.get(key).and_then(Value::as_str).and_then(parse_strict);
        Some(Range {
            start: time("updated_start_ts").map(|start| canonical(rounded_down(start, step))),
            end: time("updated_end_ts").map(canonical),
        })
    }

    /// Whether a normalised ticket lies within.
    pub(crate) fn has(&self, ticket: &Value) -> bool {
        let Some(changed) = ticket.get("updated_at").and_then(Value::as_str) else {
            return true;
        };
        self.start.as_deref().is_none_or(|start| changed >= start)
            && self.end.as_deref().is_none_or(|end| changed <= end)
    }
}

fn rounded_down(time: Timestamp, step: Duration) -> Timestamp {
    let step = i64::try_from(step.as_micros()).unwrap_or(i64::MAX).max(1);
    let time_of_step = time.as_microsecond().div_euclid(step).saturating_mul(step);
    Timestamp::from_microsecond(time_of_step).unwrap_or(time)
}
