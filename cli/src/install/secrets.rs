//! The secrets of a gateway on this machine.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use storage::embedded::{ChainSecrets, EnvironmentSecrets, FileSecrets};
use storage::{Secret, SecretStore, StorageError};

/// The environment, then this file.
pub(crate) fn environment_then(file: impl SecretStore + 'static) -> Arc<dyn SecretStore> {
    Arc::new(ChainSecrets::new(vec![
        Arc::new(EnvironmentSecrets::new()),
        Arc::new(file),
    ]))
}

/// The file beside a state file, which `ticket-gateway secret set` writes. It may come into being later.
pub(crate) struct BesideState {
    file: FileSecrets,
    options: String,
}

impl BesideState {
    /// Uses `file`; `options` lead `secret set` to it: ` --state FILE`.
    ///
    /// # Errors
    /// When the file exists and cannot be used.
    pub(crate) fn open(file: PathBuf, options: impl Into<String>) -> Result<Self, StorageError> {
        Ok(Self {
            file: FileSecrets::open_optional(file)?,
            options: options.into(),
        })
    }
}

#[async_trait]
impl SecretStore for BesideState {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        self.file.secret(integration, key).await
    }

    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        Some(format!(
            "run: ticket-gateway secret set {integration} {key}{}",
            self.options
        ))
    }
}
