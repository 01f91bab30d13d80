//! Integrations from a store, read again from time to time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;
use storage::{IntegrationStore, StorageError};
use tokio::time::{Instant, timeout};

use super::{Installations, Installed};
use crate::error::ApiError;

/// How long a name that the store does not know is taken as unknown, so that a caller's typing mistake does not
/// become a read each time.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// How long a call waits for the store when it could be served with what is loaded.
const PATIENCE_WITH_ONE: Duration = Duration::from_secs(2);

/// How long a call waits for the store when nothing is loaded.
const PATIENCE_WITHOUT: Duration = Duration::from_secs(10);

/// After a failure the store is asked again after this, then after twice as long, up to the refresh time.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// How many names are remembered, at most, beyond those of integrations that are loaded.
const MAX_NAMES: usize = 1000;

/// Integrations over an [`IntegrationStore`]: the active version of each, kept in memory.
///
/// Once what is known is older than the refresh time, the next call asks the store which version is active, and
/// loads it where it is another one; calls that come meanwhile are served with the one there is. Where the store
/// does not answer, or the new version does not load, the last good one stays in use and the log says so.
pub struct Stored {
    store: Arc<dyn IntegrationStore>,
    refresh: Duration,
    slots: Mutex<BTreeMap<String, Arc<Slot>>>,
}

/// What is known of one name.
#[derive(Default)]
struct Slot {
    known: Mutex<Known>,
    /// Held by the one call that asks the store.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    /// The last good one.
    good: Option<Arc<Installed>>,
    /// Why there is none, unless it is that the store has none.
    trouble: Option<ApiError>,
    /// An active version that does not load: not tried again.
    unusable: Option<u64>,
    /// How often in a row the store failed.
    failures: u32,
    /// Until when this is taken as it is; none before the first time.
    fresh_until: Option<Instant>,
}

impl Stored {
    /// Serves what is active in `store`; `refresh` is how old that knowledge may be.
    pub fn new(store: Arc<dyn IntegrationStore>, refresh: Duration) -> Self {
        Stored {
            store,
            refresh,
            slots: Mutex::default(),
        }
    }

    /// Loads the active integrations, at most `limit` of them, so that the first call finds them. One that cannot
    /// be loaded is left to the call that names it.
    ///
    /// # Errors
    /// When the store cannot list them.
    pub async fn warm(&self, limit: usize) -> Result<(), StorageError> {
        for (name, active) in self.store.all_active().await?.into_iter().take(limit) {
            let slot = self.slot(&name);
            let _asking = slot.asking.lock().await;
            let known = slot.known().clone();
            let next = self.load_active(&name, &known, active).await;
            *slot.known() = self.settled(&name, known, next);
        }
        Ok(())
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, name: &str) -> Arc<Slot> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(name) {
            return Arc::clone(slot);
        }
        if slots.len() >= MAX_NAMES {
            let now = Instant::now();
            slots.retain(|_, slot| {
                let known = slot.known();
                known.good.is_some() || known.is_fresh(now)
            });
        }
        let slot = Arc::new(Slot::default());
        // Otherwise somebody tries one name after the other, and is not worth the memory.
        if slots.len() < MAX_NAMES {
            slots.insert(name.to_owned(), Arc::clone(&slot));
        }
        slot
    }

    /// Asks the store once.
    async fn ask(&self, name: &str, known: &Known) -> Result<Known, StorageError> {
        match self.store.active(name).await? {
            Some(active) => self.load_active(name, known, active).await,
            None => {
                if known.good.is_some() {
                    tracing::info!(integration = name, "the integration is not active any more");
                }
                Ok(Known {
                    fresh_until: Some(Instant::now() + UNKNOWN_FOR.min(self.refresh)),
                    ..Known::default()
                })
            }
        }
    }

    /// What is known once `active` is the active version.
    async fn load_active(&self, name: &str, known: &Known, active: u64) -> Result<Known, StorageError> {
        let current = Known {
            failures: 0,
            fresh_until: Some(Instant::now() + self.refresh),
            ..known.clone()
        };
        let is_loaded = known
            .good
            .as_ref()
            .is_some_and(|good| good.version == Some(active));
        if is_loaded {
            // Back from a version that did not load: that one may be tried again when it is pushed again.
            return Ok(Known {
                unusable: None,
                ..current
            });
        }
        if known.unusable == Some(active) {
            return Ok(current);
        }
        let stored = self.store.version(name, active).await?.ok_or_else(|| {
            StorageError::failed(
                format!("cannot read version {active} of `{name}`"),
                "it is the active one, and the store does not have it",
            )
        })?;
        match Installed::from_stored(&stored) {
            Ok(installed) => {
                tracing::info!(integration = name, version = active, "integration loaded");
                for warning in &installed.installation.warnings {
                    tracing::warn!(integration = name, "{warning}");
                }
                Ok(Known {
                    good: Some(Arc::new(installed)),
                    trouble: None,
                    unusable: None,
                    ..current
                })
            }
            Err(error) => {
                tracing::error!(
                    integration = name,
                    version = active,
                    served_version = known.good.as_ref().and_then(|good| good.version),
                    %error,
                    "the active version of an integration cannot be used; push one that can, or roll back"
                );
                Ok(Known {
                    trouble: Some(unusable(name)),
                    unusable: Some(active),
                    ..current
                })
            }
        }
    }

    /// What is known after the store was asked.
    fn settled(&self, name: &str, known: Known, asked: Result<Known, StorageError>) -> Known {
        let error = match asked {
            Ok(next) => return next,
            Err(error) => error,
        };
        let factor = 1_u32.checked_shl(known.failures).unwrap_or(u32::MAX);
        let longest = self.refresh.max(FIRST_BACKOFF);
        let backoff = FIRST_BACKOFF.saturating_mul(factor).min(longest);
        // The functions of one deployment meet the same failure at once; they should not all come back at once.
        let backoff = backoff.mul_f64(rand::rng().random_range(0.5..=1.0));
        let served_version = known.good.as_ref().and_then(|good| good.version);
        if known.good.is_some() {
            tracing::warn!(integration = name, served_version, %error, "the store of integrations failed; the last good version stays in use");
        } else {
            tracing::error!(integration = name, %error, "the store of integrations failed, and no version is loaded");
        }
        Known {
            trouble: Some(unreachable(name, backoff)),
            failures: known.failures.saturating_add(1).min(16),
            fresh_until: Some(Instant::now() + backoff),
            ..known
        }
    }
}

