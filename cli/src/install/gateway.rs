//! Puts the gateway together for this machine.

use std::path::Path;
use std::sync::Arc;

use actions::{Fixed, Gateway, Installations};
use integration::Installation;
use storage::SecretStore;
use storage::embedded::EmbeddedStore;
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions};

use crate::failure::Failure;
use crate::install::{self, InstallArguments};
use crate::output::Output;

/// How requests to ticketing systems name their sender.
pub(crate) const USER_AGENT: &str = concat!("ticket-gateway/", env!("CARGO_PKG_VERSION"));

/// The installed integrations, reached from this process, with records in `store`.
///
/// # Errors
/// When the HTTP client or the gateway cannot be set up.
pub(crate) fn build(
    installations: Arc<dyn Installations>,
    secrets: Arc<dyn SecretStore>,
    allow_private_upstreams: bool,
    store: EmbeddedStore,
) -> Result<Gateway, Failure> {
    let options = ClientOptions {
        secrets,
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: allow_private_upstreams,
        user_agent: USER_AGENT.to_owned(),
    };
    let client = Client::new(options).map_err(|error| Failure::failed(error.to_string()))?;
    Gateway::builder(client)
        .installations(installations)
        .idempotency(Arc::new(store.clone()))
        .events(Arc::new(store.clone()))
        .journal(Arc::new(store))
        .build()
        .map_err(|error| Failure::failed(error.to_string()))
}

/// These installations and no others.
///
/// # Errors
/// When two have one name.
pub(crate) fn fixed(installations: Vec<Installation>) -> Result<Arc<dyn Installations>, Failure> {
    let fixed = Fixed::new(installations).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Arc::new(fixed))
}

/// One integration alone, for a command that ends after one call; gives its name too.
///
/// # Errors
/// Every mistake in the integration, a setting or secret that is wrong or missing.
pub(crate) async fn of_one(
    path: &Path,
    arguments: &InstallArguments,
    state: Option<&Path>,
    store: EmbeddedStore,
    output: &mut Output,
) -> Result<(String, Gateway), Failure> {
    let integration = install::load(path, output)?;
    let name = integration.name.clone();
    let installations = install::install(vec![integration], &arguments.assignments)?;
    let secrets = arguments.secret_store(state)?;
    install::check_secrets(&installations, secrets.as_ref()).await?;
    let installations = fixed(installations)?;
    let gateway = build(installations, secrets, arguments.allow_private_upstreams, store)?;
    Ok((name, gateway))
}
