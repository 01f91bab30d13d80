//! The way through the pages of one window: what to ask for next, when the end is reached, and when the
//! answers lead nowhere (W4, W8, W9).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::settings::{Order, Paging, Settings};
use crate::source::{Page, PageRequest, Ticket};
use crate::time::{between, ceiling, earlier, floor, from_microseconds, later};
use crate::window::{Plan, Window, request};

/// Pages with the same tickets, one after the other, under new tokens, that are borne.
const SAME_PAGES: u32 = 5;
/// Empty pages in a row, under new tokens, that are borne.
const EMPTY_PAGES: u32 = 1000;
/// A filter by the day, in any zone, gives tickets from up to two days before the start that was asked for.
const COARSEST_FILTER: Duration = Duration::from_secs(2 * 86_400);

/// The place in a window. It is what is saved when a run ends before its window does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// The window, fixed before page 1.
    pub(crate) window: Window,
    /// See [`Plan::own_end`].
    pub(crate) own_end: Timestamp,
    /// The last change in the window so far.
    pub(crate) cursor: Option<Timestamp>,
    /// Whether a page of this window was processed.
    pub(crate) begun: bool,
    /// What of the window is not read yet.
    todo: Window,
    /// The piece of `todo` that is being read: all of it, or its older part.
    part: Window,
    /// Whether tickets came that are later than the end that was asked for: the ticketing system takes no end, and asking
    /// for an older part gives the newest page again.
    #[serde(default)]
    has_no_end: bool,
    /// Whether tickets came from long before the start that was asked for: the ticketing system takes no start, and asking
    /// for a part gives the oldest page again.
    #[serde(default)]
    has_no_start: bool,
    /// The most tickets that a page of this window had: about what fits on one.
    #[serde(default)]
    largest_page: usize,
    /// Fingerprint of the last whole pass over `part`, if another one has to confirm it.
    to_confirm: Option<u64>,
    pass: Pass,
}

/// One reading of a part from its first page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pass {
    token: Option<String>,
    pages: u32,
    #[serde(default)]
    tickets: usize,
    /// Whether all tickets so far came in the declared order.
    ordered: bool,
    last: Option<Timestamp>,
    /// Of the tickets and versions so far, in order.
    fingerprint: u64,
    previous_page: u64,
    same_pages: u32,
    empty_pages: u32,
    ring: Ring,
}

/// Finds a token that comes again, however long the ring, in constant memory (Brent's algorithm).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Ring {
    mark: u64,
    power: u32,
    steps: u32,
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask for [`Walk::request`].
    Page,
    /// The window is read.
    Done,
}

/// Why a walk cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stall {
    #[error(
        "the next page token is the one that was sent (`{0}`): the ticketing system does not page, or the \
             integration takes the token from the wrong place"
    )]
    SameToken(String),
    #[error("the page tokens come round: `{0}` was there before; the list would never end")]
    Ring(String),
    #[error(
        "{SAME_PAGES} pages in a row hold the same tickets (tokens `{sent}`, then `{next}`): the ticketing \
             system does not take the token"
    )]
    SamePage { sent: String, next: String },
    #[error("{EMPTY_PAGES} empty pages in a row, the last one with the next token `{0}`")]
    OnlyEmpty(String),
    #[error(
        "the ticketing system gives no more than {pages} pages and has more tickets than that between \
             {start} and {end}; allow more pages, or larger ones"
    )]
    PageCap {
        pages: u32,
        start: Timestamp,
        end: Timestamp,
    },
}

