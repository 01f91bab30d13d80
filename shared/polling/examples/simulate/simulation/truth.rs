//! What really happened, and the comparison with what was published.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use storage::{Event, EventKind};

use super::executor::Time;

/// How long after an outage a change counts to it.
const CATCHING_UP: i64 = 1_800_000_000;

pub const STATES: [&str; 5] = ["New", "Started", "Waiting", "Resolved", "Closed"];

/// One state of a ticket.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// As the ticketing system shows it: its clock, in its steps.
    pub updated_at: Time,
    /// By the true clock.
    pub made_at: Time,
    /// When it is visible in every copy of the ticketing system.
    pub visible_at: Time,
    /// The stream that lists it.
    pub home: u16,
    pub state: u8,
}

#[derive(Debug, Default)]
pub struct TicketTruth {
    pub versions: Vec<Version>,
    pub created_at: Time,
    /// The version of the last accepted event, counted from 1; 0 for none.
    pub published: u32,
    /// What a consumer has that applies each event's changes to what it had.
    pub consumer: Option<Map<String, Value>>,
}

/// The result.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Score {
    pub changes: u64,
    pub events: u64,
    /// Versions that had to be published and were not.
    pub lost: u64,
    /// Events of a version that had its event.
    pub repeated: u64,
    /// Events of a version that came before one whose event was accepted.
    pub out_of_order: u64,
    /// Events that say what is not true: content, kind, changes, or another content under the same id.
    pub wrong: u64,
    /// Repeats, under the same id, that a sink without memory would have passed on.
    pub resent: u64,
    pub upstream_calls: u64,
    pub runs: u64,
    pub killed: u64,
    /// Runs by how they ended; those that were killed or stopped did not.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Tickets that were read in an older version than was known.
    pub stale: u64,
    /// Milliseconds from each change to the event that shows it or a later one.
    pub latencies: Vec<u32>,
    /// Of these, the ones with no outage in between or shortly before.
    pub calm_latencies: Vec<u32>,
    /// The first problem, for the person who looks for it.
    pub first_problem: Option<String>,
}

impl Score {
    pub fn problem(&mut self, text: impl FnOnce() -> String) {
        if self.first_problem.is_none() {
            self.first_problem = Some(text());
        }
    }

    pub fn is_clean(&self) -> bool {
        (self.lost, self.repeated, self.out_of_order, self.wrong) == (0, 0, 0, 0)
    }
}

/// Of milliseconds, in seconds: the value that `share` of them do not pass.
pub fn quantile(latencies: &[u32], share: f64) -> f64 {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * share) as usize)
        .map_or(0.0, |value| f64::from(*value) / 1000.0)
}

pub fn text(time: Time) -> String {
    format!("{:.6}", jiff::Timestamp::from_microsecond(time).unwrap())
}

/// The normalised ticket of a version (counted from 1).
pub fn fields(ticket: u32, number: u32, truth: &TicketTruth) -> Map<String, Value> {
    let version = &truth.versions[number as usize - 1];
    let mut fields = Map::new();
    fields.insert("id".into(), Value::String(id(ticket)));
    fields.insert("state".into(), Value::from(STATES[usize::from(version.state)]));
    fields.insert("short_description".into(), Value::from("Printer on fire"));
    fields.insert("updated_at".into(), Value::String(text(version.updated_at)));
    fields.insert("custom_data".into(), json!({"number": number}));
    fields
}

pub fn id(ticket: u32) -> String {
    format!("T{ticket}")
}

pub fn ticket_of(id: &str) -> u32 {
    id.get(1..)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(u32::MAX)
}

/// Takes an event that the sink accepted for the first time.
pub fn accepted(
    truth: &mut TicketTruth,
    event: &Event,
    now: Time,
    retention: i64,
    outage: (Time, Time),
    score: &mut Score,
) {
    score.events += 1;
    let ticket = ticket_of(&event.ticket_id);
    let number = event
        .ticket
        .get("custom_data")
        .and_then(|data| data.get("number"))
        .and_then(Value::as_u64);
    let number = u32::try_from(number.unwrap_or(0)).unwrap_or(0);
    let is_true = number >= 1
        && truth.versions.len() >= number as usize
        && event.ticket == fields(ticket, number, truth)
        && event.version.updated_at.as_microsecond() == truth.versions[number as usize - 1].updated_at;
    if !is_true {
        score.wrong += 1;
        score.problem(|| format!("{now}: an event shows what never was: {event:?}"));
        return;
    }
    if number == truth.published {
        score.repeated += 1;
        score.problem(|| {
            format!(
                "{}: version {number} of {} again: {event:?}",
                text(now),
                event.ticket_id
            )
        });
    } else if number < truth.published {
        score.out_of_order += 1;
        score.problem(|| {
            let (id, last) = (&event.ticket_id, truth.published);
            format!(
                "{}: version {number} of {id} after version {last}: {event:?}",
                text(now)
            )
        });
        return;
    }
    // The changes of the events, one after the other, give the ticket.
    match (&event.changes, &mut truth.consumer) {
        (Some(changes), Some(had)) => {
            for change in changes {
                match change.field.strip_prefix("custom_data.") {
                    Some(field) => {
                        if let Some(Value::Object(custom)) = had.get_mut("custom_data") {
                            custom.insert(field.to_owned(), change.after.clone());
                        }
                    }
                    None => {
                        had.insert(change.field.clone(), change.after.clone());
                    }
                }
            }
            if *had != event.ticket {
                score.wrong += 1;
                score.problem(|| format!("{}: the changes do not lead to the ticket: {event:?}", text(now)));
            }
        }
        (None, consumer) => {
            // Forgotten by now, or never seen.
            let last = truth.published as usize;
            let known_since = last.checked_sub(1).map(|last| truth.versions[last].made_at);
            // (Of the tickets that were there before, made a day before the poller, nothing is known.)
            if known_since.is_some_and(|since| now - since < retention) {
                score.wrong += 1;
                score.problem(|| {
                    format!(
                        "{}: an event does not know the version before: {event:?}",
                        text(now)
                    )
                });
            }
            if event.kind == EventKind::Created && last > 0 {
                score.wrong += 1;
                score.problem(|| format!("{}: created a second time: {event:?}", text(now)));
            }
            *consumer = None;
        }
        (Some(_), None) => {
            score.wrong += 1;
            score.problem(|| {
                format!(
                    "{}: changes of a ticket of which nothing was published: {event:?}",
                    text(now)
                )
            });
        }
    }
    truth.consumer = Some(event.ticket.clone());
    for version in &truth.versions[truth.published as usize..number as usize] {
        let waited = u32::try_from((now - version.made_at) / 1000).unwrap_or(u32::MAX);
        score.latencies.push(waited);
        if now < outage.0 || outage.1 + CATCHING_UP < version.made_at {
            score.calm_latencies.push(waited);
        }
    }
    truth.published = number;
}
