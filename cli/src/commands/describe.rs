//! `describe`: what an installation's ticketing system offers.

use std::path::PathBuf;

use actions::RequestMeta;
use clap::Args;
use serde_json::Value;

use crate::failure::Failure;
use crate::install::{InstallArguments, gateway, state};
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::tables;

/// Show the custom fields, options, people and tags of a ticketing system, as its integration reports them.
///
/// It asks the ticketing system, with the same settings and secrets as `up`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway describe connectors/teamswork --secrets secrets.json \\
    --set teamswork.base_url=https://teamswork.azure-api.net/ticketing/v1
  ticket-gateway describe my-integration --json | jq '.custom_fields[].id'")]
pub(crate) struct Arguments {
    /// The integration: its folder or file
    #[arg(value_name = "INTEGRATION_DIR")]
    integration: PathBuf,

    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    install: InstallArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    let store = state::in_memory()?;
    let described = one_shot_runtime()?.block_on(async {
        let (name, gateway) =
            gateway::of_one(&arguments.integration, &arguments.install, None, store, output).await?;
        Ok::<_, Failure>(gateway.describe(&name, &RequestMeta::new()).await)
    })?;
    let description = described.map_err(|error| Failure::failed(error.to_string()))?;
    match &description {
        Value::Object(sections) if !arguments.json => output.text(&tables::sections(sections))?,
        _ => output.json(&description, false)?,
    }
    Ok(())
}
