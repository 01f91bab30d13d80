//! Records that keep one request from being carried out twice.

use std::time::SystemTime;

use async_trait::async_trait;
use serde_json::Value;

use crate::error::StorageError;

/// What [`IdempotencyStore::begin`] found.
#[derive(Debug, Clone, PartialEq)]
pub enum Begin {
    /// The key was free. The caller carries the request out, then calls `finish` or `abandon`.
    Started,
    /// As [`Begin::Started`], but an earlier claim of this request ended without a result: whoever held it died, and
    /// the request may have been carried out.
    Resumed,
    /// The request was carried out before; this was its result.
    Replay(Value),
    /// Somebody else is carrying it out.
    InProgress {
        /// When the key is free again if they never finish.
        until: SystemTime,
    },
    /// The key was used for another request.
    Conflict,
}

/// Keeps one record per idempotency key.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Claims `key` for a request with this `fingerprint` until `deadline`.
    ///
    /// A record in progress whose deadline has passed, and a result whose time to be kept has passed, are
    /// as good as absent: times are compared here, deletion is only tidying.
    ///
    /// # Errors
    /// When the store fails.
    async fn begin(
        &self,
        key: &str,
        fingerprint: &str,
        deadline: SystemTime,
        now: SystemTime,
    ) -> Result<Begin, StorageError>;

    /// Keeps the result of `key` until `keep_until`.
    ///
    /// A claim is known by its `deadline`: whoever claims the key after it has a later one.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when the key was never claimed, [`StorageError::is_conflict`] when the claim
    /// is over and somebody else's by now, or finished already; otherwise when the store fails.
    async fn finish(
        &self,
        key: &str,
        deadline: SystemTime,
        result: Value,
        keep_until: SystemTime,
    ) -> Result<(), StorageError>;

    /// Frees `key`, because nothing was carried out. A finished key, and one that is somebody else's by now, stays.
    ///
    /// # Errors
    /// When the store fails.
    async fn abandon(&self, key: &str, deadline: SystemTime) -> Result<(), StorageError>;
}
