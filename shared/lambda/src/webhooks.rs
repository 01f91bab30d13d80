//! Delivers events to webhooks: one round a minute.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use poller::webhook::{Deliveries, WebhookPorts, deliver_due};
use polling::SystemClock;
use serde_json::Value;
use storage::StorageError;
use storage::aws::{DynamoEventLog, DynamoWebhooks, SecretsManager};
use upstream::Courier;

use crate::environment::Environment;
use crate::error::Error;
use crate::ports::Settings;
use crate::runtime::{self, Refused};

/// What is left of the function's time for writing down the last attempt.
const MARGIN: Duration = Duration::from_secs(3);

/// Runs the function that delivers to webhooks until Lambda stops it. It needs more than 30 seconds for a run: one
/// attempt takes up to 20.
///
/// Its environment: `TICKET_GATEWAY_STATE_TABLE`, `TICKET_GATEWAY_SECRET_PREFIX`,
/// `TICKET_GATEWAY_SECRET_TTL_SECONDS` (how long a secret is kept; 300), `TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS`.
///
/// # Errors
/// When the environment is not complete or the Lambda runtime cannot be reached.
pub async fn run_deliver_webhooks() -> Result<(), Error> {
    let function = runtime::start(async {
        let variable = |name: &str| std::env::var(name).ok();
        DeliverWebhooks::from_environment(variable).map(Arc::new)
    })
    .await?;
    runtime::serve(move |event: LambdaEvent<Value>, _| {
        let function = Arc::clone(&function);
        async move {
            let deadline = end(event.context.deadline());
            match function.deliver(&event.context.request_id, deadline).await {
                Ok(_) => Ok(()),
                Err(error) => {
                    tracing::error!(%error, "the webhooks cannot be listed");
                    Err(Refused(
                        "The webhooks cannot be listed; the function's log says why",
                    ))
                }
            }
        }
    })
    .await
}

/// Delivers to webhooks. One per process.
pub struct DeliverWebhooks(WebhookPorts);

impl DeliverWebhooks {
    /// Over these ports.
    pub fn new(ports: WebhookPorts) -> Self {
        Self(ports)
    }

    /// Over the stores on AWS that the environment names.
    ///
    /// # Errors
    /// When a variable is missing or has a form that it cannot have, or the HTTP client cannot be set up.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let environment = Environment::new(&variable);
        let state = environment.state_table()?;
        let prefix = environment.secret_prefix()?;
        let kept = environment.secret_ttl()?;
        let allow_private = Settings::from_environment(&variable)?.allow_private_upstreams;
        let user_agent = concat!("ticket-gateway/", env!("CARGO_PKG_VERSION"));
        let connection = environment.connection()?;
        Ok(Self::new(WebhookPorts {
            store: Arc::new(DynamoWebhooks::new(&connection, &*state)),
            log: Arc::new(DynamoEventLog::new(&connection, &*state)),
            secrets: Arc::new(SecretsManager::new(&connection, prefix, kept)),
            courier: Courier::new(user_agent, allow_private).map_err(|error| Error::setup(&error))?,
            clock: Arc::new(SystemClock),
        }))
    }

    /// Delivers what is due, until `deadline`. `owner` is a name that no other run has.
    ///
    /// # Errors
    /// When the webhooks cannot be listed. What goes wrong with one of them is in its record and in the log.
    pub async fn deliver(&self, owner: &str, deadline: Timestamp) -> Result<Deliveries, StorageError> {
        let done = deliver_due(&self.0, owner, deadline).await?;
        if done != Deliveries::default() {
            tracing::info!(
                delivered = done.delivered,
                failed = done.failed,
                disabled = done.disabled,
                "webhooks"
            );
        }
        Ok(done)
    }
}

/// When a run has to end for Lambda not to stop it.
fn end(stop: SystemTime) -> Timestamp {
    let stop = stop.checked_sub(MARGIN).unwrap_or(stop);
    Timestamp::try_from(stop).unwrap_or(Timestamp::MAX)
}
