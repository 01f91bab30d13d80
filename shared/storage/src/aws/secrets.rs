//! Secrets of integrations in Secrets Manager: the secret `<prefix><integration>` is a JSON object, key to text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use rand::Rng;
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::connection::Connection;
use super::failure::explain;
use crate::error::StorageError;
use crate::secret::{Secret, SecretStore};

/// A secret that is refused is read afresh at most this often, however many calls are refused.
const BETWEEN_FRESH_READS: Duration = Duration::from_secs(5);
/// An operator who sets a missing secret does not wait long; nor is each call a request until then.
const MISSING_IS_BELIEVED: Duration = Duration::from_secs(5);
/// When reading failed and an old value is used, the next attempt comes after this time.
const AFTER_A_FAILURE: Duration = Duration::from_secs(10);
/// The stage of the version in use, and of the one before it.
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Reads secrets from Secrets Manager and keeps them in memory for a time.
///
/// When a ticketing system refuses a secret, [`SecretStore::another`] reads it afresh and then offers the one before
/// it: during a rotation either may be the one that the system knows.
pub struct SecretsManager {
    client: Client,
    prefix: String,
    keep: Duration,
    integrations: Mutex<HashMap<String, Arc<Slot>>>,
}

/// What is known of one integration's secret. Whoever reads holds `reading`, so that there is one request at a time.
#[derive(Default)]
struct Slot {
    reading: AsyncMutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    current: Option<Version>,
    previous: Option<Version>,
    /// Values that the system accepted instead of the current ones, until there is a newer version.
    accepted: HashMap<String, Secret>,
    /// When `current` is to be read again; none before the first time.
    stale_at: Option<Instant>,
    read_afresh_at: Option<Instant>,
}

#[derive(Clone)]
struct Version {
    id: String,
    values: Arc<HashMap<String, SecretText>>,
}

impl Version {
    fn value(&self, key: &str) -> Option<Secret> {
        let found = self.values.get(key).map(|text| text.0.clone());
        found.filter(|secret| !secret.expose().is_empty())
    }
}

struct SecretText(Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

impl Known {
    fn value(&self, key: &str) -> Option<Secret> {
        let accepted = self.accepted.get(key).cloned();
        accepted.or_else(|| self.current.as_ref().and_then(|version| version.value(key)))
    }

    fn learn(&mut self, current: Option<Version>, keep: Duration) {
        let id = |version: &Option<Version>| version.as_ref().map(|version| version.id.clone());
        if id(&self.current) != id(&current) {
            self.accepted.clear();
            self.previous = None;
        }
        let keep = if current.is_some() {
            jittered(keep)
        } else {
            keep.min(MISSING_IS_BELIEVED)
        };
        self.current = current;
        self.stale_at = Some(Instant::now() + keep);
    }
}

impl SecretsManager {
    /// Reads secrets whose names begin with `prefix`, and keeps each for `keep`, give or take a tenth.
    pub fn new(connection: &Connection, prefix: impl Into<String>, keep: Duration) -> Self {
        Self {
            client: Client::new(connection.config()),
            prefix: prefix.into(),
            keep,
            integrations: Mutex::default(),
        }
    }

    fn slot(&self, integration: &str) -> Arc<Slot> {
        let mut all = self.integrations.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(integration.to_owned()).or_default())
    }

    /// A version of an integration's secret, or none where there is none.
    async fn read(&self, integration: &str, stage: &str) -> Result<Option<Version>, StorageError> {
        let id = format!("{}{integration}", self.prefix);
        let request = self.client.get_secret_value().secret_id(&id).version_stage(stage);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = error.as_service_error();
                let code = refused.and_then(ProvideErrorMetadata::code);
                let said = refused
                    .and_then(ProvideErrorMetadata::message)
                    .unwrap_or_default();
                return match code {
                    Some("ResourceNotFoundException") => Ok(None),
                    Some("InvalidRequestException") if said.contains("delet") => Ok(None),
                    Some("DecryptionFailure") => Err(StorageError::denied(format!(
                        "cannot read the secret `{id}`: its KMS key cannot be used ({said})"
                    ))),
                    _ => Err(explain(&format!("cannot read the secret `{id}`"), &error)),
                };
            }
        };
        let text = answer.secret_string.map(Zeroizing::new).ok_or_else(|| {
            let message = format!("the secret `{id}` is binary; {}", expected());
            StorageError::configuration(message)
        })?;
        // The parser's own message may quote a value.
        let values = serde_json::from_str(&text).map_err(|error| {
            StorageError::configuration(format!(
                "the secret `{id}` is not a JSON object of text: see line {}, column {}; {}",
                error.line(),
                error.column(),
                expected()
            ))
        })?;
        Ok(Some(Version {
            id: answer.version_id.unwrap_or_default(),
            values: Arc::new(values),
        }))
    }

    /// Sees to it that what is known is not older than it may be.
    async fn refresh(&self, integration: &str, slot: &Slot) -> Result<(), StorageError> {
        let is_fresh = || {
            slot.known()
                .stale_at
                .is_some_and(|stale_at| Instant::now() < stale_at)
        };
        if is_fresh() {
            return Ok(());
        }
        let _reading = slot.reading.lock().await;
        if is_fresh() {
            return Ok(());
        }
        match self.read(integration, CURRENT).await {
            Ok(current) => slot.known().learn(current, self.keep),
            Err(error) => {
                let mut known = slot.known();
                if known.current.is_none() {
                    return Err(error);
                }
                tracing::warn!(integration, %error, "the secret cannot be read again; the last known value is used");
                known.stale_at = Some(Instant::now() + AFTER_A_FAILURE.min(self.keep));
            }
        }
        Ok(())
    }
}