#[async_trait]
impl Installations for Stored {
    async fn find(&self, name: &str) -> Result<Option<Arc<Installed>>, ApiError> {
        if !integration::is_name(name) {
            return Ok(None);
        }
        let slot = self.slot(name);
        let known = slot.known().clone();
        if known.is_fresh(Instant::now()) {
            return known.answer();
        }
        let _asking = if known.good.is_some() {
            match slot.asking.try_lock() {
                Ok(asking) => asking,
                Err(_) => return known.answer(),
            }
        } else {
            slot.asking.lock().await
        };
        // While this call waited, another one may have learned what there is.
        let known = slot.known().clone();
        if known.is_fresh(Instant::now()) {
            return known.answer();
        }
        let patience = match known.good {
            Some(_) => PATIENCE_WITH_ONE,
            None => PATIENCE_WITHOUT,
        };
        let asked = timeout(patience, self.ask(name, &known)).await;
        let asked = asked.unwrap_or_else(|_| {
            Err(StorageError::unavailable(
                format!("cannot read which version of `{name}` is active"),
                format!("no answer within {} s", patience.as_secs()),
            ))
        });
        let next = self.settled(name, known, asked);
        *slot.known() = next.clone();
        next.answer()
    }

    async fn names(&self) -> Result<Vec<String>, ApiError> {
        let active = self.store.all_active().await.map_err(|error| {
            tracing::error!(%error, "the active integrations cannot be listed");
            ApiError::internal("the integrations cannot be listed; the gateway's log says why")
        })?;
        Ok(active.into_iter().map(|(name, _)| name).collect())
    }

    fn known(&self) -> Vec<String> {
        let slots = self.slots();
        let loaded = slots.iter().filter(|(_, slot)| slot.known().good.is_some());
        loaded.map(|(name, _)| name.clone()).collect()
    }
}

impl Slot {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_fresh(&self, now: Instant) -> bool {
        self.fresh_until.is_some_and(|until| now < until)
    }

    fn answer(self) -> Result<Option<Arc<Installed>>, ApiError> {
        match (self.good, self.trouble) {
            (Some(good), _) => Ok(Some(good)),
            (None, Some(trouble)) => Err(trouble),
            (None, None) => Ok(None),
        }
    }
}

fn unusable(name: &str) -> ApiError {
    ApiError::internal(format!(
        "the integration `{name}` cannot be used as it is configured; the gateway's log says why"
    ))
}

fn unreachable(name: &str, backoff: Duration) -> ApiError {
    ApiError::internal(format!(
        "the integration `{name}` could not be loaded; try again in a moment"
    ))
    .retry_in(Some(backoff))
}
