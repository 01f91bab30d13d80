//! The gateway's own writes in the embedded database.

use async_trait::async_trait;
use jiff::Timestamp;
use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::database::{EmbeddedStore, Failure};
use crate::error::StorageError;
use crate::write_journal::{JournalledWrite, WRITES_KEPT_OF_A_TICKET, WriteJournal, oldest_kept};

/// (integration, ticket, request) to the write as JSON.
const WRITES: TableDefinition<'_, (&str, &str, &str), &[u8]> = TableDefinition::new("write_journal");
/// (milliseconds since 1970, integration, ticket, request): when a write ended.
const BY_END: TableDefinition<'_, (i64, &str, &str, &str), ()> = TableDefinition::new("write_journal_by_end");

/// Writes that one more deletes, so that the file stays bounded without a pass over all of it.
const TIDIED_PER_WRITE: usize = 16;

/// Makes the tables.
pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), Failure> {
    transaction.open_table(WRITES)?;
    transaction.open_table(BY_END)?;
    Ok(())
}

#[async_trait]
impl WriteJournal for EmbeddedStore {
    async fn note(&self, integration: &str, write: &JournalledWrite) -> Result<(), StorageError> {
        let (integration, write) = (integration.to_owned(), write.clone());
        self.write("cannot note a write of our own", move |transaction| {
            let (ticket, request) = (write.ticket_id.as_str(), write.request_id.as_str());
            let mut journal = Journal {
                writes: transaction.open_table(WRITES)?,
                by_end: transaction.open_table(BY_END)?,
            };
            journal.tidy(oldest_kept(Timestamp::now()))?;
            journal.remove(&integration, ticket, request)?;
            let place = (integration.as_str(), ticket, request);
            journal
                .writes
                .insert(place, serde_json::to_vec(&write)?.as_slice())?;
            let end = write.until.as_millisecond();
            journal
                .by_end
                .insert((end, integration.as_str(), ticket, request), ())?;
            journal.keep_newest(&integration, ticket)
        })
        .await
    }

    async fn writes(
        &self,
        integration: &str,
        ticket_ids: &[&str],
    ) -> Result<Vec<JournalledWrite>, StorageError> {
        let integration = integration.to_owned();
        let tickets: Vec<String> = ticket_ids.iter().map(|&id| id.to_owned()).collect();
        self.read("cannot read our own writes", move |transaction| {
            let writes = transaction.open_table(WRITES)?;
            let mut found = Vec::new();
            for ticket in &tickets {
                found.extend(of_ticket(&writes, &integration, ticket)?);
            }
            let oldest = oldest_kept(Timestamp::now());
            found.retain(|write| oldest <= write.until);
            Ok(found)
        })
        .await
    }
}

struct Journal<'t> {
    writes: redb::Table<'t, (&'static str, &'static str, &'static str), &'static [u8]>,
    by_end: redb::Table<'t, (i64, &'static str, &'static str, &'static str), ()>,
}

impl Journal<'_> {
    fn remove(&mut self, integration: &str, ticket: &str, request: &str) -> Result<(), Failure> {
        let removed = self.writes.remove((integration, ticket, request))?;
        let write: Option<JournalledWrite> = removed
            .map(|record| serde_json::from_slice(record.value()))
            .transpose()?;
        if let Some(write) = write {
            let end = write.until.as_millisecond();
            self.by_end.remove((end, integration, ticket, request))?;
        }
        Ok(())
    }

    fn keep_newest(&mut self, integration: &str, ticket: &str) -> Result<(), Failure> {
        let mut writes = of_ticket(&self.writes, integration, ticket)?;
        writes.sort_unstable_by_key(|write| std::cmp::Reverse(write.until));
        for write in writes.iter().skip(WRITES_KEPT_OF_A_TICKET) {
            self.remove(integration, ticket, &write.request_id)?;
        }
        Ok(())
    }

    /// Deletes some of the writes that ended before this time.
    fn tidy(&mut self, before: Timestamp) -> Result<(), Failure> {
        let mut ended = Vec::new();
        let end = (before.as_millisecond(), "", "", "");
        for entry in self.by_end.range(..end)?.take(TIDIED_PER_WRITE) {
            let place = entry?.0;
            let (_, integration, ticket, request) = place.value();
            ended.push((integration.to_owned(), ticket.to_owned(), request.to_owned()));
        }
        for (integration, ticket, request) in ended {
            self.remove(&integration, &ticket, &request)?;
        }
        Ok(())
    }
}

fn of_ticket(
    writes: &impl ReadableTable<(&'static str, &'static str, &'static str), &'static [u8]>,
    integration: &str,
    ticket: &str,
) -> Result<Vec<JournalledWrite>, Failure> {
    let mut found = Vec::new();
    for entry in writes.range((integration, ticket, "")..)? {
        let (place, record) = entry?;
        let (of_integration, of_ticket, _) = place.value();
        if (of_integration, of_ticket) != (integration, ticket) {
            break;
        }
        found.push(serde_json::from_slice(record.value())?);
    }
    Ok(found)
}
