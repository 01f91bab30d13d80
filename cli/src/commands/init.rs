//! `init`: the beginning of an integration, from what is known of a system's API.

mod auth;
mod choose;
mod curl;
mod document;
mod draft;
mod meaning;
mod operation;
mod paging;
mod propose;
mod report;
mod request;
mod resource;
mod server;
mod shape;
mod skeleton;
mod states;
mod ticket;
mod words;
mod yaml;

use std::path::{Path, PathBuf};

use clap::Args;
use mapping::{Diagnostic, Severity};

use self::document::Document;
use self::report::Report;
use crate::failure::Failure;
use crate::names;
use crate::output::Output;

/// Begin an integration, from an OpenAPI document, from curl lines, or empty.
///
/// Writes DIR/integration.yaml. From an OpenAPI 3 document (JSON or YAML) it proposes the connector, the HTTP actions
/// and the twelve ticket actions with the requests that fit best, says how sure it is of each and why, and leaves a
/// TODO where it is not. Nothing is called: what it proposes is to be read and tried. What is written has no errors
/// of `lint`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
From curl lines (with continuations, as browsers copy them) it makes HTTP actions, and the ticket actions that their
paths and bodies show; no line shows an answer, so more is left to do than with a document. Ids in paths and values of
bodies become variables. Tokens, passwords and keys are never written: they become `auth`, a session where one line logs in,
and headers, with the names of secrets.

Examples:
  ticket-gateway init my-desk
  ticket-gateway init my-desk --openapi openapi.yaml
  ticket-gateway init my-desk --openapi openapi.json --noun card
  ticket-gateway init my-desk --curl requests.sh --output connectors/my-desk")]
pub(crate) struct Arguments {
    /// The integration's name: small letters, digits and hyphens
    #[arg(value_name = "NAME", value_parser = names::integration)]
    name: String,

    /// An OpenAPI 3 document, JSON or YAML
    #[arg(long, value_name = "FILE", group = "source")]
    openapi: Option<PathBuf>,

    /// A file of curl lines
    #[arg(long, value_name = "FILE", group = "source")]
    curl: Option<PathBuf>,

    /// What the system calls a ticket, if it is an unusual word [with --openapi or --curl]
    #[arg(long, value_name = "WORD", requires = "source")]
    noun: Option<String>,

    /// The folder to write to [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Replace an integration.yaml that is there
    #[arg(long)]
    force: bool,

    /// Print what was proposed, how sure and why, as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let folder = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(&arguments.name));
    let file = folder.join("integration.yaml");
    check_place(&folder, &file, arguments.force)?;
    let (text, report) = proposed(arguments)?;
    let warnings = check(&file, &text)?;
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, &text))
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))?;
    say(arguments, &file, report.as_ref(), warnings, output)
}

/// Nothing of a person's is written over, and no other file may be read together with this one.
fn check_place(folder: &Path, file: &Path, force: bool) -> Result<(), Failure> {
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::failed(format!("{} is no folder", folder.display()))
            .help("name another with --output DIR"));
    }
    if file.exists() && !force {
        return Err(Failure::failed(format!("{} is there already", file.display()))
            .help("replace it with --force, or name another folder with --output DIR"));
    }
    let others = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let other = others
        .filter(|path| path != file && path.is_file())
        .find(|path| path.extension().is_some_and(|end| end == "yaml" || end == "yml"));
    match other {
        Some(other) => Err(Failure::failed(format!(
            "{} lies in the folder, and all its YAML files are one integration",
            other.display()
        ))
        .help("name another folder with --output DIR")),
        None => Ok(()),
    }
}

/// The text of the file, and what is to be said of it.
fn proposed(arguments: &Arguments) -> Result<(String, Option<Report>), Failure> {
    let name = &arguments.name;
    let (draft, report) = if let Some(path) = &arguments.openapi {
        let document = Document::read(path)?;
        let operations = operation::read_all(&document)?;
        propose::propose(name, &document, &operations, arguments.noun.as_deref())?
    } else if let Some(path) = &arguments.curl {
        curl::propose(name, path, arguments.noun.as_deref())?
    } else {
        return Ok((skeleton::text(name), None));
    };
    Ok((draft.text(), Some(report)))
}

/// Lints what is to be written; gives the number of warnings.
///
/// # Errors
/// An error of `lint` here is a mistake of this command's: it is shown, and nothing is written.
fn check(file: &Path, text: &str) -> Result<usize, Failure> {
    let loaded = integration::load_text(file.display().to_string(), text);
    let is_error = |diagnostic: &&Diagnostic| matches!(diagnostic.severity, Severity::Error);
    if loaded.diagnostics.iter().any(|diagnostic| is_error(&diagnostic)) {
        let errors = loaded
            .diagnostics
            .into_iter()
            .filter(|diagnostic| is_error(&diagnostic))
            .collect();
        return Err(Failure::diagnostics(errors)
            .help("nothing was written: this proposal would not lint, which is a mistake of `init`; please report it"));
    }
    Ok(loaded.diagnostics.len())
}

fn say(
    arguments: &Arguments,
    file: &Path,
    report: Option<&Report>,
    warnings: usize,
    output: &mut Output,
) -> Result<(), Failure> {
    let shown = file.display().to_string();
    let empty = Report::default();
    if arguments.json {
        output.json(&report.unwrap_or(&empty).json(&shown), false)?;
        return Ok(());
    }
    if let Some(report) = report {
        if !report.ticket.is_empty() {
            output.remark(&format!(
                "A ticket is {}. Signed with: {}.",
                report.ticket, report.auth
            ));
            output.remark(report.table().trim_end());
        }
        for remark in &report.remarks {
            output.warning(remark);
        }
        for secret in &report.secrets {
            output.remark(&format!(
                "The secret `{secret}` is read from {}.",
                integration_secret(&arguments.name, secret)
            ));
        }
    }
    let said = match warnings {
        0 => String::new(),
        1 => " (1 warning of lint)".to_owned(),
        count => format!(" ({count} warnings of lint)"),
    };
    output.remark(&format!(
        "{shown} is written{said}. Next: go through its TODOs, then `ticket-gateway lint {}`.",
        file.parent().unwrap_or(file).display()
    ));
    Ok(())
}

/// The environment variable of a secret.
fn integration_secret(name: &str, secret: &str) -> String {
    let upper = |text: &str| text.to_uppercase().replace('-', "_");
    format!("TICKET_GATEWAY_SECRET_{}_{}", upper(name), upper(secret))
}
