//! `poll run`: polls now, or shows what a poll would publish.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actions::{Gateway, Installations, Stored};
use clap::Args;
use integration::Installation;
use jiff::Timestamp;
use poller::{Poller, PollerPorts};
use polling::{Outcome, Report, UNUSABLE_TOLD};
use serde_json::{Value, json};
use storage::in_process::InProcessBudget;
use storage::{Event, EventSink, PollMessage, RateBudget, SecretStore, StreamKey};
use upstream::{Client, ClientOptions};

use super::streams::{self, Choice, Known, shown};
use crate::commands::events::shown as event;
use crate::failure::Failure;
use crate::install::settings::suggestion;
use crate::install::{self, InstallArguments, gateway};
use crate::moments;
use crate::output::Output;
use crate::target::{Deployed, Place, Target, TargetArguments};

/// A run ends by then; what is left is for another one, which follows.
const RUN_TIME: Duration = Duration::from_secs(120);
/// By how much a clock here may be behind that of a worker.
const FAR: Duration = Duration::from_secs(24 * 3600);
/// How old what was pushed may be.
const REFRESH: Duration = Duration::from_secs(60);

/// Poll an integration now, up to now
///
/// On this machine it runs here, and waits for its end: the active version of the integration, or the one of
/// --integration. What changed goes into the state file, from where a running `up` delivers it to webhooks. With
/// --stack, a worker of the stack is told to; `poll status` shows what came of it.
///
/// A stream that was polled less than half its interval ago, or that waits because it failed or was asked to, is left
/// alone, and so is one that another run holds.
///
/// With --dry it always runs here, pause and waits aside, and prints the events that would be published; nothing is
/// stored. With --stack, that takes the stack's secrets and reaches the ticketing system from here.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway poll run teamswork --dry --stack prod
  ticket-gateway poll run teamswork
  ticket-gateway poll run desk --dry --integration desk/ --set desk.base_url=https://desk.example.com --json")]
pub(super) struct Arguments {
    #[command(flatten)]
    choice: Choice,

    /// Print the events that would be published, and store nothing
    #[arg(long)]
    dry: bool,

    /// Poll by this integration, a folder or a file, and not by what was pushed
    #[arg(long, value_name = "DIR")]
    integration: Option<PathBuf>,

    /// Print JSON: an array with an object for each run, or with --dry the events
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    install: InstallArguments,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    if let (Place::Stack(deployed), false) = (&target.place, arguments.dry) {
        if arguments.integration.is_some() {
            return Err(Failure::usage(
                "--integration has no place beside --stack without --dry: its workers poll what was pushed",
            ));
        }
        return order(arguments, &target, deployed, output).await;
    }
    let poller = poller(arguments, &target, output).await?;
    let keys = keys(&poller, &arguments.choice).await?;
    if arguments.dry {
        return dry(&poller, &keys, arguments.json, output).await;
    }
    let mut rows = Vec::new();
    let mut failed = false;
    for key in &keys {
        let report = to_the_end(&poller, key).await?;
        failed |= matches!(report.outcome, Outcome::Failed(_));
        if !arguments.json {
            tell(key, &report, &target, output)?;
        }
        rows.push(described(key, &report));
    }
    if arguments.json {
        output.json(&Value::Array(rows), false)?;
    }
    if failed { Err(Failure::said()) } else { Ok(()) }
}

