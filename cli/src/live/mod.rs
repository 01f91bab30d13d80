//! One integration in front of its real ticketing system, with everything that passes between them in view: for the
//! commands that find out what is wrong with it.

pub(crate) mod places;
pub(crate) mod runs;
pub(crate) mod shown;
pub(crate) mod tape;

use std::path::Path;
use std::sync::Arc;

use actions::{Gateway, Installations, Installed};
use storage::SecretStore;
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions, Network};

use crate::failure::Failure;
use crate::install::{self, InstallArguments, gateway};
use crate::live::places::Places;
use crate::live::tape::{Tape, TapedSecrets, TapedTransport};
use crate::output::Output;

const USER_AGENT: &str = concat!("ticket-gateway/", env!("CARGO_PKG_VERSION"));

/// An installed integration, and the tape that runs along.
pub(crate) struct Live {
    pub(crate) name: String,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) installed: Arc<Installed>,
    pub(crate) places: Places,
    pub(crate) tape: Arc<Tape>,
}

impl Live {
    /// Installs the integration at `path`.
    ///
    /// # Errors
    /// Every mistake in it, a setting or secret that is wrong or missing.
    pub(crate) async fn open(
        path: &Path,
        arguments: &InstallArguments,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let integration = install::load(path, output)?;
        let name = integration.name.clone();
        let installations = install::install(vec![integration], &arguments.assignments)?;
        let secrets = arguments.secret_store(None)?;
        install::check_secrets(&installations, secrets.as_ref()).await?;
        let installations = gateway::fixed(installations)?;
        let tape = Arc::new(Tape::default());
        let gateway = watched(&installations, secrets, arguments.allow_private_upstreams, &tape)?;
        let found = installations.find(&name).await;
        let installed = found.ok().flatten();
        Ok(Self {
            installed: installed.ok_or_else(|| Failure::failed("the integration was not installed"))?,
            places: Places::of(path)?,
            name,
            gateway: Arc::new(gateway),
            tape,
        })
    }
}

fn watched(
    installations: &Arc<dyn Installations>,
    secrets: Arc<dyn SecretStore>,
    allow_private: bool,
    tape: &Arc<Tape>,
) -> Result<Gateway, Failure> {
    let network =
        Network::new(USER_AGENT, allow_private).map_err(|error| Failure::failed(error.to_string()))?;
    let options = ClientOptions {
        secrets: Arc::new(TapedSecrets::new(secrets, Arc::clone(tape))),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: allow_private,
        user_agent: USER_AGENT.to_owned(),
    };
    let transport = TapedTransport::new(Arc::new(network), Arc::clone(tape));
    Gateway::builder(Client::over(Arc::new(transport), options))
        .installations(Arc::clone(installations))
        .witness(Arc::clone(tape) as _)
        .build()
        .map_err(|error| Failure::failed(error.to_string()))
}
