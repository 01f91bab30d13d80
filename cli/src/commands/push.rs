//! `push`: a new version of an integration, active at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use integration::{Installation, Integration};
use serde_json::{Map, Value, json};
use storage::NewVersion;

use crate::changes::{self, Side};
use crate::failure::Failure;
use crate::install::settings::{self, Setting};
use crate::install::{accept, missing_secrets};
use crate::names;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::target::{Target, TargetArguments, now};

/// Store a new version of an integration and make it the active one.
///
/// The integration is checked as by `lint`, its settings as by `up`. Settings of the active version stay unless
/// --set or --unset changes them. The version is made active only if the one that was active at the start still
/// is: whoever pushes at the same time is told. A gateway picks it up within its refresh time. Nothing happens
/// when the content is that of the active version.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway push connectors/teamswork --name teamswork --stack prod --note 'first version' \\
    --set base_url=https://teamswork.azure-api.net/ticketing/v1
  ticket-gateway push my-desk --name desk --dry-run")]
pub(crate) struct Arguments {
    /// The integration: its folder or file
    #[arg(value_name = "DIR")]
    path: PathBuf,

    /// What the gateway calls it: /v1/NAME/... in the API. The `name` in its YAML may be another one
    #[arg(long, value_name = "NAME", value_parser = names::integration)]
    name: String,

    /// A setting: JSON where the setting is not text. Repeatable
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<Setting>,

    /// Take a setting of the active version back to its default. Repeatable
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,

    /// What changed and why, for `versions`
    #[arg(long, value_name = "TEXT", value_parser = names::note, default_value = "", hide_default_value = true)]
    note: String,

    /// Push only if this version is active; 0 for none [default: the one that is active at the start]
    #[arg(long, value_name = "VERSION")]
    expect: Option<u64>,

    /// Do everything but store it; show the difference to the active version
    #[arg(long)]
    dry_run: bool,

    /// Print {integration, version, previous, changed, dry_run, changes, warnings} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    one_shot_runtime()?.block_on(push(arguments, output))
}

async fn push(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    let target = arguments.target.open().await?;
    let seen = match arguments.expect {
        None => target.integrations.active(name).await?,
        Some(version) => {
            let expected = Some(version).filter(|version| *version > 0);
            target.check_active(name, expected).await?;
            expected
        }
    };
    let active = match seen {
        None => NewVersion::default(),
        Some(version) => target.content(name, version).await?,
    };

    let (integration, files) = load(&arguments.path, name, output)?;
    let mut warnings = Vec::new();
    let settings = filled_in(arguments, &integration, &active.settings, &mut warnings)?;
    let installation = install(integration, &settings)?;
    warnings.extend(installation.warnings.iter().cloned());
    warnings.extend(secrets_missing(&installation, &target).await);
    for warning in &warnings {
        output.warning(warning);
    }

    let content = NewVersion {
        files,
        settings,
        note: arguments.note.clone(),
        created_at: now(),
        created_by: target.person.clone(),
        replaces: seen,
        streams: poller::scheduled(&installation.integration),
    };
    let label = seen.map_or("nothing".to_owned(), |version| format!("version {version}"));
    let (old, new) = (
        Side {
            label: label.clone(),
            content: &active,
        },
        Side {
            label: arguments.path.display().to_string(),
            content: &content,
        },
    );
    let changes = changes::between(&old, &new);
    let changed = seen.is_none() || active.digest() != content.digest();
    let mut active_now = seen;
    let said = if !changed {
        target.check_active(name, seen).await?;
        format!("nothing to do: {label} of `{name}` is active and has this content")
    } else if arguments.dry_run {
        if !arguments.json {
            output.diff(&changes::text(&changes))?;
        }
        format!("`{name}` can be pushed; nothing was stored")
    } else {
        let version = target.add_and_activate(name, content, seen).await?;
        active_now = Some(version);
        let before = seen.map_or(String::new(), |seen| format!(", in place of version {seen}"));
        format!("version {version} of `{name}` is active{before}")
    };
    if !arguments.json {
        output.remark(&said);
        return Ok(());
    }
    let result = json!({
        "integration": name,
        "version": active_now,
        "previous": seen,
        "changed": changed,
        "dry_run": arguments.dry_run,
        "changes": changes::to_json(&changes),
        "warnings": warnings,
    });
    Ok(output.json(&result, false)?)
}

/// The integration under the name it is pushed as, and its files as they are stored.
fn load(
    path: &Path,
    name: &str,
    output: &mut Output,
) -> Result<(Integration, BTreeMap<String, String>), Failure> {
    let files = integration::read_files(path).map_err(|problem| Failure::from(*problem))?;
    let mut integration = accept(integration::load_files(&files), output)?;
    name.clone_into(&mut integration.name);
    Ok((integration, changes::stored_names(files)))
}

/// The settings of the active version, changed by the command line.
fn filled_in(
    arguments: &Arguments,
    integration: &Integration,
    active: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<Map<String, Value>, Failure> {
    let mut settings = active.clone();
    for key in &arguments.unset {
        if settings.remove(key).is_none() {
            let known = active.keys().map(String::as_str);
            return Err(
                Failure::usage(format!("--unset: the active version does not set `{key}`"))
                    .help(settings::suggestion(key, known, "it sets")),
            );
        }
    }
    for setting in &arguments.set {
        let value = settings::given(integration, &setting.key, &setting.value)?;
        settings.insert(setting.key.clone(), value);
    }
    settings.retain(|key, _| {
        let declared = integration.settings.iter().any(|declared| declared.name == *key);
        if !declared {
            warnings.push(format!(
                "the setting `{key}` of the active version is dropped: the integration does not declare it any more"
            ));
        }
        declared
    });
    // The same settings are the same content, in whatever order they were given.
    settings.sort_keys();
    Ok(settings)
}

fn install(integration: Integration, settings: &Map<String, Value>) -> Result<Installation, Failure> {
    Arc::new(integration)
        .install(settings.clone())
        .map_err(|problems| {
            Failure::failed(problems.join("\n       ")).help("give a setting with --set KEY=VALUE")
        })
}

/// What is missing does not stop a push: secrets may come later, and are never part of a version.
async fn secrets_missing(installation: &Installation, target: &Target) -> Vec<String> {
    let name = &installation.integration.name;
    match missing_secrets(installation, target.secrets.as_ref()).await {
        Ok(missing) => missing
            .iter()
            .map(|key| {
                let options = &target.options;
                format!(
                    "`{name}` needs the secret `{key}`; run: ticket-gateway secret set {name} {key}{options}"
                )
            })
            .collect(),
        Err(error) => vec![format!("the secrets of `{name}` could not be checked: {error}")],
    }
}