/// Tells a worker of the stack.
async fn order(
    arguments: &Arguments,
    target: &Target,
    deployed: &Deployed,
    output: &mut Output,
) -> Result<(), Failure> {
    let streams = streams::chosen(target, &arguments.choice).await?;
    let messages = orders(&streams, Timestamp::now());
    if messages.is_empty() {
        return Err(Failure::failed(format!(
            "`{}` is not polled by the stack any more",
            arguments.choice.name
        )));
    }
    deployed.queue()?.send(&messages).await?;
    let ordered: Vec<_> = messages.iter().map(|(message, _)| &message.stream).collect();
    if arguments.json {
        let rows = ordered.iter().map(|key| {
            json!({"integration": key.integration, "destination": key.destination, "outcome": "ordered"})
        });
        return Ok(output.json(&Value::Array(rows.collect()), false)?);
    }
    for key in ordered {
        output.remark(&format!("a worker of the stack is told to poll `{}`", shown(key)));
    }
    output.help(&format!(
        "what came of it: ticket-gateway poll status {}{}",
        arguments.choice.name, target.options
    ));
    Ok(())
}

/// Orders to poll at once. A worker drops an order that is older than the stream's interval, by its own clock: one for the
/// future is dropped by none, whatever the clock here says.
fn orders(streams: &[Known], now: Timestamp) -> Vec<(PollMessage, Duration)> {
    let due_at = now.saturating_add(FAR).unwrap_or(Timestamp::MAX);
    let polled = streams.iter().filter(|stream| stream.interval.is_some());
    let message = |stream: &Known| PollMessage {
        stream: stream.key.clone(),
        due_at,
    };
    polled.map(|stream| (message(stream), Duration::ZERO)).collect()
}

/// A poller of this process over the target's stores.
async fn poller(arguments: &Arguments, target: &Target, output: &mut Output) -> Result<Poller, Failure> {
    let name = arguments.choice.name.as_str();
    let secrets = match &arguments.install.secrets {
        Some(_) => arguments.install.secret_store(None)?,
        None => Arc::clone(&target.secrets),
    };
    let installations: Arc<dyn Installations> = match &arguments.integration {
        Some(path) => gateway::fixed(vec![
            from_folder(path, name, &arguments.install, secrets.as_ref(), output).await?,
        ])?,
        None if !arguments.install.assignments.is_empty() => {
            return Err(Failure::usage(
                "--set goes with --integration: the settings of what was pushed are part of it",
            )
            .help("ticket-gateway push DIR --name NAME --set KEY=VALUE"));
        }
        None => {
            // To say what is wrong with the name, before the gateway says that it does not know it.
            target.active(name).await?;
            Arc::new(Stored::new(Arc::clone(&target.integrations), REFRESH))
        }
    };
    let gateway = gateway_of(
        target,
        Arc::clone(&installations),
        secrets,
        arguments.install.allow_private_upstreams,
    )?;
    Ok(Poller::new(PollerPorts {
        gateway: Arc::new(gateway),
        installations,
        state: Arc::clone(&target.poll_state),
        // Of a stack only --dry comes here, which publishes nothing.
        sink: Arc::clone(&target.events) as Arc<dyn EventSink>,
        journal: Some(Arc::clone(&target.journal)),
        observer: None,
    }))
}

async fn from_folder(
    path: &Path,
    name: &str,
    arguments: &InstallArguments,
    secrets: &dyn SecretStore,
    output: &mut Output,
) -> Result<Installation, Failure> {
    let integration = install::load(path, output)?;
    if integration.name != name {
        return Err(Failure::usage(format!(
            "{} is `{}`, not `{name}`",
            path.display(),
            integration.name
        ))
        .help("what is remembered of a stream goes by the integration's name"));
    }
    let mut installations = install::install(vec![integration], &arguments.assignments)?;
    install::check_secrets(&installations, secrets).await?;
    installations
        .pop()
        .ok_or_else(|| Failure::failed("the integration was not installed"))
}

