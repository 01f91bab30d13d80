//! What the words of a system's states most likely mean.

use super::words::{any, words};
use super::yaml::{Entry, Yaml, remarked};

/// What is said where nothing lists the states.
pub(crate) const UNKNOWN: &[&str] = &[
    "TODO: nothing here lists the states. Write what each means, in the system's own words:",
    "  ticketing:",
    "    states: {New: NEW, In progress: WIP, Waiting: WAITING_FOR_USER, Resolved: RESOLVED, Closed: CLOSED}",
];

/// What a description says of each number: `1 New, 2 Processing (assigned)`, `1: new; 2: open`, `2 = Open`.
pub(crate) fn labels(values: &[String], description: &str) -> Vec<Option<String>> {
    let of = |value: &String| {
        if value.is_empty() || !value.chars().all(|letter| letter.is_ascii_digit()) {
            return None;
        }
        description.match_indices(value.as_str()).find_map(|(at, _)| {
            let before = description.get(..at)?.chars().next_back();
            let after = description.get(at + value.len()..)?;
            let starts = before.is_none_or(|letter| !letter.is_alphanumeric());
            let rest = after.strip_prefix([' ', ':', '=', '-', ')', '.'])?;
            let label = rest.trim_start_matches([' ', ':', '=', '-', '>']);
            let end = label
                .find([',', ';', '\n', '|', '/'])
                .or_else(|| label.find(". "))
                .unwrap_or(label.len());
            let label = label.get(..end)?.trim().trim_end_matches('.');
            let is_word = label.starts_with(char::is_alphabetic) && label.len() <= 40;
            (starts && is_word).then(|| label.to_owned())
        })
    };
    values.iter().map(of).collect()
}

/// The state map for the words of an `enum`, or for its numbers with what each is called. It has a state to resolve with and one to reopen with, which `lint` asks for.
pub(crate) fn map(values: &[String], description: &str) -> Vec<Entry> {
    let labels = labels(values, description);
    let mut states: Vec<(String, &'static str, bool)> = Vec::new();
    for (value, label) in values.iter().zip(&labels) {
        let known = states
            .iter()
            .any(|(state, _, _)| state.eq_ignore_ascii_case(value.trim()));
        if value.trim().is_empty() || known {
            continue;
        }
        let meaning = meaning(label.as_ref().unwrap_or(value));
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
            let place = values.iter().position(|value| *value == state);
            let label = place.and_then(|place| labels.get(place)?.clone());
            let mut above: Vec<String> = label.into_iter().collect();
            if !sure {
                above.push("TODO: is this what it means?".to_owned());
            }
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
        "incoming",
        "unassigned",
        "triage",
        "backlog",
    ]) {
        Some("NEW")
    } else {
        None
    }
}
