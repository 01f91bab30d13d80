//! The writes, each read back and looked for among the events.

use std::time::Instant;

use actions::TasAction;
use integration::InternalState;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::seen::{comment_seen, difference, state_is};
use super::{FILE, FILE_NAME, LOOK_AGAIN, Trip, sent};
use crate::commands::doctor::cause;
use crate::commands::doctor::check::{Cause, Verdict};
use crate::commands::doctor::fields::at;
use crate::live::places::line;

/// What no change but one of the field itself has a reason to empty.
const EVERY_CHANGE_KEEPS: [&str; 4] = ["short_description", "description", "priority", "requested_for"];

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

impl Trip<'_> {
    pub(super) async fn write_all(&mut self, id: &str) {
        let public = format!("A public comment of the doctor, {}.", Timestamp::now());
        let input = self.of_ticket(id, json!({"comment": public}), true);
        self.change(TasAction::AddPublicComment, id, input, |before, after| {
            comment_seen(before, after, &public, true)
        })
        .await;
        let internal = format!("An internal comment of the doctor, {}.", Timestamp::now());
        let input = self.of_ticket(id, json!({"comment": internal}), true);
        self.change(TasAction::AddInternalComment, id, input, |before, after| {
            comment_seen(before, after, &internal, false)
        })
        .await;
        let file = json!({"file_name": FILE_NAME, "content": FILE, "content_type": "text/plain"});
        let input = self.of_ticket(id, file, true);
        self.change(TasAction::AddAttachment, id, input, |_, after| {
            let files = at(after, "attachments").as_array();
            match files.is_some_and(|files| files.iter().any(|file| at(file, "file_name") == FILE_NAME)) {
                true => None,
                false => Some((
                    "attachments".into(),
                    "the file is not among the ticket's attachments".into(),
                )),
            }
        })
        .await;
        self.assign(id).await;
        let title = format!(
            "{} (changed)",
            at(&self.last, "short_description").as_str().unwrap_or_default()
        );
        let input = self.of_ticket(id, json!({"payload": {"short_description": title}}), true);
        self.change(TasAction::UpdateTicketFields, id, input, |_, after| {
            difference("short_description", &json!(title), at(after, "short_description"))
                .map(|said| ("short_description".into(), said))
        })
        .await;
        self.states(id).await;
    }

    async fn assign(&mut self, id: &str) {
        let action = TasAction::UpdateTicketAssignment;
        if self.plan.assignee.is_none() && self.plan.group.is_none() {
            self.skip(action, "say whom with --assignee or --assignment-group");
            return;
        }
        let mut input = self.of_ticket(id, json!({}), true);
        self.add(&mut input, "assignee", self.plan.assignee.clone());
        self.add(&mut input, "assignment_group", self.plan.group.clone());
        let (person, group) = (self.plan.assignee.clone(), self.plan.group.clone());
        self.change(action, id, input, |before, after| {
            let changed = |name: &str| at(after, name) != at(before, name) || !at(after, name).is_null();
            match (&person, &group) {
                (Some(person), _) if !changed("assigned_to_user") => Some((
                    "assigned_to_user".into(),
                    format!("assigned to {person}, and the ticket shows nobody"),
                )),
                (None, Some(group)) if !changed("assignment_group") && !changed("assigned_to_user") => {
                    Some((
                        "assignment_group".into(),
                        format!("assigned to {group}, and the ticket shows no group"),
                    ))
                }
                _ => None,
            }
        })
        .await;
    }

    async fn states(&mut self, id: &str) {
        let ticketing = &self.live.installed.installation.integration.ticketing;
        let action = TasAction::UpdateTicketState;
        let settable = |state: &InternalState| {
            ticketing.states().is_empty() || ticketing.external_state(*state, action).is_some()
        };
        let middle = [InternalState::Wip, InternalState::WaitingForUser]
            .into_iter()
            .find(settable);
        match middle {
            Some(state) => {
                let input = self.of_ticket(id, json!({"state": state.code()}), true);
                self.change(action, id, input, |_, after| state_is(after, &[state]))
                    .await;
            }
            None => self.skip(
                action,
                "`ticketing.states` has no state for WIP or WAITING_FOR_USER that can be set",
            ),
        }
        let input = self.of_ticket(id, json!({"comment": "Resolved by the doctor."}), true);
        self.change(TasAction::ResolveTicket, id, input, |_, after| {
            state_is(after, &[InternalState::Resolved])
        })
        .await;
        let input = self.of_ticket(id, json!({"comment": "Opened again by the doctor."}), true);
        self.change(TasAction::ReopenTicket, id, input, |_, after| {
            let open = [
                InternalState::New,
                InternalState::Wip,
                InternalState::WaitingForUser,
            ];
            state_is(after, &open)
        })
        .await;
    }

    /// One write, read back. `seen` gives the field in which the change cannot be seen, and what to say of it.
    async fn change(
        &mut self,
        action: TasAction,
        id: &str,
        input: Value,
        seen: impl Fn(&Value, &Value) -> Option<(String, String)>,
    ) {
        self.apart().await;
        let before = self.last.clone();
        let (mut check, done) = self.act(action, input).await;
        if done.is_none() {
            self.checks.push(check);
            return;
        }
        let reading = self.of_ticket(id, json!({}), false);
        let attempt = self.attempt(TasAction::QueryTicketById, reading).await;
        let mut was_there = false;
        match &attempt.end {
            Ok(answer) => {
                let after = at(answer, "raw_ticket").clone();
                let unseen = seen(&before, &after);
                if let Some((field, _)) = &unseen
                    && field == "attachments"
                    && !cause::is_made(&attempt.runs, "raw_ticket.attachments")
                {
                    let note = "whether the file is there cannot be seen: the integration's tickets have no `attachments`";
                    check.notes.push(note.to_owned());
                } else if let Some((field, said)) = unseen {
                    let mut causes = cause::of_field(&attempt.runs, &format!("raw_ticket.{field}"));
                    let place = self.live.places.nearest(&["actions", action.key()]).map(line);
                    let text = format!("or {action} does not send it as the system wants it");
                    causes.push(Cause { place, text });
                    check.find(said, causes);
                }
                for emptied in EVERY_CHANGE_KEEPS
                    .into_iter()
                    .filter(|name| !is_empty(at(&before, name)) && is_empty(at(&after, name)))
                {
                    let place = self.live.places.nearest(&["actions", action.key()]).map(line);
                    let text = format!("{action} sends it, empty, though nobody named it");
                    check.find(
                        format!("`{emptied}` was emptied by a change of something else"),
                        vec![Cause { place, text }],
                    );
                }
                was_there =
                    action == TasAction::UpdateTicketState && at(&after, "state") == at(&before, "state");
                if was_there {
                    let note = "the ticket was in this state already: a comment or an assignment can do that";
                    check.notes.push(note.to_owned());
                } else if at(&after, "updated_at") == at(&before, "updated_at")
                    && at(&before, "updated_at").is_string()
                {
                    let causes = cause::of_field(&attempt.runs, "raw_ticket.updated_at");
                    check.find(
                        "`updated_at` does not move, so no poll can find this change by its time",
                        causes,
                    );
                }
                self.last = after;
            }
            Err(error) => check.notes.push(format!("it could not be read back: {error}")),
        }
        self.checks.push(check);
        // Nothing changed then, so there is no event to wait for.
        if !was_there {
            self.see(action).await;
        }
    }

    /// Looks for a change among the events.
    pub(super) async fn see(&mut self, action: TasAction) {
        let (Some(poll), Some(id)) = (&mut self.poll, self.ticket.clone()) else {
            return;
        };
        self.live.tape.take();
        let begun = Instant::now();
        loop {
            let seen = poll.changes_of(&id).await;
            self.polled.calls += sent(&self.live.tape.take()).len();
            match seen {
                Err(error) => {
                    self.polled.took += begun.elapsed();
                    self.poll = None;
                    self.poll_failed(&error);
                    return;
                }
                Ok(events) if !events.is_empty() => {
                    let kinds: Vec<&str> = events.iter().map(|event| event.kind.name()).collect();
                    let seconds = begun.elapsed().as_secs_f64();
                    self.polled.notes.push(format!(
                        "{action}: seen after {seconds:.1} s ({})",
                        kinds.join(", ")
                    ));
                    break;
                }
                Ok(_) if begun.elapsed() >= self.plan.wait => {
                    let place = self
                        .live
                        .places
                        .nearest(&["actions", "query_tickets_by_time_range"])
                        .map(line);
                    let text = "the ticket's `updated_at`, and the filter by time".to_owned();
                    let seconds = begun.elapsed().as_secs();
                    self.polled.find(
                        format!("{action} is not seen as an event within {seconds} s"),
                        vec![Cause { place, text }],
                    );
                    break;
                }
                Ok(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
        self.polled.took += begun.elapsed();
        if !poll.is_on && !self.polled.notes.iter().any(|note| note.starts_with("`polling`")) {
            let note = "`polling` is not enabled in the YAML; it was polled with the default settings";
            self.polled.notes.insert(0, note.to_owned());
        }
    }

    pub(super) fn poll_failed(&mut self, error: &str) {
        self.polled.verdict = Verdict::Failed;
        let entries = self.live.tape.take();
        self.polled.exchange = sent(&entries).last().map(|exchange| (*exchange).clone());
        let place = self
            .live
            .places
            .nearest(&["actions", "query_tickets_by_time_range"])
            .map(line);
        let text = "as for query_tickets_by_time_range".to_owned();
        self.polled.find(error.to_owned(), vec![Cause { place, text }]);
    }
}
