//! `poll rewind`: reads a stretch of time again.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use polling::{Settings, operate};
use serde_json::{Value, json};

use super::streams::{Choice, chosen, polling_of, shown};
use crate::failure::Failure;
use crate::moments;
use crate::output::Output;
use crate::target::TargetArguments;

/// Put the watermark of a stream back, so that what changed since then is read again
///
/// For changes that the ticketing system showed too late. What was published is not published again: the last version
/// of each ticket is remembered (30 days unless the integration says otherwise). To offer events again, use `poll
/// replay`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway poll rewind teamswork --to 2h --stack prod
  ticket-gateway poll rewind servicenow --destination it --to 2026-01-05T10:30:00Z")]
pub(super) struct Arguments {
    #[command(flatten)]
    choice: Choice,

    /// The new watermark: a time as in 2026-01-05T10:30:45Z, or how long ago, as in 90s, 15m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = moments::moment)]
    to: Timestamp,

    /// Allow a time after the present watermark: changes in between are never read
    #[arg(long)]
    forward: bool,

    /// Print [{integration, destination, before, watermark}] on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let (to, now) = (arguments.to, Timestamp::now());
    if to > now {
        return Err(
            Failure::failed(format!("--to: {} is in the future", moments::shown(to)))
                .help("a watermark says up to when changes are published"),
        );
    }
    let target = arguments.target.open().await?;
    let name = arguments.choice.name.as_str();
    let streams = chosen(&target, &arguments.choice).await?;
    let watermark = |record: &Option<storage::StreamRecord>| record.as_ref().map(|record| record.watermark);
    // Before anything is written: all of them, or none.
    for stream in &streams {
        if let Some(before) = watermark(&stream.record).filter(|before| *before < to)
            && !arguments.forward
        {
            return Err(Failure::failed(format!(
                "the watermark of `{}` is {}, before that: changes in between would never be published",
                shown(&stream.key),
                moments::shown(before)
            ))
            .help("name an earlier time, or pass over them with --forward"));
        }
    }
    let retention = polling_of(&target, name)
        .await?
        .map_or(Settings::default().retention, |polling| polling.retention);
    if moments::since(to, now) > retention {
        output.warning(&format!(
            "the last versions of tickets are remembered for {}: what was published before then is published again, \
             with the same event_id",
            moments::stretch(retention)
        ));
    }
    let mut rows = Vec::new();
    for stream in streams {
        let before = watermark(&stream.record);
        let record = operate::rewind(target.poll_state.as_ref(), &stream.key, to, Timestamp::now()).await?;
        if !arguments.json {
            let was = before.map_or("there was none".to_owned(), |before| {
                format!("it was {}", moments::shown(before))
            });
            let way = moments::since(record.watermark, now);
            output.remark(&format!(
                "the watermark of `{}` is {}; {was}. The next run reads {}",
                shown(&stream.key),
                moments::shown(record.watermark),
                if way < Duration::from_secs(1) {
                    "on from now".to_owned()
                } else {
                    format!("the last {} again", moments::stretch(way))
                }
            ));
        }
        rows.push(json!({
            "integration": stream.key.integration,
            "destination": stream.key.destination,
            "before": before,
            "watermark": record.watermark,
        }));
    }
    if arguments.json {
        output.json(&Value::Array(rows), false)?;
    }
    Ok(())
}
