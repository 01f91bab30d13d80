//! From files to an integration.

use std::collections::BTreeMap;
use std::path::Path;

use mapping::{Content, Diagnostic, Key, Node, Severity};

use crate::integration::Integration;
use crate::model::Document;
use crate::read::{Decode, Report};
use crate::rules;
use crate::{check, compile};

/// Larger files are mistakes: no ticketing system needs a megabyte of YAML.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const MAX_FILES: usize = 64;
/// The texts and names of all files together. They come from whoever may push, and every process loads them.
const MAX_TOTAL_BYTES: usize = 2 * 1024 * 1024;
/// The values and keys of all files together, aliases followed; those of one file, `mapping::parse` limits.
const MAX_TOTAL_NODES: usize = 100_000;

/// The keys whose entries several files of a folder may share out among them.
const SHARED_KEYS: [&str; 5] = ["settings", "http_actions", "actions", "capabilities", "ticketing"];

/// What came of loading an integration.
#[derive(Debug)]
pub struct Loaded {
    /// The integration; there where no diagnostic is an error.
    pub integration: Option<Integration>,
    /// Every mistake found, in the order of the files and of the places in them.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Whether nothing is worse than a warning.
    pub fn is_good(&self) -> bool {
        self.integration.is_some()
    }

    /// The diagnostics as a person reads them, one after the other.
    pub fn render(&self, color: bool) -> String {
        self.diagnostics
            .iter()
            .map(|diagnostic| diagnostic.render(color) + "\n")
            .collect()
    }
}

/// Loads an integration from a YAML file, or from a folder whose `*.yaml` and `*.yml` files are merged.
pub fn load(path: &Path) -> Loaded {
    match read_files(path) {
        Ok(files) => load_files(&files),
        Err(problem) => Loaded {
            integration: None,
            diagnostics: vec![*problem],
        },
    }
}

/// The texts of a file, or of the `*.yaml` and `*.yml` files of a folder, by path; for [`load_files`].
///
/// # Errors
/// When one cannot be read or is larger than a megabyte, or there are none or too many, or one is a link that leads out
/// of the folder.
pub fn read_files(path: &Path) -> Result<BTreeMap<String, String>, Box<Diagnostic>> {
    texts(path).map_err(|problem| Box::new(rules::UNREADABLE.nowhere(problem)))
}

/// Loads an integration from one text. `name` is the file name that diagnostics show.
pub fn load_text(name: impl Into<String>, text: impl Into<String>) -> Loaded {
    load_files(&BTreeMap::from([(name.into(), text.into())]))
}

/// Loads an integration from the texts of its files, by name.
///
/// It is refused where there are more than 64 of them, or they are larger together than 2 MiB or 100,000 values: what
/// is loaded takes many times the memory of its text.
pub fn load_files(files: &BTreeMap<String, String>) -> Loaded {
    let mut report = Report::default();
    let mut documents = Vec::new();
    let bytes: usize = files.iter().map(|(name, text)| name.len() + text.len()).sum();
    if bytes > MAX_TOTAL_BYTES || files.len() > MAX_FILES {
        let have = files.len();
        return too_large(format!(
            "the integration has {have} files of {bytes} bytes together; at most {MAX_FILES} files of \
             {MAX_TOTAL_BYTES} bytes are loaded"
        ));
    }
    let mut nodes = 0;
    for (name, text) in files {
        match mapping::parse(name.clone(), text.clone()) {
            Ok(document) => {
                nodes += document.count();
                documents.push(document);
            }
            Err(diagnostic) => report.push(diagnostic),
        }
        if nodes > MAX_TOTAL_NODES {
            return too_large(format!(
                "the files of the integration have more than {MAX_TOTAL_NODES} values and keys, aliases followed"
            ));
        }
    }
    // A file that is no YAML may hold anything, so names that seem to be missing may be there.
    let complete = report.diagnostics.is_empty();
    let document = match merge(documents, &mut report) {
        Some(document) if complete => Document::decode(&document, &mut report),
        _ => None,
    };
    if let Some(document) = &document {
        check::check(document, &mut report);
    }
    let diagnostics = in_order(report.diagnostics);
    let good = !diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    Loaded {
        integration: document.filter(|_| good).as_ref().and_then(compile::compile),
        diagnostics,
    }
}

