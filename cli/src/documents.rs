//! Reads the YAML and JSON files that a command is given.

use std::io::Read as _;
use std::path::Path;

use mapping::{Diagnostic, Node};
use serde_json::Value;

use crate::failure::Failure;

/// `-` on the command line: read standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file, or standard input for `-`, as a tree with places.
pub(crate) fn read_node(path: &Path) -> Result<Node, Failure> {
    let text = read_text(path)?;
    Ok(mapping::parse(shown_name(path), text)?)
}

/// Reads a file as a tree with places. `Ok(Err(..))`: it is no YAML.
pub(crate) fn read_document(path: &Path) -> Result<Result<Node, Diagnostic>, Failure> {
    let text = read_text(path)?;
    Ok(mapping::parse(shown_name(path), text))
}

/// Reads a file, or standard input for `-`, as plain data.
pub(crate) fn read_value(path: &Path) -> Result<Value, Failure> {
    let text = read_text(path)?;
    // JSON first: it is what most inputs are, and it allows escapes (surrogate pairs) and sizes that YAML
    // does not.
    if let Ok(value) = serde_json::from_str(&text) {
        return Ok(value);
    }
    Ok(mapping::parse(shown_name(path), text)?.to_value())
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|content| bytes = content)
    };
    read.map_err(|error| Failure::failed(format!("cannot read {}: {error}", shown_name(path))))?;
    String::from_utf8(bytes).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        Failure::failed(format!(
            "{} is not UTF-8 text (byte {position})",
            shown_name(path)
        ))
        .help("save the file as UTF-8")
    })
}

fn shown_name(path: &Path) -> String {
    if is_stdin(path) {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    }
}
