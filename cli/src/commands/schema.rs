//! `schema`: the JSON Schemas of an integration file and of a case.

use clap::Args;

use crate::cases::read::SCHEMA;
use crate::failure::Failure;
use crate::output::Output;

/// Print the JSON Schema of an integration, or of a case, for editors.
///
/// An editor with a YAML language server completes and checks an integration whose first line names the
/// schema: `# yaml-language-server: $schema=integration.schema.json`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway schema > integration.schema.json
  ticket-gateway schema --case > case.schema.json")]
pub(crate) struct Arguments {
    /// That of the case files that `ticket-gateway test` plays
    #[arg(long)]
    case: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    if arguments.case {
        return Ok(output.text(SCHEMA)?);
    }
    Ok(output.json(&integration::json_schema(), true)?)
}
