//! `poll pause` and `poll resume`.

use clap::Args;
use jiff::Timestamp;
use polling::operate;
use serde_json::{Value, json};
use storage::StreamRecord;

use super::streams::{Choice, chosen, shown};
use crate::failure::Failure;
use crate::moments;
use crate::output::Output;
use crate::target::TargetArguments;

/// Stop polling an integration until `poll resume`
///
/// A run that is under way stops at its next write. Nothing is lost: what changes meanwhile is found after `resume`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway poll pause teamswork --stack prod")]
pub(super) struct PauseArguments {
    #[command(flatten)]
    choice: Choice,

    /// Print [{integration, destination, paused, watermark}] on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Poll an integration again, from where it stopped
///
/// Also ends the wait of one that keeps failing: its next run is at its next time.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway poll resume teamswork --stack prod")]
pub(super) struct ResumeArguments {
    #[command(flatten)]
    choice: Choice,

    /// Print [{integration, destination, paused, watermark}] on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs `poll pause`.
pub(super) async fn pause(arguments: &PauseArguments, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    let mut done = Vec::new();
    for stream in chosen(&target, &arguments.choice).await? {
        done.push(operate::pause(target.poll_state.as_ref(), &stream.key, Timestamp::now()).await?);
    }
    show(&done, "is paused; what changed", arguments.json, output)
}

/// Runs `poll resume`.
pub(super) async fn resume(arguments: &ResumeArguments, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    let mut done = Vec::new();
    for stream in chosen(&target, &arguments.choice).await? {
        done.push(operate::resume(target.poll_state.as_ref(), &stream.key, Timestamp::now()).await?);
    }
    show(
        &done,
        "is polled again at its next time; what changed",
        arguments.json,
        output,
    )
}

fn show(done: &[StreamRecord], what: &str, as_json: bool, output: &mut Output) -> Result<(), Failure> {
    if as_json {
        let rows = done.iter().map(|record| {
            json!({
                "integration": record.key.integration,
                "destination": record.key.destination,
                "paused": record.paused,
                "watermark": record.watermark,
            })
        });
        return Ok(output.json(&Value::Array(rows.collect()), false)?);
    }
    for record in done {
        output.remark(&format!(
            "`{}` {what} up to {} is published",
            shown(&record.key),
            moments::shown(record.watermark)
        ));
    }
    Ok(())
}
