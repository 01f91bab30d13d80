//! The embedded database: one redb file that several processes may use at once, or memory.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redb::backends::InMemoryBackend;
use redb::{
    ConcurrencyMode, Database, DatabaseError, ReadTransaction, ReadableDatabase, TransactionError,
    WriteTransaction,
};

use super::file::private_file;
use crate::error::StorageError;

/// How long an operation waits for another process that is writing.
const WAIT: Duration = Duration::from_secs(5);
/// How often it looks whether that process is done. A write takes a few milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A transactional store in one file. Every operation is one transaction, on disk when it returns.
///
/// Several processes may have the file open: each sees what the others committed, and they write one after the
/// other.
#[derive(Clone)]
pub struct EmbeddedStore {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    /// Writers of this process queue here; they need to look only for those of other processes.
    writing: Mutex<()>,
    /// The file, as messages name it.
    shown: String,
}

impl EmbeddedStore {
    /// Opens the file, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// [`StorageError::is_locked`] when another process keeps it to itself for more than 5 seconds; otherwise when
    /// it cannot be opened or is not a state file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let path = path.as_ref();
        let shown = path.display().to_string();
        let cannot = format!("cannot open the state file `{shown}`");
        private_file(path).map_err(|error| StorageError::failed(cannot.clone(), error))?;
        let mut builder = Database::builder();
        builder.set_concurrency_mode(ConcurrencyMode::MultiWriter);
        let deadline = Instant::now() + WAIT;
        loop {
            match builder.create(path) {
                Ok(database) => return Self::prepare(database, shown),
                Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < deadline => {
                    std::thread::sleep(LOOK_EVERY);
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StorageError::locked(shown)),
                Err(error) => return Err(StorageError::failed(cannot, error)),
            }
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
        Self::prepare(database, "memory".to_owned())
    }

    /// Makes the tables, so that reading never meets one that is not there.
    fn prepare(database: Database, shown: String) -> Result<Self, StorageError> {
        let shared = Shared {
            database,
            writing: Mutex::new(()),
            shown,
        };
        let made = shared.write(|transaction| {
            transaction.open_table(super::integrations::VERSIONS)?;
            transaction.open_table(super::integrations::ACTIVE)?;
            transaction.open_table(super::idempotency::RECORDS)?;
            transaction.open_table(super::idempotency::BY_END)?;
            transaction.open_table(super::caller_keys::KEYS)?;
            super::poll_state::prepare(transaction)?;
            super::event_log::prepare(transaction)?;
            super::write_journal::prepare(transaction)?;
            transaction.open_table(super::webhooks::WEBHOOKS)?;
            Ok(())
        });
        made.map_err(|failure| failure.into_error("cannot prepare the state store"))?;
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Runs one read transaction away from the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        let shared = Arc::clone(&self.shared);
        blocking(doing, move || work(&shared.database.begin_read()?)).await
    }

    /// Runs one write transaction away from the async threads; commits when `work` succeeds.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StorageError> {
        let shared = Arc::clone(&self.shared);
        blocking(doing, move || shared.write(work)).await
    }
}

impl Shared {
    fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T, Failure>) -> Result<T, Failure> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = Instant::now() + WAIT;
        let transaction = loop {
            match self.database.try_begin_write() {
                Err(TransactionError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(LOOK_EVERY);
                }
                Err(TransactionError::WouldBlock) => {
                    return Err(StorageError::locked(self.shown.clone()).into());
                }
                begun => break begun?,
            }
        };
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|failure| failure.into_error(doing)),
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

impl Failure {
    fn into_error(self, doing: &'static str) -> StorageError {
        match self {
            Failure::Refused(error) => error,
            Failure::Database(error) => StorageError::failed(doing, error),
        }
    }
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
