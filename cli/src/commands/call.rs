//! `call`: one action without a server.

use std::path::PathBuf;

use actions::{RequestMeta, TasAction};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::documents;
use crate::failure::Failure;
use crate::install::{InstallArguments, gateway, state};
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;

/// Perform one ticket action without a server and print the API's answer.
///
/// The context holds the fields of the HTTP request: those of its body or query, and those of its path
/// (`ticket_id`, `requestor_id`). The answer goes to stdout, an error answer too; the exit code tells them
/// apart.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway call desk create_ticket --context ticket.json --secrets secrets.json
  echo '{\"ticket_id\": \"IT-1\"}' | ticket-gateway call desk query_ticket_by_id --context - \\
    --set desk.base_url=http://127.0.0.1:8081 --allow-private-upstreams")]
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

    /// Carry a write out once however often it is called with this key; needs --state
    #[arg(long, value_name = "KEY", requires = "state")]
    idempotency_key: Option<String>,

    /// The file that keeps idempotency records [default: in memory only]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Indent the answer even when stdout is not a terminal
    #[arg(long)]
    pretty: bool,

    #[command(flatten)]
    install: InstallArguments,
}

/// The twelve keys; clap lists them, suggests the right one and completes them.
pub(crate) fn action_parser() -> impl TypedValueParser<Value = TasAction> {
    PossibleValuesParser::new(TasAction::ALL.map(TasAction::key)).try_map(|key| {
        TasAction::ALL
            .into_iter()
            .find(|action| action.key() == key)
            .ok_or("not a ticket action")
    })
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    let context = documents::read_value(&arguments.context)?;
    let store = match &arguments.state {
        Some(file) => state::open(file)?,
        None => state::in_memory()?,
    };
    let request = RequestMeta {
        action_instance_id: arguments.idempotency_key.clone(),
        ..RequestMeta::new()
    };
    let ended = one_shot_runtime()?.block_on(async {
        let (name, gateway) = gateway::of_one(
            &arguments.integration,
            &arguments.install,
            arguments.state.as_deref(),
            store,
            output,
        )
        .await?;
        Ok::<_, Failure>(gateway.perform(&name, arguments.action, context, &request).await)
    })?;
    match ended {
        Ok(answer) => Ok(output.json(&answer, arguments.pretty)?),
        Err(error) => {
            output.json(&error.to_json(&request.request_id), arguments.pretty)?;
            Err(Failure::said())
        }
    }
}
