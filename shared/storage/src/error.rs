//! The crate's error.

use std::fmt;

/// Why a store could not do what was asked. Its text never holds a secret.
#[derive(Debug)]
pub struct StorageError(Kind);

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NotFound(String),
    #[error("the state file `{0}` is in use by another process; stop it, or give this one its own file")]
    Locked(String),
    #[error("{0}")]
    Configuration(String),
    #[error("{doing}: {source}")]
    Failed {
        doing: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StorageError {
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self(Kind::Conflict(message.into()))
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self(Kind::NotFound(message.into()))
    }

    pub(crate) fn locked(file: impl Into<String>) -> Self {
        Self(Kind::Locked(file.into()))
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self(Kind::Configuration(message.into()))
    }

    /// For adapters: an operation failed. `doing` says which: "cannot read the secrets file".
    pub fn failed(
        doing: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(Kind::Failed {
            doing: doing.into(),
            source: source.into(),
        })
    }

    /// Something else was expected to be stored: read again and decide again.
    pub fn is_conflict(&self) -> bool {
        matches!(self.0, Kind::Conflict(_))
    }

    /// What was named does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self.0, Kind::NotFound(_))
    }

    /// Another process holds the store.
    pub fn is_locked(&self) -> bool {
        matches!(self.0, Kind::Locked(_))
    }

    /// The operator has to change something: a file's mode, its content.
    pub fn is_configuration(&self) -> bool {
        matches!(self.0, Kind::Configuration(_))
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Failed { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
