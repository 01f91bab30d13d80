//! The writes, each read back and looked for among the events.

use std::time::{Duration, Instant};

use actions::{ErrorCode, TasAction};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::seen::{assignee_amiss, attachment_amiss, comment_amiss, comment_of};
use super::texts::{self, Amiss};
use super::{FILE, FILE_NAME, FILE_SIZE, FILE_TYPE, LOOK_AGAIN, Trip, clock, sent};
use crate::commands::doctor::check::{Check, Verdict};
use crate::commands::doctor::fields::at;
use crate::live::cause::{self, Cause};
use crate::live::places::line;
use crate::live::runs::Run;

/// What no change but one of the field itself has a reason to empty.
pub(super) const EVERY_CHANGE_KEEPS: [&str; 4] =
    ["short_description", "description", "priority", "requested_for"];

/// Those of them that stand as they were written.
const TEXTS: [&str; 2] = ["short_description", "description"];

/// Whether a ticket has a time of its last change, and it is the one that it had.
fn is_at_the_same_time(before: &Value, after: &Value) -> bool {
    let was = at(before, "updated_at");
    was.is_string() && at(after, "updated_at") == was
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

impl Trip<'_> {
    pub(super) async fn write_all(&mut self, id: &str) {
        self.comment(id, TasAction::AddPublicComment, true).await;
        self.comment(id, TasAction::AddInternalComment, false).await;
        let file = json!({"file_name": FILE_NAME, "content": FILE, "content_type": FILE_TYPE});
        let input = self.of_ticket(id, file, true);
        self.change(TasAction::AddAttachment, id, input, None, |before, after| {
            attachment_amiss(before, after, FILE_NAME, FILE_TYPE, FILE_SIZE)
        })
        .await;
        self.assign(id).await;
        let mark = texts::mark();
        let title = texts::title(&format!("Ticket Gateway doctor, changed {mark}"));
        let input = self.of_ticket(id, json!({"payload": {"short_description": title}}), true);
        self.change(
            TasAction::UpdateTicketFields,
            id,
            input,
            Some(&mark),
            |_, after| {
                let read = at(after, "short_description");
                let amiss = Amiss::of_text("short_description", "`short_description`", &title, read);
                amiss.into_iter().collect()
            },
        )
        .await;
        self.states(id).await;
    }

    async fn comment(&mut self, id: &str, action: TasAction, is_public: bool) {
        let (kind, mark) = (if is_public { "A public" } else { "An internal" }, texts::mark());
        let text = texts::text(&format!("{kind} comment of the doctor, {mark}:"));
        let input = self.of_ticket(id, json!({"comment": text}), true);
        self.change(action, id, input, Some(&mark), |before, after| {
            comment_amiss(before, after, &text, &mark, is_public)
        })
        .await;
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
        self.change(action, id, input, None, |_, after| {
            let shown = |name: &str| !at(after, name).is_null();
            match (&person, &group) {
                (Some(person), _) => assignee_amiss(after, person).into_iter().collect(),
                (None, Some(group)) if !shown("assignment_group") && !shown("assigned_to_user") => {
                    vec![Amiss::new(
                        "assignment_group",
                        format!("assigned to {group}, and the ticket shows no group"),
                    )]
                }
                _ => Vec::new(),
            }
        })
        .await;
    }

    /// One write, read back. `mark` is a word in what it sends; `amiss` gives what is not in the ticket as it should be.
    /// The code is that of the error that it ended with.
    pub(super) async fn change(
        &mut self,
        action: TasAction,
        id: &str,
        input: Value,
        mark: Option<&str>,
        amiss: impl Fn(&Value, &Value) -> Vec<Amiss>,
    ) -> Option<ErrorCode> {
        self.apart().await;
        let before = self.last.clone();
        let write = self.attempt(action, input).await;
        self.last_write = Some(Instant::now());
        let written = clock::answered_at(write.last_exchange.as_ref());
        let mut check = self.judged(action, &write);
        if let Err(error) = &write.end {
            self.checks.push(check);
            return Some(error.code());
        }
        let sender = mark.and_then(|mark| write.sender(mark));
        let maker = sender.and_then(|step| self.maker_in(step));
        let reading = self.of_ticket(id, json!({}), false);
        let attempt = self.attempt(TasAction::QueryTicketById, reading).await;
        let mut is_proved = true;
        let mut stood_still = false;
        match &attempt.end {
            Ok(answer) => {
                let after = at(answer, "raw_ticket").clone();
                for amiss in amiss(&before, &after) {
                    if amiss.field == "attachments"
                        && !cause::is_made(&attempt.runs, "raw_ticket.attachments")
                    {
                        let note = "whether the file is there cannot be seen: the integration's tickets have no `attachments`";
                        check.notes.push(note.to_owned());
                    } else {
                        self.tell(&mut check, action, amiss, &attempt.runs, &maker);
                    }
                }
                if let (TasAction::ResolveTicket | TasAction::ReopenTicket, Some(mark)) = (action, mark) {
                    self.tell_comment(&mut check, action, &after, mark, sender.is_some());
                }
                if let (
                    TasAction::AddPublicComment | TasAction::AddInternalComment,
                    Some(mark),
                    Ok(answered),
                ) = (action, mark, &write.end)
                {
                    self.tell_new_comment(&mut check, &after, mark, (answered, written), &attempt.runs);
                }
                self.tell_of_others(&mut check, action, &before, &after);
                self.tell_ends(&mut check, &attempt.runs);
                is_proved = action != TasAction::UpdateTicketState
                    || at(&after, "state") != at(&before, "state")
                    || check.verdict != Verdict::Works;
                if !is_proved {
                    check.prove_nothing("the ticket was in this state already, and no other can be set");
                } else {
                    stood_still = is_at_the_same_time(&before, &after);
                }
                self.last = after;
            }
            Err(error) => check.prove_nothing(format!("the ticket could not be read back: {error}")),
        }
        self.checks.push(check);
        // Nothing changed otherwise, so there is no event to wait for.
        if !is_proved {
            return None;
        }
        let moved_after = match stood_still {
            true => self.until_moved(id, &before).await,
            false => None,
        };
        let is_seen = self.see(action).await;
        if let Some(check) = self.checks.last_mut().filter(|_| stood_still) {
            match moved_after {
                Some(seconds) => check.notes.push(format!(
                    "`updated_at` moved only within {seconds:.1} s of the change, not at once"
                )),
                None if is_seen => check.notes.push(
                    "`updated_at` does not move where the ticket is read by its id; the poll saw the change"
                        .to_owned(),
                ),
                None => check.find(
                    "`updated_at` does not move, so no poll can find this change by its time",
                    cause::of_field(&attempt.runs, "raw_ticket.updated_at"),
                ),
            }
        }
        None
    }

    /// Reads the ticket until its time is another one than before the change: a system may move it a moment later. Gives
    /// the seconds since the change, or `None` where it stood still for as long as there is to wait. Once it did, it is
    /// not waited for again.
    async fn until_moved(&mut self, id: &str, before: &Value) -> Option<f64> {
        let changed = self.last_write?;
        while !self.stands_still {
            tokio::time::sleep(LOOK_AGAIN).await;
            let reading = self.of_ticket(id, json!({}), false);
            let attempt = self.attempt(TasAction::QueryTicketById, reading).await;
            let took = changed.elapsed();
            if let Ok(answer) = &attempt.end {
                let now = at(answer, "raw_ticket");
                if !is_at_the_same_time(before, now) {
                    self.last = now.clone();
                    return Some(took.as_secs_f64());
                }
            }
            self.stands_still = took >= self.plan.wait;
        }
        None
    }

    /// Tells of a comment that came along with a change and is nowhere.
    fn tell_comment(&self, check: &mut Check, action: TasAction, after: &Value, mark: &str, is_sent: bool) {
        if after.to_string().contains(mark) {
            return;
        }
        if is_sent {
            check
                .notes
                .push("its comment was sent, and cannot be seen in the ticket".to_owned());
            return;
        }
        let place = self.live.places.nearest(&["actions", action.key()]).map(line);
        let text =
            "no step reads `data.context.comment`: send it, or refuse it with a `fail_when`".to_owned();
        check.find(
            format!(
                "{action} was given a comment, which is lost: it was in no request and is not in the ticket"
            ),
            vec![Cause { place, text }],
        );
    }

    /// Tells of a new comment that has another time than the present, or another id than the answer gave it.
    fn tell_new_comment(
        &self,
        check: &mut Check,
        after: &Value,
        mark: &str,
        (answered, written): (&Value, Timestamp),
        runs: &[Run<'_>],
    ) {
        let Some((index, comment)) = comment_of(after, mark) else {
            return;
        };
        let off = clock::off(comment, "created_at", written, "the comment");
        self.tell_off(
            check,
            off,
            &format!("raw_ticket.comments[{index}].created_at"),
            runs,
        );
        let (told, read) = (at(at(answered, "comment"), "id"), at(comment, "id"));
        if !told.is_null() && !read.is_null() && told != read {
            check.find(
                format!("the answer calls the comment {told}, and the ticket calls it {read}"),
                cause::of_field(runs, &format!("raw_ticket.comments[{index}].id")),
            );
        }
    }

    /// Tells of fields that are not as they were, though nobody named them.
    fn tell_of_others(&self, check: &mut Check, action: TasAction, before: &Value, after: &Value) {
        for name in EVERY_CHANGE_KEEPS {
            let (was, is) = (at(before, name), at(after, name));
            let is_named = action == TasAction::UpdateTicketFields && name == "short_description";
            let said = match (is_empty(was), is_empty(is)) {
                (false, true) => format!("`{name}` was emptied by a change of something else"),
                (false, false) if TEXTS.contains(&name) && !is_named && was != is => {
                    format!("`{name}` was changed by a change of something else: from {was} to {is}")
                }
                _ => continue,
            };
            let place = self.live.places.nearest(&["actions", action.key()]).map(line);
            let text = format!("{action} sends it though nobody named it");
            check.find(said, vec![Cause { place, text }]);
        }
        for said in self.payload_changed(action, before, after) {
            let place = self.live.places.nearest(&["actions", action.key()]).map(line);
            let text = format!("{action} sends it though nobody named it");
            check.find(said, vec![Cause { place, text }]);
        }
    }

    /// Looks for a change among the events, and gives whether it is there.
    pub(super) async fn see(&mut self, action: TasAction) -> bool {
        let (Some(poll), Some(id)) = (&mut self.poll, self.ticket.clone()) else {
            return false;
        };
        self.live.tape.take();
        let begun = Instant::now();
        // Where one change was waited for in vain, the others are not worth the wait.
        let wait = match self.polled.findings.is_empty() {
            true => self.plan.wait.max(poll.settle),
            false => Duration::ZERO,
        };
        let is_seen = loop {
            let seen = poll.changes_of(&id).await;
            self.polled.calls += sent(&self.live.tape.take()).len();
            match seen {
                Err(error) => {
                    self.polled.took += begun.elapsed();
                    self.poll = None;
                    self.poll_failed(&error);
                    return false;
                }
                Ok(events) if !events.is_empty() => {
                    let kinds: Vec<&str> = events.iter().map(|event| event.kind.name()).collect();
                    // Where its time was waited for, the poll could not have seen it before.
                    let seconds = self.last_write.unwrap_or(begun).elapsed().as_secs_f64();
                    self.polled.notes.push(format!(
                        "{action}: seen after {seconds:.1} s ({})",
                        kinds.join(", ")
                    ));
                    break true;
                }
                Ok(_) if begun.elapsed() >= wait => {
                    let place = self
                        .live
                        .places
                        .nearest(&["actions", "query_tickets_by_time_range"])
                        .map(line);
                    let text = "the ticket's `updated_at`, and the filter by time".to_owned();
                    let said = match begun.elapsed().as_secs() {
                        0 => format!("{action} is not seen as an event at once, either"),
                        seconds => format!("{action} is not seen as an event within {seconds} s"),
                    };
                    self.polled.find(said, vec![Cause { place, text }]);
                    break false;
                }
                Ok(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        };
        self.polled.took += begun.elapsed();
        if !poll.is_on && !self.polled.notes.iter().any(|note| note.starts_with("`polling`")) {
            let note = "`polling` is not enabled in the YAML; it was polled with the default settings";
            self.polled.notes.insert(0, note.to_owned());
        }
        is_seen
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
