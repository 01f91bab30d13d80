//! The poller's records in the embedded database.

use async_trait::async_trait;
use jiff::Timestamp;
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::database::{EmbeddedStore, Failure};
use crate::error::StorageError;
use crate::poll_state::{PollState, SeenTicket, StreamKey, StreamRecord, Swap};

/// (integration, destination) to the stream's record as JSON.
const STREAMS: TableDefinition<'_, (&str, Option<&str>), &[u8]> = TableDefinition::new("poll_stream");
/// (integration, ticket) to revision, milliseconds since 1970 from when on it can be deleted, and the record as JSON.
const SEEN: TableDefinition<'_, (&str, &str), (u64, i64, &[u8])> = TableDefinition::new("poll_seen");
/// (milliseconds since 1970, integration, ticket): from when on a record can be deleted.
const SEEN_BY_END: TableDefinition<'_, (i64, &str, &str), ()> = TableDefinition::new("poll_seen_by_end");

/// The time of a record that has none.
const NEVER: i64 = i64::MAX;
/// Records that are deleted with a write, beyond twice those that it adds.
const TIDIED_BESIDE: usize = 16;

/// Makes the tables.
pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), Failure> {
    transaction.open_table(STREAMS)?;
    transaction.open_table(SEEN)?;
    transaction.open_table(SEEN_BY_END)?;
    Ok(())
}

#[async_trait]
impl PollState for EmbeddedStore {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        let key = key.clone();
        self.read("cannot read the state of a stream", move |transaction| {
            let place = (key.integration.as_str(), key.destination.as_deref());
            let found = transaction.open_table(STREAMS)?.get(place)?;
            Ok(found
                .map(|record| serde_json::from_slice(record.value()))
                .transpose()?)
        })
        .await
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        self.read("cannot list the streams", |transaction| {
            let mut all = Vec::new();
            for entry in transaction.open_table(STREAMS)?.iter()? {
                all.push(serde_json::from_slice(entry?.1.value())?);
            }
            Ok(all)
        })
        .await
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        let mut next = record.clone();
        self.write("cannot store the state of a stream", move |transaction| {
            let mut streams = transaction.open_table(STREAMS)?;
            let key = next.key.clone();
            let place = (key.integration.as_str(), key.destination.as_deref());
            let stored: Option<StreamRecord> = streams
                .get(place)?
                .map(|record| serde_json::from_slice(record.value()))
                .transpose()?;
            if stored.map_or(0, |stored| stored.revision) != next.revision {
                return Ok(Swap::Conflict);
            }
            next.revision += 1;
            streams.insert(place, serde_json::to_vec(&next)?.as_slice())?;
            Ok(Swap::Stored)
        })
        .await
    }

    async fn seen(&self, integration: &str, ticket_ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        let integration = integration.to_owned();
        let tickets: Vec<String> = ticket_ids.iter().map(|&id| id.to_owned()).collect();
        self.read("cannot read what was seen of tickets", move |transaction| {
            let seen = transaction.open_table(SEEN)?;
            let mut found = Vec::with_capacity(tickets.len());
            for ticket in &tickets {
                if let Some(record) = seen.get((integration.as_str(), ticket.as_str()))? {
                    found.push(serde_json::from_slice(record.value().2)?);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn store_seen(&self, integration: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError> {
        let (integration, records) = (integration.to_owned(), records.to_vec());
        self.write("cannot store what was seen of tickets", move |transaction| {
            let mut seen = transaction.open_table(SEEN)?;
            let mut by_end = transaction.open_table(SEEN_BY_END)?;
            let tidied = 2 * records.len() + TIDIED_BESIDE;
            let mut swaps = Vec::with_capacity(records.len());
            for record in records {
                swaps.push(swap(&mut seen, &mut by_end, &integration, record)?);
            }
            tidy(&mut seen, &mut by_end, Timestamp::now(), tidied)?;
            Ok(swaps)
        })
        .await
    }
}

type Seen<'t> = Table<'t, (&'static str, &'static str), (u64, i64, &'static [u8])>;
type SeenByEnd<'t> = Table<'t, (i64, &'static str, &'static str), ()>;

fn swap(
    seen: &mut Seen<'_>,
    by_end: &mut SeenByEnd<'_>,
    integration: &str,
    mut next: SeenTicket,
) -> Result<Swap, Failure> {
    let ticket = next.ticket_id.clone();
    let place = (integration, ticket.as_str());
    let stored = seen.get(place)?.map(|record| {
        let (revision, end, _) = record.value();
        (revision, end)
    });
    let (revision, end) = stored.unwrap_or((0, NEVER));
    if revision != next.revision {
        return Ok(Swap::Conflict);
    }
    next.revision += 1;
    by_end.remove((end, integration, ticket.as_str()))?;
    let end = match (&next.pending, next.expires_at) {
        (None, Some(end)) => end.as_millisecond(),
        _ => NEVER,
    };
    if end != NEVER {
        by_end.insert((end, integration, ticket.as_str()), ())?;
    }
    let json = serde_json::to_vec(&next)?;
    seen.insert(place, (next.revision, end, json.as_slice()))?;
    Ok(Swap::Stored)
}

/// Deletes some of the records whose time is over.
fn tidy(seen: &mut Seen<'_>, by_end: &mut SeenByEnd<'_>, now: Timestamp, most: usize) -> Result<(), Failure> {
    let mut ended = Vec::new();
    for entry in by_end.range(..(now.as_millisecond(), "", ""))?.take(most) {
        let place = entry?.0;
        let (end, integration, ticket) = place.value();
        ended.push((end, integration.to_owned(), ticket.to_owned()));
    }
    for (end, integration, ticket) in ended {
        by_end.remove((end, integration.as_str(), ticket.as_str()))?;
        seen.remove((integration.as_str(), ticket.as_str()))?;
    }
    Ok(())
}
