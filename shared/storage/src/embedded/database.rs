//! The embedded database: one redb file, or memory.

use std::path::Path;
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::error::StorageError;

/// A transactional store in one file. Every operation is one transaction, on disk when it returns.
#[derive(Clone)]
pub struct EmbeddedStore {
    database: Arc<Database>,
}

impl EmbeddedStore {
    /// Opens the file, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// [`StorageError::is_locked`] when another process has it open; otherwise when it cannot be opened or
    /// is not a state file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref();
        let shown = path.display();
        let cannot = format!("cannot open the state file `{shown}`");
        create(path).map_err(|error| StorageError::failed(cannot.clone(), error))?;
        match Database::create(path) {
            Ok(database) => Self::prepare(database),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(StorageError::locked(shown.to_string())),
            Err(error) => Err(StorageError::failed(cannot, error)),
        }
    }

    /// A store that is gone when the last clone is dropped.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn in_memory() -> Result<Self, StorageError> {
        let database = Database::builder()
            .create_with_backend(InMemoryBackend::new())
            .map_err(|error| StorageError::failed("cannot make a state store in memory", error))?;
        Self::prepare(database)
    }

    /// Makes the tables, so that reading never meets one that is not there.
    fn prepare(database: Database) -> Result<Self, StorageError> {
        let made = || -> Result<(), redb::Error> {
            let transaction = database.begin_write()?;
            transaction.open_table(super::integrations::VERSIONS)?;
            transaction.open_table(super::integrations::ACTIVE)?;
            transaction.open_table(super::idempotency::RECORDS)?;
            transaction.open_table(super::idempotency::BY_END)?;
            transaction.commit()?;
            Ok(())
        };
        made().map_err(|error| StorageError::failed("cannot prepare the state store", error))?;
        Ok(Self {
            database: Arc::new(database),
        })
    }

    /// Runs one read transaction away from the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        let database = Arc::clone(&self.database);
        blocking(doing, move || work(&database.begin_read()?)).await
    }

    /// Runs one write transaction away from the async threads; commits when `work` succeeds.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        let database = Arc::clone(&self.database);
        blocking(doing, move || {
            let transaction = database.begin_write()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(Failure::Refused(error))) => Err(error),
        Ok(Err(Failure::Database(error))) => Err(StorageError::failed(doing, error)),
        Err(error) => Err(StorageError::failed(doing, error)),
    }
}

/// Why a transaction ended without its result.
pub(super) enum Failure {
    /// What the port says about it.
    Refused(StorageError),
    /// The database, or a record that cannot be read.
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Refused(error)
    }
}

macro_rules! database_failures {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error))
            }
        })*
    };
}

database_failures!(
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    serde_json::Error
);

#[cfg(unix)]
fn create(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

#[cfg(not(unix))]
fn create(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map(drop)
}
