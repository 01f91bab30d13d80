//! `events`: what changed in the tickets of polled integrations.

mod follow;
pub(crate) mod shown;
mod tail;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;

/// See what changed in the tickets of polled integrations
///
/// Every change that polling finds is an event, kept for 7 days.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Tail(tail::Arguments),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    let Command::Tail(tail) = &arguments.command;
    one_shot_runtime()?.block_on(tail::run(tail, output))
}
