//! The poller's core: asks a ticketing system what changed and publishes each change once.
//!
//! [`run`] polls one stream (an integration, or one destination of it) from its watermark up to now. Time, ticketing
//! system, store and sink are ports ([`Clock`], [`Source`], [`storage::PollState`], [`storage::EventSink`]), so that
//! the same code runs in a function, in a process with a timer, and in a simulation with virtual time. What is
//! promised, and under which assumptions, is in `docs/polling.md`. A page is in memory, and nothing else that
//! grows with the number of tickets.
//!
//! All times of windows and tickets are the ticketing system's; leases, waits and `observed_at` are ours.
//!
//! # W1 Window
//!
//! A window reaches from `watermark - look_back` to `now - settle`. The look-back finds what becomes visible late,
//! the settle keeps away from what is still being written. The end is fixed before page 1 (a *signpost*) and stays
//! for all pages, also over several runs. There is no other limit on its start: after an outage it starts at the
//! old watermark. A window is no longer than `max_window`; after an outage there are several, one after the other.
//!
//! # W2 Instants
//!
//! Times are instants, never text. Requests are in steps of the declared granularity. The start is rounded down;
//! the end of the window is rounded down when it is planned, so that it is never later than what has settled.
//!
//! # W3 Boundary
//!
//! A window includes both its ends. A filter that excludes them is asked for one step more on each side, and every
//! ticket is held against the window again here, with exact times. A ticket after the end is left for the next
//! window.
//!
//! # W4 Order
//!
//! The watermark moves only at the end of a window, whatever the order; in between, the *place* is saved. In a sorted
//! list (`asc`, `desc`) the place can be a time instead of a token: reading goes on with a smaller window. That is
//! used only as long as every page came in the declared order. A `feed` has no filter and ends where a page reaches
//! what lies before the window.
//!
//! # W5 Commit
//!
//! Watermark, lease, saved place and back-off are one record with a revision. Every write of it is one
//! compare-and-swap on that revision: it succeeds only if nobody wrote since, which implies the same watermark and
//! the same lease owner. Whoever loses stops, without another write. The commit comes after every event of the
//! window was accepted by the sink.
//!
//! # W6 Advance
//!
//! After a window with tickets the watermark is the last change in it; after one without, the end minus the
//! look-back. It is never after the window's end and never goes back.
//!
//! # W7 Dedupe
//!
//! A version is `updated_at`, a hash of the normalised ticket, and an ordinal that counts contents within one
//! `updated_at` (several changes within one step of a coarse clock; a ticket that returns to what it was). The event
//! id is a hash of integration, ticket id and version. The last version of each ticket is remembered: the same one is
//! not published again, an older one (a read that was behind) never. The record outlives any outage that is to be
//! survived without repeats (`retention`); a ticket without a record counts as created only if it was made when there
//! would be one.
//!
//! # W8 Resume
//!
//! A page that may not be finished before the deadline is not begun. Window, place and token are saved and the lease
//! is given up; [`Outcome::MoreToDo`] asks for another run at once. With more than one page the place is also saved
//! on the way, with the renewal of the lease. A token that has expired, is refused, or fails again at once is
//! dropped, and the part of the window is read from its first page; what was published is known.
//!
//! # W9 Progress
//!
//! A next token that is the one just sent, that was there before (Brent's algorithm, in constant memory), or that
//! brings the same tickets five times, is an error; an empty page is not the end. A window with more pages than the
//! ticketing system gives is split: by the last ticket's time in a sorted list, else in halves.
//!
//! Where tokens count rows ([`Paging::Shifting`]), a row that leaves the list between two pages makes another be
//! passed over. So what does not fit on one page is split until it does. More tickets within one step of time than a
//! page holds are read until two passes give the same.
//!
//! # W10 Skew
//!
//! The `Date` of every answer is compared with our clock. Beyond five seconds the next window is shifted by the
//! difference, and if the clock over there is behind what the present window assumed, its end is moved down before
//! anything of page 1 is taken. A clock that is ahead is believed for what to ask, but an idle watermark does not
//! rely on it.
//!
//! # From ticket to event
//!
//! Per group of at most 100 tickets of a page:
//!
//! 1. read their records (one batch read); nothing new: done;
//! 2. write the stream's record: lease, place, and `in_flight`, the ids of the tickets with news;
//! 3. write each ticket's record with the new version and the event as *pending* (compare-and-swap);
//! 4. offer the events to the sink, in batches of its size;
//! 5. after each batch, write the accepted tickets' records without the pending event.
//!
//! A run that finds `in_flight` in the stream's record publishes what is pending before it does anything else, also
//! where the ticket has changed since or is gone. A pending event is complete, so it is the same whoever publishes
//! it. A ticket with a pending event gets no newer event before that one is accepted; so the first arrivals of the
//! events of a ticket are in order.

mod change;
mod clock;
mod dry;
pub mod operate;
mod outbox;
mod report;
mod run;
mod schedule;
mod settings;
mod source;
mod time;
mod version;
mod walk;
mod window;

pub use clock::{Clock, SystemClock};
pub use dry::dry_run;
pub use report::{Outcome, Report, UNUSABLE_TOLD};
pub use run::{Limits, Ports, run};
pub use schedule::{due, lag, overdue};
pub use settings::{Boundary, Order, Paging, Settings};
pub use source::{Page, PageRequest, Source, SourceError, Ticket};
