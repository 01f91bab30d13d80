//! `events tail`: prints events as they come.

use std::collections::BTreeSet;

use clap::Args;
use mapping::did_you_mean;
use storage::{EventCursor, LoggedEvent, StorageError};

use super::follow::{Follower, Start};
use super::shown;
use crate::failure::Failure;
use crate::names;
use crate::output::Output;
use crate::target::{Target, TargetArguments};

/// Print changes of tickets as they are found, until Ctrl-C
///
/// Each event is a line, with the fields that changed below it: `state: Open -> Resolved`. It begins with what comes
/// from now on. On this machine it reads the state file of `ticket-gateway up`, which may run beside it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway events tail
  ticket-gateway events tail teamswork --from-start --stack prod
  ticket-gateway events tail teamswork --json | jq 'select(.ticket.state == \"Resolved\").ticket_id'
  ticket-gateway events tail teamswork --no-follow --json > events.jsonl")]
pub(super) struct Arguments {
    /// The integration [default: all that are polled]
    #[arg(value_parser = names::integration)]
    name: Option<String>,

    /// Begin behind this cursor: the `cursor` of an event of --json, or of the API; needs NAME
    #[arg(long, value_name = "CURSOR", requires = "name", conflicts_with = "from_start")]
    after: Option<String>,

    /// Begin with the oldest event that is kept
    #[arg(long)]
    from_start: bool,

    /// End when everything that is kept is printed; without --after it begins with the oldest event
    #[arg(long)]
    no_follow: bool,

    /// Print each event as JSON on one line, with its cursor
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    let start = match &arguments.after {
        Some(cursor) => Start::After(EventCursor(cursor.clone())),
        None if arguments.from_start || arguments.no_follow => Start::Oldest,
        None => Start::Now,
    };
    let polled = polled(&target).await?;
    if let Some(name) = &arguments.name {
        warn_where_nothing_comes(&target, name, &polled, output).await?;
    }
    let mut follower = Follower::new(&target, arguments.name.clone(), start);
    let print = |output: &mut Output, logged: &LoggedEvent| {
        if arguments.json {
            output.line(&shown::json(logged)?.to_string())
        } else {
            output.text(&shown::text(&logged.event))
        }
    };
    if arguments.no_follow {
        follower.begin(polled).await?;
        return follower.read(output, &print).await;
    }
    follower.follow(polled, output, &print).await?;
    if let (Some(place), false, Some(name)) = (follower.place(), arguments.json, &arguments.name) {
        let options = &target.options;
        output.remark(&format!(
            "to go on from here: ticket-gateway events tail {name} --after {}{options}",
            place.0
        ));
    }
    Ok(())
}

/// The integrations that are polled, or were.
pub(super) async fn polled(target: &Target) -> Result<BTreeSet<String>, StorageError> {
    // Those that were pushed, and those that `up` serves from a folder.
    let pushed = target.integrations.scheduled().await?;
    let known = target.poll_state.streams().await?;
    let known = known.into_iter().map(|stream| stream.key.integration);
    Ok(pushed.into_iter().map(|(name, _)| name).chain(known).collect())
}

/// It may be polled later, but the name may also be mistyped.
async fn warn_where_nothing_comes(
    target: &Target,
    name: &str,
    polled: &BTreeSet<String>,
    output: &mut Output,
) -> Result<(), Failure> {
    if polled.contains(name) {
        return Ok(());
    }
    if target.integrations.active(name).await?.is_some() {
        output.warning(&format!(
            "`{name}` is not polled, so no events come: its `polling` is missing or not enabled"
        ));
        return Ok(());
    }
    output.warning(&format!("`{name}` was never polled here"));
    let known = polled.iter().map(String::as_str);
    if let Some(near) = did_you_mean(name, known.clone()) {
        output.help(&format!("did you mean `{near}`?"));
    } else if !polled.is_empty() {
        output.help(&format!("there are: {}", known.collect::<Vec<_>>().join(", ")));
    }
    Ok(())
}
