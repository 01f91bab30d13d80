//! Reading events.

use aws_sdk_dynamodb::types::{Get, TransactGetItem};

use super::items::{CHUNKS, DATA, last_beside, place, sort_key};
use super::{DynamoEventLog, End, now};
use crate::aws::chunks;
use crate::aws::pause::pause;
use crate::aws::table::{EXPIRES_AT, Item, PK, SK, text};
use crate::aws::transaction::incomplete;
use crate::error::StorageError;
use crate::event_log::{EVENTS_KEPT, LoggedEvent, cursor, no_longer_kept};
use crate::event_sink::Event;

/// Compressed bytes that one read gives, apart from its last event.
const MOST_AT_ONCE: usize = 1_000_000;
/// Reads that end before their first event, until it is given up.
const ATTEMPTS: u32 = 8;

impl DynamoEventLog {
    /// The events behind a number, of which there is at least one.
    pub(super) async fn read_behind(
        &self,
        doing: &str,
        integration: &str,
        before: u64,
        limit: usize,
        end: End,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        let first = before + 1;
        for attempt in 0..ATTEMPTS {
            let events = self.events(doing, integration, first, limit, end).await?;
            if !events.is_empty() {
                return Ok(events);
            }
            if !self.is_there(doing, integration, first).await? {
                return Err(no_longer_kept(integration, &cursor(before)));
            }
            pause(attempt).await;
        }
        let why = "its newest events do not appear";
        Err(StorageError::unavailable(doing, why))
    }

    /// The oldest events that are kept.
    pub(super) async fn read_from_oldest(
        &self,
        doing: &str,
        integration: &str,
        limit: usize,
        end: End,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        if end.newest == 0 || end.at.saturating_add(EVENTS_KEPT.as_secs()) <= now() {
            return Ok(Vec::new());
        }
        for attempt in 0..ATTEMPTS {
            let oldest = self.oldest(doing, integration, end).await?;
            let events = self.events(doing, integration, oldest, limit, end).await?;
            if !events.is_empty() {
                return Ok(events);
            }
            // The oldest was over in this moment, or the newest is not visible yet.
            pause(attempt).await;
        }
        let why = "its oldest event goes away while it is read";
        Err(StorageError::unavailable(doing, why))
    }

    /// The number of the oldest event that is kept. Those that are not come first: times only grow with the numbers.
    async fn oldest(&self, doing: &str, integration: &str, end: End) -> Result<u64, StorageError> {
        // The newest is kept: that is known from its time.
        let (mut low, mut high) = (1, end.newest);
        while low < high {
            let middle = low + (high - low) / 2;
            let (pk, sk) = place(integration, middle);
            let found = self.table.get(doing, &pk, &sk).await?;
            let is_kept = found.map(|item| self.is_kept(&item)).transpose()?;
            if is_kept == Some(true) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// The events from a number on, up to the first that is missing or over.
    async fn events(
        &self,
        doing: &str,
        integration: &str,
        first: u64,
        limit: usize,
        end: End,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        let last = end.newest.min(first.saturating_add(limit as u64 - 1));
        let (mut events, mut next, mut bytes) = (Vec::new(), first, 0);
        while next <= last && bytes < MOST_AT_ONCE {
            let until = last.min(last_beside(next));
            let (pk, from) = place(integration, next);
            let query = self.table.client.query().table_name(&self.table.name);
            // The parts of an event come behind it, and before the next one.
            let mut items = query
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :until")
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":until", text(format!("{}~", sort_key(until))))
                .consistent_read(true)
                .into_paginator()
                .items()
                .send();
            while bytes < MOST_AT_ONCE {
                let Some(item) = items.next().await else { break };
                let head = item.map_err(|error| self.table.explain(doing, &error))?;
                let row = self.table.read(&head);
                if row.text(SK)? != sort_key(next) || !self.is_kept(&head)? {
                    return Ok(events);
                }
                let mut packed = Vec::new();
                if row.has(CHUNKS) {
                    for index in 0..row.number(CHUNKS)? {
                        let Some(part) = items.next().await else {
                            return Ok(events);
                        };
                        let part = part.map_err(|error| self.table.explain(doing, &error))?;
                        let part = self.table.read(&part);
                        if part.text(SK)? != format!("{}#{index:03}", sort_key(next)) {
                            return Ok(events);
                        }
                        packed.extend_from_slice(part.bytes(DATA)?);
                    }
                } else {
                    packed.extend_from_slice(row.bytes(DATA)?);
                }
                let event: Event = chunks::unpack(&packed).ok_or_else(|| row.is_not_ours(DATA))?;
                bytes += packed.len();
                events.push(LoggedEvent {
                    cursor: cursor(next),
                    event,
                });
                next += 1;
            }
            if next <= until {
                break;
            }
        }
        Ok(events)
    }

    /// Whether the event can be read, once every transaction that is under way has ended.
    async fn is_there(&self, doing: &str, integration: &str, number: u64) -> Result<bool, StorageError> {
        let (pk, sk) = place(integration, number);
        let get = Get::builder()
            .table_name(&self.table.name)
            .key(PK, text(pk))
            .key(SK, text(sk))
            .build();
        let get = TransactGetItem::builder().get(get.map_err(incomplete)?).build();
        let request = self.table.client.transact_get_items().transact_items(get);
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.table.explain(doing, &error))?;
        let found = answer.responses().first().and_then(|response| response.item());
        found.map_or(Ok(false), |item| self.is_kept(item))
    }

    fn is_kept(&self, item: &Item) -> Result<bool, StorageError> {
        Ok(now() < self.table.read(item).number(EXPIRES_AT)?)
    }
}
