//! `keys`: the keys that callers of the API show.

use clap::{Args, Subcommand};
use mapping::did_you_mean;
use serde_json::{Map, Value, json};
use storage::caller_key::{Access, Slot};
use storage::{CallerKey, Secret};

use crate::failure::Failure;
use crate::install::settings::suggestion;
use crate::names;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::tables;
use crate::target::{Target, TargetArguments};

/// Make, list, rotate and revoke the keys of the API's callers
///
/// A key opens one integration. Callers send it in the header `x-api-key`. It is shown once, when it is made; only
/// a hash of it is kept.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List(List),
    Rotate(Rotate),
    Revoke(Revoke),
}

/// Make a caller's first key, and print it alone on stdout
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway keys create teamswork --label portal --stack prod
  KEY=$(ticket-gateway keys create teamswork --label reports --read-only)")]
struct Create {
    /// The integration that the key opens
    #[arg(value_parser = names::integration)]
    name: String,

    /// Who will use it
    #[arg(long, value_parser = label)]
    label: String,

    /// Allow queries only
    #[arg(long)]
    read_only: bool,

    /// Print {integration, id, label, slot, access, created_at, key} instead
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// List the keys of an integration, without their texts
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway keys list teamswork --stack prod")]
struct List {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Make a caller's other key, so that the first can be replaced without a gap
///
/// Both keys work until the old one is revoked; the new one may do what the old one may.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway keys rotate teamswork portal --stack prod")]
struct Rotate {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// The label of the key to replace
    label: String,

    /// Print {integration, id, label, slot, access, created_at, key, replaces} instead
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// End a key
///
/// A deployed gateway may go on to accept it for the stack's AuthorizerCacheSeconds, 60 unless changed, and 30 seconds
/// more: API Gateway remembers a decision for the former, and the authorizer a key for the latter.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway keys revoke teamswork 1f0c22ab --stack prod")]
struct Revoke {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// The key's id, as `keys list` shows it
    #[arg(value_parser = key_id)]
    id: String,