fn too_large(message: String) -> Loaded {
    Loaded {
        integration: None,
        diagnostics: vec![rules::TOO_LARGE.nowhere(message)],
    }
}

/// The texts of a file or of the YAML files of a folder, by path; or why they cannot be read.
fn texts(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let unreadable = |path: &Path, error: &std::io::Error| format!("cannot read {}: {error}", path.display());
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let mut paths = Vec::new();
    if about.is_dir() {
        let folder = path.canonicalize().map_err(|error| unreadable(path, &error))?;
        for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
            let file = entry.map_err(|error| unreadable(path, &error))?.path();
            let extension = file.extension().unwrap_or_default();
            if (extension == "yaml" || extension == "yml") && file.is_file() {
                // What is read is stored and shown; of a folder that somebody else made, it is to be theirs.
                let target = file.canonicalize().map_err(|error| unreadable(&file, &error))?;
                if !target.starts_with(&folder) {
                    return Err(format!(
                        "{} is a link that leads out of {}; put the file itself there",
                        file.display(),
                        path.display()
                    ));
                }
                paths.push(file);
            }
        }
    } else {
        paths.push(path.to_owned());
    }
    if paths.is_empty() {
        return Err(format!("{} holds no .yaml file", path.display()));
    }
    if paths.len() > MAX_FILES {
        let found = paths.len();
        return Err(format!(
            "{} holds {found} files; at most {MAX_FILES} are read",
            path.display()
        ));
    }
    let mut files = BTreeMap::new();
    for path in paths {
        let bytes = std::fs::metadata(&path)
            .map_err(|error| unreadable(&path, &error))?
            .len();
        if bytes > MAX_FILE_BYTES {
            return Err(format!(
                "{} has {bytes} bytes; at most {MAX_FILE_BYTES} are read",
                path.display()
            ));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        files.insert(path.display().to_string(), text);
    }
    Ok(files)
}

/// One document of several: top-level keys side by side, and the entries of [`SHARED_KEYS`] too.
fn merge(documents: Vec<Node>, report: &mut Report) -> Option<Node> {
    let mut documents = documents.into_iter();
    let mut merged = documents.next()?;
    for document in documents {
        let (Content::Object(known), Content::Object(more)) = (&mut merged.content, document.content.clone())
        else {
            report.wrong_type(&document, "an object (an integration)");
            continue;
        };
        for (key, value) in more {
            match known.iter_mut().find(|(there, _)| there.name == key.name) {
                None => known.push((key, value)),
                Some((
                    _,
                    Node {
                        content: Content::Object(entries),
                        ..
                    },
                )) if SHARED_KEYS.contains(&key.name.as_str())
                    && matches!(value.content, Content::Object(_)) =>
                {
                    if let Content::Object(more) = value.content {
                        merge_entries(entries, more, &key.name, report);
                    }
                }
                Some((there, _)) => report_twice(&key, there, &key.name, report),
            }
        }
    }
    Some(merged)
}

fn merge_entries(known: &mut Vec<(Key, Node)>, more: Vec<(Key, Node)>, under: &str, report: &mut Report) {
    for (key, value) in more {
        match known.iter().find(|(there, _)| there.name == key.name) {
            None => known.push((key, value)),
            Some((there, _)) => report_twice(&key, there, &format!("{under}.{}", key.name), report),
        }
    }
}

fn report_twice(key: &Key, there: &Key, path: &str, report: &mut Report) {
    let message = format!("`{path}` is defined at {} already", there.place);
    report.push(rules::DEFINED_TWICE.at(&key.place, message));
}

/// By file and place, and each finding once: an alias brings the same mistake to several places.
fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let key = |diagnostic: &Diagnostic| {
        let place = diagnostic.place.as_ref();
        (
            place.map(|place| (place.source.name.clone(), place.start)),
            diagnostic.code,
            diagnostic.message.clone(),
        )
    };
    diagnostics.sort_by_cached_key(key);
    diagnostics.dedup_by_key(|diagnostic| key(diagnostic));
    diagnostics
}
