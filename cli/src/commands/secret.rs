//! `secret`: what a ticketing system asks for and nobody should read.

use std::io::{ErrorKind, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use mapping::did_you_mean;
use serde_json::{Map, Value, json};
use storage::Secret;

use crate::failure::Failure;
use crate::names;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::serve::stop::StopSignals;
use crate::tables;
use crate::target::{Target, TargetArguments};

/// Secrets Manager takes 64 KiB for all secrets of an integration together.
const MAX_BYTES: usize = 32 * 1024;

/// Set the secrets of an integration, and list which are set
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Set(Set),
    List(List),
}

/// Set a secret of an integration: from standard input, a file, or typed without an echo
///
/// It is never an argument, which other users of the machine and the shell's history would see. One line break at
/// its end is taken away. On this machine it goes into a file beside the state file that only its owner may read.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway secret set teamswork api_key --stack prod          (asks for it)
  pass show teamswork | ticket-gateway secret set teamswork api_key
  ticket-gateway secret set desk private_key --from-file key.pem")]
struct Set {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// The secret's name, as the integration's `auth` calls it
    #[arg(value_parser = key)]
    key: String,

    /// Take it from this file
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,

    /// Print {integration, key, set} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// List the secrets of an integration: which it needs and which are set, never what they are
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway secret list teamswork --stack prod")]
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

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    one_shot_runtime()?.block_on(async {
        match &arguments.command {
            Command::Set(set) => self::set(set, output).await,
            Command::List(list) => self::list(list, output).await,
        }
    })
}

async fn set(arguments: &Set, output: &mut Output) -> Result<(), Failure> {
    let (name, key) = (arguments.name.as_str(), arguments.key.as_str());
    let target = arguments.target.open().await?;
    let wanted = wanted(&target, name).await?;
    if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == key) {
        let known = || wanted.iter().map(String::as_str);
        let hint = match did_you_mean(key, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it reads: {}", known().collect::<Vec<_>>().join(", ")),
        };
        output.warning(&format!(
            "the active version of `{name}` reads no secret `{key}`; {hint}"
        ));
    }
    // A Ctrl-C that ended the process at the prompt would leave a terminal that shows nothing of what is typed.
    let is_asked = arguments.from_file.is_none() && std::io::stdin().is_terminal();
    let stop = is_asked.then(StopSignals::listen).transpose()?;
    let secret = match &arguments.from_file {
        Some(file) => from_file(file)?,
        None => from_person(name, key)?,
    };
    let stopped = async {
        match stop {
            Some(mut stop) => stop.next().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        is_set = target.secret_writer.set(name, key, &secret) => is_set?,
        () = stopped => return Err(Failure::failed("stopped; whether the secret is set is not known")),
    }
    if arguments.json {
        return Ok(output.json(&json!({"integration": name, "key": key, "set": true}), false)?);
    }
    output.remark(&format!("the secret `{key}` of `{name}` is set"));
    Ok(())
}

async fn list(arguments: &List, output: &mut Output) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    let target = arguments.target.open().await?;
    let wanted = wanted(&target, name).await?;
    let set = target.secret_writer.names(name).await?;
    let mut all: Vec<&String> = wanted.iter().chain(&set).collect();
    all.sort();
    all.dedup();
    let rows: Vec<Map<String, Value>> = all
        .into_iter()
        .map(|key| {
            Map::from_iter([
                ("secret".to_owned(), json!(key)),
                ("set".to_owned(), json!(set.contains(key))),
                ("read_by_active_version".to_owned(), json!(wanted.contains(key))),
            ])
        })
        .collect();
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

/// The secrets that the active version reads; none where there is no active version.
async fn wanted(target: &Target, name: &str) -> Result<Vec<String>, Failure> {
    let Some(active) = target.integrations.active(name).await? else {
        return Ok(Vec::new());
    };
    let content = target.content(name, active).await?;
    let integration = integration::load_files(&content.files).integration.map(Arc::new);
    let installation = integration.and_then(|integration| integration.install(content.settings).ok());
    let secrets = installation.map_or_else(Vec::new, |installation| installation.required_secrets());
    Ok(secrets.into_iter().map(|secret| secret.name).collect())
}

fn from_file(file: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::failed(format!("cannot read {}: {error}", file.display())))?;
    checked(text, &format!("{} is empty", file.display()))
}

/// Typed at the terminal, or piped.
fn from_person(name: &str, key: &str) -> Result<Secret, Failure> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        let typed = rpassword::prompt_password(format!("{key} of {name} (not shown): ")).map_err(
            |error| match error.kind() {
                ErrorKind::Interrupted => Failure::failed("stopped; the secret is as it was"),
                _ => Failure::failed(format!("cannot read from the terminal: {error}")),
            },
        )?;
        return checked(typed, "nothing was typed; the secret is as it was");
    }
    let mut text = String::new();
    input
        .read_to_string(&mut text)
        .map_err(|error| Failure::failed(format!("cannot read standard input: {error}")))?;
    checked(
        text,
        "standard input is no terminal to ask at, and there is nothing on it; the secret is as it was",
    )
}

fn checked(mut text: String, when_empty: &str) -> Result<Secret, Failure> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    let secret = Secret::new(text);
    if secret.expose().trim().is_empty() {
        return Err(
            Failure::failed(when_empty).help("pipe the secret in, or name a file with --from-file FILE")
        );
    }
    if secret.expose().len() > MAX_BYTES {
        let found = secret.expose().len();
        return Err(Failure::failed(format!(
            "the secret has {found} bytes; at most {MAX_BYTES} are taken"
        )));
    }
    Ok(secret)
}

fn key(text: &str) -> Result<String, &'static str> {
    let mut letters = text.chars();
    let is_key = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && text.len() <= 64;
    if is_key {
        Ok(text.to_owned())
    } else {
        Err("expected up to 64 letters, digits and underscores, beginning with a letter")
    }
}
