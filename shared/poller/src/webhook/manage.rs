//! What an operator does to webhooks.

use std::sync::Arc;

use rand::Rng as _;
use serde_json::json;
use storage::{EventCursor, Secret, SecretWriter, StorageError, Swap, Webhook};

use super::deliver::{WebhookPorts, attempt};
use super::signing::SigningKeys;

/// Writes that are tried against deliveries that write at the same time.
const ATTEMPTS: usize = 10;
/// Letters and digits of an id, without those that are taken for one another.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
const ID_LENGTH: usize = 12;

/// The name of a webhook's signing secret among the secrets of its integration.
pub fn secret_name(id: &str) -> String {
    format!("webhook.{id}")
}

/// Where webhooks are added, changed and tried.
pub struct Webhooks {
    /// What deliveries work with.
    pub ports: WebhookPorts,
    /// Where signing secrets are put.
    pub secret_writer: Arc<dyn SecretWriter>,
}

impl Webhooks {
    /// Adds a webhook that gets the events from now on. Gives it and its signing secret, which is not shown again.
    ///
    /// # Errors
    /// [`StorageError::is_configuration`] when the address cannot be one; otherwise when a store fails.
    pub async fn add(&self, integration: &str, url: &str) -> Result<(Webhook, Secret), StorageError> {
        let ports = &self.ports;
        let refused =
            |error: upstream::UpstreamError| StorageError::configuration(format!("the address: {error}"));
        ports.courier.check(url).map_err(refused)?;
        let keys = SigningKeys::generate();
        let webhook = Webhook {
            id: new_id(),
            integration: integration.to_owned(),
            url: url.to_owned(),
            revision: 0,
            created_at: ports.clock.now(),
            cursor: ports.log.end(integration).await?,
            attempts: 0,
            not_before: None,
            failing_since: None,
            disabled_at: None,
            last_error: None,
            lease: None,
        };
        // First the secret: there is never a webhook without one.
        let name = secret_name(&webhook.id);
        self.secret_writer.set(integration, &name, &keys.stored()).await?;
        match ports.store.store_webhook(&webhook).await? {
            Swap::Stored => Ok((webhook, keys.current().clone())),
            Swap::Conflict => Err(StorageError::conflict(
                "a webhook has the new one's id already; try again",
            )),
        }
    }

