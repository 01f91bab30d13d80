//! `map`: evaluates one mapping on one input.

use std::path::PathBuf;

use clap::Args;
use mapping::{Environment, InputPath, Mapping, Segment};
use serde_json::Value;

use crate::documents;
use crate::failure::Failure;
use crate::output::Output;

/// Apply a mapping to an input and print the resulting JSON.
///
/// The result stands alone on stdout: indented on a terminal, on one line otherwise. A mistake in the
/// mapping, or a failed evaluation, goes to stderr with its place, and the exit code is 1.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway map --mapping mapping.yaml --input ticket.json
  echo '{\"title\": \"printer\"}' | ticket-gateway map --expression 'title.$UPPERCASE()' --input -
  ticket-gateway map --mapping mapping.yaml --reads")]
pub(crate) struct Arguments {
    #[command(flatten)]
    what: What,

    /// The input, YAML or JSON; `-` reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "reads")]
    input: Option<PathBuf>,

    /// Print the input paths that the mapping can read, one a line, instead of evaluating it
    #[arg(long, conflicts_with = "input")]
    reads: bool,

    /// Indent the result even when stdout is not a terminal
    #[arg(long, conflicts_with = "reads")]
    pretty: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The mapping, YAML or JSON; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// The mapping as one expression on the command line
    #[arg(long, value_name = "TEXT")]
    expression: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let is_stdin = |path: &Option<PathBuf>| path.as_deref().is_some_and(documents::is_stdin);
    if is_stdin(&arguments.what.mapping) && is_stdin(&arguments.input) {
        return Err(
            Failure::usage("only one of --mapping and --input can be `-`, standard input")
                .help("give the other one as a file"),
        );
    }

    let mapping = compile(&arguments.what)?;
    output.diagnostics(mapping.warnings());
    if arguments.reads {
        for path in mapping.reads() {
            output.line(&shown_path(path))?;
        }
        return Ok(());
    }

    let input = match &arguments.input {
        Some(path) => documents::read_value(path)?,
        None => Value::Null,
    };
    let result = mapping
        .evaluate(&input, &Environment::now())
        .map_err(|error| Failure::from(error.to_diagnostic()))?;
    Ok(output.json(&result, arguments.pretty)?)
}

fn compile(what: &What) -> Result<Mapping, Failure> {
    let compiled = match (&what.mapping, &what.expression) {
        (Some(path), _) => Mapping::compile(&documents::read_node(path)?),
        (None, Some(text)) => Mapping::compile_text(text),
        (None, None) => return Err(Failure::usage("give --mapping FILE or --expression TEXT")),
    };
    compiled.map_err(Failure::diagnostics)
}

/// A path as it is written in the language, with `*` where the mapping may read any element.
fn shown_path(path: &InputPath) -> String {
    let mut shown = String::from("$");
    for segment in &path.segments {
        match segment {
            Segment::Key(key) if is_plain(key) => {
                shown.push('.');
                shown.push_str(key);
            }
            Segment::Key(key) => shown.push_str(&format!("[{}]", Value::from(key.as_str()))),
            Segment::Index(index) => shown.push_str(&format!("[{index}]")),
            Segment::Any => shown.push_str("[*]"),
        }
    }
    shown
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with(|first: char| first.is_ascii_digit())
        && key
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}
