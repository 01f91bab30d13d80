//! One module a command: its arguments with their help texts, and what it does.

pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod lint;
pub(crate) mod map;
pub(crate) mod openapi;
pub(crate) mod poll;
pub(crate) mod push;
pub(crate) mod record;
pub(crate) mod rollback;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod test;
pub(crate) mod up;
pub(crate) mod versions;
pub(crate) mod webhooks;

use crate::arguments::Command;
use crate::failure::Failure;
use crate::output::Output;

/// Runs the chosen command to its end.
pub(crate) fn run(command: Command, output: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Up(arguments) => up::run(arguments, output),
        Command::Call(arguments) => call::run(&arguments, output),
        Command::Describe(arguments) => describe::run(&arguments, output),
        Command::Lint(arguments) => lint::run(&arguments, output),
        Command::Init(arguments) => init::run(&arguments, output),
        Command::Doctor(arguments) => doctor::run(&arguments, output),
        Command::Explain(arguments) => explain::run(&arguments, output),
        Command::Map(arguments) => map::run(&arguments, output),
        Command::Test(arguments) => test::run(&arguments, output),
        Command::Record(arguments) => record::run(&arguments, output),
        Command::Push(arguments) => push::run(&arguments, output),
        Command::Versions(arguments) => versions::run(&arguments, output),
        Command::Diff(arguments) => diff::run(&arguments, output),
        Command::Rollback(arguments) => rollback::run(&arguments, output),
        Command::Keys(arguments) => keys::run(&arguments, output),
        Command::Events(arguments) => events::run(&arguments, output),
        Command::Poll(arguments) => poll::run(&arguments, output),
        Command::Webhooks(arguments) => webhooks::run(&arguments, output),
        Command::Secret(arguments) => secret::run(&arguments, output),
        Command::Sandbox(arguments) => sandbox::run(arguments, output),
        Command::Openapi(arguments) => openapi::run(&arguments, output),
        Command::Schema(arguments) => schema::run(&arguments, output),
        Command::Completions(arguments) => completions::run(&arguments, output),
    }
}
