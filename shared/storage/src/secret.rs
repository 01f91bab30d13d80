//! Secrets and the port they are read through.

use async_trait::async_trait;
use subtle::ConstantTimeEq;
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

    /// Whether both are the same text. Takes the same time wherever they differ.
    pub fn is_same(&self, other: &Secret) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
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

    /// After the ticketing system refused the values in `tried`: another value of the secret that is worth trying,
    /// read afresh. A rotation may have changed it, or may not have reached the system yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn another(
        &self,
        integration: &str,
        key: &str,
        tried: &[Secret],
    ) -> Result<Option<Secret>, StorageError> {
        let now = self.secret(integration, key).await?;
        Ok(now.filter(|secret| !tried.iter().any(|tried| tried.is_same(secret))))
    }

    /// The ticketing system accepted a value that [`SecretStore::another`] gave: the next calls begin with it.
    fn accepted(&self, integration: &str, key: &str, secret: &Secret) {
        let _ = (integration, key, secret);
    }

    /// How an operator gives this store the secret, for the message that it is missing:
    /// "set the environment variable X".
    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        let _ = (integration, key);
        None
    }
}

/// Where an operator puts secrets.
#[async_trait]
pub trait SecretWriter: Send + Sync {
    /// Sets the secret `key` of `integration`; its other secrets stay as they are.
    ///
    /// # Errors
    /// [`StorageError::is_configuration`] when what is stored already cannot be read, so that nothing is lost by
    /// writing over it; otherwise when the store fails.
    async fn set(&self, integration: &str, key: &str, secret: &Secret) -> Result<(), StorageError>;

    /// Removes the secret `key` of `integration`; its other secrets stay as they are. Whether there was one.
    ///
    /// # Errors
    /// As for [`SecretWriter::set`].
    async fn remove(&self, integration: &str, key: &str) -> Result<bool, StorageError>;

    /// The keys of the secrets that `integration` has, in order; never their values.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn names(&self, integration: &str) -> Result<Vec<String>, StorageError>;
}
