//! `sandbox gorgias`: a stand-in for the REST API of Gorgias.

use std::net::SocketAddr;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use sandbox::gorgias::{self, Options, Quirk};

use crate::failure::Failure;
use crate::output::Output;
use crate::serve::address_failure;
use crate::serve::stop::StopSignals;

/// Run a stand-in for the REST API of Gorgias until Ctrl-C.
///
/// It does what the vendor's documentation says. Each reported difference of live accounts, and each other reading where
/// the documentation contradicts itself, is a quirk that can be switched on; --list-quirks shows them.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway sandbox gorgias
  ticket-gateway sandbox gorgias --listen 127.0.0.1:9090 --quirk empty-bodies --tickets 1000
  curl -u support@example.com:sandbox-api-key 'http://127.0.0.1:8083/api/tickets?limit=5'
  curl -X POST http://127.0.0.1:8083/sandbox/expire-tokens")]
pub(super) struct GorgiasArguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8083")]
    listen: SocketAddr,

    /// Switch on a difference from the documentation; `all` switches on every one. Repeatable
    #[arg(long = "quirk", value_name = "NAME", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(quirk_names()))]
    quirks: Vec<String>,

    /// List the quirks and end
    #[arg(long)]
    pub(super) list_quirks: bool,

    /// The user who may read and write
    #[arg(long, value_name = "EMAIL", default_value = "support@example.com")]
    email: String,

    /// That user's API key
    #[arg(long, value_name = "KEY", default_value = "sandbox-api-key")]
    api_key: String,

    /// How many tickets a fresh start holds
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    tickets: usize,
}

/// Lets clap check the names, suggest the right one and complete them.
fn quirk_names() -> Vec<PossibleValue> {
    let ones = Quirk::all().iter();
    let ones = ones.map(|quirk| PossibleValue::new(quirk.name()).help(quirk.description()));
    std::iter::once(PossibleValue::new("all").help("Every quirk below"))
        .chain(ones)
        .collect()
}

pub(super) async fn serve(arguments: GorgiasArguments, output: &mut Output) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let listen = arguments.listen;
    let switched_on = |name: &String| match Quirk::from_name(name) {
        Some(quirk) => vec![quirk],
        // The only other word that the parser lets pass is `all`.
        None => Quirk::all().to_vec(),
    };
    let options = Options {
        listen,
        email: arguments.email.clone(),
        api_key: arguments.api_key.clone(),
        quirks: arguments.quirks.iter().flat_map(switched_on).collect(),
        seed_tickets: arguments.tickets,
        ..Options::default()
    };
    let (observer, observer_key) = (options.observer_email.clone(), options.observer_key.clone());
    let app = format!(
        "{} {} {}",
        options.client_id, options.client_secret, options.refresh_token
    );
    let running = gorgias::start(options).await.map_err(|error| {
        if error.is_listen() {
            address_failure(listen, &error)
        } else {
            Failure::failed(error.to_string())
        }
    })?;
    output.line(&format!(
        "Gorgias sandbox, stops on Ctrl-C\n  \
         base URL                 {}\n  \
         login, read and write    {} {}\n  \
         login, read only         {observer} {observer_key}\n  \
         app, secret, refresh     {app}",
        running.url(),
        arguments.email,
        arguments.api_key
    ))?;
    signals.next().await;
    running.stop().await;
    Ok(())
}

/// One line for each quirk.
pub(super) fn listed_quirks() -> String {
    let quirks = Quirk::all();
    let width = quirks.iter().map(|quirk| quirk.name().len()).max().unwrap_or(0);
    quirks
        .iter()
        .map(|quirk| format!("{:<width$}  {}\n", quirk.name(), quirk.description()))
        .collect()
}