impl Walk {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            window: plan.window,
            own_end: plan.own_end,
            cursor: None,
            begun: false,
            todo: plan.window,
            part: plan.window,
            has_no_end: false,
            has_no_start: false,
            largest_page: 0,
            to_confirm: None,
            pass: Pass::new(),
        }
    }

    /// What to ask for.
    pub(crate) fn request(&self, settings: &Settings) -> PageRequest {
        request(self.part, self.window, self.pass.token.clone(), settings)
    }

    /// Moves the end of the window down before anything of it was taken.
    pub(crate) fn lower_end(&mut self, end: Timestamp) {
        self.window.end = self.window.end.min(end);
        self.todo.end = self.todo.end.min(end);
        self.part.end = self.part.end.min(end);
    }

    /// Asks for the first page anew, now that the window's end is known for good.
    pub(crate) fn begin_again(&mut self) {
        self.begun = true;
        self.restart();
    }

    /// Goes back to the first page of the part: its token is no longer good.
    pub(crate) fn restart(&mut self) {
        self.pass = Pass::new();
        self.to_confirm = None;
    }

    /// Notes a page that was processed and says what comes next.
    pub(crate) fn take(&mut self, page: &Page, settings: &Settings) -> Result<Step, Stall> {
        self.begun = true;
        self.observe(&page.tickets, settings);
        let reached = settings.order == Order::Feed && reaches_before(&page.tickets, self.window.start);
        match page.next.as_deref().filter(|_| !reached) {
            None => Ok(self.end_pass(settings)),
            Some(next) => {
                self.pass.progress(next, &page.tickets)?;
                self.follow(next, settings)
            }
        }
    }

    fn observe(&mut self, tickets: &[Ticket], settings: &Settings) {
        self.pass.pages = self.pass.pages.saturating_add(1);
        self.largest_page = self.largest_page.max(tickets.len());
        self.pass.tickets = self.pass.tickets.saturating_add(tickets.len());
        let asked = self.request(settings);
        let last_asked_for = later(asked.end, settings.granularity);
        let long_before = earlier(asked.start, COARSEST_FILTER);
        self.has_no_end |= tickets.iter().any(|ticket| last_asked_for < ticket.updated_at);
        self.has_no_start |= tickets.iter().any(|ticket| ticket.updated_at < long_before);
        for ticket in tickets {
            let time = ticket.updated_at;
            self.pass.ordered &= match (settings.order, self.pass.last) {
                (Order::Asc, Some(last)) => last <= time,
                (Order::Desc, Some(last)) => time <= last,
                _ => true,
            };
            self.pass.last = Some(time);
            if self.window.contains(time) {
                self.cursor = self.cursor.max(Some(time));
                self.pass.fingerprint = row(self.pass.fingerprint, ticket);
            }
        }
    }

    /// There is another page. It is asked for, unless it is better, or necessary, to ask for a smaller part.
    fn follow(&mut self, next: &str, settings: &Settings) -> Result<Step, Stall> {
        // One page is one reading and misses nothing. Between two, rows may move; so what does not fit on one is
        // read in pieces that do, as far as the steps of time allow.
        // Nothing is gained where the oldest page comes whatever is asked for; and an empty page says nothing of where the rows
        // lie: a list that the gateway filters again has them further on.
        let moves =
            self.may_shift(settings) && self.pass.pages == 1 && self.pass.tickets > 0 && !self.has_no_start;
        let capped = settings.max_pages.is_some_and(|most| self.pass.pages >= most);
        if (moves || capped) && (self.split_at_last(settings) || self.halve(settings)) {
            return Ok(Step::Page);
        }
        if capped {
            return Err(Stall::PageCap {
                pages: self.pass.pages,
                start: self.part.start,
                end: self.part.end,
            });
        }
        self.pass.token = Some(next.to_owned());
        Ok(Step::Page)
    }

    /// Whether rows may move between pages. In a feed they only move down: what changes goes to the top.
    fn may_shift(&self, settings: &Settings) -> bool {
        settings.paging == Paging::Shifting && settings.order != Order::Feed
    }

    fn end_pass(&mut self, settings: &Settings) -> Step {
        if self.may_shift(settings) && self.pass.pages > 1 && self.to_confirm != Some(self.pass.fingerprint) {
            // More tickets within one step of time than a page holds. A row that leaves the list between two
            // pages makes another one be passed over; then the next pass does not give the same.
            self.to_confirm = Some(self.pass.fingerprint);
            self.pass = Pass::new();
            return Step::Page;
        }
        if self.todo.end <= self.part.end {
            return Step::Done;
        }
        let next = self.next_part(settings);
        self.todo.start = self.part.end;
        self.read_part(next);
        Step::Page
    }

    /// What to ask for after a part that is not the last one. Of a list without an order as long a time as had to do for
    /// this part, or twice that where it had few tickets: to begin with the whole rest would ask for its first page, and
    /// for those of its halves, once for each part.
    fn next_part(&self, settings: &Settings) -> Window {
        let rest = Window {
            start: self.part.end,
            end: self.todo.end,
        };
        if settings.order != Order::Unsorted || self.has_no_end || self.has_no_start {
            return rest;
        }
        let few = self.pass.tickets.saturating_mul(2) <= self.largest_page;
        let length = between(self.part.start, self.part.end).saturating_mul(if few { 2 } else { 1 });
        let step = settings.granularity;
        let end = floor(later(rest.start, length), step);
        // With the spare step at its end, it must be smaller than the rest.
        if end <= rest.start || later(end, step) >= ceiling(rest.end, step) {
            return rest;
        }
        Window { end, ..rest }
    }

    /// Goes on from the last ticket by its time, if the list has an order and the time moved.
    fn split_at_last(&mut self, settings: &Settings) -> bool {
        let (true, Some(last)) = (self.pass.ordered, self.pass.last) else {
            return false;
        };
        if settings.order == Order::Desc && self.has_no_end {
            return false;
        }
        // Pages that were followed by number need their second reading.
        if settings.paging == Paging::Shifting && self.pass.pages > 1 {
            return false;
        }
        let before = request(self.part, self.window, None, settings);
        let mut rest = self.part;
        match settings.order {
            Order::Asc => rest.start = rest.start.max(last),
            Order::Desc => rest.end = rest.end.min(last),
            Order::Unsorted | Order::Feed => return false,
        }
        let after = request(rest, self.window, None, settings);
        if after.start <= before.start && after.end >= before.end {
            return false;
        }
        if settings.order == Order::Desc && self.part.end < self.todo.end {
            // The older part of a halved one: what is above it is still to be read.
            return false;
        }
        if settings.order == Order::Desc {
            self.todo.end = rest.end;
        }
        self.read_part(rest);
        true
    }

    /// Reads the older half of the part first.
    fn halve(&mut self, settings: &Settings) -> bool {
        if settings.order == Order::Feed || self.has_no_end {
            return false;
        }
        let (start, end) = (self.part.start.as_microsecond(), self.part.end.as_microsecond());
        let middle = from_microseconds(start.midpoint(end));
        let middle = floor(middle, settings.granularity);
        let step = settings.granularity;
        // With the spare step at its end, the older part must still be smaller than the whole.
        if middle <= self.part.start || later(middle, step) >= ceiling(self.part.end, step) {
            return false;
        }
        self.read_part(Window {
            start: self.part.start,
            end: middle,
        });
        true
    }

    fn read_part(&mut self, part: Window) {
        self.part = part;
        self.to_confirm = None;
        self.pass = Pass::new();
    }
}

