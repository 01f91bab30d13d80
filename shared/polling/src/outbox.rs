//! From the tickets of a page to accepted events: compare, note as pending, publish, note as published (W3, W7).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use storage::{Acceptance, Event, EventKind, EventWindow, Pending, SeenTicket, Swap};

use crate::change::changes;
use crate::run::{Run, Stop};
use crate::source::{Page, Ticket};
use crate::time::{earlier, later, shifted};
use crate::version::{Comparison, compare, event_id};
use crate::walk::Walk;

/// Tickets whose records are read in one go.
const GROUP: usize = 100;
/// How often a group is compared again, or a write or an offer repeated, within a run.
const ATTEMPTS: usize = 5;
/// How far two clocks may be apart without being told from equal ones, when a change is held against our own writes.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// What is to be done about the tickets of a group.
#[derive(Default)]
struct Work {
    /// Records whose event may not have been published.
    unpublished: Vec<SeenTicket>,
    /// Records, with their event, that are not stored yet.
    fresh: Vec<SeenTicket>,
}

impl Run<'_> {
    /// Publishes what an earlier run of the stream left pending.
    pub(crate) async fn recover(&mut self) -> Result<(), Stop> {
        if self.record.in_flight.is_empty() {
            return Ok(());
        }
        let in_flight = self.record.in_flight.clone();
        self.hold(None, in_flight).await?;
        let ids: Vec<&str> = self.record.in_flight.iter().map(String::as_str).collect();
        let seen = self.ports.state.seen(&self.record.key.integration, &ids).await?;
        let ours = |seen: &SeenTicket| {
            seen.pending
                .as_ref()
                .is_some_and(|one| one.stream == self.record.key)
        };
        let unpublished = seen.into_iter().filter(ours).collect();
        self.publish(unpublished).await?;
        self.record.in_flight.clear();
        Ok(())
    }

    /// Publishes what is new on a page.
    pub(crate) async fn publish_page(&mut self, walk: &Walk, page: &Page) -> Result<(), Stop> {
        let mut group: Vec<&Ticket> = Vec::new();
        let mut ids = HashSet::new();
        // The filter of the window again, with exact times: the ticketing system's may be coarse, or none.
        for ticket in page
            .tickets
            .iter()
            .filter(|ticket| walk.window.contains(ticket.updated_at))
        {
            self.report.tickets += 1;
            // A ticket that is on the page twice is compared with what came of the first time.
            if group.len() == GROUP || ids.contains(ticket.id.as_str()) {
                self.publish_group(walk, &group).await?;
                group.clear();
                ids.clear();
            }
            ids.insert(ticket.id.as_str());
            group.push(ticket);
        }
        if !group.is_empty() {
            self.publish_group(walk, &group).await?;
        }
        Ok(())
    }

    async fn publish_group(&mut self, walk: &Walk, group: &[&Ticket]) -> Result<(), Stop> {
        let integration = self.record.key.integration.clone();
        let ids: Vec<&str> = group.iter().map(|ticket| ticket.id.as_str()).collect();
        for _ in 0..ATTEMPTS {
            let work = self.compare_group(walk, group, &ids).await?;
            if work.unpublished.is_empty() && work.fresh.is_empty() {
                return Ok(());
            }
            let changed = work.unpublished.iter().chain(&work.fresh);
            let in_flight = changed.map(|seen| seen.ticket_id.clone()).collect();
            self.hold(Some(walk), in_flight).await?;
            let mut again = !work.unpublished.is_empty();
            self.publish(work.unpublished).await?;
            let mut outbox = Vec::with_capacity(work.fresh.len());
            // Whether a write that failed was done, the next round sees.
            match self.ports.state.store_seen(&integration, &work.fresh).await {
                Ok(swaps) => {
                    for (mut seen, swap) in work.fresh.into_iter().zip(swaps) {
                        if swap == Swap::Stored {
                            seen.revision += 1;
                            outbox.push(seen);
                        } else {
                            again = true;
                        }
                    }
                }
                Err(_) => again = true,
            }
            self.publish(outbox).await?;
            if !again {
                return Ok(());
            }
        }
        Err(Stop::Contended)
    }

    async fn compare_group(&mut self, walk: &Walk, group: &[&Ticket], ids: &[&str]) -> Result<Work, Stop> {
        let seen = self.ports.state.seen(&self.record.key.integration, ids).await?;
        let mut seen: HashMap<String, SeenTicket> = seen
            .into_iter()
            .map(|seen| (seen.ticket_id.clone(), seen))
            .collect();
        let mut work = Work::default();
        for ticket in group {
            let last = seen.remove(&ticket.id);
            if let Some(pending) = last.as_ref().and_then(|last| last.pending.as_ref()) {
                if pending.stream != self.record.key && self.now() < pending.until {
                    return Err(Stop::Waiting {
                        ticket: ticket.id.clone(),
                        until: pending.until,
                    });
                }
                work.unpublished.extend(last);
                continue;
            }
            match compare(ticket, &self.settings.ignored_fields, last.as_ref()) {
                Comparison::Same => {}
                Comparison::Stale => self.report.stale += 1,
                Comparison::Newer(version) => {
                    let event = self.event(walk, ticket, version, last.as_ref());
                    work.fresh.push(SeenTicket {
                        ticket_id: ticket.id.clone(),
                        revision: last.map_or(0, |last| last.revision),
                        version: event.version.clone(),
                        ticket: ticket.fields.clone(),
                        pending: Some(Pending {
                            event,
                            stream: self.record.key.clone(),
                            until: self.lease_end(),
                        }),
                        expires_at: None,
                    });
                }
            }
        }
        self.name_causes(&mut work.fresh).await;
        Ok(work)
    }

    fn event(
        &self,
        walk: &Walk,
        ticket: &Ticket,
        version: storage::TicketVersion,
        last: Option<&SeenTicket>,
    ) -> Event {
        let observed_at = self.now();
        // A ticket without a record is new if it was made when there would be a record of it, had it been seen.
        let remembered_since = earlier(observed_at, self.settings.retention).min(walk.window.start);
        let since = self.record.began.max(remembered_since);
        let is_new = last.is_none() && ticket.created_at.is_none_or(|made| since <= made);
        Event {
            event_id: event_id(&self.record.key.integration, &ticket.id, &version),
            kind: if is_new {
                EventKind::Created
            } else {
                EventKind::Updated
            },
            integration: self.record.key.integration.clone(),
            destination: self.record.key.destination.clone(),
            ticket_id: ticket.id.clone(),
            version,
            window: EventWindow {
                start: walk.window.start,
                end: walk.window.end,
            },
            observed_at,
            ticket: ticket.fields.clone(),
            // Of a ticket that was too large to be kept, only the version is known.
            changes: last
                .filter(|last| !last.ticket.is_empty())
                .map(|last| changes(&last.ticket, &ticket.fields, &self.settings.ignored_fields)),
            caused_by: None,
            omitted: Vec::new(),
        }
    }

    /// Names, in each event that comes from a write of our own, the request that made it: the latest to that ticket
    /// that was under way at the version's `updated_at`, give or take what the clocks can differ.
    async fn name_causes(&self, fresh: &mut [SeenTicket]) {
        let Some(journal) = self.ports.journal.filter(|_| !fresh.is_empty()) else {
            return;
        };
        let ids: Vec<&str> = fresh.iter().map(|seen| seen.ticket_id.as_str()).collect();
        // Without an answer the events go out unmarked: late would be worse.
        let Ok(writes) = journal.writes(&self.record.key.integration, &ids).await else {
            return;
        };
        let tolerance = self.settings.granularity.saturating_add(CLOCK_TOLERANCE);
        let theirs = |ours| shifted(ours, self.record.skew_milliseconds);
        let cause = |event: &Event| {
            let changed = event.version.updated_at;
            let under_way = writes.iter().filter(|write| {
                write.ticket_id == event.ticket_id
                    && earlier(theirs(write.from), tolerance) <= changed
                    && changed <= later(theirs(write.until), tolerance)
            });
            under_way
                .max_by_key(|write| write.from)
                .map(|write| write.request_id.clone())
        };
        for pending in fresh.iter_mut().filter_map(|seen| seen.pending.as_mut()) {
            pending.event.caused_by = cause(&pending.event);
        }
    }

    /// Offers the pending events of stored records until all are accepted, and notes each that is.
    async fn publish(&mut self, mut outbox: Vec<SeenTicket>) -> Result<(), Stop> {
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            let mut refused = Vec::new();
            let mut rest = outbox.into_iter();
            loop {
                let batch: Vec<SeenTicket> =
                    rest.by_ref().take(self.ports.sink.batch_size().max(1)).collect();
                if batch.is_empty() {
                    break;
                }
                let (left, why) = self.publish_batch(batch).await?;
                refused.extend(left);
                reason = why.unwrap_or(reason);
            }
            if refused.is_empty() {
                return Ok(());
            }
            outbox = refused;
        }
        Err(Stop::Sink(reason))
    }

    /// Offers one batch. Gives back what was refused, and why.
    async fn publish_batch(
        &mut self,
        batch: Vec<SeenTicket>,
    ) -> Result<(Vec<SeenTicket>, Option<String>), Stop> {
        // Whoever comes after the lease publishes the same; there is no use in both doing it.
        if self
            .record
            .lease
            .as_ref()
            .is_none_or(|lease| lease.until <= self.now())
        {
            return Err(Stop::LeaseOver);
        }
        let (mut records, mut events) = (Vec::new(), Vec::new());
        for mut seen in batch {
            if let Some(pending) = seen.pending.take() {
                events.push(pending.event);
                records.push((seen, pending.stream, pending.until));
            }
        }
        let answers = self.ports.sink.publish(&events).await;
        let answers = answers.map_err(|error| Stop::Sink(error.to_string()))?;
        if answers.len() != events.len() {
            return Err(Stop::Sink(
                "it answered for another number of events than it was given".to_owned(),
            ));
        }
        let expires_at = Some(later(self.now(), self.settings.retention));
        let (mut accepted, mut refused, mut reason) = (Vec::new(), Vec::new(), None);
        for (((mut seen, stream, until), event), answer) in records.into_iter().zip(events).zip(answers) {
            match answer {
                Acceptance::Accepted => {
                    seen.expires_at = expires_at;
                    accepted.push((seen, event.event_id));
                }
                Acceptance::Refused(why) => {
                    reason = Some(why);
                    seen.pending = Some(Pending { event, stream, until });
                    refused.push(seen);
                }
            }
        }
        self.report.published += u64::try_from(accepted.len()).unwrap_or(u64::MAX);
        self.note_published(accepted).await?;
        Ok((refused, reason))
    }

    /// Stores that the events of these records are published.
    async fn note_published(&mut self, accepted: Vec<(SeenTicket, String)>) -> Result<(), Stop> {
        let integration = self.record.key.integration.clone();
        let ids: HashMap<String, String> = accepted
            .iter()
            .map(|(seen, event)| (seen.ticket_id.clone(), event.clone()))
            .collect();
        let mut records: Vec<SeenTicket> = accepted.into_iter().map(|(seen, _)| seen).collect();
        let expires_at = records.first().and_then(|seen| seen.expires_at);
        for _ in 0..ATTEMPTS {
            if records.is_empty() {
                return Ok(());
            }
            let swaps = self.ports.state.store_seen(&integration, &records).await;
            if swaps.is_ok_and(|swaps| swaps.iter().all(|swap| *swap == Swap::Stored)) {
                return Ok(());
            }
            // Somebody, it may be this write, noted it before. What is still pending is tried again.
            let tickets: Vec<&str> = records.iter().map(|seen| seen.ticket_id.as_str()).collect();
            let stored = self.ports.state.seen(&integration, &tickets).await?;
            records = stored
                .into_iter()
                .filter(|seen| {
                    let pending = seen.pending.as_ref().map(|pending| &pending.event.event_id);
                    pending.is_some() && pending == ids.get(&seen.ticket_id)
                })
                .map(|seen| SeenTicket {
                    pending: None,
                    expires_at,
                    ..seen
                })
                .collect();
        }
        if records.is_empty() {
            Ok(())
        } else {
            Err(Stop::Contended)
        }
    }
}
