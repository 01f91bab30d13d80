//! A poller over ports that live in memory: a scripted or modelled ticketing system, a store and a sink that
//! count and can be told to fail, a clock that is set.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use polling::{
    Clock, Limits, Outcome, Page, PageRequest, Ports, Report, Settings, Source, SourceError, Ticket, run,
};
use serde_json::{Map, Value, json};
use storage::{
    Acceptance, Event, EventSink, PollState, SeenTicket, StorageError, StreamKey, StreamRecord, Swap,
};

/// 10:00:00 on a day, plus seconds.
pub fn at(seconds: f64) -> Timestamp {
    let begin: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
    Timestamp::from_microsecond(begin.as_microsecond() + (seconds * 1e6).round() as i64).unwrap()
}

/// Seconds after 10:00:00.
pub fn seconds(time: Timestamp) -> f64 {
    (time.as_microsecond() - at(0.0).as_microsecond()) as f64 / 1e6
}

pub fn ticket(id: &str, updated: f64, state: &str) -> Ticket {
    let mut fields = Map::new();
    fields.insert("id".into(), json!(id));
    fields.insert("state".into(), json!(state));
    fields.insert("updated_at".into(), json!(at(updated).to_string()));
    Ticket {
        id: id.to_owned(),
        updated_at: at(updated),
        created_at: None,
        fields,
    }
}

pub fn page(tickets: Vec<Ticket>, next: Option<&str>) -> Page {
    Page {
        tickets,
        next: next.map(str::to_owned),
        ..Page::default()
    }
}

type Answer = Box<dyn Fn(&PageRequest) -> Result<Page, SourceError> + Send + Sync>;

#[derive(Default)]
pub struct Inner {
    pub now: Option<Timestamp>,
    /// Moves the clock at every page.
    pub page_takes: f64,
    pub script: VecDeque<Result<Page, SourceError>>,
    pub requests: Vec<PageRequest>,
    pub records: BTreeMap<StreamKey, StreamRecord>,
    pub seen: BTreeMap<String, SeenTicket>,
    pub reads: usize,
    pub writes: usize,
    pub writes_of_tickets: usize,
    /// Events in the order of their first acceptance.
    pub log: Vec<Event>,
    /// Every acceptance, repeats included.
    pub accepted: usize,
    pub refuse: Vec<String>,
    pub sink_is_down: bool,
}

/// Everything around the core.
#[derive(Clone, Default)]
pub struct World {
    pub inner: Arc<Mutex<Inner>>,
    model: Arc<Mutex<Option<Answer>>>,
}

impl World {
    /// The time is 10:00:00 plus `seconds`.
    pub fn at(seconds: f64) -> Self {
        let world = Self::default();
        world.set(seconds);
        world
    }

    pub fn set(&self, seconds: f64) {
        self.with(|inner| inner.now = Some(at(seconds)));
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap())
    }

    /// The answers of the next requests; after them, empty pages.
    pub fn answers(&self, pages: impl IntoIterator<Item = Page>) {
        self.with(|inner| inner.script.extend(pages.into_iter().map(Ok)));
    }

    pub fn fails(&self, error: SourceError) {
        self.with(|inner| inner.script.push_back(Err(error)));
    }

    /// A ticketing system that answers every request.
    pub fn model(&self, answer: impl Fn(&PageRequest) -> Result<Page, SourceError> + Send + Sync + 'static) {
        *self.model.lock().unwrap() = Some(Box::new(answer));
    }

    /// The stored watermark, in seconds.
    pub fn watermark(&self) -> f64 {
        seconds(self.record().watermark)
    }

    pub fn record(&self) -> StreamRecord {
        self.with(|inner| inner.records.get(&key()).cloned().expect("the stream was stored"))
    }

    /// A stream that was polled up to `watermark`, long ago.
    pub fn polled_until(&self, watermark: f64) {
        let mut record = StreamRecord::new(key(), at(-1e6), at(watermark));
        record.revision = 1;
        self.with(|inner| inner.records.insert(key(), record));
    }

    pub fn requests(&self) -> Vec<(f64, f64, Option<String>)> {
        self.with(|inner| std::mem::take(&mut inner.requests))
            .into_iter()
            .map(|request| (seconds(request.start), seconds(request.end), request.token))
            .collect()
    }

    /// What was published, as "ticket state".
    pub fn published(&self) -> Vec<String> {
        let show = |event: &Event| format!("{} {}", event.ticket_id, event.ticket["state"].as_str().unwrap());
        self.with(|inner| inner.log.iter().map(show).collect())
    }

    pub fn log(&self) -> Vec<Event> {
        self.with(|inner| inner.log.clone())
    }

    pub fn ports(&self) -> Ports<'_> {
        Ports {
            source: self,
            state: self,
            sink: self,
            journal: None,
            clock: self,
        }
    }

    pub fn limits(&self) -> Limits {
        Limits {
            owner: "a run".to_owned(),
            deadline: at(seconds(self.now()) + 3600.0),
            reserve: Duration::from_secs(5),
        }
    }

    pub fn poll(&self, settings: &Settings) -> Report {
        self.poll_as(&key(), settings, &self.limits())
    }

    pub fn poll_as(&self, key: &StreamKey, settings: &Settings, limits: &Limits) -> Report {
        let work = pin!(run(key, settings, self.ports(), limits));
        complete(work)
    }

    /// Runs until the `steps`-th wait and drops the run there. Whether it was still running.
    pub fn poll_killed_after(&self, settings: &Settings, steps: usize) -> bool {
        let (key, limits) = (key(), self.limits());
        let mut work = pin!(run(&key, settings, self.ports(), &limits));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..steps {
            if work.as_mut().poll(&mut context).is_ready() {
                return false;
            }
        }
        true
    }
}

