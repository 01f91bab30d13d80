//! A store and a log that are throttled, lose answers and take half a batch, in front of ones that do not. They note
//! what was committed when.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use polling::Clock;
use storage::embedded::EmbeddedStore;
use storage::{
    Acceptance, Event, EventCursor, EventLog, EventSink, PollState, SeenTicket, StorageError, StreamKey,
    StreamRecord, Swap,
};

use crate::chance::Chance;
use crate::virtual_time::VirtualTime;

/// A watermark that was stored.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) at: Timestamp,
    pub(crate) watermark: Timestamp,
    /// The end of the log at that time.
    pub(crate) log: Option<EventCursor>,
}

pub(crate) struct Unreliable {
    store: EmbeddedStore,
    clock: Arc<VirtualTime>,
    chance: Arc<Chance>,
    is_calm: AtomicBool,
    commits: Mutex<Vec<Commit>>,
    /// How often a run took over from one whose lease was there.
    taken_over: AtomicU64,
}

impl Unreliable {
    pub(crate) fn new(store: EmbeddedStore, clock: Arc<VirtualTime>, chance: Arc<Chance>) -> Self {
        Self {
            store,
            clock,
            chance,
            is_calm: AtomicBool::new(false),
            commits: Mutex::default(),
            taken_over: AtomicU64::new(0),
        }
    }

    pub(crate) fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn commits(&self) -> Vec<Commit> {
        self.commits.lock().unwrap().clone()
    }

    pub(crate) fn taken_over(&self) -> u64 {
        self.taken_over.load(Ordering::Relaxed)
    }

    fn happens(&self, share: f64) -> bool {
        !self.is_calm.load(Ordering::Relaxed) && self.chance.of(share)
    }

    /// Lets others work, and be dropped here. Now and then it takes longer than any lease.
    async fn pause(&self) {
        if self.happens(0.001) {
            self.clock.advance(self.chance.between(61_000, 90_000));
        }
        let times = self.chance.between(1, 4);
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    /// Before a call: whether it does nothing and fails.
    async fn ask(&self) -> Result<(), StorageError> {
        self.pause().await;
        if self.happens(0.004) {
            return Err(StorageError::failed("cannot use the table", "throttled"));
        }
        Ok(())
    }

    /// After a call: whether its answer is lost.
    async fn answer<T>(&self, answer: T) -> Result<T, StorageError> {
        self.pause().await;
        if self.happens(0.004) {
            return Err(StorageError::failed("cannot use the table", "timed out"));
        }
        Ok(answer)
    }
}

#[async_trait]
impl PollState for Unreliable {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        self.ask().await?;
        let record = self.store.stream(key).await?;
        self.answer(record).await
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        self.store.streams().await
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        self.ask().await?;
        let before = self.store.stream(&record.key).await?;
        let swap = self.store.store_stream(record).await?;
        if swap == Swap::Stored {
            let owner = |record: &StreamRecord| record.lease.as_ref().map(|lease| lease.owner.clone());
            let (had, has) = (before.as_ref().and_then(owner), owner(record));
            if had.is_some() && has.is_some() && had != has {
                self.taken_over.fetch_add(1, Ordering::Relaxed);
            }
            if before.is_none_or(|before| before.watermark != record.watermark) {
                let log = self.store.end(&record.key.integration).await?;
                self.commits.lock().unwrap().push(Commit {
                    at: self.clock.now(),
                    watermark: record.watermark,
                    log,
                });
            }
        }
        self.answer(swap).await
    }

    async fn seen(&self, integration: &str, ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        self.ask().await?;
        let seen = self.store.seen(integration, ids).await?;
        self.answer(seen).await
    }

    async fn store_seen(&self, integration: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError> {
        self.ask().await?;
        // Each is a write of its own, and the worker may be gone in the middle.
        let (first, rest) = records.split_at(records.len() / 2);
        let mut swaps = self.store.store_seen(integration, first).await?;
        self.pause().await;
        swaps.extend(self.store.store_seen(integration, rest).await?);
        self.answer(swaps).await
    }
}

#[async_trait]
impl EventSink for Unreliable {
    fn batch_size(&self) -> usize {
        10
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        self.ask().await?;
        // The first of a batch, or all: what an unreliable bus does.
        let taken = if self.happens(0.02) {
            events.len() / 2
        } else {
            events.len()
        };
        let (taken, refused) = events.split_at(taken);
        let mut answers = if taken.is_empty() {
            Vec::new()
        } else {
            self.store.publish(taken).await?
        };
        answers.extend(
            refused
                .iter()
                .map(|_| Acceptance::Refused("an internal error of the bus".to_owned())),
        );
        self.answer(answers).await
    }
}