fn gateway_of(
    target: &Target,
    installations: Arc<dyn Installations>,
    secrets: Arc<dyn SecretStore>,
    allow_private: bool,
) -> Result<Gateway, Failure> {
    let budget: Arc<dyn RateBudget> = match &target.place {
        Place::ThisMachine => Arc::new(InProcessBudget::new()),
        Place::Stack(deployed) => Arc::clone(&deployed.budget),
    };
    let client = Client::new(ClientOptions {
        secrets,
        budget,
        allow_private_addresses: allow_private,
        user_agent: concat!("ticket-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
    });
    let client = client.map_err(|error| Failure::failed(error.to_string()))?;
    Gateway::builder(client)
        .installations(installations)
        .build()
        .map_err(|error| Failure::failed(error.to_string()))
}

/// The streams that are meant, of what this process can poll.
async fn keys(poller: &Poller, choice: &Choice) -> Result<Vec<StreamKey>, Failure> {
    let (name, wanted) = (choice.name.as_str(), choice.destination.as_deref());
    let streams = poller.streams_of(name).await;
    let streams = streams.map_err(|error| Failure::failed(error.to_string()))?;
    let keys: Vec<StreamKey> = streams.into_iter().map(|stream| stream.key).collect();
    if keys.is_empty() {
        return Err(Failure::failed(format!("`{name}` is not polled"))
            .help("set `polling: {enabled: true}` in its integration.yaml"));
    }
    let Some(wanted) = wanted else {
        return Ok(keys);
    };
    let all = || keys.iter().filter_map(|key| key.destination.as_deref());
    if !all().any(|destination| destination == wanted) {
        let message = format!("`{name}` is not polled by a destination `{wanted}`");
        let help = match all().next() {
            None => "it is polled as a whole: leave --destination away".to_owned(),
            Some(_) => suggestion(wanted, all(), "its destinations"),
        };
        return Err(Failure::failed(message).help(help));
    }
    let is_wanted = |key: &StreamKey| key.destination.as_deref() == Some(wanted);
    Ok(keys.iter().filter(|key| is_wanted(key)).cloned().collect())
}

async fn dry(poller: &Poller, keys: &[StreamKey], as_json: bool, output: &mut Output) -> Result<(), Failure> {
    let mut all: Vec<Event> = Vec::new();
    for key in keys {
        let run = poller.dry_run(key, deadline()).await;
        let (report, events) = run.map_err(|error| Failure::failed(error.to_string()))?;
        if let Outcome::Failed(error) = &report.outcome {
            return Err(Failure::failed(format!(
                "the poll of `{}` failed: {error}",
                shown(key)
            )));
        }
        for reason in &report.unusable_reasons {
            output.warning(&format!(
                "`{}`: a row cannot be made a ticket: {reason}",
                shown(key)
            ));
        }
        if !as_json {
            for found in &events {
                output.text(&event::text(found))?;
            }
            let (tickets, pages) = (report.tickets, report.pages);
            output.remark(&format!(
                "`{}`: {} would be published ({tickets} in the window, on {pages} {}); nothing was stored",
                shown(key),
                counted(events.len() as u64, "event"),
                if pages == 1 { "page" } else { "pages" }
            ));
            if report.outcome == Outcome::MoreToDo {
                output.remark("it did not come to the end in 120 s: there is more");
            }
        }
        all.extend(events);
    }
    if as_json {
        output.json(&json!(all), false)?;
    }
    Ok(())
}

/// Runs until everything up to now is published, or there is a reason to stop.
async fn to_the_end(poller: &Poller, key: &StreamKey) -> Result<Report, Failure> {
    let mut sum = Report::default();
    loop {
        let owner = format!("cli-{}", uuid::Uuid::new_v4());
        let run = poller.poll(key, owner, deadline()).await;
        let report = run.map_err(|error| Failure::failed(error.to_string()))?;
        let goes_on = report.outcome == Outcome::MoreToDo && report.pages > 0;
        let mut unusable = sum.unusable_reasons;
        unusable.extend(report.unusable_reasons);
        unusable.truncate(UNUSABLE_TOLD);
        sum = Report {
            pages: sum.pages + report.pages,
            tickets: sum.tickets + report.tickets,
            published: sum.published + report.published,
            stale: sum.stale + report.stale,
            unusable: sum.unusable + report.unusable,
            unusable_reasons: unusable,
            ..report
        };
        if !goes_on {
            return Ok(sum);
        }
    }
}

fn deadline() -> Timestamp {
    Timestamp::now()
        .saturating_add(RUN_TIME)
        .unwrap_or(Timestamp::MAX)
}

fn tell(key: &StreamKey, report: &Report, target: &Target, output: &mut Output) -> Result<(), Failure> {
    let stream = shown(key);
    let options = &target.options;
    for reason in &report.unusable_reasons {
        output.warning(&format!("`{stream}`: a row cannot be made a ticket: {reason}"));
    }
    let name = &key.integration;
    match &report.outcome {
        Outcome::CaughtUp => {
            let published = counted(report.published, "event");
            let watermark = report.watermark.map_or(String::new(), |watermark| {
                format!(" up to {}", moments::shown(watermark))
            });
            output.line(&format!(
                "`{stream}`: {published} published; everything{watermark} is"
            ))?;
        }
        Outcome::MoreToDo => output.line(&format!(
            "`{stream}`: {} published, and there is more; run it again",
            counted(report.published, "event")
        ))?,
        Outcome::Busy { until } => output.line(&format!(
            "`{stream}`: another run holds it, until {} at the latest",
            moments::shown(*until)
        ))?,
        Outcome::NotDue { until } => {
            output.line(&format!("`{stream}`: not before {}", moments::shown(*until)))?;
            output.help(&format!(
                "it was polled just now, or failed: ticket-gateway poll status {name}{options}; \
                 `poll resume` ends the wait after failures"
            ));
        }
        Outcome::Paused => {
            output.line(&format!("`{stream}`: paused"))?;
            output.help(&format!("ticket-gateway poll resume {name}{options}"));
        }
        Outcome::Throttled { until } => output.line(&format!(
            "`{stream}`: the ticketing system wants no more calls before {}",
            moments::shown(*until)
        ))?,
        Outcome::Superseded => output.line(&format!("`{stream}`: another run took it over"))?,
        Outcome::Failed(error) => output.error(&format!("the poll of `{stream}` failed: {error}")),
    }
    Ok(())
}

fn described(key: &StreamKey, report: &Report) -> Value {
    let (outcome, until, error) = match &report.outcome {
        Outcome::CaughtUp => ("caught_up", None, None),
        Outcome::MoreToDo => ("more_to_do", None, None),
        Outcome::Busy { until } => ("busy", Some(until), None),
        Outcome::NotDue { until } => ("not_due", Some(until), None),
        Outcome::Paused => ("paused", None, None),
        Outcome::Throttled { until } => ("throttled", Some(until), None),
        Outcome::Superseded => ("superseded", None, None),
        Outcome::Failed(error) => ("failed", None, Some(error)),
    };
    json!({
        "integration": key.integration,
        "destination": key.destination,
        "outcome": outcome,
        "until": until,
        "error": error,
        "published": report.published,
        "tickets": report.tickets,
        "pages": report.pages,
        "stale": report.stale,
        "unusable": report.unusable,
        "watermark": report.watermark,
    })
}

fn counted(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_by_hand_is_not_late_for_a_worker_whose_clock_is_ahead() {
        let key = |name: &str| StreamKey {
            integration: name.to_owned(),
            destination: None,
        };
        let stream = |name, interval: Option<u64>| Known {
            key: key(name),
            interval: interval.map(Duration::from_secs),
            record: None,
        };
        let now = Timestamp::from_second(1_767_600_000).unwrap();
        let ordered = orders(&[stream("desk", Some(10)), stream("left", None)], now);
        let [(message, delay)] = ordered.as_slice() else {
            panic!("one order: {ordered:?}");
        };
        assert_eq!((&message.stream, *delay), (&key("desk"), Duration::ZERO));
        let workers_clock = now + Duration::from_secs(23 * 3600);
        assert!(workers_clock < message.due_at);
    }
}
