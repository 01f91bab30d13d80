//! Webhooks in DynamoDB: `pk` = `WEBHOOK`, `sk` = `<integration>#<id>`; `revision`, `mark`, `record`: the webhook as JSON.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;

use super::connection::Connection;
use super::swap::{REVISION, swap};
use super::table::{Item, PK, SK, Table, text};
use crate::error::StorageError;
use crate::poll_state::Swap;
use crate::webhooks::{Webhook, WebhookStore};

const WEBHOOK: &str = "WEBHOOK";
const RECORD: &str = "record";

/// Webhooks in a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoWebhooks {
    table: Table,
}

impl DynamoWebhooks {
    /// Keeps them in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
        }
    }

    fn webhook(&self, item: &Item) -> Result<Webhook, StorageError> {
        let row = self.table.read(item);
        let mut webhook: Webhook =
            serde_json::from_str(row.text(RECORD)?).map_err(|_| row.is_not_ours(RECORD))?;
        webhook.revision = row.number(REVISION)?;
        Ok(webhook)
    }
}

#[async_trait]
impl WebhookStore for DynamoWebhooks {
    async fn webhooks(&self, integration: Option<&str>) -> Result<Vec<Webhook>, StorageError> {
        let prefix = integration.map(|integration| format!("{integration}#"));
        let found = self
            .table
            .all("cannot list the webhooks", WEBHOOK, prefix.as_deref());
        found.await?.iter().map(|item| self.webhook(item)).collect()
    }

    async fn store_webhook(&self, webhook: &Webhook) -> Result<Swap, StorageError> {
        let doing = format!("cannot store a webhook of `{}`", webhook.integration);
        let record = serde_json::to_string(webhook).map_err(|error| StorageError::failed(&doing, error))?;
        let item = Item::from([
            (PK.to_owned(), text(WEBHOOK)),
            (SK.to_owned(), text(place(&webhook.integration, &webhook.id))),
            (RECORD.to_owned(), text(record)),
        ]);
        swap(&self.table, &doing, item, webhook.revision).await
    }

    async fn remove_webhook(&self, integration: &str, id: &str) -> Result<bool, StorageError> {
        let doing = format!("cannot remove a webhook of `{integration}`");
        let answer = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .key(PK, text(WEBHOOK))
            .key(SK, text(place(integration, id)))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| self.table.explain(&doing, &error))?;
        Ok(answer.attributes().is_some_and(|old| !old.is_empty()))
    }
}

/// `#` comes before every character of a name, so the order is that of integrations, then ids.
fn place(integration: &str, id: &str) -> String {
    format!("{integration}#{id}")
}
