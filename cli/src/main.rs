//! The `ticket-gateway` command: the gateway on a laptop, and the tools for people who write integrations.
//!
//! One module a command under [`commands`]; what several of them share has a module of its own beside it.

mod arguments;
mod cases;
mod changes;
mod commands;
mod demo;
mod documents;
mod failure;
mod install;
mod live;
mod moments;
mod names;
mod output;
mod serve;
mod tables;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::output::Output;

fn main() -> ExitCode {
    // clap itself ends the process with code 2 on wrong usage and 0 after `--help` and `--version`.
    let arguments = Arguments::parse();
    let mut output = Output::of_process();
    match commands::run(arguments.command, &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&mut output),
    }
}
