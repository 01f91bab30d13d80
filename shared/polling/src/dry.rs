//! A run that changes nothing: what would be published.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use storage::{
    Acceptance, Event, EventSink, PollState, SeenTicket, StorageError, StreamKey, StreamRecord, Swap,
};

use crate::report::Report;
use crate::run::{Limits, Ports, run};
use crate::settings::Settings;

/// Runs a stream as [`run`] does, without storing or publishing anything, and gives the events that it would
/// publish. A lease, a pause and a wait are passed over; the sink of `ports` is not used. Holds all events in
/// memory.
pub async fn dry_run(
    key: &StreamKey,
    settings: &Settings,
    ports: Ports<'_>,
    limits: &Limits,
) -> (Report, Vec<Event>) {
    let state = Overlay {
        below: ports.state,
        written: Mutex::default(),
    };
    let collected = Collected::default();
    let ports = Ports {
        state: &state,
        sink: &collected,
        ..ports
    };
    let report = run(key, settings, ports, limits).await;
    let events = collected.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    (report, events)
}

/// Reads through to a store and keeps what is written to itself.
struct Overlay<'a> {
    below: &'a dyn PollState,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    stream: Option<StreamRecord>,
    seen: HashMap<String, SeenTicket>,
}

impl Overlay<'_> {
    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PollState for Overlay<'_> {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        let own = self.written().stream.clone();
        if own.is_some() {
            return Ok(own);
        }
        let stored = self.below.stream(key).await?;
        Ok(stored.map(|record| StreamRecord {
            paused: false,
            lease: None,
            not_before: None,
            caught_up_at: None,
            ..record
        }))
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        self.below.streams().await
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        let mut next = record.clone();
        next.revision += 1;
        self.written().stream = Some(next);
        Ok(Swap::Stored)
    }

    async fn seen(&self, integration: &str, ticket_ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        let mut seen = self.below.seen(integration, ticket_ids).await?;
        let written = self.written();
        seen.retain(|seen| !written.seen.contains_key(&seen.ticket_id));
        seen.extend(ticket_ids.iter().filter_map(|id| written.seen.get(*id).cloned()));
        Ok(seen)
    }

    async fn store_seen(&self, _: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError> {
        let mut written = self.written();
        for record in records {
            let mut next = record.clone();
            next.revision += 1;
            written.seen.insert(next.ticket_id.clone(), next);
        }
        Ok(vec![Swap::Stored; records.len()])
    }
}

#[derive(Default)]
struct Collected(Mutex<Vec<Event>>);

#[async_trait]
impl EventSink for Collected {
    fn batch_size(&self) -> usize {
        100
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        let mut collected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        collected.extend_from_slice(events);
        Ok(vec![Acceptance::Accepted; events.len()])
    }
}
