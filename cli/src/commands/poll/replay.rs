//! `poll replay`: offers events again.

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use polling::operate;
use serde_json::json;
use storage::{EventCursor, StorageError, Webhook};

use crate::failure::Failure;
use crate::moments;
use crate::names;
use crate::output::Output;
use crate::target::{Place, Target, TargetArguments};

/// Events that are looked through at once.
const READ_AT_ONCE: usize = 100;

/// Offer events of an integration again, from the log, with the ids they had
///
/// With --stack, to the event bus: whoever listens to it gets them again. With --webhook, and on this machine, to
/// webhooks: they go back to that place and get what follows it again, from the stack or from a running `up`. The log
/// itself stays as it is, and so does what `events tail` and the API show. Events are kept for 7 days.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("place").required(true).args(["after", "from", "all"]))]
#[command(after_long_help = "\
Examples:
  ticket-gateway poll replay teamswork --from 2h --stack prod
  ticket-gateway poll replay teamswork --all --webhook wh_7kq2m9xbc4tn")]
pub(super) struct Arguments {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// Only what follows this cursor: the `cursor` of an event of `events tail --json`, or of the API
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,

    /// Only what was observed from then on: a time as in 2026-01-05T10:30:45Z, or how long ago, as in 2h
    #[arg(long, value_name = "TIME", value_parser = moments::moment)]
    from: Option<Timestamp>,

    /// Everything that is kept
    #[arg(long)]
    all: bool,

    /// To this webhook of it only
    #[arg(long, value_name = "ID")]
    webhook: Option<String>,

    /// Print {integration, to, events, cursor} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    let name = arguments.name.as_str();
    let after = match (&arguments.after, arguments.from) {
        (Some(cursor), _) => Some(EventCursor(cursor.clone())),
        (None, Some(from)) => before(&target, name, from).await?,
        (None, None) => None,
    };
    match (&target.place, &arguments.webhook) {
        (Place::Stack(deployed), None) => {
            let bus = deployed.bus()?;
            let replayed = operate::replay(target.events.as_ref(), bus.as_ref(), name, after).await?;
            if let Some(refused) = &replayed.refused {
                let (options, done) = (&target.options, counted(replayed.events));
                let failure = Failure::failed(format!(
                    "{done} offered; the bus did not take the next: {refused}"
                ));
                return Err(match &replayed.cursor {
                    Some(cursor) => failure.help(format!(
                        "go on from there: ticket-gateway poll replay {name} --after {}{options}",
                        cursor.0
                    )),
                    None => failure,
                });
            }
            if arguments.json {
                let row = json!({
                    "integration": name, "to": "bus", "events": replayed.events, "cursor": replayed.cursor,
                });
                return Ok(output.json(&row, false)?);
            }
            output.remark(&format!(
                "{} of `{name}` offered to the event bus again",
                counted(replayed.events)
            ));
            Ok(())
        }
        (_, only) => to_webhooks(arguments, &target, only.as_deref(), after, output).await,
    }
}

async fn to_webhooks(
    arguments: &Arguments,
    target: &Target,
    only: Option<&str>,
    after: Option<EventCursor>,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    let mut webhooks = target.webhooks.webhooks(Some(name)).await?;
    if let Some(only) = only {
        webhooks.retain(|webhook| webhook.id == only);
    }
    if webhooks.is_empty() {
        let options = &target.options;
        return Err(match only {
            Some(only) => Failure::failed(format!("`{name}` has no webhook `{only}`"))
                .help(format!("ticket-gateway webhooks list {name}{options}")),
            None => Failure::failed(format!(
                "there is nowhere to offer the events of `{name}`: on this machine they go to webhooks, and it has none"
            ))
            .help(format!(
                "ticket-gateway events tail {name} --from-start{options} shows them"
            )),
        });
    }
    let events = count(target, name, after.clone()).await?;
    let desk = target.webhooks_of(false)?;
    for Webhook { id, .. } in &webhooks {
        desk.place(name, id, after.clone()).await?;
        if !arguments.json {
            output.remark(&format!("{} go to the webhook {id} again", counted(events)));
        }
    }
    for Webhook { id, .. } in webhooks.iter().filter(|webhook| webhook.disabled_at.is_some()) {
        output.warning(&format!(
            "the webhook {id} is disabled: ticket-gateway webhooks enable {name} {id}{}",
            target.options
        ));
    }
    if arguments.json {
        let ids: Vec<&String> = webhooks.iter().map(|webhook| &webhook.id).collect();
        let row = json!({"integration": name, "to": ids, "events": events, "cursor": after});
        output.json(&row, false)?;
    }
    Ok(())
}

/// The cursor before the first event that was observed at `from` or later; none where that is the oldest.
async fn before(target: &Target, name: &str, from: Timestamp) -> Result<Option<EventCursor>, StorageError> {
    let mut place = None;
    loop {
        let events = target.events.read(name, place.as_ref(), READ_AT_ONCE).await?;
        if events.is_empty() {
            return Ok(place);
        }
        for logged in events {
            if logged.event.observed_at >= from {
                return Ok(place);
            }
            place = Some(logged.cursor);
        }
    }
}

async fn count(target: &Target, name: &str, mut place: Option<EventCursor>) -> Result<u64, StorageError> {
    let mut events = 0;
    loop {
        let read = target.events.read(name, place.as_ref(), READ_AT_ONCE).await?;
        let Some(last) = read.last() else {
            return Ok(events);
        };
        events += read.len() as u64;
        place = Some(last.cursor.clone());
    }
}

fn counted(events: u64) -> String {
    match events {
        1 => "1 event".to_owned(),
        events => format!("{events} events"),
    }
}
