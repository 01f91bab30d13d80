//! Integrations in the embedded database.

use async_trait::async_trait;
use redb::{ReadableTable, TableDefinition};

use super::database::EmbeddedStore;
use crate::error::StorageError;
use crate::integrations::{IntegrationStore, IntegrationVersion, NewVersion, ScheduledStream, VersionInfo};

/// (name, version) to the version as JSON.
pub(super) const VERSIONS: TableDefinition<'_, (&str, u64), &[u8]> =
    TableDefinition::new("integration_version");
/// Name to the number of the active version.
pub(super) const ACTIVE: TableDefinition<'_, &str, u64> = TableDefinition::new("integration_active");

#[async_trait]
impl IntegrationStore for EmbeddedStore {
    async fn add(&self, name: &str, content: NewVersion) -> Result<u64, StorageError> {
        let name = name.to_owned();
        self.write("cannot store an integration", move |transaction| {
            let mut versions = transaction.open_table(VERSIONS)?;
            let last = versions
                .range((name.as_str(), 0)..=(name.as_str(), u64::MAX))?
                .next_back();
            let version = last.transpose()?.map_or(0, |(key, _)| key.value().1) + 1;
            let record = serde_json::to_vec(&IntegrationVersion {
                name: name.clone(),
                version,
                content,
            })?;
            versions.insert((name.as_str(), version), record.as_slice())?;
            Ok(version)
        })
        .await
    }

    async fn version(&self, name: &str, version: u64) -> Result<Option<IntegrationVersion>, StorageError> {
        let name = name.to_owned();
        self.read("cannot read an integration", move |transaction| {
            let found = transaction.open_table(VERSIONS)?.get((name.as_str(), version))?;
            Ok(found
                .map(|record| serde_json::from_slice(record.value()))
                .transpose()?)
        })
        .await
    }

    async fn versions(&self, name: &str) -> Result<Vec<VersionInfo>, StorageError> {
        let name = name.to_owned();
        self.read("cannot list the versions of an integration", move |transaction| {
            let versions = transaction.open_table(VERSIONS)?;
            let mut all = Vec::new();
            for entry in versions.range((name.as_str(), 0)..=(name.as_str(), u64::MAX))? {
                let version: IntegrationVersion = serde_json::from_slice(entry?.1.value())?;
                all.push(VersionInfo::of(version.version, &version.content));
            }
            Ok(all)
        })
        .await
    }

    async fn active(&self, name: &str) -> Result<Option<u64>, StorageError> {
        let name = name.to_owned();
        self.read("cannot read the active integration", move |transaction| {
            let active = transaction.open_table(ACTIVE)?.get(name.as_str())?;
            Ok(active.map(|version| version.value()))
        })
        .await
    }

    async fn all_active(&self) -> Result<Vec<(String, u64)>, StorageError> {
        self.read("cannot list the active integrations", |transaction| {
            let mut all = Vec::new();
            for entry in transaction.open_table(ACTIVE)?.iter()? {
                let (name, version) = entry?;
                all.push((name.value().to_owned(), version.value()));
            }
            Ok(all)
        })
        .await
    }

    async fn scheduled(&self) -> Result<Vec<(String, Vec<ScheduledStream>)>, StorageError> {
        self.read("cannot list what is polled", move |transaction| {
            let (active, versions) = (transaction.open_table(ACTIVE)?, transaction.open_table(VERSIONS)?);
            let mut all = Vec::new();
            for entry in active.iter()? {
                let (name, version) = entry?;
                let Some(record) = versions.get((name.value(), version.value()))? else {
                    continue;
                };
                let stored: IntegrationVersion = serde_json::from_slice(record.value())?;
                if !stored.content.streams.is_empty() {
                    all.push((stored.name, stored.content.streams));
                }
            }
            Ok(all)
        })
        .await
    }

    async fn activate(
        &self,
        name: &str,
        version: Option<u64>,
        expected: Option<u64>,
    ) -> Result<(), StorageError> {
        let name = name.to_owned();
        self.write("cannot activate an integration", move |transaction| {
            let mut active = transaction.open_table(ACTIVE)?;
            let now = active.get(name.as_str())?.map(|version| version.value());
            if now != expected {
                let shown = |version: Option<u64>| version.map_or("none".to_owned(), |it| it.to_string());
                return Err(StorageError::conflict(format!(
                    "the active version of `{name}` is {}, not {}",
                    shown(now),
                    shown(expected)
                ))
                .into());
            }
            match version {
                Some(version) => {
                    if transaction
                        .open_table(VERSIONS)?
                        .get((name.as_str(), version))?
                        .is_none()
                    {
                        let message = format!("`{name}` has no version {version}");
                        return Err(StorageError::not_found(message).into());
                    }
                    active.insert(name.as_str(), version)?;
                }
                None => {
                    active.remove(name.as_str())?;
                }
            }
            Ok(())
        })
        .await
    }
}
