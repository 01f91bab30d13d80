//! The event log in DynamoDB.
//!
//! | `pk` | `sk` | attributes |
//! |---|---|---|
//! | `EVENT#<integration>` | `END` | `newest`: the number of the newest event; `newest_at`: when it was accepted |
//! | `EVENT#<integration>#<12 digits>` | `<16 digits>` | an event: `event_id`, `data`: compressed JSON, or `chunks`: how many |
//! | | `<16 digits>#<3 digits>` | `data`: a part of a large event |
//! | `EVENTID#<integration>#<2 digits>` | `<event id>` | `number`: that this event is in the log |
//!
//! Times are in seconds since 1970. All but `END` have `expires_at`, and count as deleted from then on. A partition
//! holds a thousand numbers.
//!
//! **Order and once.** Events are numbered from 1 in their integration. One transaction moves `END` from the number it
//! has, puts the events under the numbers behind it, and their ids on the condition that they are not there. Of
//! appenders that meet one wins, and the others go on behind it; so there are no gaps, no event has two numbers, and
//! what is read up to a number is all there will ever be. A repeat is known by its id, whoever wrote it first.
//!
//! **Reading.** A transaction is not seen as a whole: `END` may be ahead of the last events for a moment. A reader stops at
//! the first number that is missing, and asks for it by a transaction of its own, which waits for the other one. If it
//! is missing then, its time is over.

mod append;
mod items;
mod read;

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::connection::Connection;
use super::table::{Item, Table};
use crate::error::StorageError;
use crate::event_log::{EventCursor, EventLog, LoggedEvent, cursor, number};
use crate::event_sink::{Acceptance, Event, EventSink};
use items::{END, NEWEST, NEWEST_AT, Packed, events_of};

/// Events that one call takes: with their ids, half of what a transaction takes.
const BATCH: usize = 25;

/// The event log in a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoEventLog {
    table: Table,
}

/// How far the log of an integration goes.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    /// The number of the newest event, 0 where there never was one.
    newest: u64,
    /// When that was accepted.
    at: u64,
}

impl DynamoEventLog {
    /// Keeps events in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
        }
    }

    async fn end_of(&self, doing: &str, integration: &str) -> Result<End, StorageError> {
        let found = self.table.get(doing, &events_of(integration), END).await?;
        found.map_or(Ok(End::default()), |item| self.end_in(&item))
    }

    fn end_in(&self, item: &Item) -> Result<End, StorageError> {
        let row = self.table.read(item);
        Ok(End {
            newest: row.number(NEWEST)?,
            at: row.number(NEWEST_AT)?,
        })
    }
}

#[async_trait]
impl EventSink for DynamoEventLog {
    fn batch_size(&self) -> usize {
        BATCH
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        let mut integrations: Vec<&str> = Vec::new();
        for event in events {
            if !integrations.contains(&event.integration.as_str()) {
                integrations.push(&event.integration);
            }
        }
        for integration in integrations {
            let mut ids = HashSet::new();
            let of_it = events.iter().filter(|event| event.integration == integration);
            let packed = of_it
                .filter(|event| ids.insert(event.event_id.as_str()))
                .map(Packed::new)
                .collect::<Result<Vec<_>, _>>()?;
            self.append(integration, packed).await?;
        }
        Ok(vec![Acceptance::Accepted; events.len()])
    }
}

#[async_trait]
impl EventLog for DynamoEventLog {
    async fn read(
        &self,
        integration: &str,
        after: Option<&EventCursor>,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        let doing = format!("cannot read the events of `{integration}`");
        let end = self.end_of(&doing, integration).await?;
        let before = after
            .map(|after| number(integration, after, end.newest))
            .transpose()?;
        if limit == 0 || before == Some(end.newest) {
            return Ok(Vec::new());
        }
        match before {
            Some(before) => self.read_behind(&doing, integration, before, limit, end).await,
            None => self.read_from_oldest(&doing, integration, limit, end).await,
        }
    }

    async fn end(&self, integration: &str) -> Result<Option<EventCursor>, StorageError> {
        let doing = format!("cannot read the end of the events of `{integration}`");
        let end = self.end_of(&doing, integration).await?;
        Ok((end.newest > 0).then(|| cursor(end.newest)))
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    u64::try_from(Timestamp::now().as_second()).unwrap_or_default()
}
