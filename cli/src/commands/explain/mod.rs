//! `explain`: how the answer of an action comes about.

mod output;
mod steps;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actions::{ApiError, RequestMeta, TasAction};
use clap::Args;
use serde_json::{Value, json};

use crate::cases::leaks::{self, Secrets};
use crate::cases::player::Player;
use crate::cases::{judge, play, read};
use crate::commands::call::action_parser;
use crate::documents;
use crate::failure::Failure;
use crate::install::{self, InstallArguments};
use crate::live::Live;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;

use crate::live::runs::{Run, runs};

/// Perform one ticket action and show how its answer came about.
///
/// Each step with its `input_args` as they were evaluated, or the `when` that left it out; each request, without
/// credentials, and its answer; and for each field of the `output_mapper` the expression and the paths that made it, or
/// at which part the path ended that led nowhere. The exit code is 1 where the action failed.
///
/// With --case the answers are those of a case, one that `ticket-gateway record` made or one written by hand: nothing is
/// sent anywhere. Without it, the action is performed in the ticketing system; one that writes is asked for first.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway explain desk query_ticket_by_id --context ticket.json --secrets secrets.json
  ticket-gateway explain desk --case desk/tests/query_ticket_by_id.yaml
  echo '{\"ticket_id\": \"IT-1\"}' | ticket-gateway explain desk query_ticket_by_id --context - \\
    --set desk.base_url=http://127.0.0.1:8081 --allow-private-upstreams --json")]
pub(crate) struct Arguments {
    /// The integration: its folder or file
    #[arg(value_name = "INTEGRATION_DIR")]
    integration: PathBuf,

    /// The ticket action; a case names its own
    #[arg(value_parser = action_parser(), required_unless_present = "case")]
    action: Option<TasAction>,

    /// The input, YAML or JSON; `-` reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "case")]
    context: Option<PathBuf>,

    /// A case file: its action, with its answers instead of the ticketing system's
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["action", "context", "yes", "assignments", "secrets", "allow_private_upstreams"])]
    case: Option<PathBuf>,

    /// Carry out an action that writes without asking
    #[arg(long)]
    yes: bool,

    /// Everything as one JSON document
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    install: InstallArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "error");
    match (&arguments.case, arguments.action, &arguments.context) {
        (Some(case), ..) => over_case(arguments, case, output),
        (None, Some(action), Some(context)) => over_network(arguments, action, context, output),
        _ => Err(Failure::usage("an action and its --context, or a --case")),
    }
}

/// On the ticketing system itself.
fn over_network(
    arguments: &Arguments,
    action: TasAction,
    context: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let context = documents::read_value(context)?;
    if action.is_write() && !arguments.yes {
        confirm(&format!(
            "{action} changes tickets in the ticketing system. Carry it out?"
        ))?;
    }
    one_shot_runtime()?.block_on(async {
        let live = Live::open(&arguments.integration, &arguments.install, output).await?;
        perform(
            &live,
            action,
            context,
            &RequestMeta::new(),
            arguments.json,
            output,
        )
        .await
    })
}

/// On the answers of a case.
fn over_case(arguments: &Arguments, file: &Path, output: &mut Output) -> Result<(), Failure> {
    let integration = Arc::new(install::load(&arguments.integration, output)?);
    let node = documents::read_node(file)?;
    // What is expected is for `test`; a case that is still being written may go without.
    let case = read::case(&node, true).map_err(Failure::diagnostics)?;
    let leaks = leaks::find(&node, &Secrets::of_case(&integration, &case));
    if !leaks.is_empty() {
        return Err(Failure::diagnostics(leaks));
    }
    let installation = integration.install(case.settings.clone()).map_err(|problems| {
        let message = format!("{}: {}", case.settings_place, problems.join("\n       "));
        Failure::failed(message).help("the settings are those under `settings` of the case")
    })?;
    let base = installation.connector.base_url.clone();
    let player = Arc::new(Player::new(case.exchanges.clone(), case.in_any_order, base));
    let context = case.context.clone();
    play::runtime()?.block_on(async {
        let live = Live::over_case(&arguments.integration, installation, &case, &player).await?;
        let request = play::request(&case);
        let ended = perform(&live, case.action, context, &request, arguments.json, output).await;
        match player.finish().0 {
            None => ended,
            Some(surprise) => {
                let finding = judge::surprised(&case, &surprise);
                output.remark(&format!("{}: {}", finding.place, finding.message));
                output.remark(finding.diff.trim_end());
                ended.and(Err(Failure::said()))
            }
        }
    })
}

