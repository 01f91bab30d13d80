//! The webhooks of a gateway that is operated from here.

use std::sync::Arc;

use poller::webhook::{WebhookPorts, Webhooks};
use polling::SystemClock;

use super::Target;
use crate::failure::Failure;
use crate::serve::polling::courier;

impl Target {
    /// The webhooks, to be added, changed and tried.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn webhooks_of(&self, allow_private: bool) -> Result<Webhooks, Failure> {
        Ok(Webhooks {
            ports: WebhookPorts {
                store: Arc::clone(&self.webhooks),
                log: Arc::clone(&self.events),
                secrets: Arc::clone(&self.secrets),
                courier: courier(allow_private)?,
                clock: Arc::new(SystemClock),
            },
            secret_writer: Arc::clone(&self.secret_writer),
        })
    }
}
