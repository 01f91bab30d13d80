//! Webhooks in the embedded database.

use async_trait::async_trait;
use redb::{ReadableTable, TableDefinition};

use super::database::EmbeddedStore;
use crate::error::StorageError;
use crate::poll_state::Swap;
use crate::webhooks::{Webhook, WebhookStore};

/// (integration, id) to the webhook as JSON.
pub(super) const WEBHOOKS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("webhook");

#[async_trait]
impl WebhookStore for EmbeddedStore {
    async fn webhooks(&self, integration: Option<&str>) -> Result<Vec<Webhook>, StorageError> {
        let integration = integration.map(str::to_owned);
        self.read("cannot list the webhooks", move |transaction| {
            let webhooks = transaction.open_table(WEBHOOKS)?;
            let mut all = Vec::new();
            for entry in webhooks.range((integration.as_deref().unwrap_or_default(), "")..)? {
                let (place, record) = entry?;
                let (of, _) = place.value();
                if integration.as_ref().is_some_and(|wanted| wanted != of) {
                    break;
                }
                all.push(serde_json::from_slice(record.value())?);
            }
            Ok(all)
        })
        .await
    }

    async fn store_webhook(&self, webhook: &Webhook) -> Result<Swap, StorageError> {
        let mut next = webhook.clone();
        self.write("cannot store a webhook", move |transaction| {
            let mut webhooks = transaction.open_table(WEBHOOKS)?;
            let place = (next.integration.clone(), next.id.clone());
            let place = (place.0.as_str(), place.1.as_str());
            let stored: Option<Webhook> = webhooks
                .get(place)?
                .map(|record| serde_json::from_slice(record.value()))
                .transpose()?;
            if stored.map_or(0, |stored| stored.revision) != next.revision {
                return Ok(Swap::Conflict);
            }
            next.revision += 1;
            webhooks.insert(place, serde_json::to_vec(&next)?.as_slice())?;
            Ok(Swap::Stored)
        })
        .await
    }

    async fn remove_webhook(&self, integration: &str, id: &str) -> Result<bool, StorageError> {
        let (integration, id) = (integration.to_owned(), id.to_owned());
        self.write("cannot remove a webhook", move |transaction| {
            let mut webhooks = transaction.open_table(WEBHOOKS)?;
            let removed = webhooks.remove((integration.as_str(), id.as_str()))?.is_some();
            Ok(removed)
        })
        .await
    }
}
