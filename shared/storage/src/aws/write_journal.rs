//! The gateway's own writes in DynamoDB: `pk` = `WRITE#<integration>`, `sk` = `<ticket id>`, and for each write an attribute
//! `write:<request id>` with `<from>/<until>`.
//!
//! Noting a write is one request that reads nothing; only a ticket with many writes costs a second one that forgets the
//! oldest.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;

use super::connection::Connection;
use super::table::{Item, PK, SK, Table, key_text, number, text};
use crate::error::StorageError;
use crate::write_journal::{
    JournalledWrite, WRITES_KEPT, WRITES_KEPT_OF_A_TICKET, WriteJournal, oldest_kept,
};

/// What an attribute of a write begins with.
const WRITE: &str = "write:";
/// The ticket: its id need not be the sort key.
const TICKET: &str = "ticket_id";
/// An item with more writes than this loses its oldest.
const MOST_OF_A_TICKET: usize = 2 * WRITES_KEPT_OF_A_TICKET;

/// The gateway's own writes in a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoWriteJournal {
    table: Table,
}

impl DynamoWriteJournal {
    /// Keeps them in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
        }
    }

    fn writes_of(&self, item: &Item) -> Result<Vec<JournalledWrite>, StorageError> {
        let row = self.table.read(item);
        let ticket_id = row.text(TICKET)?;
        let mut writes = Vec::new();
        for attribute in item.keys() {
            let Some(request) = attribute.strip_prefix(WRITE) else {
                continue;
            };
            let times = row.text(attribute)?.split_once('/');
            let times = times.and_then(|(from, until)| Some((from.parse().ok()?, until.parse().ok()?)));
            let (from, until) = times.ok_or_else(|| row.is_not_ours(attribute))?;
            writes.push(JournalledWrite {
                ticket_id: ticket_id.to_owned(),
                request_id: request.to_owned(),
                from,
                until,
            });
        }
        Ok(writes)
    }

    /// Takes the oldest writes off an item that has too many.
    async fn forget(
        &self,
        doing: &str,
        integration: &str,
        mut writes: Vec<JournalledWrite>,
    ) -> Result<(), StorageError> {
        let Some(ticket_id) = writes.first().map(|write| write.ticket_id.clone()) else {
            return Ok(());
        };
        writes.sort_unstable_by_key(|write| std::cmp::Reverse(write.until));
        let names: HashMap<String, String> = writes
            .iter()
            .skip(WRITES_KEPT_OF_A_TICKET)
            .take(MOST_OF_A_TICKET)
            .enumerate()
            .map(|(index, write)| (format!("#w{index}"), format!("{WRITE}{}", write.request_id)))
            .collect();
        let places: Vec<&str> = names.keys().map(String::as_str).collect();
        let update = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key(PK, text(writes_in(integration)))
            .key(SK, text(key_text(&ticket_id)))
            .update_expression(format!("REMOVE {}", places.join(", ")))
            .set_expression_attribute_names(Some(names));
        let answer = update.send().await;
        answer.map_err(|error| self.table.explain(doing, &error))?;
        Ok(())
    }
}

#[async_trait]
impl WriteJournal for DynamoWriteJournal {
    async fn note(&self, integration: &str, write: &JournalledWrite) -> Result<(), StorageError> {
        let doing = format!("cannot note a write to `{integration}`");
        let kept_until = Timestamp::now()
            .max(write.until)
            .as_second()
            .saturating_add_unsigned(WRITES_KEPT.as_secs());
        let answer = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key(PK, text(writes_in(integration)))
            .key(SK, text(key_text(&write.ticket_id)))
            .update_expression("SET #write = :times, ticket_id = :ticket, expires_at = :kept_until")
            .expression_attribute_names("#write", format!("{WRITE}{}", write.request_id))
            .expression_attribute_values(":times", text(format!("{}/{}", write.from, write.until)))
            .expression_attribute_values(":ticket", text(&write.ticket_id))
            .expression_attribute_values(
                ":kept_until",
                number(u64::try_from(kept_until).unwrap_or_default()),
            )
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| self.table.explain(&doing, &error))?;
        let writes = answer.attributes().map(|item| self.writes_of(item)).transpose()?;
        match writes {
            Some(writes) if writes.len() > MOST_OF_A_TICKET => self.forget(&doing, integration, writes).await,
            _ => Ok(()),
        }
    }

    async fn writes(
        &self,
        integration: &str,
        ticket_ids: &[&str],
    ) -> Result<Vec<JournalledWrite>, StorageError> {
        let doing = format!("cannot read our own writes to `{integration}`");
        let keys = ticket_ids.iter().map(|id| (writes_in(integration), key_text(id)));
        let oldest = oldest_kept(Timestamp::now());
        let mut found = Vec::new();
        for item in self.table.get_all(&doing, keys).await? {
            let writes = self.writes_of(&item)?;
            found.extend(writes.into_iter().filter(|write| oldest <= write.until));
        }
        Ok(found)
    }
}

fn writes_in(integration: &str) -> String {
    format!("WRITE#{integration}")
}
