//! What differs between two versions of an integration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};
use similar::TextDiff;
use storage::NewVersion;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 3;

/// Under this name the settings are shown, as if they were a file.
const SETTINGS: &str = "settings";

/// One file, or the settings, that differ.
pub(crate) struct Change {
    /// The file's name.
    pub(crate) file: String,
    /// `added`, `removed` or `changed`.
    pub(crate) kind: &'static str,
    /// The difference as a unified diff.
    pub(crate) diff: String,
}

/// The differences from one version to another: the files by name, then the settings. Notes and times are not
/// content.
pub(crate) fn between(old: &Side<'_>, new: &Side<'_>) -> Vec<Change> {
    let names: BTreeSet<&String> = old.content.files.keys().chain(new.content.files.keys()).collect();
    let mut changes: Vec<Change> = names
        .into_iter()
        .filter_map(|name| {
            let text = |side: &Side<'_>| side.content.files.get(name).cloned();
            change(name, (old, text(old)), (new, text(new)))
        })
        .collect();
    let settings = |side: &Side<'_>| Some(settings_text(&side.content.settings));
    changes.extend(change(SETTINGS, (old, settings(old)), (new, settings(new))));
    changes
}

/// A version, and what it is called in a diff.
pub(crate) struct Side<'a> {
    /// `version 3`, or a folder.
    pub(crate) label: String,
    /// What it holds.
    pub(crate) content: &'a NewVersion,
}

/// Files as they are stored: all are in one folder, and where that is on this machine is nobody's business.
pub(crate) fn stored_names(files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let stored = files.into_iter().map(|(path, text)| {
        let name = Path::new(&path).file_name();
        let name = name.map(|name| name.to_string_lossy().into_owned());
        (name.unwrap_or(path), text)
    });
    stored.collect()
}

/// All changes as one text.
pub(crate) fn text(changes: &[Change]) -> String {
    changes.iter().map(|change| change.diff.as_str()).collect()
}

/// `[{"file", "change", "diff"}]`.
pub(crate) fn to_json(changes: &[Change]) -> Value {
    changes
        .iter()
        .map(|change| json!({"file": change.file, "change": change.kind, "diff": change.diff}))
        .collect()
}

fn change(
    name: &str,
    (old, old_text): (&Side<'_>, Option<String>),
    (new, new_text): (&Side<'_>, Option<String>),
) -> Option<Change> {
    if old_text == new_text {
        return None;
    }
    let kind = match (&old_text, &new_text) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let label = |side: &Side<'_>, text: &Option<String>| match text {
        Some(_) => format!("{name} ({})", side.label),
        None => "/dev/null".to_owned(),
    };
    let labels = (label(old, &old_text), label(new, &new_text));
    let (old_text, new_text) = (old_text.unwrap_or_default(), new_text.unwrap_or_default());
    let diff = TextDiff::from_lines(&old_text, &new_text)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&labels.0, &labels.1)
        .to_string();
    Some(Change {
        file: name.to_owned(),
        kind,
        diff,
    })
}

/// One setting a line, by name: their order says nothing.
fn settings_text(settings: &Map<String, Value>) -> String {
    let mut lines: Vec<String> = settings
        .iter()
        .map(|(key, value)| format!("{key}: {value}\n"))
        .collect();
    lines.sort();
    lines.concat()
}
