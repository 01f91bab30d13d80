//! `diff`: what differs between two versions, or between a version and a folder.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use storage::NewVersion;

use crate::changes::{self, Side};
use crate::failure::Failure;
use crate::names;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::target::TargetArguments;

/// Show what differs between two versions of an integration, or between a version and a folder.
///
/// A unified diff of the files and the settings goes to stdout; nothing does when they are the same.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway diff teamswork              (what the active version changed)
  ticket-gateway diff teamswork 3 5          (from version 3 to version 5)
  ticket-gateway diff teamswork 3            (from version 3 to the active one)
  ticket-gateway diff teamswork --dir connectors/teamswork --stack prod")]
pub(crate) struct Arguments {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// The version to start from [default: the one that was active before; with --dir, the active one]
    #[arg(value_name = "A")]
    from: Option<u64>,

    /// The version to compare it with [default: the active one]
    #[arg(value_name = "B", conflicts_with = "dir")]
    to: Option<u64>,

    /// Compare with a folder or file instead; its settings are taken to be the version's
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Print {integration, from, to, changes: [{file, change, diff}]} on stdout instead
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    one_shot_runtime()?.block_on(diff(arguments, output))
}

async fn diff(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    let target = arguments.target.open().await?;
    let from = match (arguments.from, &arguments.dir) {
        (Some(version), _) => version,
        (None, Some(_)) => target.active(name).await?,
        (None, None) => target.before_active(name).await?.1,
    };
    let old = target.content(name, from).await?;
    let (to, label, new) = match &arguments.dir {
        Some(dir) => (None, dir.display().to_string(), of_folder(dir, &old)?),
        None => {
            let to = match arguments.to {
                Some(version) => version,
                None => target.active(name).await?,
            };
            (Some(to), format!("version {to}"), target.content(name, to).await?)
        }
    };
    let changes = changes::between(
        &Side {
            label: format!("version {from}"),
            content: &old,
        },
        &Side {
            label: label.clone(),
            content: &new,
        },
    );
    if arguments.json {
        let changes = changes::to_json(&changes);
        let result = json!({"integration": name, "from": from, "to": to, "changes": changes});
        return Ok(output.json(&result, false)?);
    }
    if changes.is_empty() {
        output.remark(&format!(
            "version {from} of `{name}` and {label} have the same content"
        ));
        return Ok(());
    }
    Ok(output.diff(&changes::text(&changes))?)
}

/// The files of a folder, with or without mistakes.
fn of_folder(dir: &Path, version: &NewVersion) -> Result<NewVersion, Failure> {
    let files = integration::read_files(dir).map_err(|problem| Failure::from(*problem))?;
    Ok(NewVersion {
        files: changes::stored_names(files),
        ..version.clone()
    })
}
