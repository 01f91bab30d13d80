//! The gateway of a function, from its environment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actions::{Gateway, TasAction};
use integration::Installation;
use mapping::Severity;
use serde_json::{Map, Value};
use storage::embedded::EnvironmentSecrets;
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions};

use crate::error::Error;

const INTEGRATIONS: &str = "TICKET_GATEWAY_INTEGRATIONS";
const SETTINGS: &str = "TICKET_GATEWAY_SETTINGS";
const ALLOW_PRIVATE: &str = "TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS";

/// Builds the gateway that serves one action.
///
/// `variable` reads the environment:
/// - `TICKET_GATEWAY_INTEGRATIONS`: the folder of an integration, or a folder of such folders;
/// - `TICKET_GATEWAY_SETTINGS`: a JSON object, `{"<integration>": {"<setting>": value}}`; none by default;
/// - `TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS`: `true` lets integrations reach private addresses.
///
/// There is no store for idempotency records here: a caller's key is passed on to the mappings and no more.
/// Secrets are the process's `TICKET_GATEWAY_SECRET_<INTEGRATION>_<KEY>` variables.
///
/// # Errors
/// When a variable is missing or wrong, an integration has a mistake, or its settings do not fit. Every mistake
/// is in the message.
pub fn gateway(action: TasAction, variable: impl Fn(&str) -> Option<String>) -> Result<Gateway, Error> {
    let folder = variable(INTEGRATIONS).ok_or_else(|| {
        Error::environment(
            INTEGRATIONS,
            "is not set; it names the folder that holds the integrations",
        )
    })?;
    let settings = settings(variable(SETTINGS))?;
    let client = Client::new(ClientOptions {
        secrets: Arc::new(EnvironmentSecrets::new()),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: variable(ALLOW_PRIVATE).as_deref() == Some("true"),
        user_agent: concat!("ticket-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
    })
    .map_err(|error| Error::setup(&error))?;
    let mut builder = Gateway::builder(client).only(action);
    for path in integration_paths(Path::new(&folder))? {
        builder = builder.integration(install(&path, &settings)?);
    }
    builder.build().map_err(|error| Error::setup(&error))
}

fn settings(text: Option<String>) -> Result<Map<String, Value>, Error> {
    const EXPECTED: &str = "expected a JSON object, {\"<integration>\": {\"<setting>\": value}}";
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(Map::new());
    };
    match serde_json::from_str(&text) {
        Ok(Value::Object(settings)) if settings.values().all(Value::is_object) => Ok(settings),
        Ok(_) => Err(Error::environment(SETTINGS, EXPECTED)),
        Err(error) => Err(Error::environment(SETTINGS, format!("{EXPECTED}: {error}"))),
    }
}

/// The folder itself where it is an integration, otherwise the folders in it, by name.
fn integration_paths(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    if folder.join("integration.yaml").is_file() || folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let unreadable = |error: std::io::Error| {
        Error::environment(INTEGRATIONS, format!("cannot read {}: {error}", folder.display()))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join("integration.yaml").is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let problem = format!("{} holds no folder with an integration.yaml", folder.display());
        return Err(Error::environment(INTEGRATIONS, problem));
    }
    Ok(paths)
}

fn install(path: &Path, settings: &Map<String, Value>) -> Result<Installation, Error> {
    let loaded = integration::load(path);
    let Some(integration) = loaded.integration else {
        let mistakes: Vec<String> = loaded
            .diagnostics
            .iter()
            .filter(|diagnostic| matches!(diagnostic.severity, Severity::Error))
            .map(|diagnostic| diagnostic.render(false))
            .collect();
        return Err(Error::integration(path, mistakes.join("\n")));
    };
    let given = match settings.get(&integration.name) {
        Some(Value::Object(given)) => given.clone(),
        _ => Map::new(),
    };
    let installation = Arc::new(integration)
        .install(given)
        .map_err(|problems| Error::settings(&problems))?;
    for warning in &installation.warnings {
        tracing::warn!("{warning}");
    }
    Ok(installation)
}
