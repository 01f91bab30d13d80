//! Callers' keys in DynamoDB: `pk` = `KEYS#<integration>`, `sk` = `<id>`, and the fields of a [`CallerKey`].

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValue, TransactWriteItem};

use super::connection::Connection;
use super::table::{Item, PK, SK, Table, text};
use crate::caller_key::{CallerKey, CallerKeyStore};
use crate::error::StorageError;

/// Callers' keys in a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoCallerKeys {
    table: Table,
}

impl DynamoCallerKeys {
    /// Keeps them in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
        }
    }

    fn key_of(&self, integration: &str, item: &Item) -> Result<CallerKey, StorageError> {
        let row = self.table.read(item);
        let field = |attribute| row.text(attribute).map(str::to_owned);
        Ok(CallerKey {
            integration: integration.to_owned(),
            id: field(SK)?,
            label: field("label")?,
            slot: word(row.text("slot")?).ok_or_else(|| row.is_not_ours("slot"))?,
            access: word(row.text("access")?).ok_or_else(|| row.is_not_ours("access"))?,
            created_at: field("created_at")?,
            hash: field("hash")?,
        })
    }
}

#[async_trait]
impl CallerKeyStore for DynamoCallerKeys {
    async fn add_key(&self, key: CallerKey) -> Result<(), StorageError> {
        let doing = format!("cannot store a key of `{}`", key.integration);
        let put = Put::builder()
            .table_name(&self.table.name)
            .set_item(Some(Item::from([
                (PK.to_owned(), text(keys_of(&key.integration))),
                (SK.to_owned(), text(&key.id)),
                ("label".to_owned(), text(&key.label)),
                ("slot".to_owned(), text(key.slot.to_string())),
                ("access".to_owned(), text(key.access.to_string())),
                ("created_at".to_owned(), text(&key.created_at)),
                ("hash".to_owned(), text(&key.hash)),
            ])))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| StorageError::failed(&doing, error))?;
        // A transaction, because DynamoDB knows one that the SDK sends again after a lost answer.
        let request = self.table.client.transact_write_items();
        let answer = request
            .transact_items(TransactWriteItem::builder().put(put).build())
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(());
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        {
            let reasons = cancelled.cancellation_reasons();
            if reasons
                .iter()
                .any(|reason| reason.code() == Some("ConditionalCheckFailed"))
            {
                let message = format!("`{}` has a key {} already", key.integration, key.id);
                return Err(StorageError::conflict(message));
            }
        }
        Err(self.table.explain(&doing, &error))
    }

    async fn key(&self, integration: &str, id: &str) -> Result<Option<CallerKey>, StorageError> {
        let doing = format!("cannot read a key of `{integration}`");
        let found = self.table.get(&doing, &keys_of(integration), id).await?;
        found.map(|item| self.key_of(integration, &item)).transpose()
    }

    async fn keys(&self, integration: &str) -> Result<Vec<CallerKey>, StorageError> {
        let doing = format!("cannot list the keys of `{integration}`");
        let found = self.table.all(&doing, &keys_of(integration), None).await?;
        found.iter().map(|item| self.key_of(integration, item)).collect()
    }

    async fn remove_key(&self, integration: &str, id: &str) -> Result<bool, StorageError> {
        let doing = format!("cannot remove a key of `{integration}`");
        let answer = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .key(PK, text(keys_of(integration)))
            .key(SK, text(id))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| self.table.explain(&doing, &error))?;
        Ok(answer.attributes().is_some_and(|old| !old.is_empty()))
    }
}

fn keys_of(integration: &str) -> String {
    format!("KEYS#{integration}")
}

/// A value that is written as one word.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}
