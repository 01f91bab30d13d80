//! Makes and revokes callers' keys.
//!
//! A deployed gateway has two things for a key: what the authorizer knows of it, which opens the integration, and API
//! Gateway's own key, for which its calls are counted. They are made and removed in such an order that what is left
//! behind, should the second step fail, opens nothing.

use storage::caller_key::{self, Access, Slot};
use storage::{CallerKey, Secret};

use super::{Target, now};
use crate::failure::Failure;

impl Target {
    /// Makes a key and stores what is kept of it. Gives that, and the key's text, which is nowhere else.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(crate) async fn make_key(
        &self,
        integration: &str,
        label: &str,
        slot: Slot,
        access: Access,
    ) -> Result<(CallerKey, Secret), Failure> {
        let (key, text) = caller_key::generate(integration, label, slot, access, now())?;
        if let Some(plan) = &self.usage_plan {
            plan.attach(integration, &key.id).await?;
        }
        if let Err(error) = self.keys.add_key(key.clone()).await {
            let failure = Failure::from(error);
            let (id, options) = (&key.id, &self.options);
            // Whether it was stored may be unknown; its text is shown to nobody, but it should not stay in the lists.
            return match self.revoke_key(integration, id).await {
                Ok(_) => Err(failure),
                Err(_) => Err(failure.help(format!(
                    "the key {id} may be left behind; nobody has it. To tidy up: \
                     ticket-gateway keys revoke {integration} {id}{options}"
                ))),
            };
        }
        Ok((key, text))
    }

    /// Removes a key and what a step that failed earlier left of it. Whether there was anything.
    ///
    /// # Errors
    /// When the store fails. The key may be half removed then; the same call again does the rest.
    pub(crate) async fn revoke_key(&self, integration: &str, id: &str) -> Result<bool, Failure> {
        let was_known = self.keys.remove_key(integration, id).await?;
        let Some(plan) = &self.usage_plan else {
            return Ok(was_known);
        };
        match plan.detach(integration, id).await {
            Ok(was_counted) => Ok(was_known || was_counted),
            Err(error) if was_known => {
                let options = &self.options;
                Err(Failure::failed(format!(
                    "the key {id} opens nothing any more, but API Gateway's key for it is left: {error}"
                ))
                .help(format!(
                    "remove the rest with the same command: ticket-gateway keys revoke {integration} {id}{options}"
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What does not fit together in a deployed gateway, and the fix: one line each.
    ///
    /// # Errors
    /// When AWS does not answer or does not allow it.
    pub(crate) async fn half_made_keys(
        &self,
        integration: &str,
        keys: &[CallerKey],
    ) -> Result<Vec<String>, Failure> {
        let Some(plan) = &self.usage_plan else {
            return Ok(Vec::new());
        };
        let counted = plan.attached(integration).await?;
        let options = &self.options;
        let refused = keys.iter().filter(|key| !counted.contains(&key.id)).map(|key| {
            format!(
                "the key {} is not in the usage plan, so API Gateway refuses its calls; revoke it and make another: \
                 ticket-gateway keys revoke {integration} {}{options}",
                key.id, key.id
            )
        });
        let idle = counted
            .iter()
            .filter(|id| keys.iter().all(|key| key.id != **id))
            .map(|id| {
                format!(
                    "the usage plan has a key {id} that opens nothing; remove it: \
                 ticket-gateway keys revoke {integration} {id}{options}"
                )
            });
        Ok(refused.chain(idle).collect())
    }
}
