//! The poller's records in DynamoDB.
//!
//! | `pk` | `sk` | attributes |
//! |---|---|---|
//! | `POLL#<integration>` | `STREAM`, `STREAM#<destination>` | `record`: the stream's record as JSON; `revision`, `mark` |
//! | `STREAMS` | as `pk` and `sk` of the stream, in one | `integration`, `destination`: that there is such a stream |
//! | `SEEN#<integration>#<2 digits>` | `<ticket id>` | `data`: compressed JSON, or `chunks`: how many, and `version`; `revision`, `mark` |
//! | `SEENPART#<integration>#<64 digits>` | `<3 digits>` | `data`: a part of a large record; `mark`: which write's |
//!
//! The digits are those of the ticket id's SHA-256. A record without an event pending has `expires_at`. A large record
//! and its parts are written in one transaction, those of the record before it are deleted in the same. DynamoDB deletes
//! what has expired one by one, so that parts may be gone before their record.

mod seen;
mod too_large;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};

use super::connection::Connection;
use super::swap::{REVISION, swap};
use super::table::{Item, PK, SK, Table, text};
use crate::error::StorageError;
use crate::poll_state::{PollState, SeenTicket, StreamKey, StreamRecord, Swap};

const STREAMS: &str = "STREAMS";
const RECORD: &str = "record";
/// Records of tickets that are written at a time.
const WRITERS: usize = 16;

/// The poller's records in a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoPollState {
    table: Table,
}

impl DynamoPollState {
    /// Keeps them in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
        }
    }

    fn stream_of(&self, item: &Item) -> Result<StreamRecord, StorageError> {
        let row = self.table.read(item);
        let mut record: StreamRecord =
            serde_json::from_str(row.text(RECORD)?).map_err(|_| row.is_not_ours(RECORD))?;
        record.revision = row.number(REVISION)?;
        Ok(record)
    }

    /// Puts a new stream on the list, so that listing them does not read the whole table.
    async fn list(&self, doing: &str, key: &StreamKey) -> Result<(), StorageError> {
        let (pk, sk) = place(key);
        let mut item = Item::from([
            (PK.to_owned(), text(STREAMS)),
            (SK.to_owned(), text(format!("{pk}#{sk}"))),
            ("integration".to_owned(), text(&key.integration)),
        ]);
        let destination = key.destination.as_ref();
        item.extend(destination.map(|destination| ("destination".to_owned(), text(destination))));
        let request = self.table.client.put_item().table_name(&self.table.name);
        let answer = request.set_item(Some(item)).send().await;
        answer.map_err(|error| self.table.explain(doing, &error))?;
        Ok(())
    }
}

#[async_trait]
impl PollState for DynamoPollState {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        let doing = format!("cannot read the state of {}", shown(key));
        let (pk, sk) = place(key);
        let found = self.table.get(&doing, &pk, &sk).await?;
        found.map(|item| self.stream_of(&item)).transpose()
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        let doing = "cannot list the streams";
        let mut keys = Vec::new();
        for item in self.table.all(doing, STREAMS, None).await? {
            let row = self.table.read(&item);
            keys.push(place(&StreamKey {
                integration: row.text("integration")?.to_owned(),
                destination: match row.has("destination") {
                    true => Some(row.text("destination")?.to_owned()),
                    false => None,
                },
            }));
        }
        let found = self.table.get_all(doing, keys).await?;
        let records: Result<Vec<_>, _> = found.iter().map(|item| self.stream_of(item)).collect();
        let mut records = records?;
        records.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(records)
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        let doing = format!("cannot store the state of {}", shown(&record.key));
        if record.revision == 0 {
            self.list(&doing, &record.key).await?;
        }
        let (pk, sk) = place(&record.key);
        let json = serde_json::to_string(record).map_err(|error| StorageError::failed(&doing, error))?;
        let item = Item::from([
            (PK.to_owned(), text(pk)),
            (SK.to_owned(), text(sk)),
            (RECORD.to_owned(), text(json)),
        ]);
        swap(&self.table, &doing, item, record.revision).await
    }

    async fn seen(&self, integration: &str, ticket_ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        let doing = format!("cannot read what was seen of tickets of `{integration}`");
        let keys = ticket_ids.iter().map(|id| seen::place(integration, id));
        let mut found = Vec::with_capacity(ticket_ids.len());
        for item in self.table.get_all(&doing, keys).await? {
            found.extend(seen::read(&self.table, &doing, integration, item).await?);
        }
        Ok(found)
    }

    async fn store_seen(&self, integration: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError> {
        let doing = format!("cannot store what was seen of tickets of `{integration}`");
        let writes: Vec<_> = records
            .iter()
            .map(|record| seen::store(&self.table, &doing, integration, record))
            .collect();
        stream::iter(writes).buffered(WRITERS).try_collect().await
    }
}

/// The key of a stream's item. A destination may be called as it likes.
fn place(key: &StreamKey) -> (String, String) {
    let sk = match &key.destination {
        Some(destination) => format!("STREAM#{destination}"),
        None => "STREAM".to_owned(),
    };
    (format!("POLL#{}", key.integration), sk)
}

fn shown(key: &StreamKey) -> String {
    match &key.destination {
        Some(destination) => format!("the stream `{}`/`{destination}`", key.integration),
        None => format!("the stream `{}`", key.integration),
    }
}
