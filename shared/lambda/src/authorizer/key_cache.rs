//! Keys that were right a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use storage::CallerKey;
use tokio::time::Instant;

/// A revoked key works so long at most, beside the time for which API Gateway keeps policies.
const KEPT: Duration = Duration::from_secs(30);

/// The most keys that are kept.
const MAX_KEYS: usize = 1000;

type Fingerprint = [u8; 32];

/// Keeps the keys that were verified; never that one was wrong, so that a new key works at once.
#[derive(Default)]
pub(super) struct KeyCache {
    /// By the SHA-256 of the text: the text itself is a secret.
    keys: Mutex<HashMap<Fingerprint, (Arc<CallerKey>, Instant)>>,
}

impl KeyCache {
    pub(super) fn get(&self, text: &str) -> Option<Arc<CallerKey>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, until) = keys.get(&fingerprint(text))?;
        (Instant::now() < *until).then(|| Arc::clone(key))
    }

    pub(super) fn keep(&self, text: &str, key: CallerKey) -> Arc<CallerKey> {
        let key = Arc::new(key);
        let now = Instant::now();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KEYS {
            keys.retain(|_, (_, until)| now < *until);
        }
        if keys.len() < MAX_KEYS {
            keys.insert(fingerprint(text), (Arc::clone(&key), now + KEPT));
        }
        key
    }
}

fn fingerprint(text: &str) -> Fingerprint {
    Sha256::digest(text).into()
}
