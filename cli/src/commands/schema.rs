//! `schema`: the JSON Schema of an integration file.

use clap::Args;

use crate::failure::Failure;
use crate::output::Output;

/// Print the JSON Schema of an integration, for editors.
///
/// An editor with a YAML language server completes and checks an integration whose first line names the
/// schema: `# yaml-language-server: $schema=integration.schema.json`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway schema > integration.schema.json")]
pub(crate) struct Arguments {}

/// Runs the command.
pub(crate) fn run(_arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    Ok(output.json(&integration::json_schema(), true)?)
}
