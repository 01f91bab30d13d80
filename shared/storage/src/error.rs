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
    #[error("{0}")]
    Invalid(String),
    #[error("the state file `{0}` is in use by another process; stop it, or give this one its own file")]
    Locked(String),
    #[error("{0}")]
    Configuration(String),
    #[error("{0}")]
    TooLarge(String),
    #[error("{0}")]
    Denied(String),
    #[error("{doing}: {source}")]
    Unavailable {
        doing: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{doing}: {source}")]
    Failed {
        doing: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StorageError {
    /// For adapters: something else is stored than was expected. `message` says what.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self(Kind::Conflict(message.into()))
    }

    /// For adapters: what was named does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self(Kind::NotFound(message.into()))
    }

    /// For adapters: what was given is nothing that this store ever gave out. `message` says what was expected.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self(Kind::Invalid(message.into()))
    }

    /// For adapters: another process holds this file.
    pub fn locked(file: impl Into<String>) -> Self {
        Self(Kind::Locked(file.into()))
    }

    /// For adapters: the operator has to change something. `message` says what and where.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self(Kind::Configuration(message.into()))
    }

    /// For adapters: the content does not fit. `message` says what and how large it may be.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self(Kind::TooLarge(message.into()))
    }

    /// For adapters: a permission is missing. `message` names it.
    pub fn denied(message: impl Into<String>) -> Self {
        Self(Kind::Denied(message.into()))
    }

    /// For adapters: the store did not answer, or asked to come back later.
    pub fn unavailable(
        doing: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(Kind::Unavailable {
            doing: doing.into(),
            source: source.into(),
        })
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

    /// What was given is nothing that this store ever gave out: a mistyped cursor.
    pub fn is_invalid(&self) -> bool {
        matches!(self.0, Kind::Invalid(_))
    }

    /// Another process holds the store.
    pub fn is_locked(&self) -> bool {
        matches!(self.0, Kind::Locked(_))
    }

    /// The operator has to change something: a file's mode, its content.
    pub fn is_configuration(&self) -> bool {
        matches!(self.0, Kind::Configuration(_))
    }

    /// The content is larger than the store takes.
    pub fn is_too_large(&self) -> bool {
        matches!(self.0, Kind::TooLarge(_))
    }

    /// The process lacks a permission; the operator has to give it.
    pub fn is_denied(&self) -> bool {
        matches!(self.0, Kind::Denied(_))
    }

    /// Throttled, unreachable or out of time: the same may succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.0, Kind::Unavailable { .. })
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
            Kind::Failed { source, .. } | Kind::Unavailable { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
