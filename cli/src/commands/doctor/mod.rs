//! `doctor`: the round trip on a live system.

mod check;
mod fields;
mod poll;
mod report;
mod trip;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::commands::explain::confirm;
use crate::documents;
use crate::failure::Failure;
use crate::install::InstallArguments;
use crate::live::Live;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::serve::stop::StopSignals;

use self::check::Verdict;
use self::trip::{Plan, Trip};

/// Whose ticket it is: an address that never reaches anybody (RFC 2606 section 3).
const REQUESTOR: &str = "ticket-gateway-doctor@example.com";

/// Try every action of an integration on its real ticketing system and say what works.
///
/// Makes one ticket and takes it through everything: found by id, by requestor and by time; commented both ways; a file
/// attached; assigned, changed, moved to another state, resolved, opened again; and polled, to see each change as an
/// event. After each change the ticket is read back, and what differs from what was sent is said. At the end the ticket
/// is closed or resolved, as far as the system can.
///
/// The table says for each action whether it works, how long it took, and in how many requests. For what does not, it
/// shows the request without credentials, the answer, and the place in the YAML that is the likely cause. `not proved` is
/// what did not fail and showed nothing, such as a list without a ticket. The exit code is 1 when an action failed or
/// did something else than it was told; with --strict also when one is not proved.
///
/// It writes to a live system, so it asks first. --read-only writes nothing. Ctrl-C stops it: the ticket is closed, and
/// what is left behind is said. On a terminal, what it is at is said on stderr.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway doctor connectors/teamswork --set teamswork.base_url=... --secrets secrets.json
  ticket-gateway doctor connectors/redmine --read-only --ticket 42 --requestor ana@example.com
  ticket-gateway doctor desk --yes --payload fields.yaml --assignee ben@example.com --json")]
pub(crate) struct Arguments {
    /// The integration: its folder or file
    #[arg(value_name = "INTEGRATION_DIR")]
    integration: PathBuf,

    /// Only query; nothing is written
    #[arg(long, conflicts_with_all = ["yes", "payload", "assignee", "assignment_group"])]
    read_only: bool,

    /// Write without asking
    #[arg(long)]
    yes: bool,

    /// With --read-only: the ticket to query
    #[arg(long, value_name = "ID", requires = "read_only")]
    ticket: Option<String>,

    /// Whose ticket it is, by e-mail address [default: ticket-gateway-doctor@example.com]
    #[arg(long, value_name = "EMAIL")]
    requestor: Option<String>,

    /// Further fields of the ticket that is made, as of `payload` in the API; YAML or JSON, `-` reads standard input
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,

    /// The destination, where the integration has several
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,

    /// Whom to assign the ticket to: an e-mail address or an id. Without this and --assignment-group it is not tried
    #[arg(long, value_name = "PERSON")]
    assignee: Option<String>,

    /// The group to assign the ticket to
    #[arg(long, value_name = "GROUP")]
    assignment_group: Option<String>,

    /// How long to look for the ticket in lists and for each change among the events
    #[arg(long, value_name = "SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,

    /// Exit with 1 when an action is not proved, too
    #[arg(long)]
    strict: bool,

    /// One JSON document instead of the table
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    install: InstallArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "error");
    let payload = match &arguments.payload {
        None => json!({}),
        Some(file) => documents::read_value(file)?,
    };
    let Value::Object(payload) = payload else {
        return Err(Failure::failed(
            "--payload: expected an object with fields of the ticket",
        ));
    };
    let requestor = match arguments.read_only {
        true => arguments.requestor.clone(),
        false => Some(
            arguments
                .requestor
                .clone()
                .unwrap_or_else(|| REQUESTOR.to_owned()),
        ),
    };
    let plan = Plan {
        requestor,
        ticket: arguments.ticket.clone(),
        payload,
        destination: arguments.destination.clone(),
        assignee: arguments.assignee.clone(),
        group: arguments.assignment_group.clone(),
        wait: Duration::from_secs(arguments.wait),
        is_watched: std::io::stderr().is_terminal(),
    };
    one_shot_runtime()?.block_on(examine(arguments, plan, output))
}

async fn examine(arguments: &Arguments, plan: Plan, output: &mut Output) -> Result<(), Failure> {
    let live = Live::open(&arguments.integration, &arguments.install, output).await?;
    let address = live
        .installed
        .installation
        .connector
        .base_url
        .host_str()
        .unwrap_or_default()
        .to_owned();
    if !arguments.read_only && !arguments.yes {
        confirm(&format!(
            "The doctor makes a ticket in the ticketing system at {address} and writes to it. Go on?"
        ))?;
    }
    let mut trip = Trip::new(&live, plan);
    // From here on Ctrl-C does not end the process by itself: there may be a ticket to close.
    let mut stop = StopSignals::listen()?;
    let is_stopped = {
        let work = async {
            match arguments.read_only {
                true => {
                    trip.look().await;
                    Ok(())
                }
                false => trip.whole().await,
            }
        };
        tokio::select! {
            done = work => {
                done?;
                false
            }
            () = stop.next() => true,
        }
    };
    if is_stopped {
        output.remark(&trip.words_of_the_end());
        let is_closed = tokio::select! {
            () = trip.stopped() => true,
            () = stop.next() => false,
        };
        if !is_closed {
            trip.abandoned();
        }
    }
    let is_any = |verdict: Verdict| trip.checks.iter().any(|check| check.verdict == verdict);
    let bad = is_stopped
        || is_any(Verdict::Failed)
        || is_any(Verdict::NotAsTold)
        || arguments.strict && is_any(Verdict::NotProved);
    if arguments.json {
        let checks: Vec<Value> = trip
            .checks
            .iter()
            .map(|check| check.to_json(&live.tape))
            .collect();
        let all = json!({
            "integration": live.name,
            "ticket": trip.ticket,
            "checks": checks,
            "left": trip.left,
        });
        output.json(&all, false)?;
    } else {
        output.line(&format!("{} at {address}\n", live.name))?;
        output.text(&report::table(&trip.checks, &live))?;
        for check in &trip.checks {
            let details = report::details(check, &live);
            if !details.is_empty() {
                output.line(&format!("\n{}", details.join("\n")))?;
            }
        }
        for left in &trip.left {
            output.line(&format!("\nleft behind: {left}"))?;
        }
        let unproved = trip
            .checks
            .iter()
            .filter(|check| check.verdict == Verdict::NotProved);
        let unproved: Vec<&str> = unproved.map(|check| check.name.as_str()).collect();
        if !unproved.is_empty() {
            output.line(&format!("\nnot proved: {}", unproved.join(", ")))?;
        }
    }
    match bad {
        true => Err(Failure::said()),
        false => Ok(()),
    }
}
