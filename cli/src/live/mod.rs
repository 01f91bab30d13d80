//! One integration in front of its real ticketing system, or of the answers of a case, with everything that passes
//! between them in view: for the commands that find out what is wrong with it.

pub(crate) mod cause;
pub(crate) mod places;
pub(crate) mod runs;
pub(crate) mod shown;
pub(crate) mod tape;

use std::path::Path;
use std::sync::Arc;

use actions::{Gateway, Installed};
use integration::Installation;
use jiff::Timestamp;
use storage::SecretStore;
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions, Network, Transport};

use crate::cases::case::Case;
use crate::cases::play;
use crate::cases::player::Player;
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
    /// The time of a case, which stands still.
    pub(crate) clock: Option<Timestamp>,
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
        let mut installations = install::install(vec![integration], &arguments.assignments)?;
        let secrets = arguments.secret_store(None)?;
        install::check_secrets(&installations, secrets.as_ref()).await?;
        let installation = installations.pop().ok_or_else(not_installed)?;
        let private = arguments.allow_private_upstreams;
        let network =
            Network::new(USER_AGENT, private).map_err(|error| Failure::failed(error.to_string()))?;
        let tape = Arc::new(Tape::default());
        let out = TapedTransport::over_network(network, Arc::clone(&tape));
        let secrets = Arc::new(TapedSecrets::new(secrets, Arc::clone(&tape)));
        Self::over(path, installation, Arc::new(out), secrets, tape, private, None).await
    }

    /// The integration at `path`, installed as a case says, in front of that case's answers.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub(crate) async fn over_case(
        path: &Path,
        installation: Installation,
        case: &Case,
        player: &Arc<Player>,
    ) -> Result<Self, Failure> {
        // What stands for the secrets in a case may be seen.
        let secrets = play::placeholders(&installation, case);
        let tape = Arc::new(Tape::default());
        let out = TapedTransport::over_case(Arc::clone(player) as _, Arc::clone(&tape));
        Self::over(
            path,
            installation,
            Arc::new(out),
            secrets,
            tape,
            true,
            Some(case.now),
        )
        .await
    }

    async fn over(
        path: &Path,
        installation: Installation,
        out: Arc<dyn Transport>,
        secrets: Arc<dyn SecretStore>,
        tape: Arc<Tape>,
        allow_private_addresses: bool,
        clock: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        let name = installation.integration.name.clone();
        let installations = gateway::fixed(vec![installation])?;
        let options = ClientOptions {
            secrets,
            budget: Arc::new(InProcessBudget::new()),
            allow_private_addresses,
            user_agent: USER_AGENT.to_owned(),
        };
        let mut builder = Gateway::builder(Client::over(out, options))
            .installations(Arc::clone(&installations))
            .witness(Arc::clone(&tape) as _);
        if let Some(clock) = clock {
            builder = builder.clock(clock);
        }
        let gateway = builder
            .build()
            .map_err(|error| Failure::failed(error.to_string()))?;
        let installed = installations.find(&name).await.ok().flatten();
        Ok(Self {
            installed: installed.ok_or_else(not_installed)?,
            places: Places::of(path)?,
            name,
            gateway: Arc::new(gateway),
            tape,
            clock,
        })
    }
}

fn not_installed() -> Failure {
    Failure::failed("the integration was not installed")
}