impl Slot {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SecretStore for SecretsManager {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        let slot = self.slot(integration);
        self.refresh(integration, &slot).await?;
        Ok(slot.known().value(key))
    }

    async fn another(
        &self,
        integration: &str,
        key: &str,
        tried: &[Secret],
    ) -> Result<Option<Secret>, StorageError> {
        let is_new = |secret: &Secret| !tried.iter().any(|tried| tried.is_same(secret));
        let slot = self.slot(integration);
        let known = || {
            let known = slot.known();
            let current = known.current.as_ref().and_then(|version| version.value(key));
            let previous = known.previous.as_ref().and_then(|version| version.value(key));
            [known.value(key), current, previous]
                .into_iter()
                .flatten()
                .find(is_new)
        };
        let _reading = slot.reading.lock().await;
        // Somebody else may have found one while this call waited.
        if let Some(secret) = known() {
            return Ok(Some(secret));
        }
        let is_due = slot
            .known()
            .read_afresh_at
            .is_none_or(|at| at.elapsed() >= BETWEEN_FRESH_READS);
        if is_due {
            slot.known().read_afresh_at = Some(Instant::now());
            let current = self.read(integration, CURRENT).await?;
            slot.known().learn(current, self.keep);
            if let Some(secret) = known() {
                return Ok(Some(secret));
            }
            let previous = self.read(integration, PREVIOUS).await?;
            slot.known().previous = previous;
        }
        Ok(known())
    }

    fn accepted(&self, integration: &str, key: &str, secret: &Secret) {
        let slot = self.slot(integration);
        let mut known = slot.known();
        let is_current = known
            .current
            .as_ref()
            .and_then(|version| version.value(key))
            .is_some_and(|it| it.is_same(secret));
        if is_current {
            known.accepted.remove(key);
        } else {
            known.accepted.insert(key.to_owned(), secret.clone());
        }
    }

    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        Some(format!(
            "put `{key}` into the secret `{}{integration}` of AWS Secrets Manager: ticket-gateway secret set {integration} {key}",
            self.prefix
        ))
    }
}

fn expected() -> &'static str {
    "expected {\"<key>\": \"<secret>\"}"
}

/// Give or take a tenth, so that functions which started together do not ask together.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(rand::rng().random_range(0.9..=1.1))
}
