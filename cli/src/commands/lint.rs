//! `lint`: finds what is wrong with an integration without calling anything.

use std::path::{Path, PathBuf};

use clap::Args;
use mapping::{Diagnostic, Severity};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Output;

/// Check integrations without calling any ticketing system.
///
/// Every mistake is reported in one run, with its file, line and column, the line itself and the fix. The
/// exit code is 1 when there is an error; warnings alone end with 0 unless --deny-warnings is given.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway lint connectors/teamswork
  ticket-gateway lint --json connectors/* | jq -r '.[] | \"\\(.file):\\(.line) \\(.message)\"'")]
pub(crate) struct Arguments {
    /// Integrations: a folder or one YAML file each
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Print a JSON array of {severity, code, message, file, line, column, help} on stdout instead
    #[arg(long)]
    json: bool,

    /// Let warnings end with exit code 1 too
    #[arg(long)]
    deny_warnings: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for path in &arguments.paths {
        let diagnostics = integration::load(path).diagnostics;
        if !arguments.json {
            output.diagnostics(&diagnostics);
            output.remark(&summary(path, &diagnostics));
        }
        found.extend(diagnostics);
    }
    if arguments.json {
        let array = found.iter().map(Diagnostic::to_json).collect();
        output.json(&Value::Array(array), false)?;
    }

    let failed = found
        .iter()
        .any(|diagnostic| arguments.deny_warnings || is_error(diagnostic));
    if failed { Err(Failure::said()) } else { Ok(()) }
}

fn summary(path: &Path, diagnostics: &[Diagnostic]) -> String {
    let path = path.display();
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| is_error(diagnostic))
        .count();
    let warnings = diagnostics.len() - errors;
    match (errors, warnings) {
        (0, 0) => format!("{path}: no problems found"),
        (errors, 0) => format!("{path}: {}", counted(errors, "error")),
        (0, warnings) => format!("{path}: {}", counted(warnings, "warning")),
        _ => format!(
            "{path}: {}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        ),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.severity, Severity::Error)
}