    /// The webhook, or none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, integration: &str, id: &str) -> Result<Option<Webhook>, StorageError> {
        let webhooks = self.ports.store.webhooks(Some(integration)).await?;
        Ok(webhooks.into_iter().find(|webhook| webhook.id == id))
    }

    /// A new signing secret; the present one signs beside it for 24 hours. A webhook that waited for its secret is
    /// looked after at once.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when there is no such webhook; otherwise when a store fails.
    pub async fn rotate(&self, integration: &str, id: &str) -> Result<SigningKeys, StorageError> {
        let Some(webhook) = self.find(integration, id).await? else {
            return Err(unknown(integration, id));
        };
        let name = secret_name(id);
        let stored = self.ports.secrets.secret(integration, &name).await?;
        let keys = match stored.as_ref().map(SigningKeys::parse) {
            Some(Ok(keys)) => keys.rotated(self.ports.clock.now()),
            // What cannot be used signed nothing, so nobody waits for it.
            Some(Err(_)) | None => SigningKeys::generate(),
        };
        self.secret_writer.set(integration, &name, &keys.stored()).await?;
        // It waits, but no attempt failed: for its secret.
        if webhook.attempts == 0 && webhook.not_before.is_some() {
            self.change(integration, id, |webhook| webhook.not_before = None)
                .await?;
        }
        Ok(keys)
    }

    /// Lets a webhook get events again, from where it stopped, at once.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when there is no such webhook; otherwise when the store fails.
    pub async fn enable(&self, integration: &str, id: &str) -> Result<Webhook, StorageError> {
        self.change(integration, id, |webhook| {
            webhook.disabled_at = None;
            webhook.attempts = 0;
            webhook.not_before = None;
            webhook.failing_since = None;
            webhook.last_error = None;
        })
        .await
    }

    /// Stops a webhook; it keeps its place.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when there is no such webhook; otherwise when the store fails.
    pub async fn disable(&self, integration: &str, id: &str) -> Result<Webhook, StorageError> {
        let now = self.ports.clock.now();
        self.change(integration, id, |webhook| {
            webhook.disabled_at.get_or_insert(now);
        })
        .await
    }

    /// Puts a webhook at another place in the log: what comes after `cursor` is delivered to it, again or not.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when there is no such webhook; otherwise when the store fails.
    pub async fn place(
        &self,
        integration: &str,
        id: &str,
        cursor: Option<EventCursor>,
    ) -> Result<Webhook, StorageError> {
        self.change(integration, id, |webhook| {
            webhook.cursor.clone_from(&cursor);
            webhook.attempts = 0;
            webhook.not_before = None;
        })
        .await
    }

    /// Passes over the event that the webhook does not take. Gives its id; none where there is no event to deliver.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when there is no such webhook, or its place is no longer in the log; otherwise when
    /// a store fails.
    pub async fn skip(&self, integration: &str, id: &str) -> Result<Option<String>, StorageError> {
        let Some(webhook) = self.find(integration, id).await? else {
            return Err(unknown(integration, id));
        };
        let log = &self.ports.log;
        let next = log.read(integration, webhook.cursor.as_ref(), 1).await?;
        let Some(stuck) = next.into_iter().next() else {
            return Ok(None);
        };
        self.place(integration, id, Some(stuck.cursor)).await?;
        Ok(Some(stuck.event.event_id))
    }

    /// Removes a webhook and its signing secret. Whether there was one.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn remove(&self, integration: &str, id: &str) -> Result<bool, StorageError> {
        let was_there = self.ports.store.remove_webhook(integration, id).await?;
        let had_secret = self.secret_writer.remove(integration, &secret_name(id)).await?;
        Ok(was_there || had_secret)
    }

    /// Sends a message of the type `webhook.test` to a webhook, disabled or not. Its state stays as it is. Gives the
    /// message's id, or why it was not taken.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when there is no such webhook, [`StorageError::is_configuration`] when its secret
    /// cannot be used; otherwise when a store fails.
    pub async fn test(&self, integration: &str, id: &str) -> Result<Result<String, String>, StorageError> {
        let Some(webhook) = self.find(integration, id).await? else {
            return Err(unknown(integration, id));
        };
        let stored = self.ports.secrets.secret(integration, &secret_name(id)).await?;
        let unusable = |why: &str| {
            StorageError::configuration(format!("the signing secret of the webhook `{id}` {why}"))
        };
        let stored = stored.ok_or_else(|| unusable("is missing"))?;
        let keys = SigningKeys::parse(&stored).map_err(|why| unusable(&format!("cannot be used: {why}")))?;
        let message_id = format!("test_{}", new_id());
        let data = json!({"integration": integration, "webhook": id});
        let now = self.ports.clock.now();
        let sent = attempt(
            &self.ports,
            &webhook,
            &keys,
            &message_id,
            "webhook.test",
            now,
            &data,
        );
        Ok(sent.await.map(|()| message_id).map_err(|failure| failure.reason))
    }

    async fn change(
        &self,
        integration: &str,
        id: &str,
        edit: impl Fn(&mut Webhook) + Send + Sync,
    ) -> Result<Webhook, StorageError> {
        for _ in 0..ATTEMPTS {
            let Some(mut webhook) = self.find(integration, id).await? else {
                return Err(unknown(integration, id));
            };
            edit(&mut webhook);
            // The round that held it loses its next write and stops.
            webhook.lease = None;
            if self.ports.store.store_webhook(&webhook).await? == Swap::Stored {
                webhook.revision += 1;
                return Ok(webhook);
            }
        }
        Err(StorageError::conflict(
            "the webhook's record was written by others each time; try again",
        ))
    }
}

fn unknown(integration: &str, id: &str) -> StorageError {
    StorageError::not_found(format!("`{integration}` has no webhook `{id}`"))
}

fn new_id() -> String {
    let mut random = rand::rng();
    let letters = (0..ID_LENGTH).filter_map(|_| {
        let place = random.random_range(0..LETTERS.len());
        LETTERS.get(place).map(|letter| char::from(*letter))
    });
    let letters: String = letters.collect();
    format!("wh_{letters}")
}
