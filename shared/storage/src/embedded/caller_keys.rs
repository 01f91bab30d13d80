//! Callers' keys in the embedded database.

use async_trait::async_trait;
use redb::{ReadableTable, TableDefinition};

use super::database::EmbeddedStore;
use crate::caller_key::{CallerKey, CallerKeyStore};
use crate::error::StorageError;

/// (integration, id) to the key as JSON.
pub(super) const KEYS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("caller_key");

#[async_trait]
impl CallerKeyStore for EmbeddedStore {
    async fn add_key(&self, key: CallerKey) -> Result<(), StorageError> {
        self.write("cannot store a caller's key", move |transaction| {
            let mut keys = transaction.open_table(KEYS)?;
            let place = (key.integration.as_str(), key.id.as_str());
            if keys.get(place)?.is_some() {
                let message = format!("`{}` has a key {} already", key.integration, key.id);
                return Err(StorageError::conflict(message).into());
            }
            keys.insert(place, serde_json::to_vec(&key)?.as_slice())?;
            Ok(())
        })
        .await
    }

    async fn key(&self, integration: &str, id: &str) -> Result<Option<CallerKey>, StorageError> {
        let (integration, id) = (integration.to_owned(), id.to_owned());
        self.read("cannot read a caller's key", move |transaction| {
            let found = transaction
                .open_table(KEYS)?
                .get((integration.as_str(), id.as_str()))?;
            Ok(found
                .map(|record| serde_json::from_slice(record.value()))
                .transpose()?)
        })
        .await
    }

    async fn keys(&self, integration: &str) -> Result<Vec<CallerKey>, StorageError> {
        let integration = integration.to_owned();
        self.read("cannot list the callers' keys", move |transaction| {
            let keys = transaction.open_table(KEYS)?;
            let mut all: Vec<CallerKey> = Vec::new();
            for entry in keys.range((integration.as_str(), "")..)? {
                let (place, record) = entry?;
                if place.value().0 != integration {
                    break;
                }
                all.push(serde_json::from_slice(record.value())?);
            }
            Ok(all)
        })
        .await
    }

    async fn remove_key(&self, integration: &str, id: &str) -> Result<bool, StorageError> {
        let (integration, id) = (integration.to_owned(), id.to_owned());
        self.write("cannot remove a caller's key", move |transaction| {
            let mut keys = transaction.open_table(KEYS)?;
            let removed = keys.remove((integration.as_str(), id.as_str()))?.is_some();
            Ok(removed)
        })
        .await
    }
}
