//! The case files of an integration.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// `*.yaml` and `*.yml` in `tests` beside the integration, by name; none where there is no such folder.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn case_files(integration: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = folder(integration);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let unreadable = |error| Failure::failed(format!("cannot read {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if is_yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Where the cases of an integration are, given its folder or its one file.
pub(crate) fn folder(integration: &Path) -> PathBuf {
    let base = if integration.is_file() {
        integration.parent().unwrap_or(integration)
    } else {
        integration
    };
    base.join("tests")
}