/// Performs the action and tells what happened.
async fn perform(
    live: &Live,
    action: TasAction,
    context: Value,
    request: &RequestMeta,
    as_json: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let ended = live.gateway.perform(&live.name, action, context, request).await;
    let runs = runs(live, action, live.tape.take());
    if as_json {
        output.json(&described(live, action, &runs, &ended, request), false)?;
    } else {
        for line in told(live, action, &runs, &ended) {
            output.line(&line)?;
        }
    }
    match ended {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::said()),
    }
}

/// Asks the person at the terminal.
///
/// # Errors
/// When the answer is not yes, or there is nobody to ask.
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(question.to_owned()).help("say --yes"));
    }
    let mut stderr = std::io::stderr();
    let mut line = String::new();
    let asked = write!(stderr, "{question} [y/N] ")
        .and_then(|()| stderr.flush())
        .and_then(|()| std::io::stdin().read_line(&mut line));
    match asked {
        Ok(_) if matches!(line.trim().to_lowercase().as_str(), "y" | "yes") => Ok(()),
        Ok(_) => Err(Failure::failed("nothing was done")),
        Err(error) => Err(Failure::failed(format!("cannot ask: {error}"))),
    }
}

fn told(live: &Live, action: TasAction, runs: &[Run<'_>], ended: &Result<Value, ApiError>) -> Vec<String> {
    let mut lines = Vec::new();
    if runs.is_empty() {
        lines.push(format!("{action}: no step was begun"));
    }
    for run in runs {
        lines.push(format!(
            "{} ({})",
            run.name,
            crate::live::places::line(&run.compound.place)
        ));
        lines.extend(steps::told(live, run));
        if let Some(bank) = &run.at_return {
            let place = crate::live::places::line(run.compound.ret.output_mapper.place());
            lines.push(format!("  return ({place})"));
            let explanation = run.compound.ret.output_mapper.explain(bank, &run.environment());
            lines.extend(output::told(&explanation, &live.tape));
        }
    }
    match ended {
        Ok(_) => lines.push("answered".to_owned()),
        Err(error) => {
            lines.push(format!(
                "failed: {}",
                live.tape.without_secrets(&error.to_string())
            ));
        }
    }
    lines
}

fn described(
    live: &Live,
    action: TasAction,
    runs: &[Run<'_>],
    ended: &Result<Value, ApiError>,
    request: &RequestMeta,
) -> Value {
    let runs: Vec<Value> = runs
        .iter()
        .map(|run| {
            let explained = run.at_return.as_ref().map(|bank| {
                let explanation = run.compound.ret.output_mapper.explain(bank, &run.environment());
                output::to_json(&explanation)
            });
            json!({
                "name": run.name,
                "place": crate::live::places::line(&run.compound.place),
                "steps": steps::to_json(live, run),
                "output": explained,
            })
        })
        .collect();
    let (answer, error) = match ended {
        Ok(answer) => (answer.clone(), Value::Null),
        Err(error) => (
            Value::Null,
            error
                .to_json(&request.request_id)
                .get_mut("error")
                .map(Value::take)
                .unwrap_or_default(),
        ),
    };
    let mut all = json!({"action": action.key(), "runs": runs, "answer": answer, "error": error});
    hide(&mut all, live);
    all
}

/// Takes every secret out of every text.
fn hide(value: &mut Value, live: &Live) {
    match value {
        Value::String(text) => *text = live.tape.without_secrets(text),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, live)),
        Value::Object(fields) => fields.values_mut().for_each(|field| hide(field, live)),
        _ => {}
    }
}
