//! The ports of a worker in the simulated world, each with its ways to fail.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use polling::{Boundary, Clock, Order, Page, PageRequest, Paging, Source, SourceError, Ticket};
use rand::seq::SliceRandom;
use storage::{
    Acceptance, Event, EventSink, PollState, SeenTicket, StorageError, StreamKey, StreamRecord, Swap,
};

use super::executor::{Time, Timeline};
use super::truth::{accepted, fields, id, ticket_of};
use super::world::{SECOND, World};

pub type Shared = Arc<Mutex<World>>;

/// What one worker has of the world.
#[derive(Clone)]
pub struct Worker {
    pub world: Shared,
    pub line: Timeline,
    pub stream: usize,
    /// When this worker began to read the window it is in.
    pub window_began: Arc<Mutex<Option<Time>>>,
}

impl Worker {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn window_began(&self) -> MutexGuard<'_, Option<Time>> {
        self.window_began.lock().unwrap()
    }

    async fn pause(&self, low: i64, high: i64) {
        let time = {
            let mut world = self.world();
            // Now and then, longer than any lease.
            if world.fault(0.1) {
                90 * SECOND
            } else {
                world.between(low, high)
            }
        };
        self.line.sleep(time).await;
    }
}

fn instant(time: Time) -> Timestamp {
    Timestamp::from_microsecond(time).unwrap()
}

impl Clock for Worker {
    fn now(&self) -> Timestamp {
        instant(self.line.now())
    }
}

