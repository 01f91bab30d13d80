//! `openapi`: the description of the API.

use clap::Args;

use crate::failure::Failure;
use crate::output::Output;

/// Print the OpenAPI 3.1 document of the API, as `GET /v1/openapi.json` serves it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway openapi > openapi.json")]
pub(crate) struct Arguments {}

/// Runs the command.
pub(crate) fn run(_arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    Ok(output.json(&actions::openapi(), true)?)
}
