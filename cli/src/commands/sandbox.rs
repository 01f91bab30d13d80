//! `sandbox`: a stand-in for a ticketing system, for trying an integration without an account.

mod gorgias;
mod hostile;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};
use sandbox::teamswork::{self, Options};

use crate::failure::Failure;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::stop::StopSignals;
use crate::serve::{address_failure, runtime};

/// Run a stand-in for a ticketing system.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    system: System,
}

#[derive(Debug, Subcommand)]
enum System {
    Teamswork(TeamsworkArguments),
    Gorgias(gorgias::GorgiasArguments),
    Hostile(hostile::HostileArguments),
}

/// Run a stand-in for TeamsWork "Ticketing As A Service" until Ctrl-C.
///
/// It does what the vendor's reference says. Each reported difference of live installations from the
/// reference is a quirk that can be switched on; --list-quirks shows them.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway sandbox teamswork
  ticket-gateway sandbox teamswork --listen 127.0.0.1:9090 --quirk attachments --tickets 1000
  curl 'http://127.0.0.1:8081/ticketing/v1/tickets?key=sandbox-primary-key'")]
struct TeamsworkArguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,

    /// Switch on a reported difference from the reference; `all` switches on every one. Repeatable
    #[arg(long = "quirk", value_name = "NAME", hide_possible_values = true)]
    quirks: Vec<Quirks>,

    /// List the quirks and end
    #[arg(long)]
    list_quirks: bool,

    /// Keep the tickets in this file over a restart [default: in memory only]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// The key that may read and write
    #[arg(long, value_name = "KEY", default_value = "sandbox-primary-key")]
    primary_key: String,

    /// The key that may only read
    #[arg(long, value_name = "KEY", default_value = "sandbox-secondary-key")]
    secondary_key: String,

    /// How many tickets a fresh start holds
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    tickets: usize,
}

/// One `--quirk`.
#[derive(Debug, Clone, Copy)]
enum Quirks {
    All,
    One(teamswork::Quirk),
}

impl Quirks {
    fn listed(self) -> Vec<teamswork::Quirk> {
        match self {
            Self::All => teamswork::Quirk::all().to_vec(),
            Self::One(quirk) => vec![quirk],
        }
    }
}

/// Lets clap check the names, suggest the right one and complete them.
impl ValueEnum for Quirks {
    fn value_variants<'a>() -> &'a [Self] {
        static VARIANTS: std::sync::LazyLock<Vec<Quirks>> = std::sync::LazyLock::new(|| {
            let ones = teamswork::Quirk::all().iter().copied().map(Quirks::One);
            std::iter::once(Quirks::All).chain(ones).collect()
        });
        &VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::All => PossibleValue::new("all").help("Every quirk below"),
            Self::One(quirk) => PossibleValue::new(quirk.name()).help(quirk.description()),
        })
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, output: &mut Output) -> Result<(), Failure> {
    match arguments.system {
        System::Teamswork(arguments) if arguments.list_quirks => Ok(output.text(&listed_quirks())?),
        System::Teamswork(arguments) => {
            logging::start(LogFormat::Text, "info");
            runtime()?.block_on(serve(arguments, output))
        }
        System::Gorgias(arguments) if arguments.list_quirks => Ok(output.text(&gorgias::listed_quirks())?),
        System::Gorgias(arguments) => {
            logging::start(LogFormat::Text, "info");
            runtime()?.block_on(gorgias::serve(arguments, output))
        }
        System::Hostile(arguments) => {
            logging::start(LogFormat::Text, "info");
            runtime()?.block_on(hostile::serve(arguments, output))
        }
    }
}

async fn serve(arguments: TeamsworkArguments, output: &mut Output) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let listen = arguments.listen;
    let options = Options {
        listen,
        primary_key: arguments.primary_key.clone(),
        secondary_key: arguments.secondary_key.clone(),
        quirks: arguments
            .quirks
            .iter()
            .flat_map(|quirks| quirks.listed())
            .collect(),
        state: arguments.state,
        seed_tickets: arguments.tickets,
        ..Options::default()
    };
    let running = teamswork::start(options).await.map_err(|error| {
        if error.is_listen() {
            address_failure(listen, &error)
        } else {
            Failure::failed(error.to_string())
        }
    })?;

    output.line(&format!(
        "TeamsWork sandbox, stops on Ctrl-C\n  \
         base URL             {}\n  \
         key, read and write  {}\n  \
         key, read only       {}",
        running.url(),
        arguments.primary_key,
        arguments.secondary_key
    ))?;
    signals.next().await;
    running.stop().await;
    Ok(())
}

fn listed_quirks() -> String {
    let quirks = teamswork::Quirk::all();
    let width = quirks.iter().map(|quirk| quirk.name().len()).max().unwrap_or(0);
    quirks
        .iter()
        .map(|quirk| format!("{:<width$}  {}\n", quirk.name(), quirk.description()))
        .collect()
}
