//! The round trip: one ticket through every action.

mod alike;
mod changes;
mod clock;
mod lists;
mod paging;
mod payload;
mod seen;
mod states;
mod tell;
mod texts;

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use actions::{ApiError, ErrorCode, RequestMeta, TasAction};
use integration::{InternalState, Step};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use upstream::{Prepared, PreparedBody};

use super::check::{Check, Verdict};
use super::fields::at;
use super::poll::Poll;
use crate::failure::Failure;
use crate::live::Live;
use crate::live::cause::{self, Cause};
use crate::live::places::line;
use crate::live::runs::{Run, runs};
use crate::live::tape::{Entry, Exchange};

/// A file of one line, in Base64: `Attached by the Ticket Gateway doctor.`
const FILE: &str = "QXR0YWNoZWQgYnkgdGhlIFRpY2tldCBHYXRld2F5IGRvY3Rvci4=";
/// Bytes of it.
const FILE_SIZE: usize = 38;
const FILE_NAME: &str = "ticket-gateway-doctor.txt";
const FILE_TYPE: &str = "text/plain";
/// Two changes within one second look like one where times have no more than that.
const APART: Duration = Duration::from_millis(1100);
/// Between two looks at a list.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Pages of a list that are read to find the ticket.
const MOST_PAGES: usize = 20;
/// Requests for one list, after which it is not looked at again.
const MOST_CALLS: usize = 200;
/// The longest wait for a rate budget.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

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
    /// Whether a person watches: then it is said on stderr what is tried.
    pub(super) is_watched: bool,
}

/// The trip so far.
pub(super) struct Trip<'l> {
    live: &'l Live,
    plan: Plan,
    pub(super) checks: Vec<Check>,
    /// What the ticket that this makes is called, from the moment that it is sent.
    making: Option<String>,
    /// The id of the ticket.
    pub(super) ticket: Option<String>,
    /// What is left in the ticketing system.
    pub(super) left: Vec<String>,
    poll: Option<Poll>,
    polled: Check,
    /// The ticket as it was last read.
    last: Value,
    /// The fields that it was made with.
    payload: Value,
    /// What was in the requests that made it.
    sent: String,
    /// When it was made, by the system's clock where that is known.
    made: Timestamp,
    /// Where what is sent when it is made comes from.
    maker: Option<String>,
    last_write: Option<Instant>,
    /// Whether the time of the ticket stood still after a change for as long as there is to wait.
    stands_still: bool,
}

/// How one action went.
struct Attempt<'l> {
    end: Result<Value, ApiError>,
    runs: Vec<Run<'l>>,
    last_exchange: Option<Exchange>,
    took: Duration,
    calls: usize,
}

impl<'l> Attempt<'l> {
    /// Everything that the requests said in their queries and bodies, in small letters.
    fn sent_words(&self) -> String {
        let mut words = String::new();
        let steps = self.runs.iter().flat_map(|run| &run.steps);
        for exchange in steps.flat_map(|reached| &reached.exchanges) {
            for (_, value) in exchange.request.url.query_pairs() {
                words.push_str(&value);
                words.push('\n');
            }
            match &exchange.request.body {
                PreparedBody::None => {}
                PreparedBody::Bytes(bytes) => words.push_str(&String::from_utf8_lossy(bytes)),
                PreparedBody::Multipart(parts) => {
                    for part in parts {
                        words.push_str(&String::from_utf8_lossy(&part.content));
                        words.push('\n');
                    }
                }
            }
            words.push('\n');
        }
        words.to_lowercase()
    }

    /// The step that sent a word.
    fn sender(&self, word: &str) -> Option<&'l Step> {
        self.runs.iter().find_map(|run| {
            let mut reached = run.steps.iter();
            let sent = |exchange: &Exchange| carries(&exchange.request, word);
            let found = reached.find(|reached| reached.exchanges.iter().any(sent))?;
            run.compound.steps.get(found.index)
        })
    }
}