pub fn complete<T>(mut work: std::pin::Pin<&mut impl Future<Output = T>>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
    }
}

pub fn key() -> StreamKey {
    StreamKey {
        integration: "helpdesk".to_owned(),
        destination: Some("it".to_owned()),
    }
}

pub fn failure(report: &Report) -> &str {
    match &report.outcome {
        Outcome::Failed(why) => why,
        other => panic!("the run did not fail: {other:?}"),
    }
}

/// A place where a run can be dropped.
async fn wait() {
    let mut is_second = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut is_second, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.with(|inner| inner.now.expect("the time is set"))
    }
}

#[async_trait]
impl Source for World {
    async fn page(&self, request: &PageRequest) -> Result<Page, SourceError> {
        wait().await;
        let scripted = self.with(|inner| {
            inner.requests.push(request.clone());
            inner.now = inner.now.map(|now| at(seconds(now) + inner.page_takes));
            inner.script.pop_front()
        });
        let model = self.model.lock().unwrap();
        match (scripted, model.as_ref()) {
            (Some(answer), _) => answer,
            (None, Some(model)) => model(request),
            (None, None) => Ok(Page::default()),
        }
    }
}

#[async_trait]
impl PollState for World {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        wait().await;
        Ok(self.with(|inner| {
            inner.reads += 1;
            inner.records.get(key).cloned()
        }))
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        Ok(self.with(|inner| inner.records.values().cloned().collect()))
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        wait().await;
        let swap = self.with(|inner| {
            inner.writes += 1;
            let stored = inner.records.get(&record.key).map_or(0, |stored| stored.revision);
            if stored != record.revision {
                return Swap::Conflict;
            }
            // As an adapter does: through JSON.
            let text = serde_json::to_string(record).unwrap();
            let mut next: StreamRecord = serde_json::from_str(&text).unwrap();
            assert_eq!(next, *record);
            next.revision += 1;
            inner.records.insert(record.key.clone(), next);
            Swap::Stored
        });
        wait().await;
        Ok(swap)
    }

    async fn seen(&self, _: &str, ticket_ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        wait().await;
        assert!(ticket_ids.len() <= 100);
        Ok(self.with(|inner| {
            inner.reads += 1;
            ticket_ids
                .iter()
                .filter_map(|id| inner.seen.get(*id).cloned())
                .collect()
        }))
    }

    async fn store_seen(&self, _: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError> {
        let mut swaps = Vec::new();
        for record in records {
            wait().await;
            swaps.push(self.with(|inner| {
                inner.writes_of_tickets += 1;
                let stored = inner
                    .seen
                    .get(&record.ticket_id)
                    .map_or(0, |stored| stored.revision);
                if stored != record.revision {
                    return Swap::Conflict;
                }
                let text = serde_json::to_string(record).unwrap();
                let mut next: SeenTicket = serde_json::from_str(&text).unwrap();
                next.revision += 1;
                inner.seen.insert(record.ticket_id.clone(), next);
                Swap::Stored
            }));
        }
        wait().await;
        Ok(swaps)
    }
}

#[async_trait]
impl EventSink for World {
    fn batch_size(&self) -> usize {
        10
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        wait().await;
        let answers = self.with(|inner| {
            if inner.sink_is_down {
                return Err(StorageError::failed("cannot publish", "throttled"));
            }
            let answers = events.iter().map(|event| {
                if inner.refuse.contains(&event.ticket_id) {
                    return Acceptance::Refused("busy".to_owned());
                }
                inner.accepted += 1;
                match inner.log.iter().find(|logged| logged.event_id == event.event_id) {
                    Some(logged) => assert_eq!(logged, event, "a repeat is the same event"),
                    None => inner.log.push(event.clone()),
                }
                Acceptance::Accepted
            });
            Ok(answers.collect())
        });
        wait().await;
        answers
    }
}

/// A list of tickets that answers as a ticketing system with a filter, an order and offset pages does.
pub fn listing(tickets: Vec<Ticket>, page_size: usize) -> impl Fn(&PageRequest) -> Result<Page, SourceError> {
    move |request| {
        let offset: usize = request.token.as_deref().map_or(0, |token| token.parse().unwrap());
        let inside: Vec<&Ticket> = tickets
            .iter()
            .filter(|ticket| request.start <= ticket.updated_at && ticket.updated_at <= request.end)
            .collect();
        let found: Vec<Ticket> = inside
            .iter()
            .skip(offset)
            .take(page_size)
            .map(|ticket| (*ticket).clone())
            .collect();
        let next = (inside.len() > offset + page_size).then(|| (offset + page_size).to_string());
        Ok(Page {
            tickets: found,
            next,
            ..Page::default()
        })
    }
}

pub fn value(text: &str) -> Value {
    Value::from(text)
}
