//! `up` without an integration: the TeamsWork integration in front of the TeamsWork sandbox.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use integration::Installation;
use sandbox::teamswork::{self, Options, Quirk, Running};
use serde_json::{Map, Value, json};
use storage::SecretStore;
use storage::embedded::StaticSecrets;

use crate::failure::Failure;
use crate::install::{self, settings, settings::Assignment};
use crate::output::Output;

/// The integration that ships, inside the command so that the demo works in any folder.
const TEAMSWORK: &str = include_str!("../../connectors/teamswork/integration.yaml");

/// How many tickets a first start shows.
const SEEDED_TICKETS: usize = 40;

/// Often enough to watch. It costs nobody anything here.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// What is written to the sandbox is in its lists at once; the shipped 10 s are for TeamsWork itself.
const SETTLE: Duration = Duration::from_secs(1);

/// The sandbox, and the integration that is pointed at it.
pub(crate) struct Demo {
    /// Stop it to close its file.
    pub(crate) sandbox: Running,
    /// TeamsWork, installed.
    pub(crate) installation: Installation,
    /// The sandbox's keys.
    pub(crate) secrets: Arc<dyn SecretStore>,
}

/// Starts the sandbox, its tickets in a file beside the gateway's state, and installs TeamsWork on it.
pub(crate) async fn start(
    state: &Path,
    assignments: &[Assignment],
    output: &mut Output,
) -> Result<Demo, Failure> {
    let loaded = integration::load_text("connectors/teamswork/integration.yaml", TEAMSWORK);
    let mut integration = install::accept(loaded, output)?;
    if let Some(polling) = &mut integration.polling {
        polling.interval = POLL_INTERVAL;
        polling.settle = SETTLE;
    }
    settings::check_names(&[&integration.name], assignments)?;

    let options = Options {
        // Without these two, a live installation has no internal comments and no attachments.
        quirks: [Quirk::PrivateComments, Quirk::Attachments].into(),
        state: Some(tickets_file(state)),
        seed_tickets: SEEDED_TICKETS,
        ..Options::default()
    };
    let secrets = StaticSecrets::new()
        .with(&integration.name, "api_key", &options.primary_key)
        .with(&integration.name, "api_key_secondary", &options.secondary_key);
    let sandbox = teamswork::start(options)
        .await
        .map_err(|error| Failure::failed(error.to_string()))?;

    let mut filled = demo_settings(sandbox.url());
    filled.extend(settings::of(&integration, assignments)?);
    let installation = install::with_settings(integration, filled)?;
    Ok(Demo {
        sandbox,
        installation,
        secrets: Arc::new(secrets),
    })
}

/// `state.redb` keeps its tickets in `state.teamswork-sandbox.redb`.
fn tickets_file(state: &Path) -> PathBuf {
    state.with_extension("teamswork-sandbox.redb")
}

fn demo_settings(base_url: &str) -> Map<String, Value> {
    let settings = json!({
        "base_url": base_url,
        "service_user_id": "00000000-0000-4000-8000-000000000001",
        "service_user_name": "Ticket Gateway",
        "service_user_email": "ticket-gateway@example.com",
        "internal_comments": true,
        "attachments": true,
    });
    match settings {
        Value::Object(settings) => settings,
        _ => Map::new(),
    }
}

/// Three lines for a shell: create a ticket, comment on that ticket, read it back with the comment in it.
///
/// The first line shows the answer on the way to taking the new ticket's id out of it: the first `"id"` in
/// it.
pub(crate) fn curl_lines(address: SocketAddr, integration: &str) -> [String; 3] {
    let tickets = format!("http://{address}/v1/{integration}/tickets");
    let requestor =
        r#""requestor_info": {"requestor": {"full_name": "Molly Agent", "email_addr": "molly@example.com"}}"#;
    let send = "-H 'content-type: application/json' -d";
    [
        format!(
            "ID=$(curl -sS {tickets} {send} '{{\"payload\": {{\"short_description\": \"Second monitor stays dark\", \
             \"description\": \"No signal on HDMI-2\"}}, {requestor}}}' | tee /dev/stderr | \
             grep -o '\"id\":\"[^\"]*\"' | head -n 1 | cut -d '\"' -f 4); echo"
        ),
        format!(
            "curl -sS {tickets}/$ID/comments {send} '{{\"comment\": \"It worked before the update\", {requestor}}}'; echo"
        ),
        format!("curl -sS {tickets}/$ID; echo"),
    ]
}

/// Two lines for a shell, to follow [`curl_lines`]: once a poll in `interval` has seen that ticket, edit it in the
/// ticketing system itself; and see the gateway tell of it. `state` is what was given with `--state`.
pub(crate) fn change_lines(
    sandbox: &str,
    integration: &str,
    interval: Duration,
    state: Option<&Path>,
) -> [String; 2] {
    let key = Options::default().primary_key;
    let state = state.map_or_else(String::new, |file| format!(" --state {}", file.display()));
    let seen = (interval + SETTLE).as_secs() + 2;
    let changes = r#"{"updates": {"title": "Both monitors stay dark"}, "user": {"id": "00000000-0000-4000-8000-000000000002", "name": "Ana", "email": "ana@example.com"}}"#;
    [
        format!(
            "sleep {seen}; curl -sS -X PUT \"{sandbox}/tickets/$ID?key={key}\" \
             -H 'content-type: application/json' -d '{changes}'; echo"
        ),
        format!("ticket-gateway events tail {integration} --from-start{state}"),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_embedded_integration_is_all_there_is_in_its_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/teamswork");
        let names = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let yaml: Vec<_> = names
            .filter(|name| Path::new(name).extension().is_some_and(|end| end == "yaml"))
            .collect();
        assert_eq!(yaml, ["integration.yaml"]);
    }
}
