//! What was published against what was true, by the definitions of `docs/polling.md`.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use sandbox::hostile::{TicketTruth, VersionTruth};
use serde_json::{Map, Value, json};
use storage::{EventCursor, EventKind, EventLog, LoggedEvent};

use crate::setting::{LOOK_BACK, Setting};
use crate::unreliable::Commit;

#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) changes: u64,
    pub(crate) events: u64,
    pub(crate) commits: usize,
    pub(crate) dropped: u64,
    pub(crate) taken_over: u64,
    /// Lost, repeated, out of order, wrong.
    pub(crate) problems: Vec<String>,
}

pub(crate) async fn compare(setting: &Setting) -> Score {
    let truth = setting.sandbox.truth();
    let log = whole_log(setting).await;
    let commits = setting.unreliable.commits();
    let tickets: BTreeMap<&str, &TicketTruth> = truth
        .tickets
        .iter()
        .map(|ticket| (ticket.id.as_str(), ticket))
        .collect();
    let mut score = Score {
        changes: truth.changes,
        events: log.len() as u64,
        commits: commits.len(),
        dropped: setting.dropped.load(Ordering::Relaxed),
        taken_over: setting.unreliable.taken_over(),
        problems: Vec::new(),
    };
    // The tickets of the start are known to be there and are not published before they change.
    let mut published: BTreeMap<&str, u32> = BTreeMap::new();
    let mut consumer = Consumer::default();
    let mut commits = commits.windows(2).peekable();
    for logged in &log {
        while let Some(pair) =
            commits.next_if(|pair| pair[1].log.as_ref().is_none_or(|end| is_past(logged, end)))
        {
            check_commit(pair, &tickets, &published, &mut score.problems);
        }
        consumer.take(logged, &tickets, &mut published, &mut score.problems);
    }
    for pair in commits {
        check_commit(pair, &tickets, &published, &mut score.problems);
    }
    for ticket in &truth.tickets {
        let last = ticket.versions.len() as u32;
        if published_of(&published, ticket) < last {
            score
                .problems
                .push(format!("lost: the last version of {ticket:?}"));
        }
    }
    score
}

async fn whole_log(setting: &Setting) -> Vec<LoggedEvent> {
    let mut log: Vec<LoggedEvent> = Vec::new();
    loop {
        let after = log.last().map(|last| last.cursor.clone());
        let more = setting
            .store
            .read(&setting.stream.integration, after.as_ref(), 100);
        let more = more.await.unwrap();
        if more.is_empty() {
            return log;
        }
        log.extend(more);
    }
}

fn is_past(logged: &LoggedEvent, end: &EventCursor) -> bool {
    logged.cursor > *end
}

/// A ticket that was there before counts as published in the version that it had.
fn published_of(published: &BTreeMap<&str, u32>, ticket: &TicketTruth) -> u32 {
    let was_here = ticket.versions[0].title == "Was here before";
    published
        .get(ticket.id.as_str())
        .copied()
        .unwrap_or(u32::from(was_here))
}

/// The watermark has moved twice. The window of the second move was begun after the first one; what stood from the first
/// to the second and is in that window is published.
fn check_commit(
    pair: &[Commit],
    tickets: &BTreeMap<&str, &TicketTruth>,
    published: &BTreeMap<&str, u32>,
    problems: &mut Vec<String>,
) {
    let [before, commit] = pair else { return };
    let start = before.watermark - SignedDuration::from_secs(LOOK_BACK);
    for ticket in tickets.values() {
        let Some(version) = standing(ticket, before.at, commit.at) else {
            continue;
        };
        let is_in_window = start <= version.updated_at && version.updated_at <= commit.watermark;
        if is_in_window && published_of(published, ticket) < version.revision {
            problems.push(format!("lost: {commit:?} passes {version:?} of {}", ticket.id));
        }
    }
}

/// The version that every answer showed from one moment to the other.
fn standing(ticket: &TicketTruth, from: Timestamp, to: Timestamp) -> Option<&VersionTruth> {
    let shown = ticket
        .versions
        .iter()
        .rposition(|version| version.visible_at < from)?;
    let is_replaced = ticket.versions[shown + 1..].iter().any(|next| next.made_at <= to);
    (!is_replaced).then(|| &ticket.versions[shown])
}

/// One who keeps what the events say.
#[derive(Default)]
struct Consumer {
    tickets: BTreeMap<String, Map<String, Value>>,
    ids: HashSet<String>,
}

impl Consumer {
    fn take<'t>(
        &mut self,
        logged: &LoggedEvent,
        tickets: &BTreeMap<&'t str, &'t TicketTruth>,
        published: &mut BTreeMap<&'t str, u32>,
        problems: &mut Vec<String>,
    ) {
        let event = &logged.event;
        let mut wrong = |what: &str| problems.push(format!("{what}: {event:?}"));
        if !self.ids.insert(event.event_id.clone()) {
            wrong("repeated: the id");
        }
        let revision = event.ticket["custom_data"]["revision"].as_u64().unwrap_or(0);
        let truth = tickets.get_key_value(event.ticket_id.as_str());
        let Some((id, truth)) =
            truth.filter(|(_, truth)| (1..=truth.versions.len() as u64).contains(&revision))
        else {
            return wrong("wrong: there never was such a version");
        };
        let revision = revision as u32;
        let version = &truth.versions[revision as usize - 1];
        if event.ticket != normalised(truth, version) || event.version.updated_at != version.updated_at {
            wrong(&format!("wrong: {version:?} has other fields"));
        }
        let last = published_of(published, truth);
        let was_here_unchanged = last == 1 && !published.contains_key(id);
        if revision < last {
            return wrong(&format!("out of order: after revision {last}"));
        }
        if revision == last && !was_here_unchanged {
            wrong("repeated: the version");
        }
        let had = self.tickets.remove(&event.ticket_id);
        match (&event.changes, had) {
            (Some(changes), Some(mut had)) => {
                for change in changes {
                    match change.field.strip_prefix("custom_data.") {
                        Some(field) => had["custom_data"][field] = change.after.clone(),
                        None => drop(had.insert(change.field.clone(), change.after.clone())),
                    }
                }
                if had != event.ticket {
                    wrong("wrong: the changes do not lead to the ticket");
                }
            }
            (None, None) => {
                let is_new = truth.versions[0].title != "Was here before";
                if (event.kind == EventKind::Created) != is_new {
                    wrong("wrong: the kind");
                }
            }
            (Some(_), None) => wrong("wrong: changes of a ticket of which nothing was published"),
            (None, Some(_)) => wrong("wrong: the version before is not known"),
        }
        self.tickets.insert(event.ticket_id.clone(), event.ticket.clone());
        published.insert(id, revision);
    }
}

/// What the integration makes of a version.
fn normalised(ticket: &TicketTruth, version: &VersionTruth) -> Map<String, Value> {
    let code = match version.status {
        "New" => "NEW",
        "Started" => "WIP",
        "Waiting" => "WAITING_FOR_USER",
        "Resolved" => "RESOLVED",
        _ => "CLOSED",
    };
    let fields = json!({
        "id": ticket.id,
        "short_description": version.title,
        "state": version.status,
        "internal_state_code": code,
        "created_at": format!("{:.6}", ticket.created_at),
        "updated_at": format!("{:.6}", version.updated_at),
        "custom_data": {"revision": version.revision},
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
