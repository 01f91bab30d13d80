//! The round trip: one ticket through every action.

use std::time::{Duration, Instant};

use actions::{ApiError, ErrorCode, RequestMeta, TasAction};
use integration::InternalState;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cause;
use super::check::{Cause, Check, Verdict};
use super::poll::Poll;
use crate::failure::Failure;
use crate::live::places::line;
use crate::live::runs::{Run, runs};
use crate::live::tape::{Entry, Exchange};
use crate::live::{Live, shown};

/// A file of one line, in Base64: `Attached by the Ticket Gateway doctor.`
const FILE: &str = "QXR0YWNoZWQgYnkgdGhlIFRpY2tldCBHYXRld2F5IGRvY3Rvci4=";
const FILE_NAME: &str = "ticket-gateway-doctor.txt";
/// Two changes within one second look like one where times have no more than that.
const APART: Duration = Duration::from_millis(1100);
/// Between two looks at a list.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Pages of a list that are read to find the ticket.
const MOST_PAGES: usize = 20;
/// The longest wait for a rate budget.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How far before its making the ticket is looked for.
const BEFORE: Duration = Duration::from_secs(120);
/// Characters of a value in a message.
const WIDTH: usize = 80;

/// What to try.
pub(super) struct Plan {
    pub(super) requestor: Option<String>,
    /// The ticket that is looked at without writing.
    pub(super) ticket: Option<String>,
    pub(super) payload: Map<String, Value>,
    pub(super) destination: Option<String>,
    pub(super) assignee: Option<String>,
    pub(super) group: Option<String>,
    /// How long to look for what should be there.
    pub(super) wait: Duration,
}

/// The trip so far.
pub(super) struct Trip<'l> {
    live: &'l Live,
    plan: Plan,
    pub(super) checks: Vec<Check>,
    /// The id of the ticket.
    pub(super) ticket: Option<String>,
    /// What is left in the ticketing system.
    pub(super) left: Vec<String>,
    poll: Option<Poll>,
    polled: Check,
    /// The ticket as it was last read.
    last: Value,
    last_write: Option<Instant>,
}

/// How one action went.
struct Attempt<'l> {
    end: Result<Value, ApiError>,
    runs: Vec<Run<'l>>,
    last_exchange: Option<Exchange>,
    took: Duration,
    calls: usize,
}

impl<'l> Trip<'l> {
    pub(super) fn new(live: &'l Live, plan: Plan) -> Self {
        Self {
            live,
            plan,
            checks: Vec::new(),
            ticket: None,
            left: Vec::new(),
            poll: None,
            polled: Check::new("poll", Verdict::Works),
            last: Value::Null,
            last_write: None,
        }
    }

    /// The queries alone.
    pub(super) async fn look(&mut self) {
        self.ticket = self.plan.ticket.clone();
        match self.ticket.clone() {
            Some(id) => {
                let check = self.by_id(&id).await;
                self.checks.push(check);
            }
            None => self.skip(TasAction::QueryTicketById, "name a ticket with --ticket ID"),
        }
        if self.plan.requestor.is_some() {
            self.by_requestor(false).await;
        } else {
            self.skip(
                TasAction::QueryTicketsByRequestor,
                "name a person with --requestor EMAIL",
            );
        }
        self.by_time(false).await;
    }

    /// Everything.
    ///
    /// # Errors
    /// When there is no room for the poller's memory.
    pub(super) async fn whole(&mut self) -> Result<(), Failure> {
        let installation = &self.live.installed.installation;
        if installation.refusal(TasAction::QueryTicketsByTimeRange).is_none()
            && installation
                .integration
                .action(TasAction::QueryTicketsByTimeRange)
                .is_some()
        {
            let mut poll = Poll::new(self.live, self.plan.destination.as_deref())?;
            // What is there already is no news.
            if let Err(error) = poll.changes_of("").await {
                self.poll_failed(&error);
            } else {
                self.poll = Some(poll);
            }
        } else {
            self.polled = Check::not_tried("poll", "it needs query_tickets_by_time_range");
        }
        self.live.tape.take();

        self.create().await;
        if let Some(id) = self.ticket.clone() {
            let check = self.by_id(&id).await;
            self.checks.push(check);
            self.by_requestor(true).await;
            self.by_time(true).await;
            self.see(TasAction::CreateTicket).await;
            self.write_all(&id).await;
            self.checks.push(std::mem::replace(
                &mut self.polled,
                Check::new("poll", Verdict::Works),
            ));
            self.clean_up(&id).await;
        } else {
            if self.plan.requestor.is_some() {
                self.by_requestor(false).await;
            }
            self.by_time(false).await;
            for action in TasAction::ALL {
                if self.checks.iter().all(|check| check.name != action.key()) {
                    self.skip(action, "there is no ticket to try it on");
                }
            }
        }
        Ok(())
    }

