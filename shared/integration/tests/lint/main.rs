//! What loading, linting and installing an integration does, through the public surface.
//!
//! The files in `fixtures/bad` say themselves what is expected: `#! CODE words` at the end of a line expects a
//! diagnostic with that code on that line, with these words in its message or its help. Whatever is not
//! announced must not be reported.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, but does not see that these functions are only called by tests"
)]

mod documents;
mod findings;
mod folder;
mod install;
mod schema;
mod ticketing;

use std::path::{Path, PathBuf};

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn repository() -> PathBuf {
    crate_folder().join("../..")
}

/// The YAML files of a folder under `tests/fixtures`, with their texts.
fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = crate_folder().join("tests/fixtures").join(folder);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Loads a text that has no mistake.
fn good(text: &str) -> std::sync::Arc<integration::Integration> {
    let loaded = integration::load_text("integration.yaml", text);
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.render(false));
    std::sync::Arc::new(loaded.integration.unwrap())
}

/// Compares a checked-in document with what it is generated from; `UPDATE=1` writes it instead.
fn in_step(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not in step with the code; run `UPDATE=1 cargo test -p integration`",
        path.display()
    );
}
