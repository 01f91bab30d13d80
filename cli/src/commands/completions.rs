//! `completions`: the script that lets a shell complete this command.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Output;

/// Print the completion script for a shell.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway completions bash > ~/.local/share/bash-completion/completions/ticket-gateway
  ticket-gateway completions zsh > ~/.zfunc/_ticket-gateway
  ticket-gateway completions fish > ~/.config/fish/completions/ticket-gateway.fish")]
pub(crate) struct Arguments {
    /// The shell that will read the script
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let mut command = crate::arguments::Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    Ok(output.text(&String::from_utf8_lossy(&script))?)
}