impl<'l> Trip<'l> {
    pub(super) fn new(live: &'l Live, plan: Plan) -> Self {
        Self {
            live,
            plan,
            checks: Vec::new(),
            making: None,
            ticket: None,
            left: Vec::new(),
            poll: None,
            polled: Check::new("poll", Verdict::Works),
            last: Value::Null,
            payload: Value::Null,
            sent: String::new(),
            made: Timestamp::now(),
            maker: None,
            last_write: None,
            stands_still: false,
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
            self.tell_of("poll");
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
        let (stamp, mark) = (Timestamp::now(), texts::mark());
        let mut payload = json!({
            "short_description": texts::title(&format!("Ticket Gateway doctor {stamp:.0} {mark}")),
            "description": texts::text(&format!("A test of the connection, {mark}; it can be closed or deleted.")),
        });
        if let Some(fields) = payload.as_object_mut() {
            fields.extend(self.plan.payload.clone());
        }
        let input = self.with_person(json!({"payload": payload}));
        self.making = at(&payload, "short_description").as_str().map(str::to_owned);
        let attempt = self.attempt(TasAction::CreateTicket, input).await;
        self.last_write = Some(Instant::now());
        self.made = clock::answered_at(attempt.last_exchange.as_ref());
        self.maker = attempt.sender(&mark).and_then(|step| self.maker_in(step));
        let mut check = self.judged(TasAction::CreateTicket, &attempt);
        if let Err(error) = &attempt.end
            && let Some(title) = self.making.take()
            && matches!(outcome(error), "done" | "partly_done" | "unknown")
        {
            self.left.push(format!(
                "perhaps a ticket `{title}`, still open: its id is not known, so look for it by these words"
            ));
        }
        self.payload = payload;
        self.sent = attempt.sent_words();
        if let Ok(answer) = &attempt.end {
            let made = at(answer, "raw_ticket");
            self.ticket = at(made, "id").as_str().map(str::to_owned);
            for amiss in self.texts_amiss(made, "") {
                let of_ticket = at(made, &amiss.field);
                match of_ticket.is_null() {
                    true => check.notes.push(format!("its answer has no `{}`", amiss.field)),
                    false => self.tell(
                        &mut check,
                        TasAction::CreateTicket,
                        amiss,
                        &attempt.runs,
                        &self.maker,
                    ),
                }
            }
        }
        self.checks.push(check);
    }

    /// Reads the ticket and compares it with what was made.
    async fn by_id(&mut self, id: &str) -> Check {
        let input = self.of_ticket(id, json!({}), false);
        let attempt = self.attempt(TasAction::QueryTicketById, input).await;
        let mut check = self.judged(TasAction::QueryTicketById, &attempt);
        let Ok(answer) = &attempt.end else { return check };
        let ticket = at(answer, "raw_ticket").clone();
        for amiss in self.texts_amiss(&ticket, "") {
            self.tell(
                &mut check,
                TasAction::CreateTicket,
                amiss,
                &attempt.runs,
                &self.maker,
            );
        }
        if self.making.is_some() {
            for name in ["created_at", "updated_at"] {
                self.tell_time(&mut check, &ticket, name, &attempt.runs);
            }
            self.tell_payload(&mut check, &ticket, &attempt.runs);
        }
        self.tell_ends(&mut check, &attempt.runs);
        if at(&ticket, "id").as_str() != Some(id) {
            check
                .notes
                .push(format!("asked for `{id}`, it calls itself {}", at(&ticket, "id")));
        }
        if at(&ticket, "internal_state_code").is_null() {
            let place = self.live.places.nearest(&["ticketing", "states"]).map(line);
            let text = format!("the state {} is not in `ticketing.states`", at(&ticket, "state"));
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

    /// What is said where a person stops it.
    pub(super) fn words_of_the_end(&self) -> String {
        match (&self.making, &self.ticket) {
            (Some(_), Some(id)) => {
                format!("Stopped. The ticket `{id}` is being closed; Ctrl-C once more leaves it as it is.")
            }
            (Some(_), None) => "Stopped. The ticket was just being made.".to_owned(),
            (None, _) if self.left.is_empty() => "Stopped. No ticket was made.".to_owned(),
            (None, _) => "Stopped.".to_owned(),
        }
    }

    /// What is done where a person stopped it: the ticket is closed, and what was not come to is named.
    pub(super) async fn stopped(&mut self) {
        for action in TasAction::ALL {
            if self.checks.iter().all(|check| check.name != action.key()) {
                self.skip(action, "stopped before");
            }
        }
        match (self.making.clone(), self.ticket.clone()) {
            (Some(_), Some(id)) => self.clean_up(&id).await,
            (Some(title), None) => self.left.push(format!(
                "perhaps a ticket `{title}`: it was stopped while that was made; look for it by these words"
            )),
            (None, _) => {}
        }
    }

    /// What is said where a person did not wait for that, either.
    pub(super) fn abandoned(&mut self) {
        if let (Some(title), Some(id)) = (&self.making, &self.ticket) {
            self.left.push(format!(
                "the ticket `{id}`, `{title}`, as it was: it is still open"
            ));
        }
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
        let url = at(&self.last, "url")
            .as_str()
            .map_or_else(String::new, |url| format!(" ({url})"));
        let state = closed.unwrap_or("STILL OPEN: it could be neither closed nor resolved");
        self.left.push(format!(
            "the ticket `{id}`{url}, {state}; the contract has no action that deletes one, its comments or its files"
        ));
    }

    /// Says what is tried, where a person watches.
    fn tell_of(&self, stage: &str) {
        if self.plan.is_watched {
            // What cannot be said there can be said nowhere.
            let _ = writeln!(io::stderr(), "{stage} ...");
        }
    }

    async fn attempt(&self, action: TasAction, input: Value) -> Attempt<'l> {
        let live = self.live;
        self.tell_of(action.key());
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
                runs: runs(live, action, entries),
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

/// What became of a write that failed, by the error.
fn outcome(error: &ApiError) -> &str {
    error
        .details()
        .get("outcome")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether a word is in the query or the body of a request.
fn carries(request: &Prepared, word: &str) -> bool {
    let is_in = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(word);
    let is_in_body = match &request.body {
        PreparedBody::None => false,
        PreparedBody::Bytes(bytes) => is_in(bytes),
        PreparedBody::Multipart(parts) => parts.iter().any(|part| is_in(&part.content)),
    };
    is_in_body || request.url.as_str().contains(word)
}

fn counted(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

fn sent(entries: &[Entry]) -> Vec<&Exchange> {
    let sent = entries.iter().filter_map(|entry| match entry {
        Entry::Sent(exchange) => Some(exchange.as_ref()),
        Entry::Reached { .. } => None,
    });
    sent.collect()
}
