//! Integrations as `up`, `call` and `describe` install them: loaded, checked, with settings and secrets.

pub(crate) mod gateway;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use integration::{Installation, Integration, Loaded};
use serde_json::{Map, Value};
use storage::embedded::{EnvironmentSecrets, FileSecrets};
use storage::{SecretStore, StorageError};

use crate::failure::Failure;
use crate::install::secrets::BesideState;
use crate::install::settings::Assignment;
use crate::output::Output;

/// What an installation fills in. Flatten it last: its heading holds for every option after it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Installation")]
pub(crate) struct InstallArguments {
    /// A setting of an integration: JSON where the setting is not text. Repeatable
    #[arg(long = "set", value_name = "NAME.KEY=VALUE")]
    pub(crate) assignments: Vec<Assignment>,

    /// Secrets as JSON, {"NAME": {"KEY": "..."}}, readable by its owner only
    /// [default: the file that `ticket-gateway secret set` writes, beside the state file]
    ///
    /// A secret is looked up in the environment first, as TICKET_GATEWAY_SECRET_<NAME>_<KEY> in capitals with
    /// `_` for `-`, then in this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,

    /// Allow ticketing systems at loopback, private and link-local addresses
    #[arg(long)]
    pub(crate) allow_private_upstreams: bool,
}

impl InstallArguments {
    /// The environment, then the secrets file: the one that was named, or the one beside the state file.
    pub(crate) fn secret_store(&self, state: Option<&Path>) -> Result<Arc<dyn SecretStore>, Failure> {
        if let Some(path) = &self.secrets {
            return Ok(secrets::environment_then(FileSecrets::open(path)?));
        }
        let options = state.map_or_else(String::new, |file| format!(" --state {}", file.display()));
        // Where there is no place for a state file there is none for secrets; the environment may have them.
        let state = state.map_or_else(state::default_file, |file| Ok(file.to_owned()));
        match state {
            Ok(state) => Ok(secrets::environment_then(BesideState::open(
                state::secrets_file(&state),
                options,
            )?)),
            Err(_) => Ok(Arc::new(EnvironmentSecrets::new())),
        }
    }
}

/// Loads an integration from its folder or file; that there are warnings goes to stderr.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn load(path: &Path, output: &mut Output) -> Result<Integration, Failure> {
    let loaded = integration::load(path);
    let Some(integration) = loaded.integration else {
        return Err(Failure::diagnostics(loaded.diagnostics));
    };
    let warnings = match loaded.diagnostics.len() {
        0 => return Ok(integration),
        1 => "1 warning".to_owned(),
        several => format!("{several} warnings"),
    };
    // Whoever works on an integration runs this again and again.
    let path = path.display();
    output.remark(&format!("{warnings} of lint: see `ticket-gateway lint {path}`"));
    Ok(integration)
}

/// The integration, when it has no mistake; warnings go to stderr.
pub(crate) fn accept(loaded: Loaded, output: &mut Output) -> Result<Integration, Failure> {
    match loaded.integration {
        Some(integration) => {
            output.diagnostics(&loaded.diagnostics);
            Ok(integration)
        }
        None => Err(Failure::diagnostics(loaded.diagnostics)),
    }
}

/// Fills in the settings of the command line.
///
/// # Errors
/// Two integrations of one name, a setting that does not exist, is missing or is of the wrong type.
pub(crate) fn install(
    integrations: Vec<Integration>,
    assignments: &[Assignment],
) -> Result<Vec<Installation>, Failure> {
    let mut names: Vec<&str> = Vec::new();
    for integration in &integrations {
        if names.contains(&integration.name.as_str()) {
            let message = format!("two integrations are named `{}`", integration.name);
            return Err(
                Failure::failed(message).help("give one of them another `name` in its integration.yaml")
            );
        }
        names.push(&integration.name);
    }
    settings::check_names(&names, assignments)?;
    integrations
        .into_iter()
        .map(|integration| install_one(integration, assignments))
        .collect()
}

fn install_one(integration: Integration, assignments: &[Assignment]) -> Result<Installation, Failure> {
    let settings = settings::of(&integration, assignments)?;
    with_settings(integration, settings)
}

/// Installs an integration with these settings.
///
/// # Errors
/// Every setting that is missing, unknown or of the wrong type.
pub(crate) fn with_settings(
    integration: Integration,
    settings: Map<String, Value>,
) -> Result<Installation, Failure> {
    let integration = Arc::new(integration);
    integration.install(settings).map_err(|problems| {
        // Each begins with the integration's name.
        Failure::failed(problems.join("\n       ")).help(format!(
            "give a setting with --set {}.KEY=VALUE",
            integration.name
        ))
    })
}

/// Refuses to go on without a secret that an integration needs.
///
/// # Errors
/// Every missing secret, and how to give it.
pub(crate) async fn check_secrets(
    installations: &[Installation],
    secrets: &dyn SecretStore,
) -> Result<(), Failure> {
    let mut missing = Vec::new();
    let mut remedies = Vec::new();
    for installation in installations {
        let integration = &installation.integration;
        for key in missing_secrets(installation, secrets).await? {
            missing.push(format!("`{}` needs the secret `{key}`", integration.name));
            remedies.extend(secrets.how_to_set(&integration.name, &key));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(missing.join("\n       ")).help(remedies.join("\n      ")))
}

/// The secrets that an installation needs and does not have.
///
/// # Errors
/// When they cannot be read.
pub(crate) async fn missing_secrets(
    installation: &Installation,
    secrets: &dyn SecretStore,
) -> Result<Vec<String>, StorageError> {
    let mut missing = Vec::new();
    let name = &installation.integration.name;
    for wanted in installation.required_secrets() {
        if !wanted.optional && secrets.secret(name, &wanted.name).await?.is_none() {
            missing.push(wanted.name);
        }
    }
    Ok(missing)
}