impl Pass {
    fn new() -> Self {
        Self {
            token: None,
            pages: 0,
            tickets: 0,
            ordered: true,
            last: None,
            fingerprint: SEED,
            previous_page: 0,
            same_pages: 0,
            empty_pages: 0,
            ring: Ring::default(),
        }
    }

    /// Whether the next page can bring something new.
    fn progress(&mut self, next: &str, tickets: &[Ticket]) -> Result<(), Stall> {
        if self.token.as_deref() == Some(next) {
            return Err(Stall::SameToken(next.to_owned()));
        }
        if self.ring.closes(hash(SEED, next.as_bytes())) {
            return Err(Stall::Ring(next.to_owned()));
        }
        if tickets.is_empty() {
            self.empty_pages += 1;
            if self.empty_pages >= EMPTY_PAGES {
                return Err(Stall::OnlyEmpty(next.to_owned()));
            }
            return Ok(());
        }
        self.empty_pages = 0;
        let page = tickets.iter().fold(SEED, row);
        self.same_pages = if page == self.previous_page {
            self.same_pages + 1
        } else {
            1
        };
        self.previous_page = page;
        if self.same_pages >= SAME_PAGES {
            return Err(Stall::SamePage {
                sent: self.token.clone().unwrap_or_default(),
                next: next.to_owned(),
            });
        }
        Ok(())
    }
}

impl Ring {
    fn closes(&mut self, token: u64) -> bool {
        if self.power > 0 && self.mark == token {
            return true;
        }
        if self.steps >= self.power {
            self.mark = token;
            self.power = self.power.saturating_mul(2).max(1);
            self.steps = 0;
        }
        self.steps += 1;
        false
    }
}

/// Whether a feed, newest first, has come to what lies before `start`. A ticket that is out of order, such as
/// one that is kept on top, does not count.
fn reaches_before(tickets: &[Ticket], start: Timestamp) -> bool {
    let falls = tickets.is_sorted_by(|one, next| one.updated_at >= next.updated_at);
    match tickets.last() {
        Some(last) if falls => last.updated_at < start,
        Some(_) => tickets.iter().all(|ticket| ticket.updated_at < start),
        None => false,
    }
}

/// FNV-1a: the same in every version of the program, because it is saved.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn row(seed: u64, ticket: &Ticket) -> u64 {
    let time = ticket.updated_at.as_nanosecond().to_be_bytes();
    hash(hash(hash(seed, ticket.id.as_bytes()), &[0]), &time)
}
