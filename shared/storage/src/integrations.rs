//! Versions of integrations and which of them is active.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::StorageError;
use crate::hash::sha256;

/// A stream that is to be polled, as far as the one needs to know who sends the orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledStream {
    /// The destination; none where the integration is polled as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Time between two runs.
    pub interval_seconds: u32,
}

/// What a new version of an integration holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewVersion {
    /// Its files: path inside the integration's folder to text.
    pub files: BTreeMap<String, String>,
    /// What the installation filled in. Secrets are not among them.
    pub settings: Map<String, Value>,
    /// What changed, in the words of the person who did it.
    pub note: String,
    /// When it was made: RFC 3339, UTC.
    pub created_at: String,
    /// Who made it, as far as the store was told.
    #[serde(default)]
    pub created_by: String,
    /// The version that was active when it was made: what a rollback goes back to.
    #[serde(default)]
    pub replaces: Option<u64>,
    /// What of it is polled while it is active. Follows from files and settings; kept beside them so that nobody has to
    /// load ten thousand integrations every minute to know.
    #[serde(default)]
    pub streams: Vec<ScheduledStream>,
}

impl NewVersion {
    /// SHA-256 of the files and settings, in hexadecimal: the same for the same content, whoever pushed it when.
    pub fn digest(&self) -> String {
        let content = serde_json::json!({"files": self.files, "settings": self.settings});
        sha256(&content.to_string())
    }
}

/// A version of an integration. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationVersion {
    /// Name of the integration.
    pub name: String,
    /// 1 for the first version, then one more each time.
    pub version: u64,
    /// What it holds.
    #[serde(flatten)]
    pub content: NewVersion,
}

/// What is known of a version without reading its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// Its number.
    pub version: u64,
    /// What changed, in the words of the person who did it.
    pub note: String,
    /// When it was made: RFC 3339, UTC.
    pub created_at: String,
    /// Who made it.
    pub created_by: String,
    /// [`NewVersion::digest`] of its content.
    pub digest: String,
}

impl VersionInfo {
    /// Describes a version.
    pub fn of(version: u64, content: &NewVersion) -> Self {
        VersionInfo {
            version,
            note: content.note.clone(),
            created_at: content.created_at.clone(),
            created_by: content.created_by.clone(),
            digest: content.digest(),
        }
    }
}

/// Keeps the versions of integrations and, for each, a pointer to the active one.
#[async_trait]
pub trait IntegrationStore: Send + Sync {
    /// Adds a version, which is not active yet, and gives its number.
    ///
    /// # Errors
    /// [`StorageError::is_too_large`] when the store cannot hold it; otherwise when the store fails.
    async fn add(&self, name: &str, content: NewVersion) -> Result<u64, StorageError>;

    /// A version, or none.
    ///
    /// # Errors
    /// When the store fails.
    async fn version(&self, name: &str, version: u64) -> Result<Option<IntegrationVersion>, StorageError>;

    /// All versions, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    async fn versions(&self, name: &str) -> Result<Vec<VersionInfo>, StorageError>;

    /// The number of the active version, or none. Cheap: it is asked again and again.
    ///
    /// # Errors
    /// When the store fails.
    async fn active(&self, name: &str) -> Result<Option<u64>, StorageError>;

    /// The integrations that have an active version, with its number, by name.
    ///
    /// # Errors
    /// When the store fails.
    async fn all_active(&self) -> Result<Vec<(String, u64)>, StorageError>;

    /// What is polled of the active versions, by name; integrations without such a stream are left out. Does not read
    /// their files.
    ///
    /// # Errors
    /// When the store fails.
    async fn scheduled(&self) -> Result<Vec<(String, Vec<ScheduledStream>)>, StorageError>;

    /// Makes `version` the active one, or none, provided that `expected` is active now.
    ///
    /// # Errors
    /// [`StorageError::is_conflict`] when another one is active,
    /// [`StorageError::is_not_found`] when there is no such version.
    async fn activate(
        &self,
        name: &str,
        version: Option<u64>,
        expected: Option<u64>,
    ) -> Result<(), StorageError>;
}
