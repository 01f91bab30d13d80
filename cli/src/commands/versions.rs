//! `versions`: what was pushed when and by whom.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::names;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::tables;
use crate::target::TargetArguments;

/// Show the versions of an integration, or the integrations there are.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway versions teamswork --stack prod
  ticket-gateway versions teamswork --json | jq '.[] | select(.active).version'")]
pub(crate) struct Arguments {
    /// The integration [default: list all that are active]
    #[arg(value_parser = names::integration)]
    name: Option<String>,

    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    let rows = one_shot_runtime()?.block_on(async {
        match &arguments.name {
            Some(name) => versions(arguments, name).await,
            None => integrations(arguments).await,
        }
    })?;
    if arguments.json {
        output.json(
            &Value::Array(rows.into_iter().map(Value::Object).collect()),
            false,
        )?;
    } else {
        output.text(&tables::rows(&rows))?;
    }
    Ok(())
}

async fn versions(arguments: &Arguments, name: &str) -> Result<Vec<Map<String, Value>>, Failure> {
    let target = arguments.target.open().await?;
    let versions = target.integrations.versions(name).await?;
    if versions.is_empty() {
        return Err(names::unknown(&target, name).await);
    }
    let active = target.integrations.active(name).await?;
    let rows = versions.into_iter().map(|info| {
        row(json!({
            "version": info.version,
            "active": active == Some(info.version),
            "created_at": info.created_at,
            "created_by": info.created_by,
            "note": info.note,
            "digest": shown_digest(info.digest, arguments.json),
        }))
    });
    Ok(rows.collect())
}

async fn integrations(arguments: &Arguments) -> Result<Vec<Map<String, Value>>, Failure> {
    let target = arguments.target.open().await?;
    let all = target.integrations.all_active().await?;
    let rows = all.into_iter();
    Ok(rows
        .map(|(name, version)| row(json!({"integration": name, "active_version": version})))
        .collect())
}

/// A person compares the beginnings.
fn shown_digest(mut digest: String, whole: bool) -> String {
    if !whole {
        digest.truncate(12);
    }
    digest
}

fn row(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}
