//! The keys that callers of the API show.
//!
//! A key is `tgk_<integration>_<id>_<secret>`. Only the SHA-256 of the whole text is stored; the secret part has 256
//! random bits, so a slow password hash would add nothing.

use std::fmt;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::error::StorageError;
use crate::hash::{hexadecimal, sha256};
use crate::secret::Secret;

const PREFIX: &str = "tgk";
/// Longer texts are not keys of ours: an integration's name has at most 63 characters.
const MAX_TEXT: usize = 160;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Every action.
    ReadWrite,
    /// Queries only.
    ReadOnly,
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Access::ReadWrite => "read-write",
            Access::ReadOnly => "read-only",
        })
    }
}

/// A caller has up to two keys at a time, so that one can be replaced while the other works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// The first key.
    Primary,
    /// The second key.
    Secondary,
}

impl fmt::Display for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Slot::Primary => "primary",
            Slot::Secondary => "secondary",
        })
    }
}

/// What is stored of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerKey {
    /// The integration it opens.
    pub integration: String,
    /// Tells the integration's keys apart: 8 hexadecimal digits. Not secret.
    pub id: String,
    /// Who it was made for: `portal`.
    pub label: String,
    /// Which of the label's two keys.
    pub slot: Slot,
    /// What it allows.
    pub access: Access,
    /// When it was made: RFC 3339, UTC.
    pub created_at: String,
    /// SHA-256 of its text, in hexadecimal.
    pub hash: String,
}

/// Keeps the callers' keys.
#[async_trait]
pub trait CallerKeyStore: Send + Sync {
    /// Adds a key.
    ///
    /// # Errors
    /// [`StorageError::is_conflict`] when the integration has a key with this id.
    async fn add_key(&self, key: CallerKey) -> Result<(), StorageError>;

    /// The key with this id, or none.
    ///
    /// # Errors
    /// When the store fails.
    async fn key(&self, integration: &str, id: &str) -> Result<Option<CallerKey>, StorageError>;

    /// All keys of an integration, by id.
    ///
    /// # Errors
    /// When the store fails.
    async fn keys(&self, integration: &str) -> Result<Vec<CallerKey>, StorageError>;

    /// Removes a key; it opens nothing from then on. Whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    async fn remove_key(&self, integration: &str, id: &str) -> Result<bool, StorageError>;
}

/// Makes a key: what to store, and its text, which is shown once and kept nowhere.
///
/// # Errors
/// When the system has no random numbers.
pub fn generate(
    integration: &str,
    label: &str,
    slot: Slot,
    access: Access,
    created_at: String,
) -> Result<(CallerKey, Secret), StorageError> {
    let mut random = [0_u8; 36];
    OsRng
        .try_fill_bytes(&mut random)
        .map_err(|error| StorageError::failed("cannot make a random key", error))?;
    let (id, secret) = random.split_at(4);
    let id = hexadecimal(id);
    let text = Secret::new(format!(
        "{PREFIX}_{integration}_{id}_{}",
        URL_SAFE_NO_PAD.encode(secret)
    ));
    let key = CallerKey {
        integration: integration.to_owned(),
        id,
        label: label.to_owned(),
        slot,
        access,
        created_at,
        hash: sha256(text.expose()),
    };
    Ok((key, text))
}

/// The integration and the id that a key's text names, or none where it is no key of ours.
pub fn parse(text: &str) -> Option<(&str, &str)> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut parts = text.splitn(4, '_');
    let (prefix, integration, id) = (parts.next()?, parts.next()?, parts.next()?);
    let secret = parts.next()?;
    let is_ours = prefix == PREFIX
        && !integration.is_empty()
        && id.len() == 8
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && secret.len() == 43;
    is_ours.then_some((integration, id))
}

/// The key that a text opens, or none: not a key, unknown, revoked, or a wrong secret.
///
/// # Errors
/// When the store fails.
pub async fn verify(store: &dyn CallerKeyStore, text: &str) -> Result<Option<CallerKey>, StorageError> {
    let Some((integration, id)) = parse(text) else {
        return Ok(None);
    };
    let Some(key) = store.key(integration, id).await? else {
        return Ok(None);
    };
    let is_right: bool = key.hash.as_bytes().ct_eq(sha256(text).as_bytes()).into();
    Ok(is_right.then_some(key))
}
