//! A running gateway with the Gorgias connector, and the stand-in behind it.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use sandbox::gorgias::{Calls, Fault, Login, Options, Quirk, Running};
use serde_json::{Value, json};

use crate::gateway::Gateway;

/// The API key of the stand-in in these tests; also a canary that must never be seen again.
pub(crate) const KEY: &str = "canary-g0rg/+41 key";

/// The stand-in with these quirks and some tickets, without a rate limit.
pub(crate) async fn gorgias(quirks: &[Quirk]) -> Running {
    with(Options {
        quirks: quirks.iter().copied().collect(),
        seed_tickets: 40,
        rate_limit: None,
        ..Options::default()
    })
    .await
}

/// The stand-in with these options and the key of the tests.
pub(crate) async fn with(options: Options) -> Running {
    let options = Options {
        api_key: KEY.to_owned(),
        ..options
    };
    sandbox::gorgias::start(options)
        .await
        .expect("the sandbox starts")
}

/// The folder of the Gorgias connector.
pub(crate) fn connector() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/gorgias")
}

/// The gateway with the connector pointed at the stand-in, and settings such as `public_comments=agent_sent`.
pub(crate) fn gateway(sandbox: &Running, settings: &[&str]) -> Gateway {
    logged_in(sandbox, settings, &[("API_KEY", KEY)])
}

/// The gateway as an app of the stand-in, which has this refresh token.
pub(crate) fn app(sandbox: &Running, settings: &[&str], refresh_token: &str) -> Gateway {
    let token_url = format!("token_url={}/oauth/token", sandbox.site());
    let mut all = vec!["login=oauth2", "client_id=sandbox-client", token_url.as_str()];
    all.extend(settings);
    let secrets = [
        ("CLIENT_SECRET", "sandbox-client-secret"),
        ("REFRESH_TOKEN", refresh_token),
    ];
    logged_in(sandbox, &all, &secrets)
}

fn logged_in(sandbox: &Running, settings: &[&str], secrets: &[(&str, &str)]) -> Gateway {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ticket-gateway"));
    command
        .args([
            "up",
            "--no-poll",
            "--listen",
            "127.0.0.1:0",
            "--allow-private-upstreams",
        ])
        .arg("--state")
        .arg(folder.path().join("state.redb"))
        .arg("--integration")
        .arg(connector())
        .args(["--set", "gorgias.domain=sandbox"])
        .args(["--set", &format!("gorgias.base_url={}", sandbox.url())])
        .args(["--set", "gorgias.email=support@example.com"]);
    for setting in settings {
        command.args(["--set", &format!("gorgias.{setting}")]);
    }
    for (name, value) in secrets {
        command.env(format!("TICKET_GATEWAY_SECRET_GORGIAS_{name}"), value);
    }
    command.env("RUST_LOG", "trace").env("NO_COLOR", "1");
    Gateway::start_in(folder, command)
}

/// A person who asks.
pub(crate) fn requestor(email: &str) -> Value {
    json!({"requestor": {"full_name": "Molly Buyer", "email_addr": email}})
}

pub(crate) const MOLLY: &str = "molly.buyer@example.com";

/// A new ticket of Molly's.
pub(crate) async fn create(gateway: &Gateway, payload: Value) -> Value {
    let body = json!({"payload": payload, "requestor_info": requestor(MOLLY)});
    gateway.post("/v1/gorgias/tickets", body).await.expect(201)["raw_ticket"].clone()
}

pub(crate) fn id(ticket: &Value) -> &str {
    ticket["id"].as_str().expect("a ticket has an id")
}

/// The ticket as the stand-in keeps it.
pub(crate) fn kept(sandbox: &Running, ticket_id: &str) -> Value {
    let number: i64 = ticket_id.parse().expect("a whole number");
    let mut tickets = sandbox.tickets();
    tickets.retain(|ticket| ticket["id"] == number);
    tickets.pop().expect("the ticket is there")
}

/// How many requests of this kind arrived; `path` is its beginning.
pub(crate) fn count(sandbox: &Running, method: &str, path: &str) -> usize {
    let requests = sandbox.requests();
    requests
        .iter()
        .filter(|request| request.method == method && request.path.starts_with(path))
        .count()
}
