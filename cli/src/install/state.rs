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

/// Opens the store, making its folder where it is missing.
///
/// # Errors
/// When another process has the file open, or it cannot be made or read.
pub(crate) fn open(file: &Path) -> Result<EmbeddedStore, Failure> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::failed(format!("cannot make the folder {}: {error}", folder.display()))
        })?;
    }
    EmbeddedStore::open(file).map_err(|error| {
        let locked = error.is_locked();
        let failure = Failure::failed(error.to_string());
        if locked {
            failure.help("stop the other process, or name another file with --state FILE")
        } else {
            failure
        }
    })
}

/// A store that is gone with the process.
pub(crate) fn in_memory() -> Result<EmbeddedStore, Failure> {
    EmbeddedStore::in_memory().map_err(|error| Failure::failed(error.to_string()))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
