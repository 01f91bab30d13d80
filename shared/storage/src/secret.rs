//! Secrets and the port they are read through.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::error::StorageError;

/// A password, key or token.
///
/// It can be neither printed, serialised nor compared, and its memory is overwritten when it is dropped.
///
/// ```compile_fail
/// println!("{:?}", storage::Secret::new("abc".to_owned()));
/// ```
/// ```compile_fail
/// println!("{}", storage::Secret::new("abc".to_owned()));
/// ```
/// ```compile_fail
/// serde_json::to_string(&storage::Secret::new("abc".to_owned()));
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text of a secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Where secrets are read.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The secret `key` of `integration`, or none when there is no such secret.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError>;

    /// How an operator gives this store the secret, for the message that it is missing:
    /// "set the environment variable X".
    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        let _ = (integration, key);
        None
    }
}
