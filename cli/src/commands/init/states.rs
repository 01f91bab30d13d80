//! What the words of a system's states most likely mean.

use super::words::{any, words};
use super::yaml::{Entry, Yaml, remarked};

/// What is said where the document does not list the states.
pub(crate) const UNKNOWN: &[&str] = &[
    "TODO: the document does not list the states. Write what each means, in the system's own words:",
    "  ticketing:",
    "    states: {New: NEW, In progress: WIP, Waiting: WAITING_FOR_USER, Resolved: RESOLVED, Closed: CLOSED}",
];

/// The state map for the words of an `enum`. It has a state to resolve with and one to reopen with, which `lint` asks for.
pub(crate) fn map(values: &[String]) -> Vec<Entry> {
    let mut states: Vec<(String, &'static str, bool)> = Vec::new();
    for value in values {
        let known = states
            .iter()
            .any(|(state, _, _)| state.eq_ignore_ascii_case(value.trim()));
        if value.trim().is_empty() || known {
            continue;
        }
        let meaning = meaning(value);
        states.push((value.clone(), meaning.unwrap_or("WIP"), meaning.is_some()));
    }
    if !states.iter().any(|(_, meaning, _)| *meaning == "NEW")
        && let Some(first) = states.first_mut()
    {
        *first = (first.0.clone(), "NEW", false);
    }
    if !states.iter().any(|(_, meaning, _)| *meaning == "RESOLVED") {
        let closed = states.iter().position(|(_, meaning, _)| *meaning == "CLOSED");
        let index = closed.unwrap_or(states.len().saturating_sub(1));
        if let Some(state) = states.get_mut(index) {
            *state = (state.0.clone(), "RESOLVED", false);
        }
    }
    states
        .into_iter()
        .map(|(state, meaning, sure)| {
            let above = if sure {
                Vec::new()
            } else {
                vec!["TODO: is this what it means?".to_owned()]
            };
            remarked(above, state, Yaml::text(meaning))
        })
        .collect()
}

fn meaning(state: &str) -> Option<&'static str> {
    let own = words(state);
    let has = |wanted: &[&str]| any(&own, wanted);
    if has(&["not", "un", "unresolved"]) {
        return None;
    }
    if has(&[
        "waiting", "pending", "hold", "onhold", "awaiting", "stalled", "snoozed",
    ]) {
        Some("WAITING_FOR_USER")
    } else if has(&[
        "resolved",
        "solved",
        "done",
        "completed",
        "complete",
        "fixed",
        "finished",
        "resolve",
    ]) {
        Some("RESOLVED")
    } else if has(&[
        "closed",
        "close",
        "cancelled",
        "canceled",
        "rejected",
        "archived",
        "declined",
    ]) {
        Some("CLOSED")
    } else if has(&[
        "progress",
        "inprogress",
        "working",
        "active",
        "started",
        "assigned",
        "processing",
        "wip",
        "investigating",
        "doing",
    ]) {
        Some("WIP")
    } else if has(&[
        "new",
        "open",
        "opened",
        "reopened",
        "todo",
        "created",
        "submitted",
        "unassigned",
        "triage",
        "backlog",
    ]) {
        Some("NEW")
    } else {
        None
    }
}