fn hash(value: u64) -> u64 {
    let mixed = (value ^ (value >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[async_trait]
impl Source for Worker {
    async fn page(&self, request: &PageRequest) -> Result<Page, SourceError> {
        self.pause(20_000, 400_000).await;
        let answer = {
            let mut world = self.world();
            world.score.upstream_calls += 1;
            let now = self.line.now();
            let key = &world.streams[self.stream].key;
            let is_resumed = world
                .records
                .get(key)
                .is_some_and(|record| record.saved.is_some());
            let began = world.streams[self.stream]
                .saved_window_began
                .filter(|_| is_resumed);
            self.window_began().get_or_insert(began.unwrap_or(now));
            self.answer(&mut world, request)
        };
        self.pause(20_000, 400_000).await;
        // The answer was given; the connection did not carry it.
        if self.world().fault(0.5) {
            return Err(SourceError::transient("connection reset by peer"));
        }
        answer
    }
}

impl Worker {
    fn answer(&self, world: &mut World, request: &PageRequest) -> Result<Page, SourceError> {
        let now = self.line.now();
        if now < world.streams[self.stream].down_until {
            return Err(SourceError::transient("503 Service Unavailable"));
        }
        if world.fault(0.5) {
            return Err(SourceError::transient("500 Internal Server Error"));
        }
        if world.fault(0.3) {
            return Err(SourceError::transient(
                "the answer is HTML, or JSON that ends too early",
            ));
        }
        if world.fault(0.5) {
            let asked = world.chance(0.5).then_some(std::time::Duration::from_secs(45));
            return Err(SourceError::rate_limited("429 Too Many Requests", asked));
        }
        if request.token.is_some() && world.fault(0.3) {
            let expired = SourceError::token_expired("400: the token has expired");
            let unclear = SourceError::permanent("400 Bad Request");
            return Err(if world.chance(0.5) { expired } else { unclear });
        }
        let mut page = self.query(world, request);
        if let Some(token) = &request.token {
            if world.fault(0.1) {
                // The list comes round.
                page.next = Some(token.clone());
            } else if world.fault(0.2) && !token.starts_with('=') {
                // The same page again, under another token.
                page.next = Some(format!("={token}"));
            }
        }
        if world.fault(0.3) && page.next.is_some() {
            // An empty page first: the token leads to the same place.
            page.tickets.clear();
            let same = request.token.clone().unwrap_or_else(|| "first".to_owned());
            page.next = Some(format!("={}", same.trim_start_matches('=')));
            if request.token.as_deref() == page.next.as_deref() {
                page.next = Some(format!("={}", page.next.unwrap_or_default()));
            }
        }
        if world.fault(0.3) {
            page.tickets.shuffle(&mut world.rng);
        }
        let skew = world.streams[self.stream].skew;
        let date = (now + skew).div_euclid(SECOND) * SECOND;
        page.date = (!world.chance(0.1)).then(|| instant(date));
        Ok(page)
    }

    fn query(&self, world: &mut World, request: &PageRequest) -> Page {
        let copy = usize::from(world.chance(0.3));
        let stream = &world.streams[self.stream];
        let (settings, size) = (&stream.settings, stream.page_size);
        let (mut start, mut end) = (request.start.as_microsecond(), request.end.as_microsecond());
        if settings.boundary == Boundary::Exclusive {
            (start, end) = (start + 1, end - 1);
        }
        if settings.order == Order::Feed {
            (start, end) = (Time::MIN, Time::MAX);
        }
        let token = request
            .token
            .as_deref()
            .map(|token| token.trim_start_matches('='));
        let token = token.filter(|token| *token != "first");
        let replica = &world.replicas[copy];
        let rows = &replica.by_time[self.stream];
        let mut found: Vec<(Time, u32)> = Vec::with_capacity(size + 1);
        let mut next = None;
        if start <= end {
            let all = rows.range((start, 0)..=(end, u32::MAX)).copied();
            let stable = settings.paging == Paging::Stable;
            let place = token.and_then(|token| {
                let (time, ticket) = token.split_once('/')?;
                Some((time.parse::<i64>().ok()?, ticket.parse::<u32>().ok()?))
            });
            let offset: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
            match settings.order {
                Order::Asc => match place.filter(|_| stable) {
                    Some(place) => found.extend(all.filter(|row| *row > place).take(size + 1)),
                    None => found.extend(all.skip(offset).take(size + 1)),
                },
                Order::Desc | Order::Feed => match place.filter(|_| stable) {
                    Some(place) => found.extend(
                        rows.range(..place)
                            .rev()
                            .take_while(|row| row.0 >= start)
                            .take(size + 1),
                    ),
                    None => found.extend(all.rev().skip(offset).take(size + 1)),
                },
                Order::Unsorted => {
                    let mut mixed: Vec<(u64, Time, u32)> = all
                        .map(|(time, ticket)| (hash(u64::from(ticket)), time, ticket))
                        .collect();
                    mixed.sort_unstable();
                    let after = place.map(|(_, ticket)| hash(u64::from(ticket)));
                    let from = match after.filter(|_| stable) {
                        Some(after) => mixed.partition_point(|row| row.0 <= after),
                        None => offset,
                    };
                    found.extend(mixed.iter().skip(from).take(size + 1).map(|row| (row.1, row.2)));
                }
            }
            if found.len() > size {
                found.truncate(size);
                let last = found[size - 1];
                next = Some(if stable {
                    format!("{}/{}", last.0, last.1)
                } else {
                    (offset + size).to_string()
                });
            }
        }
        let tickets = found.iter().map(|(_, ticket)| {
            let truth = &world.tickets[*ticket as usize];
            let number = replica.current[*ticket as usize];
            Ticket {
                id: id(*ticket),
                updated_at: instant(truth.versions[number as usize - 1].updated_at),
                created_at: Some(instant(truth.created_at)),
                fields: fields(*ticket, number, truth),
            }
        });
        Page {
            tickets: tickets.collect(),
            next,
            ..Page::default()
        }
    }

    /// Before a call of the store: whether it does nothing and fails.
    fn store_refuses(&self) -> Result<(), StorageError> {
        let mut world = self.world();
        if self.line.now() < world.store_down_until || world.fault(0.5) {
            return Err(StorageError::failed("cannot use the table", "throttled"));
        }
        Ok(())
    }

    /// After a write: whether its answer is lost.
    fn answer_is_lost(&self) -> Result<(), StorageError> {
        if self.world().fault(0.3) {
            return Err(StorageError::failed("cannot write", "timed out"));
        }
        Ok(())
    }
}

#[async_trait]
impl PollState for Worker {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        self.pause(2000, 10_000).await;
        self.store_refuses()?;
        let record = self.world().records.get(key).cloned();
        self.pause(2000, 10_000).await;
        Ok(record)
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        Ok(self.world().records.values().cloned().collect())
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        self.pause(2000, 10_000).await;
        self.store_refuses()?;
        let swap = {
            let mut world = self.world();
            let stored = world.records.get(&record.key);
            if stored.map_or(0, |stored| stored.revision) == record.revision {
                let before = stored.map_or(record.watermark, |stored| stored.watermark);
                let mut next = record.clone();
                next.revision += 1;
                world.records.insert(record.key.clone(), next);
                self.committed(&mut world, record, before);
                Swap::Stored
            } else {
                Swap::Conflict
            }
        };
        self.pause(2000, 10_000).await;
        self.answer_is_lost()?;
        // A client that repeats a write whose answer was lost finds its own.
        Ok(if self.world().fault(0.1) {
            Swap::Conflict
        } else {
            swap
        })
    }

    async fn seen(&self, integration: &str, ticket_ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        assert!(ticket_ids.len() <= 100, "a batch read takes 100 keys");
        self.pause(2000, 10_000).await;
        self.store_refuses()?;
        let found = {
            let mut world = self.world();
            let now = instant(self.line.now());
            let mut found = Vec::new();
            for id in ticket_ids {
                let key = (integration.to_owned(), (*id).to_owned());
                let Some(seen) = world.seen.get(&key) else {
                    continue;
                };
                if seen.expires_at.is_some_and(|end| end < now) {
                    assert!(seen.pending.is_none(), "a pending event must not expire");
                    world.seen.remove(&key);
                } else {
                    found.push(seen.clone());
                }
            }
            found
        };
        self.pause(2000, 10_000).await;
        Ok(found)
    }

    async fn store_seen(&self, integration: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError> {
        self.pause(2000, 10_000).await;
        self.store_refuses()?;
        let mut swaps = Vec::new();
        for (index, record) in records.iter().enumerate() {
            // Each is a write of its own, and the worker may be gone in the middle.
            if index % 7 == 3 {
                self.pause(500, 2000).await;
                if self.world().fault(0.1) {
                    return Err(StorageError::failed("cannot use the table", "throttled"));
                }
            }
            let mut world = self.world();
            let key = (integration.to_owned(), record.ticket_id.clone());
            let stored = world.seen.get(&key).map_or(0, |stored| stored.revision);
            if stored == record.revision {
                let mut next = record.clone();
                next.revision += 1;
                world.seen.insert(key, next);
                swaps.push(Swap::Stored);
            } else {
                swaps.push(Swap::Conflict);
            }
        }
        self.pause(2000, 10_000).await;
        self.answer_is_lost()?;
        if self.world().fault(0.1) {
            swaps.fill(Swap::Conflict);
        }
        Ok(swaps)
    }
}

impl Worker {
    /// A write of the stream's record was done.
    fn committed(&self, world: &mut World, record: &StreamRecord, before: Timestamp) {
        let mut began = self.window_began();
        if record.saved.is_some() {
            if began.is_some() {
                world.streams[self.stream].saved_window_began = *began;
            }
            return;
        }
        let Some(began) = began.take() else { return };
        let settings = &world.streams[self.stream].settings;
        let look_back = i64::try_from(settings.look_back.as_micros()).unwrap();
        let start = before.as_microsecond() - look_back;
        let watermark = record.watermark.as_microsecond();
        world.check_commit(self.stream, began, start, watermark);
    }
}

#[async_trait]
impl EventSink for Worker {
    fn batch_size(&self) -> usize {
        10
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        assert!(
            !events.is_empty() && events.len() <= 10,
            "a batch has 1 to 10 events"
        );
        self.pause(5000, 40_000).await;
        let failed = || StorageError::failed("cannot publish", "throttled");
        let mut answers = Vec::new();
        {
            let mut world = self.world();
            if self.line.now() < world.sink_down_until || world.fault(0.5) {
                return Err(failed());
            }
            let half = world.fault(1.0);
            let retention = i64::try_from(world.streams[self.stream].settings.retention.as_micros()).unwrap();
            for event in events {
                if half && world.chance(0.5) {
                    answers.push(Acceptance::Refused("an internal error of the bus".to_owned()));
                    continue;
                }
                answers.push(Acceptance::Accepted);
                let content = content(event);
                let world = &mut *world;
                match world.accepted.get(&event.event_id) {
                    Some(first) => {
                        world.score.resent += 1;
                        if *first != content {
                            world.score.wrong += 1;
                            world
                                .score
                                .problem(|| format!("another content under the same id: {event:?}"));
                        }
                    }
                    None => {
                        world.accepted.insert(event.event_id.clone(), content);
                        let truth = &mut world.tickets[ticket_of(&event.ticket_id) as usize];
                        let outage = world.streams[self.stream].outage;
                        accepted(truth, event, self.line.now(), retention, outage, &mut world.score);
                    }
                }
            }
        }
        self.pause(5000, 40_000).await;
        if self.world().fault(0.5) {
            return Err(failed());
        }
        Ok(answers)
    }
}

fn content(event: &Event) -> u64 {
    let text = serde_json::to_vec(event).unwrap();
    text.iter().fold(7, |all, byte| hash(all ^ u64::from(*byte)))
}
