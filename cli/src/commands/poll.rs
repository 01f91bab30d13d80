//! `poll`: the poller, seen and operated.

mod pause;
mod replay;
mod rewind;
mod run;
mod status;
mod streams;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;

/// See how the poller is doing, and operate it
///
/// A stream is an integration, or one destination of it, that is asked again and again what changed. Everything that
/// changed up to its watermark is published.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Arguments),
    Run(run::Arguments),
    Rewind(rewind::Arguments),
    Pause(pause::PauseArguments),
    Resume(pause::ResumeArguments),
    Replay(replay::Arguments),
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    one_shot_runtime()?.block_on(async {
        match &arguments.command {
            Command::Status(status) => status::run(status, output).await,
            Command::Run(run) => run::run(run, output).await,
            Command::Rewind(rewind) => rewind::run(rewind, output).await,
            Command::Pause(pause) => pause::pause(pause, output).await,
            Command::Resume(resume) => pause::resume(resume, output).await,
            Command::Replay(replay) => replay::run(replay, output).await,
        }
    })
}
