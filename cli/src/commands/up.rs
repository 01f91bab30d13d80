//! `up`: serves the API.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use integration::Installation;
use sandbox::teamswork::Running;
use storage::SecretStore;
use tokio::net::TcpListener;

use crate::demo;
use crate::failure::Failure;
use crate::install::{self, InstallArguments, gateway, state};
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::server::{self, Stopped};
use crate::serve::stop::StopSignals;
use crate::serve::{address_failure, runtime};

/// Serve the API until Ctrl-C.
///
/// Without --integration it starts a sandbox of TeamsWork with a few tickets, serves the TeamsWork
/// integration in front of it, and prints three curl lines to paste into another terminal.
///
/// Log lines go to stderr, one per ticket action; RUST_LOG changes what is logged. Ctrl-C or SIGTERM lets
/// requests under way finish for up to 10 seconds; a second one stops at once.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway up
  TICKET_GATEWAY_SECRET_TEAMSWORK_API_KEY=... ticket-gateway up --integration connectors/teamswork \\
    --set teamswork.base_url=https://teamswork.azure-api.net/ticketing/v1 \\
    --set teamswork.service_user_id=... --set teamswork.service_user_name=... \\
    --set teamswork.service_user_email=...")]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// An integration to serve: its folder or file. Repeatable [default: the TeamsWork demo]
    #[arg(long = "integration", value_name = "DIR")]
    integrations: Vec<PathBuf>,

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
    installations: Vec<Installation>,
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
    let served = prepare(&arguments, &state_file, output).await?;

    output.text(&banner(address, &served, &state_file))?;
    if !address.ip().is_loopback() {
        tracing::warn!("{address} is open to everybody who can reach it: `up` asks callers for no key");
    }
    let Served {
        installations,
        secrets,
        allow_private_upstreams,
        sandbox,
    } = served;
    let gateway = gateway::build(installations, secrets, allow_private_upstreams, store)?;
    let stopped = server::serve(listener, gateway, &mut signals).await;
    if let Some(sandbox) = sandbox {
        sandbox.stop().await;
    }
    match stopped {
        Stopped::InOrder => Ok(()),
        Stopped::Cut => Err(Failure::failed("stopped with requests still under way")),
    }
}

async fn prepare(arguments: &Arguments, state_file: &Path, output: &mut Output) -> Result<Served, Failure> {
    let install = &arguments.install;
    if arguments.integrations.is_empty() {
        if install.secrets.is_some() {
            return Err(Failure::usage(
                "--secrets is of no use without --integration: the demo has its own",
            ));
        }
        let demo = demo::start(state_file, &install.assignments, output).await?;
        return Ok(Served {
            installations: vec![demo.installation],
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
    let secrets = install.secret_store()?;
    install::check_secrets(&installations, secrets.as_ref()).await?;
    Ok(Served {
        installations,
        secrets,
        allow_private_upstreams: install.allow_private_upstreams,
        sandbox: None,
    })
}

/// What a person needs to know to use it; the curl lines are the only ones that start at the margin.
fn banner(address: SocketAddr, served: &Served, state_file: &Path) -> String {
    let reached = reachable(address);
    let names: Vec<&str> = served
        .installations
        .iter()
        .map(|installation| installation.integration.name.as_str())
        .collect();
    let mut text = format!("Ticket Gateway serves http://{reached}/v1 (Ctrl-C stops it)\n");
    text.push_str(&format!("  integrations  {}\n", names.join(", ")));
    text.push_str(&format!("  state         {}\n", state_file.display()));
    if let Some(sandbox) = &served.sandbox {
        text.push_str(&format!("  sandbox       {}\n", sandbox.url()));
        text.push_str(
            "\nPaste these into another terminal: create a ticket, comment on it, read it back.\n\n",
        );
        for line in demo::curl_lines(reached, names.first().copied().unwrap_or_default()) {
            text.push_str(&line);
            text.push('\n');
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
