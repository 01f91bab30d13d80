//! `explain`: how the answer of an action comes about.

mod output;
mod steps;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use actions::{ApiError, RequestMeta, TasAction};
use clap::Args;
use serde_json::{Value, json};

use crate::commands::call::action_parser;
use crate::documents;
use crate::failure::Failure;
use crate::install::InstallArguments;
use crate::live::Live;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;

use crate::live::runs::{Run, runs};

/// Perform one ticket action and show how its answer came about.
///
/// Each step with its `input_args` as they were evaluated, or the `when` that left it out; each request, without
/// credentials and without the values of its query, and its answer; and for each field of the `output_mapper` the
/// expression and the paths that made it, or at which part the path ended that led nowhere. An action that writes is
/// carried out in the ticketing system; it is asked for first. The exit code is 1 where the action failed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway explain desk query_ticket_by_id --context ticket.json --secrets secrets.json
  echo '{\"ticket_id\": \"IT-1\"}' | ticket-gateway explain desk query_ticket_by_id --context - \\
    --set desk.base_url=http://127.0.0.1:8081 --allow-private-upstreams --json")]
pub(crate) struct Arguments {
    /// The integration: its folder or file
    #[arg(value_name = "INTEGRATION_DIR")]
    integration: PathBuf,

    /// The ticket action
    #[arg(value_parser = action_parser())]
    action: TasAction,

    /// The input, YAML or JSON; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    context: PathBuf,

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
    let context = documents::read_value(&arguments.context)?;
    let action = arguments.action;
    if action.is_write() && !arguments.yes {
        confirm(&format!(
            "{action} changes tickets in the ticketing system. Carry it out?"
        ))?;
    }
    one_shot_runtime()?.block_on(async {
        let live = Live::open(&arguments.integration, &arguments.install, output).await?;
        let request = RequestMeta::new();
        let ended = live.gateway.perform(&live.name, action, context, &request).await;
        let entries = live.tape.take();
        let runs = runs(&live.installed.installation.integration, action, entries);
        if arguments.json {
            output.json(&described(&live, action, &runs, &ended, &request), false)?;
        } else {
            for line in told(&live, action, &runs, &ended) {
                output.line(&line)?;
            }
        }
        match ended {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::said()),
        }
    })
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