    /// Print {integration, id, revoked} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    one_shot_runtime()?.block_on(async {
        match &arguments.command {
            Command::Create(create) => self::create(create, output).await,
            Command::List(list) => self::list(list, output).await,
            Command::Rotate(rotate) => self::rotate(rotate, output).await,
            Command::Revoke(revoke) => self::revoke(revoke, output).await,
        }
    })
}

async fn create(arguments: &Create, output: &mut Output) -> Result<(), Failure> {
    let (name, label) = (arguments.name.as_str(), arguments.label.as_str());
    let target = arguments.target.open().await?;
    if of_label(&target, name, label).await?.next().is_some() {
        let options = &target.options;
        return Err(
            Failure::failed(format!("`{label}` has a key for `{name}` already")).help(format!(
                "replace it: ticket-gateway keys rotate {name} {label}{options}"
            )),
        );
    }
    warn_of_no_version(&target, name, output).await?;
    let access = if arguments.read_only {
        Access::ReadOnly
    } else {
        Access::ReadWrite
    };
    let (key, text) = target.make_key(name, label, Slot::Primary, access).await?;
    show(&key, &text, None, arguments.json, output)
}

/// The key may come before the integration; but a name may also be mistyped.
async fn warn_of_no_version(target: &Target, name: &str, output: &mut Output) -> Result<(), Failure> {
    if target.integrations.active(name).await?.is_some() {
        return Ok(());
    }
    if !target.integrations.versions(name).await?.is_empty() {
        output.warning(&format!("no version of `{name}` is active in this gateway"));
        return Ok(());
    }
    output.warning(&format!("no version of `{name}` was ever pushed to this gateway"));
    let known = target.integrations.all_active().await?;
    if let Some(near) = did_you_mean(name, known.iter().map(|(known, _)| known.as_str())) {
        output.help(&format!("did you mean `{near}`?"));
    }
    Ok(())
}

async fn list(arguments: &List, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    let keys = target.keys.keys(&arguments.name).await?;
    for half_made in target.half_made_keys(&arguments.name, &keys).await? {
        output.warning(&half_made);
    }
    let rows: Vec<Map<String, Value>> = keys.iter().map(described).collect();
    if arguments.json {
        output.json(
            &Value::Array(rows.into_iter().map(Value::Object).collect()),
            false,
        )?;
    } else {
        output.text(&tables::rows(&rows))?;
    }
    Ok(())
}

async fn rotate(arguments: &Rotate, output: &mut Output) -> Result<(), Failure> {
    let (name, label) = (arguments.name.as_str(), arguments.label.as_str());
    let target = arguments.target.open().await?;
    let keys: Vec<CallerKey> = of_label(&target, name, label).await?.collect();
    let old = match keys.as_slice() {
        [] => return Err(no_such_label(&target, name, label).await),
        [old] => old,
        [..] => {
            let ids: Vec<String> = keys
                .iter()
                .map(|key| format!("{} ({}, {})", key.id, key.slot, key.created_at))
                .collect();
            let options = &target.options;
            return Err(
                Failure::failed(format!("`{label}` has both its keys: {}", ids.join(" and "))).help(format!(
                    "end the one that is not used any more: ticket-gateway keys revoke {name} ID{options}"
                )),
            );
        }
    };
    let slot = match old.slot {
        Slot::Primary => Slot::Secondary,
        Slot::Secondary => Slot::Primary,
    };
    let (key, text) = target.make_key(name, label, slot, old.access).await?;
    show(&key, &text, Some(&old.id), arguments.json, output)?;
    if !arguments.json {
        output.help(&format!(
            "when the caller uses it, end the old one: ticket-gateway keys revoke {name} {}{}",
            old.id, target.options
        ));
    }
    Ok(())
}

async fn revoke(arguments: &Revoke, output: &mut Output) -> Result<(), Failure> {
    let (name, id) = (arguments.name.as_str(), arguments.id.as_str());
    let target = arguments.target.open().await?;
    if !target.revoke_key(name, id).await? {
        let keys = target.keys.keys(name).await?;
        let failure = Failure::failed(format!("`{name}` has no key `{id}`"));
        if keys.is_empty() {
            return Err(failure);
        }
        let ids = keys.iter().map(|key| key.id.as_str());
        return Err(failure.help(suggestion(id, ids, "its keys")));
    }
    if arguments.json {
        return Ok(output.json(&json!({"integration": name, "id": id, "revoked": true}), false)?);
    }
    output.remark(&format!("the key {id} of `{name}` is revoked"));
    Ok(())
}

/// The text is the result; everything else is said beside it.
fn show(
    key: &CallerKey,
    text: &Secret,
    replaces: Option<&str>,
    as_json: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    if as_json {
        let mut shown = described(key);
        shown.insert("key".to_owned(), json!(text.expose()));
        if let Some(replaces) = replaces {
            shown.insert("replaces".to_owned(), json!(replaces));
        }
        return Ok(output.json(&Value::Object(shown), false)?);
    }
    output.remark(&format!(
        "{} key {} of `{}` for `{}`, {}; it is not shown again:",
        key.slot, key.id, key.label, key.integration, key.access
    ));
    Ok(output.line(text.expose())?)
}

fn described(key: &CallerKey) -> Map<String, Value> {
    let shown = json!({
        "id": key.id,
        "label": key.label,
        "slot": key.slot,
        "access": key.access,
        "created_at": key.created_at,
        "integration": key.integration,
    });
    match shown {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}

async fn of_label(
    target: &Target,
    name: &str,
    label: &str,
) -> Result<impl Iterator<Item = CallerKey> + use<>, Failure> {
    let (keys, label) = (target.keys.keys(name).await?, label.to_owned());
    Ok(keys.into_iter().filter(move |key| key.label == label))
}

async fn no_such_label(target: &Target, name: &str, label: &str) -> Failure {
    let keys = target.keys.keys(name).await.unwrap_or_default();
    let options = &target.options;
    let failure = Failure::failed(format!("`{name}` has no key with the label `{label}`"));
    if keys.is_empty() {
        return failure.help(format!(
            "make one: ticket-gateway keys create {name} --label {label}{options}"
        ));
    }
    failure.help(suggestion(
        label,
        keys.iter().map(|key| key.label.as_str()),
        "its labels",
    ))
}

fn label(text: &str) -> Result<String, &'static str> {
    let is_label = (1..=64).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control);
    if is_label {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 characters, no control characters, no spaces at the ends")
    }
}

fn key_id(text: &str) -> Result<String, &'static str> {
    if text.starts_with("tgk_") {
        // It would be in the shell's history, but need not be in our messages too.
        return Err("that looks like a whole key; expected its id, which is the third part of it");
    }
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_owned())
    } else {
        Err("expected the 8 hexadecimal digits that `keys list` shows")
    }
}
