//! `rollback`: an earlier version once more.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use storage::NewVersion;

use crate::failure::Failure;
use crate::install::accept;
use crate::names;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::target::{TargetArguments, now};

/// Make the content of an earlier version active again.
///
/// It is stored as a new version with a note that says so: the list of versions stays the history, and a rollback can
/// be rolled back. It is checked as by `push`: content that this program cannot load is refused. Made active only if the
/// version that was active at the start still is.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway rollback teamswork --stack prod --note 'states of version 5 are wrong'
  ticket-gateway rollback teamswork --to 3")]
pub(crate) struct Arguments {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// The version to go back to [default: the one that was active before]
    #[arg(long, value_name = "VERSION")]
    to: Option<u64>,

    /// Why, for `versions`
    #[arg(long, value_name = "TEXT", value_parser = names::note)]
    note: Option<String>,

    /// Print {integration, version, previous, to, changed} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    one_shot_runtime()?.block_on(rollback(arguments, output))
}

async fn rollback(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    let target = arguments.target.open().await?;
    let (seen, to) = match arguments.to {
        // Also where nothing is active: that is one way to switch an integration on again.
        Some(to) => (target.integrations.active(name).await?, to),
        None => {
            let (active, before) = target.before_active(name).await?;
            (Some(active), before)
        }
    };
    let old = target.content(name, to).await?;
    let changed = match seen {
        None => true,
        Some(active) => target.content(name, active).await?.digest() != old.digest(),
    };
    let mut version = seen;
    if changed {
        check(to, &old, output)?;
        let why = arguments
            .note
            .as_ref()
            .map_or(String::new(), |note| format!(": {note}"));
        let content = NewVersion {
            note: format!("rollback to version {to}{why}"),
            created_at: now(),
            created_by: target.person.clone(),
            replaces: seen,
            ..old
        };
        version = Some(target.add_and_activate(name, content, seen).await?);
    }
    if arguments.json {
        let result = json!({
            "integration": name, "version": version, "previous": seen, "to": to, "changed": changed,
        });
        return Ok(output.json(&result, false)?);
    }
    let number = version.map_or(String::new(), |version| version.to_string());
    output.remark(&if changed {
        format!("version {number} of `{name}` is active, with the content of version {to}")
    } else {
        format!("nothing to do: version {number} of `{name}` is active and has the content of version {to}")
    });
    Ok(())
}

/// What loaded when it was pushed need not load in this program, which may be another version of it.
fn check(to: u64, content: &NewVersion, output: &mut Output) -> Result<(), Failure> {
    let help = format!("version {to} cannot be served any more; correct its files and push them");
    let loaded = integration::load_files(&content.files);
    let integration = accept(loaded, output).map_err(|failure| failure.help(&help))?;
    let installed = Arc::new(integration).install(content.settings.clone());
    installed.map_err(|problems| Failure::failed(problems.join("\n       ")).help(help))?;
    Ok(())
}