    async fn create(&mut self) {
        let stamp = Timestamp::now();
        let mark = uuid::Uuid::new_v4().simple().to_string();
        let mark = mark.get(..6).unwrap_or_default();
        let mut payload = json!({
            "short_description": format!("Ticket Gateway doctor {stamp:.0} {mark}"),
            "description": "A test of the connection. It can be closed or deleted.",
        });
        if let Some(fields) = payload.as_object_mut() {
            fields.extend(self.plan.payload.clone());
        }
        let input = self.with_person(json!({"payload": payload}));
        let (mut check, answer) = self.act(TasAction::CreateTicket, input).await;
        if let Some(answer) = answer {
            let made = &answer["raw_ticket"];
            self.ticket = made["id"].as_str().map(str::to_owned);
            for name in ["short_description", "description"] {
                check.notes.extend(difference(name, &payload[name], &made[name]));
            }
            self.last = json!({"short_description": payload["short_description"], "description": payload["description"],
                               "created": made.clone()});
        }
        self.checks.push(check);
    }

    /// Reads the ticket and compares it with what was made.
    async fn by_id(&mut self, id: &str) -> Check {
        let input = self.of_ticket(id, json!({}), false);
        let attempt = self.attempt(TasAction::QueryTicketById, input).await;
        let mut check = self.judged(TasAction::QueryTicketById, &attempt);
        let Ok(answer) = &attempt.end else { return check };
        let ticket = answer["raw_ticket"].clone();
        for name in ["short_description", "description"] {
            if let Some(difference) = difference(name, &self.last[name], &ticket[name]) {
                check.find(
                    difference,
                    cause::of_field(&attempt.runs, &format!("raw_ticket.{name}")),
                );
            }
        }
        if ticket["id"].as_str() != Some(id) {
            check
                .notes
                .push(format!("asked for `{id}`, it calls itself {}", ticket["id"]));
        }
        if ticket["internal_state_code"].is_null() {
            let place = self.live.places.nearest(&["ticketing", "states"]).map(line);
            let text = format!("the state {} is not in `ticketing.states`", ticket["state"]);
            check.find(
                "the ticket has no internal_state_code",
                vec![Cause { place, text }],
            );
        }
        if let Some(person) = &self.plan.requestor
            && !ticket.to_string().to_lowercase().contains(&person.to_lowercase())
            && self.plan.ticket.is_none()
        {
            check
                .notes
                .push(format!("the requestor {person} is nowhere in the ticket"));
        }
        self.last = ticket;
        check
    }

    async fn by_requestor(&mut self, is_expected: bool) {
        let person = self.plan.requestor.clone().unwrap_or_default();
        self.list(
            TasAction::QueryTicketsByRequestor,
            json!({"requestor_id": person}),
            None,
            is_expected,
        )
        .await;
    }

