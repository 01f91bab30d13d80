//! Sets secrets in Secrets Manager.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::aws::Connection;
use crate::aws::failure::explain;
use crate::error::StorageError;
use crate::secret::{Secret, SecretWriter};

/// Writes the secret `<prefix><integration>`, a JSON object, key to text.
///
/// Setting one key reads the object and writes it back. Secrets Manager has no conditional write, so of two operators
/// who set two keys of one integration in the same second, one may undo the other.
pub struct SecretsManagerWriter {
    client: Client,
    prefix: String,
    kms_key: Option<String>,
}

impl SecretsManagerWriter {
    /// Writes secrets whose names begin with `prefix`; a new one is encrypted with `kms_key`, or with the account's
    /// own key for secrets.
    pub fn new(connection: &Connection, prefix: impl Into<String>, kms_key: Option<String>) -> Self {
        Self {
            client: Client::new(connection.config()),
            prefix: prefix.into(),
            kms_key,
        }
    }

    fn id(&self, integration: &str) -> String {
        format!("{}{integration}", self.prefix)
    }

    /// A new version of a secret that exists.
    async fn put(&self, id: &str, held: &Map<String, Value>) -> Result<(), StorageError> {
        let text = Zeroizing::new(serde_json::json!(held).to_string());
        let put = self
            .client
            .put_secret_value()
            .secret_id(id)
            .secret_string(text.as_str());
        let put = put.send().await;
        put.map(drop).map_err(|error| explain(&cannot_write(id), &error))
    }

    /// What the secret holds, or none where there is none.
    async fn read(&self, id: &str) -> Result<Option<Map<String, Value>>, StorageError> {
        let answer = match self.client.get_secret_value().secret_id(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = error.as_service_error();
                let said = refused
                    .and_then(ProvideErrorMetadata::message)
                    .unwrap_or_default();
                return match refused.and_then(ProvideErrorMetadata::code) {
                    Some("ResourceNotFoundException") => Ok(None),
                    Some("InvalidRequestException") if said.contains("delet") => {
                        Err(StorageError::configuration(format!(
                            "the secret `{id}` is being deleted; take it back first: \
                             aws secretsmanager restore-secret --secret-id {id}"
                        )))
                    }
                    _ => Err(explain(&format!("cannot read the secret `{id}`"), &error)),
                };
            }
        };
        let unreadable = |what: &str| {
            StorageError::configuration(format!(
                "the secret `{id}` {what}, so a key cannot be set in it; expected {{\"<key>\": \"<secret>\"}}"
            ))
        };
        let text = answer.secret_string.map(Zeroizing::new);
        let text = text.ok_or_else(|| unreadable("is binary"))?;
        // The parser's own message may quote a value.
        let held = serde_json::from_str(&text).map_err(|_| unreadable("is not a JSON object"))?;
        Ok(Some(held))
    }
}

fn cannot_write(id: &str) -> String {
    format!("cannot write the secret `{id}`")
}

#[async_trait]
impl SecretWriter for SecretsManagerWriter {
    async fn set(&self, integration: &str, key: &str, secret: &Secret) -> Result<(), StorageError> {
        let id = self.id(integration);
        let held = self.read(&id).await?;
        let is_new = held.is_none();
        let mut held = held.unwrap_or_default();
        held.insert(key.to_owned(), Value::from(secret.expose()));
        if is_new {
            let (text, cannot) = (Zeroizing::new(Value::Object(held).to_string()), cannot_write(&id));
            let create = self
                .client
                .create_secret()
                .name(&id)
                .description(format!(
                    "Secrets of the integration {integration} of Ticket Gateway"
                ))
                .set_kms_key_id(self.kms_key.clone())
                .secret_string(text.as_str());
            create.send().await.map_err(|error| explain(&cannot, &error))?;
        } else {
            self.put(&id, &held).await?;
        }
        Ok(())
    }

    async fn remove(&self, integration: &str, key: &str) -> Result<bool, StorageError> {
        let id = self.id(integration);
        let Some(mut held) = self.read(&id).await? else {
            return Ok(false);
        };
        // `shift_remove`: the others stay in their order.
        if held.shift_remove(key).is_none() {
            return Ok(false);
        }
        self.put(&id, &held).await?;
        Ok(true)
    }

    async fn names(&self, integration: &str) -> Result<Vec<String>, StorageError> {
        let held = self.read(&self.id(integration)).await?.unwrap_or_default();
        let mut names: Vec<String> = held.keys().cloned().collect();
        names.sort();
        Ok(names)
    }
}
