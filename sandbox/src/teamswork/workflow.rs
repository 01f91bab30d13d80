//! The custom workflow: states with ids, and which may follow which.

use serde_json::{Value, json};

use super::answers::Refusal;
use super::model::{Person, Status, Ticket, guid};
use super::quirks::{Quirk, Quirks};

/// The id that `status` takes for a state.
pub(super) fn state_id(status: Status) -> String {
    guid("workflow-state", status as u64 + 1)
}

/// The state with this id.
pub(super) fn state_of_id(id: &str) -> Option<Status> {
    Status::ALL.into_iter().find(|status| state_id(*status) == id)
}

pub(super) fn next_states(status: Status) -> &'static [Status] {
    use Status::{Closed, Pending, Reopened, Resolved, Started};
    match status {
        Status::Open => &[Started, Pending, Resolved, Closed],
        Started => &[Pending, Resolved, Closed],
        Pending => &[Started, Resolved],
        Resolved => &[Closed, Reopened],
        Closed => &[Reopened],
        Reopened => &[Started, Pending, Resolved, Closed],
    }
}

fn transition_label(to: Status) -> &'static str {
    match to {
        Status::Open => "Open",
        Status::Started => "Start",
        Status::Pending => "Wait",
        Status::Resolved => "Resolve",
        Status::Closed => "Close",
        Status::Reopened => "Reopen",
    }
}

/// Who may make a transition; empty is anybody.
fn authorized(to: Status) -> &'static [&'static str] {
    if to == Status::Closed {
        &["owner", "assignee", "requestor"]
    } else {
        &[]
    }
}

/// How a state is read.
pub(super) fn label(status: Status, quirks: &Quirks) -> &'static str {
    if status == Status::Started && quirks.has(Quirk::InProgressLabel) {
        "In Progress"
    } else {
        status.name()
    }
}

/// `workflow` as every ticket shows it.
pub(super) fn to_json(quirks: &Quirks) -> Value {
    let state = |status: Status| {
        let next: Vec<Value> = next_states(status)
            .iter()
            .map(|to| {
                json!({
                    "targetId": state_id(*to),
                    "transitionLabel": transition_label(*to),
                    "authorizedUsers": authorized(*to),
                    "recordComment": needs_comment(*to, quirks),
                    "recordResolutionSLA": to.is_resolved(),
                })
            })
            .collect();
        json!({
            "id": state_id(status),
            "label": label(status, quirks),
            "recordResolutionSLA": status.is_resolved(),
            "nextSteps": next,
        })
    };
    Status::ALL.into_iter().map(state).collect()
}

pub(super) fn needs_comment(to: Status, quirks: &Quirks) -> bool {
    to == Status::Resolved && quirks.has(Quirk::CommentRequired)
}

/// Checks that the workflow lets this person move this ticket to a state.
pub(super) fn allow(ticket: &Ticket, to: Status, user: &Person, owners: &[Person]) -> Result<(), Refusal> {
    if !next_states(ticket.status).contains(&to) {
        return Err(Refusal::invalid(format!(
            "The workflow has no step from {} to {}",
            ticket.status.name(),
            to.name()
        )));
    }
    let roles = authorized(to);
    let has = |role: &str| match role {
        "owner" => owners.iter().any(|owner| owner.is(user)),
        "assignee" => ticket.assignee.as_ref().is_some_and(|assignee| assignee.is(user)),
        _ => ticket.requestor.is(user),
    };
    if roles.is_empty() || roles.iter().any(|role| has(role)) {
        Ok(())
    } else {
        Err(Refusal::forbidden(format!(
            "{} may not {} this ticket",
            user.name,
            transition_label(to)
        )))
    }
}