    async fn by_time(&mut self, is_expected: bool) {
        let time = |name: &str| {
            self.last[name]
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok())
        };
        let changed = time("updated_at").unwrap_or_else(Timestamp::now);
        // Without a ticket of ours, the last day.
        let before = if is_expected {
            BEFORE
        } else {
            Duration::from_secs(24 * 3600)
        };
        let start = changed.saturating_sub(before).unwrap_or(Timestamp::MIN);
        let end = if is_expected { changed } else { Timestamp::now() };
        let end = end.saturating_add(BEFORE).unwrap_or(Timestamp::MAX);
        let input = json!({"updated_start_ts": start.to_string(), "updated_end_ts": end.to_string()});
        self.list(
            TasAction::QueryTicketsByTimeRange,
            input,
            Some((start, end)),
            is_expected,
        )
        .await;
    }

    /// Reads a list until the ticket is on it, again and again for a while: an index may be behind.
    async fn list(
        &mut self,
        action: TasAction,
        mut input: Value,
        range: Option<(Timestamp, Timestamp)>,
        is_expected: bool,
    ) {
        self.add(&mut input, "destination", self.plan.destination.clone());
        let begun = Instant::now();
        let mut looks = 0_u32;
        let check = loop {
            looks += 1;
            let (mut check, found, is_whole) = self.pages(action, &input, range).await;
            if check.verdict != Verdict::Works || !is_expected || found {
                if found && looks > 1 {
                    check.notes.push(format!(
                        "the ticket was there after {} s",
                        begun.elapsed().as_secs()
                    ));
                }
                break check;
            }
            if begun.elapsed() >= self.plan.wait || !is_whole {
                let causes = vec![Cause {
                    place: self.live.places.nearest(&["actions", action.key()]).map(line),
                    text: match range {
                        Some(_) => {
                            "the filter by time: its format, its time zone, or whether a new ticket is in it"
                                .to_owned()
                        }
                        None => "how the requestor is looked for, and whether `create_ticket` sets them"
                            .to_owned(),
                    },
                }];
                check.find(
                    match is_whole {
                        true => format!(
                            "the ticket is not on the list, {} s after it was made",
                            begun.elapsed().as_secs()
                        ),
                        false => format!("the ticket is not on the first {MOST_PAGES} pages"),
                    },
                    causes,
                );
                break check;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        self.checks.push(check);
    }

    /// All pages of a list: the check, whether the ticket is on one, and whether they were read to the end.
    async fn pages(
        &mut self,
        action: TasAction,
        input: &Value,
        range: Option<(Timestamp, Timestamp)>,
    ) -> (Check, bool, bool) {
        let mut input = input.clone();
        let (mut rows, mut outside, mut found, mut whole) = (0_usize, 0_u32, false, None);
        for page in 1..=MOST_PAGES {
            let attempt = self.attempt(action, input.clone()).await;
            let judged = self.judged(action, &attempt);
            let check = match &mut whole {
                None => whole.insert(judged),
                Some(check) => {
                    check.took += judged.took;
                    check.calls += judged.calls;
                    if judged.verdict == Verdict::Failed {
                        *check = judged;
                    }
                    check
                }
            };
            let Ok(answer) = &attempt.end else { break };
            for ticket in answer["raw_tickets"].as_array().into_iter().flatten() {
                rows += 1;
                found |= ticket["id"].as_str().is_some() && ticket["id"].as_str() == self.ticket.as_deref();
                let changed = ticket["updated_at"]
                    .as_str()
                    .and_then(|text| text.parse::<Timestamp>().ok());
                outside += u32::from(matches!((range, changed), (Some((start, end)), Some(changed))
                    if changed < start || changed > end));
            }
            let Some(token) = answer["pagination_info"]["next_page_token"].as_str() else {
                check.notes.push(format!(
                    "{} on {}",
                    counted(rows, "ticket"),
                    counted(page, "page")
                ));
                break;
            };
            if found || page == MOST_PAGES {
                let end = found;
                check.notes.push(format!(
                    "{} on {}, and there are more",
                    counted(rows, "ticket"),
                    counted(page, "page")
                ));
                let check = whole
                    .take()
                    .unwrap_or_else(|| Check::new(action.key(), Verdict::Works));
                return (self.in_range(check, action, outside), found, end);
            }
            self.add(&mut input, "page_token", Some(token.to_owned()));
        }
        let check = whole.unwrap_or_else(|| Check::new(action.key(), Verdict::Works));
        (self.in_range(check, action, outside), found, true)
    }

    fn in_range(&self, mut check: Check, action: TasAction, outside: u32) -> Check {
        if outside > 0 {
            let causes = vec![Cause {
                place: self.live.places.nearest(&["actions", action.key()]).map(line),
                text:
                    "the system does not know the filter, or reads its times otherwise; filter the rows again"
                        .to_owned(),
            }];
            check.find(
                format!("{outside} tickets on the list changed outside the time asked for"),
                causes,
            );
        }
        check
    }

    async fn write_all(&mut self, id: &str) {
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
            let files = after["attachments"].as_array();
            match files.is_some_and(|files| files.iter().any(|file| file["file_name"] == FILE_NAME)) {
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
            self.last["short_description"].as_str().unwrap_or_default()
        );
        let input = self.of_ticket(id, json!({"payload": {"short_description": title}}), true);
        self.change(TasAction::UpdateTicketFields, id, input, |_, after| {
            difference("short_description", &json!(title), &after["short_description"])
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
            let changed = |name: &str| after[name] != before[name] || !after[name].is_null();
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
        match &attempt.end {
            Ok(answer) => {
                let after = answer["raw_ticket"].clone();
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
                if after["updated_at"] == before["updated_at"] && before["updated_at"].is_string() {
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
        self.see(action).await;
    }

    /// Looks for a change among the events.
    async fn see(&mut self, action: TasAction) {
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

    fn poll_failed(&mut self, error: &str) {
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

    /// Leaves the ticket closed, or resolved, or says that it is neither.
    async fn clean_up(&mut self, id: &str) {
        self.apart().await;
        let ticketing = &self.live.installed.installation.integration.ticketing;
        let close = TasAction::UpdateTicketState;
        let mut closed = None;
        if ticketing.external_state(InternalState::Closed, close).is_some() {
            let input = self.of_ticket(id, json!({"state": "CLOSED"}), true);
            let attempt = self.attempt(close, input).await;
            closed = attempt.end.is_ok().then_some("closed");
        }
        if closed.is_none() {
            let input = self.of_ticket(id, json!({}), true);
            let attempt = self.attempt(TasAction::ResolveTicket, input).await;
            closed = attempt.end.is_ok().then_some("resolved");
        }
        let url = self.last["url"]
            .as_str()
            .map_or_else(String::new, |url| format!(" ({url})"));
        let state = closed.unwrap_or("STILL OPEN: it could be neither closed nor resolved");
        self.left.push(format!(
            "the ticket `{id}`{url}, {state}; the contract has no action that deletes one, its comments or its files"
        ));
    }

    /// One action of which only the end matters.
    async fn act(&mut self, action: TasAction, input: Value) -> (Check, Option<Value>) {
        let attempt = self.attempt(action, input).await;
        self.last_write = Some(Instant::now());
        let check = self.judged(action, &attempt);
        (check, attempt.end.ok())
    }

    async fn attempt(&self, action: TasAction, input: Value) -> Attempt<'l> {
        let live = self.live;
        loop {
            live.tape.take();
            let begun = Instant::now();
            let end = live
                .gateway
                .perform(&live.name, action, input.clone(), &RequestMeta::new())
                .await;
            let took = begun.elapsed();
            let entries = live.tape.take();
            let wait = match &end {
                Err(error) if error.code() == ErrorCode::RateLimitExceeded => error.retry_after(),
                _ => None,
            };
            // Nothing of a refused call happened; what it waits for is no fault of the connector.
            let is_first = sent(&entries).is_empty();
            if let Some(wait) = wait.filter(|wait| *wait <= LONGEST_WAIT && (is_first || !action.is_write()))
            {
                tokio::time::sleep(wait).await;
                continue;
            }
            let exchanges = sent(&entries);
            return Attempt {
                calls: exchanges.len(),
                last_exchange: exchanges.last().map(|exchange| (*exchange).clone()),
                runs: runs(&live.installed.installation.integration, action, entries),
                end,
                took,
            };
        }
    }

    fn judged(&self, action: TasAction, attempt: &Attempt<'_>) -> Check {
        let mut check = Check {
            took: attempt.took,
            calls: attempt.calls,
            ..Check::new(action.key(), Verdict::Works)
        };
        match &attempt.end {
            Ok(_) => {}
            Err(error) if error.code() == ErrorCode::ActionNotSupported => {
                check.verdict = Verdict::NotSupported;
                check.reason = Some(error.message().to_owned());
            }
            Err(error) => {
                check.verdict = Verdict::Failed;
                check.exchange = attempt.last_exchange.clone();
                check.find(
                    error.to_string(),
                    cause::of_error(self.live, action, error, &attempt.runs),
                );
            }
        }
        check
    }

    /// Waits until a change cannot have the time of the one before.
    async fn apart(&self) {
        if let Some(last) = self.last_write {
            tokio::time::sleep(APART.saturating_sub(last.elapsed())).await;
        }
    }

    fn skip(&mut self, action: TasAction, reason: &str) {
        let installation = &self.live.installed.installation;
        let mut check = Check::not_tried(action.key(), reason);
        if let Some(refusal) = installation.refusal(action) {
            check.verdict = Verdict::NotSupported;
            check.reason = Some(refusal.to_owned());
        }
        self.checks.push(check);
    }

    fn of_ticket(&self, id: &str, mut input: Value, is_write: bool) -> Value {
        self.add(&mut input, "ticket_id", Some(id.to_owned()));
        if is_write {
            return self.with_person(input);
        }
        self.add(&mut input, "destination", self.plan.destination.clone());
        input
    }

    fn with_person(&self, mut input: Value) -> Value {
        self.add(&mut input, "destination", self.plan.destination.clone());
        if let (Some(email), Some(fields)) = (&self.plan.requestor, input.as_object_mut()) {
            let person = json!({"requestor": {"full_name": "Ticket Gateway Doctor", "email_addr": email}});
            fields.insert("requestor_info".to_owned(), person);
        }
        input
    }

    fn add(&self, input: &mut Value, name: &str, value: Option<String>) {
        if let (Some(value), Some(fields)) = (value, input.as_object_mut()) {
            fields.insert(name.to_owned(), value.into());
        }
    }
}

fn counted(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

fn sent(entries: &[Entry]) -> Vec<&Exchange> {
    let sent = entries.iter().filter_map(|entry| match entry {
        Entry::Sent(exchange) => Some(exchange),
        Entry::Reached { .. } => None,
    });
    sent.collect()
}

/// What differs between a text that was sent and what was read back. Markup and a mark at the end are no difference.
fn difference(name: &str, sent: &Value, read: &Value) -> Option<String> {
    let sent_text = sent.as_str()?;
    if read.as_str().is_some_and(|read| read.contains(sent_text)) {
        return None;
    }
    let shown = |value: &Value| shown::cut(&value.to_string(), WIDTH);
    Some(format!("`{name}`: sent {}, read {}", shown(sent), shown(read)))
}

/// The field in which a comment cannot be seen as it was sent.
fn comment_seen(before: &Value, after: &Value, text: &str, is_public: bool) -> Option<(String, String)> {
    let comments = after["comments"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let found = comments
        .iter()
        .position(|comment| comment["body"].as_str().is_some_and(|body| body.contains(text)));
    let Some(index) = found else {
        let earlier = before["comments"].as_array().map_or(0, Vec::len);
        let said = match comments.len() > earlier {
            true => "the ticket has a new comment with another text",
            false => "the comment is not visible in the ticket",
        };
        return Some(("comments".into(), said.into()));
    };
    let shown = comments
        .get(index)
        .and_then(|comment| comment["is_public"].as_bool());
    match (is_public, shown) {
        (false, Some(true)) => Some((
            format!("comments[{index}].is_public"),
            "the internal comment is PUBLIC: the requestor sees it".into(),
        )),
        (true, Some(false)) => Some((
            format!("comments[{index}].is_public"),
            "the public comment is internal: the requestor does not see it".into(),
        )),
        (_, None) => Some((
            format!("comments[{index}].is_public"),
            "the ticket does not say whether the comment is public".into(),
        )),
        _ => None,
    }
}

fn state_is(ticket: &Value, wanted: &[InternalState]) -> Option<(String, String)> {
    let code = ticket["internal_state_code"].as_str();
    if wanted.iter().any(|state| Some(state.code()) == code) {
        return None;
    }
    let words: Vec<&str> = wanted.iter().map(|state| state.code()).collect();
    let found = code.unwrap_or("no internal state");
    Some((
        "state".into(),
        format!(
            "asked for {}, the ticket is in {} ({found})",
            words.join(" or "),
            ticket["state"]
        ),
    ))
}
