//! Where the embedded store is.

use std::path::{Path, PathBuf};

use storage::embedded::EmbeddedStore;

use crate::failure::Failure;

/// `$XDG_STATE_HOME/ticket-gateway/state.redb`, or below `~/.local/state` when that is not set.
///
/// # Errors
/// When neither variable says where.
pub(crate) fn default_file() -> Result<PathBuf, Failure> {
    // The XDG specification: a relative path in the variable is to be ignored.
    let state = variable("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| variable("HOME").map(|home| home.join(".local").join("state")));
    match state {
        Some(folder) => Ok(folder.join("ticket-gateway").join("state.redb")),
        None => Err(
            Failure::failed("there is no place for the state file: HOME is not set")
                .help("say where with --state FILE"),
        ),
    }
}

/// `state.redb` has its secrets in `state.secrets.json`.
pub(crate) fn secrets_file(state: &Path) -> PathBuf {
    state.with_extension("secrets.json")
}

/// Opens the store, making its folder where it is missing.
///
/// # Errors
/// When another process keeps the file to itself, or it cannot be made or read.
pub(crate) fn open(file: &Path) -> Result<EmbeddedStore, Failure> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::failed(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    Ok(EmbeddedStore::open(file)?)
}

/// A store that is gone with the process.
pub(crate) fn in_memory() -> Result<EmbeddedStore, Failure> {
    Ok(EmbeddedStore::in_memory()?)
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
