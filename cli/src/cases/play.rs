//! Plays a case: the action runs as in production, against the case's answers.

use std::sync::Arc;

use actions::{ApiError, Gateway, RequestMeta};
use async_trait::async_trait;
use integration::{Installation, Integration};
use serde_json::Value;
use storage::in_process::InProcessBudget;
use storage::{Secret, SecretStore, StorageError};
use tokio::runtime::Runtime;
use upstream::{Client, ClientOptions, Transport};

use super::case::Case;
use super::player::{Player, Surprise};
use crate::failure::Failure;
use crate::install::gateway;

/// `meta_info.action_instance_id` of a case without an idempotency key, and `meta_info.request_id` of all.
const INSTANCE: &str = "case";

/// What came of a case.
pub(crate) struct Played {
    /// The end of the call.
    pub(crate) end: Result<Value, ApiError>,
    /// The first request that the case does not expect.
    pub(crate) surprise: Option<Surprise>,
    /// The numbers of the exchanges that were not played as often as they should.
    pub(crate) unplayed: Vec<usize>,
}

/// A runtime whose time stands still and jumps over every wait: attempts and limits are as in production, and take no
/// time.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    built.map_err(|error| Failure::failed(format!("cannot start the asynchronous runtime: {error}")))
}

/// Plays a case within [`runtime`]. `Ok(Err(..))` says what is wrong with its settings.
///
/// # Errors
/// When the gateway cannot be set up.
pub(crate) async fn play(
    integration: &Arc<Integration>,
    case: &Case,
) -> Result<Result<Played, Vec<String>>, Failure> {
    let installation = match integration.install(case.settings.clone()) {
        Ok(installation) => installation,
        Err(problems) => return Ok(Err(problems)),
    };
    let base = installation.connector.base_url.clone();
    let player = Arc::new(Player::new(case.exchanges.clone(), case.in_any_order, base));
    let secrets = placeholders(&installation, case);
    let end = perform(case, installation, secrets, Arc::clone(&player) as _, true).await?;
    let (surprise, unplayed) = player.finish();
    Ok(Ok(Played {
        end,
        surprise,
        unplayed,
    }))
}

/// Performs the action of a case over any way out.
///
/// # Errors
/// When the gateway cannot be set up; that the action fails is no such error.
pub(crate) async fn perform(
    case: &Case,
    installation: Installation,
    secrets: Arc<dyn SecretStore>,
    transport: Arc<dyn Transport>,
    allow_private_addresses: bool,
) -> Result<Result<Value, ApiError>, Failure> {
    let name = installation.integration.name.clone();
    let options = ClientOptions {
        secrets,
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses,
        user_agent: gateway::USER_AGENT.to_owned(),
    };
    // Without a store of records the key goes into the mappings and nowhere else.
    let gateway = Gateway::builder(Client::over(transport, options))
        .installations(gateway::fixed(vec![installation])?)
        .clock(case.now)
        .build()
        .map_err(|error| Failure::failed(error.to_string()))?;
    let context = case.context.clone();
    Ok(gateway.perform(&name, case.action, context, &request(case)).await)
}

/// What the call of a case has beside its context.
pub(crate) fn request(case: &Case) -> RequestMeta {
    RequestMeta {
        request_id: INSTANCE.to_owned(),
        action_instance_id: Some(
            case.idempotency_key
                .clone()
                .unwrap_or_else(|| INSTANCE.to_owned()),
        ),
    }
}

/// The secrets of a case: what stands for them there.
pub(crate) fn placeholders(installation: &Installation, case: &Case) -> Arc<dyn SecretStore> {
    Arc::new(Placeholders::of(installation, case.secrets.as_deref()))
}

/// Each secret is its own name in double braces: that is what cases hold in its place.
struct Placeholders {
    names: Vec<String>,
}

impl Placeholders {
    fn of(installation: &Installation, named: Option<&[String]>) -> Self {
        let needed = installation.required_secrets().into_iter();
        let needed = needed.filter(|secret| !secret.optional).map(|secret| secret.name);
        Self {
            names: named.map_or_else(|| needed.collect(), <[String]>::to_vec),
        }
    }
}

/// What stands in a case for a secret.
pub(crate) fn placeholder(name: &str) -> String {
    format!("{{{{{name}}}}}")
}

#[async_trait]
impl SecretStore for Placeholders {
    async fn secret(&self, _integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        let is_set = self.names.iter().any(|name| name == key);
        Ok(is_set.then(|| Secret::new(placeholder(key))))
    }

    fn how_to_set(&self, _integration: &str, _key: &str) -> Option<String> {
        Some("name it under `secrets` of the case".to_owned())
    }
}
