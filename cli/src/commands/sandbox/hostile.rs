//! `sandbox hostile`: a ticketing system that does what pollers stumble over.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use sandbox::hostile::{self, Options};

use crate::failure::Failure;
use crate::output::Output;
use crate::serve::address_failure;
use crate::serve::stop::StopSignals;

/// Run a ticketing system that loses, repeats and delays what it can, until Ctrl-C.
///
/// It changes its own tickets all the time. Some changes show late, many have the same time, its clock differs, lists
/// change while they are read, and answers fail in every way. GET /control/truth tells every version that ever stood.
/// The integration for it is sandbox/hostile/integration.yaml.
///
/// From the seed follow the changes (counted from the start), and what goes wrong with the n-th request. When a request
/// arrives, and in which order, does not.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway sandbox hostile
  ticket-gateway sandbox hostile --seed 7 --fault-rate 0.1 --changes-per-second 20
  curl 'http://127.0.0.1:8082/api/tickets?sort=desc&limit=5'
  curl http://127.0.0.1:8082/control/faults
  curl -X POST http://127.0.0.1:8082/control/calm")]
pub(super) struct HostileArguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    listen: SocketAddr,

    /// What everything that happens by chance is drawn from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// The chance, per request, of the most usual fault, 0.2 at most; 0 makes it well-behaved
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    fault_rate: f64,

    /// How many changes it makes itself in a second, on average
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    changes_per_second: f64,

    /// After how many changes of its own it makes no more [default: never]
    #[arg(long, value_name = "NUMBER")]
    changes: Option<u64>,

    /// How many tickets there are at the start
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    tickets: usize,

    /// Its clock minus the true one [default: between -90 and 90, by the seed]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    skew: Option<i64>,

    /// The longest time that a change takes to show
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    latest: u64,
}

pub(super) async fn serve(arguments: HostileArguments, output: &mut Output) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let listen = arguments.listen;
    let options = Options {
        listen,
        seed: arguments.seed,
        tickets: arguments.tickets,
        changes_per_second: arguments.changes_per_second,
        changes: arguments.changes,
        fault_rate: arguments.fault_rate,
        skew_seconds: arguments.skew,
        latest: Duration::from_secs(arguments.latest),
        ..Options::default()
    };
    let running = hostile::start(options).await.map_err(|error| {
        if error.is_listen() {
            address_failure(listen, &error)
        } else {
            Failure::failed(error.to_string())
        }
    })?;
    output.line(&format!(
        "Hostile sandbox with seed {}, stops on Ctrl-C\n  \
         base URL        {}\n  \
         what was true   http://{address}/control/truth\n  \
         what went wrong http://{address}/control/faults",
        arguments.seed,
        running.url(),
        address = running.address(),
    ))?;
    signals.next().await;
    running.stop().await;
    Ok(())
}
