//! `up`: serves the API.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actions::{Installations, Stored};
use clap::Args;
use poller::Poller;
use sandbox::teamswork::Running;
use storage::SecretStore;
use storage::embedded::EmbeddedStore;
use tokio::net::TcpListener;

use crate::demo;
use crate::failure::Failure;
use crate::install::{self, InstallArguments, gateway, state};
use crate::output::Output;
use crate::serve::background::Background;
use crate::serve::callers::Callers;
use crate::serve::logging::{self, LogFormat};
use crate::serve::server::{self, Admission, Stopped};
use crate::serve::sites::{self, Sites};
use crate::serve::stop::StopSignals;
use crate::serve::{address_failure, polling, runtime};

/// With --pushed, the rest is loaded when it is called.
const MAX_LOADED_AT_START: usize = 100;

/// Serve the API until Ctrl-C.
///
/// Without --integration and --pushed it starts a sandbox of TeamsWork with a few tickets, serves the TeamsWork
/// integration in front of it, and prints lines to paste into another terminal.
///
/// It polls the ticketing systems of the integrations whose `polling` says so, keeps what changed as events in the state
/// file (`ticket-gateway events tail` shows them), and delivers them to the webhooks of `ticket-gateway webhooks`.
/// Two of these on one state file take turns.
///
/// With --pushed it serves what `ticket-gateway push` made active in the same state file, and goes on to serve what
/// is pushed while it runs.
///
/// Log lines go to stderr, one per ticket action and one per poll that found changes or failed; RUST_LOG changes what
/// is logged. Ctrl-C or SIGTERM lets requests and polls under way finish for up to 10 seconds; a second one stops at
/// once.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway up
  ticket-gateway up --poll-interval 5
  TICKET_GATEWAY_SECRET_TEAMSWORK_API_KEY=... ticket-gateway up --integration connectors/teamswork \\
    --set teamswork.base_url=https://teamswork.azure-api.net/ticketing/v1 \\
    --set teamswork.service_user_id=... --set teamswork.service_user_name=... \\
    --set teamswork.service_user_email=...
  ticket-gateway up --pushed --require-keys")]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// An integration to serve: its folder or file. Repeatable [default: the TeamsWork demo]
    #[arg(long = "integration", value_name = "DIR")]
    integrations: Vec<PathBuf>,

    /// Serve the active versions of the integrations that were pushed
    #[arg(long, conflicts_with = "integrations")]
    pushed: bool,

    /// With --pushed, after how long a version that was pushed is noticed
    #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "pushed",
          value_parser = clap::value_parser!(u64).range(0..=3600))]
    refresh_seconds: u64,

    /// Poll every integration in this interval, whatever its own is
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_poll",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    poll_interval: Option<u64>,

    /// Do not poll
    #[arg(long)]
    no_poll: bool,

    /// Ask callers for a key of `ticket-gateway keys create` in the header x-api-key
    #[arg(long)]
    require_keys: bool,

    /// A name under which the gateway may be called, beside IP addresses and localhost; others are refused, so that
    /// no web page comes in under a name of its own. Not needed with --require-keys. Repeatable
    #[arg(long = "allow-host", value_name = "NAME", value_parser = sites::host_name,
          conflicts_with = "require_keys")]
    allowed_hosts: Vec<String>,

    /// The file that keeps what must survive a restart
    /// [default: $XDG_STATE_HOME/ticket-gateway/state.redb, or below ~/.local/state]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// How log lines are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,

    #[command(flatten)]
    install: InstallArguments,
}

/// What is served, and the sandbox behind it in the demo.
struct Served {
    installations: Arc<dyn Installations>,
    secrets: Arc<dyn SecretStore>,
    allow_private_upstreams: bool,
    sandbox: Option<Running>,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(arguments.log_format, "info");
    runtime()?.block_on(serve(arguments, output))
}

async fn serve(arguments: Arguments, output: &mut Output) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let listen = |error| address_failure(arguments.listen, &error);
    let listener = TcpListener::bind(arguments.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let state_file = arguments.state.clone().map_or_else(state::default_file, Ok)?;
    let store = state::open(&state_file)?;
    let served = prepare(&arguments, &state_file, &store, output).await?;

    let installations = Arc::clone(&served.installations);
    let (secrets, allow_private) = (Arc::clone(&served.secrets), served.allow_private_upstreams);
    let gateway = gateway::build(Arc::clone(&installations), secrets, allow_private, store.clone())?;
    let gateway = Arc::new(gateway);
    let mut background = Background::new();
    polling::deliver(&state_file, &store, allow_private, &mut background)?;
    let interval = arguments.poll_interval.map(Duration::from_secs);
    let poller = Arc::new(polling::poller(
        Arc::clone(&gateway),
        installations,
        &store,
        interval,
    ));
    let polls = match arguments.no_poll {
        true => "off (--no-poll)".to_owned(),
        false => polls(&poller, arguments.pushed).await?,
    };
    output.text(&banner(address, &served, &arguments, &state_file, &polls))?;
    if !arguments.no_poll {
        polling::poll(poller, &mut background);
    }
    let admission = if arguments.require_keys {
        Admission::Keys(Callers::new(Arc::new(store.clone())))
    } else {
        Admission::Open(Sites::new(arguments.allowed_hosts.clone()))
    };
    if !arguments.require_keys && !address.ip().is_loopback() {
        tracing::warn!(
            "{address} is open to everybody who can reach it: --require-keys asks callers for a key"
        );
    }
    let stopped = server::serve(listener, gateway, admission, background, &mut signals).await;
    if let Some(sandbox) = served.sandbox {
        sandbox.stop().await;
    }
    match stopped {
        Stopped::InOrder => Ok(()),
        Stopped::Cut => Err(Failure::failed("stopped with requests still under way")),
    }
}

async fn prepare(
    arguments: &Arguments,
    state_file: &Path,
    store: &EmbeddedStore,
    output: &mut Output,
) -> Result<Served, Failure> {
    let install = &arguments.install;
    let allow_private_upstreams = install.allow_private_upstreams;
    let beside = arguments.state.as_deref();
    if arguments.pushed {
        if !install.assignments.is_empty() {
            return Err(
                Failure::usage("--set has no place beside --pushed: settings are part of a version")
                    .help("ticket-gateway push DIR --name NAME --set KEY=VALUE"),
            );
        }
        let secrets = install.secret_store(beside)?;
        let refresh = Duration::from_secs(arguments.refresh_seconds);
        let installations = Stored::new(Arc::new(store.clone()), refresh);
        installations.warm(MAX_LOADED_AT_START).await?;
        for name in installations.known() {
            warn_of_missing_secrets(&installations, &name, secrets.as_ref()).await;
        }
        return Ok(Served {
            installations: Arc::new(installations),
            secrets,
            allow_private_upstreams,
            sandbox: None,
        });
    }
    if arguments.integrations.is_empty() {
        if install.secrets.is_some() || arguments.require_keys {
            return Err(Failure::usage(
                "--secrets and --require-keys are of no use without --integration or --pushed: the demo has its own \
                 secrets and asks for no keys",
            ));
        }
        let demo = demo::start(state_file, &install.assignments, output).await?;
        return Ok(Served {
            installations: gateway::fixed(vec![demo.installation])?,
            secrets: demo.secrets,
            // The sandbox is on this machine, and nothing else is installed.
            allow_private_upstreams: true,
            sandbox: Some(demo.sandbox),
        });
    }
    let mut integrations = Vec::new();
    for path in &arguments.integrations {
        integrations.push(install::load(path, output)?);
    }
    let installations = install::install(integrations, &install.assignments)?;
    let secrets = install.secret_store(beside)?;
    install::check_secrets(&installations, secrets.as_ref()).await?;
    Ok(Served {
        installations: gateway::fixed(installations)?,
        secrets,
        allow_private_upstreams,
        sandbox: None,
    })
}

/// What was pushed may wait for its secrets; they can be set while it is served.
async fn warn_of_missing_secrets(installations: &Stored, name: &str, secrets: &dyn SecretStore) {
    let Ok(Some(installed)) = installations.find(name).await else {
        return;
    };
    match install::missing_secrets(&installed.installation, secrets).await {
        Ok(missing) => {
            for key in missing {
                let how = secrets.how_to_set(name, &key).unwrap_or_default();
                tracing::warn!(integration = name, "the secret `{key}` is missing; {how}");
            }
        }
        Err(error) => tracing::warn!(integration = name, %error, "its secrets cannot be read"),
    }
}

/// How often what is polled, for the banner.
async fn polls(poller: &Poller, more_may_come: bool) -> Result<String, Failure> {
    let streams = poller.streams().await;
    let streams = streams.map_err(|error| Failure::failed(error.to_string()))?;
    let intervals = streams.iter().map(|stream| stream.settings.interval.as_secs());
    let tail = "ticket-gateway events tail shows changes";
    Ok(match (intervals.clone().min(), intervals.max()) {
        (Some(shortest), Some(longest)) if shortest == longest => format!("every {shortest} s; {tail}"),
        (Some(shortest), Some(longest)) => format!("every {shortest} to {longest} s; {tail}"),
        _ if more_may_come => format!("nothing yet; {tail}"),
        _ => "nothing: no integration has `polling` enabled".to_owned(),
    })
}

/// What a person needs to know to use it; the curl lines are the only ones that start at the margin.
fn banner(
    address: SocketAddr,
    served: &Served,
    arguments: &Arguments,
    state_file: &Path,
    polls: &str,
) -> String {
    let reached = reachable(address);
    let names = served.installations.known();
    let listed = match names.is_empty() {
        true => "none yet: ticket-gateway push DIR --name NAME".to_owned(),
        false => names.join(", "),
    };
    let mut text = format!("Ticket Gateway serves http://{reached}/v1 (Ctrl-C stops it)\n");
    text.push_str(&format!("  integrations  {listed}\n"));
    text.push_str(&format!("  polling       {polls}\n"));
    text.push_str(&format!("  state         {}\n", state_file.display()));
    if let Some(sandbox) = &served.sandbox {
        text.push_str(&format!("  sandbox       {}\n", sandbox.url()));
        text.push_str(
            "\nPaste these into another terminal: create a ticket, comment on it, read it back.\n\n",
        );
        let name = names.first().map_or("", String::as_str);
        for line in demo::curl_lines(reached, name) {
            text.push_str(&line);
            text.push('\n');
        }
        if !arguments.no_poll {
            let interval = arguments
                .poll_interval
                .map_or(demo::POLL_INTERVAL, Duration::from_secs);
            text.push_str(
                "\nThen these: when a poll has seen it, edit it in TeamsWork itself, and see the change arrive.\n\n",
            );
            for line in demo::change_lines(sandbox.url(), name, interval, arguments.state.as_deref()) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text.push('\n');
    }
    text
}

/// `0.0.0.0` is where one listens, not where one connects to.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}
