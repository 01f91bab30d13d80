//! Writes `docs/mapping-reference.md` from what every operator and function says about itself.
//!
//! ```sh
//! cargo run -p mapping --example reference
//! ```
//!
//! The test `tests/reference.rs` fails when the file is out of step.

use std::fmt::Write as _;
use std::path::PathBuf;

use mapping::{Documentation, functions, operators};

fn main() -> std::io::Result<()> {
    std::fs::write(path(), page())
}

/// Where the page is.
pub(crate) fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/mapping-reference.md")
}

/// The whole page.
pub(crate) fn page() -> String {
    let mut out = String::from(
        "<!-- Made by `cargo run -p mapping --example reference`; edit the sources in shared/mapping/src instead. -->\n\
         # Reference of the mapping language\n\n\
         Every operator and function, with examples that are run as tests. What the language is and how its parts\n\
         work together is in [mapping.md](mapping.md). In the examples the time is 2024-05-01T12:00:00Z, and an\n\
         error is shown by its code.\n",
    );
    let mut anchors = Vec::new();
    section(
        &mut out,
        &mut anchors,
        "Operators",
        "An operator is an object with one key that ends in `()`. Its arguments are mappings unless they are said to be raw text.",
        operators(),
    );
    section(
        &mut out,
        &mut anchors,
        "Functions",
        "A function is written `$F(x, a)` or `x.$F(a)`; both mean the same. `?` marks an argument that may be left out.",
        functions(),
    );
    out
}

fn section(
    out: &mut String,
    anchors: &mut Vec<String>,
    title: &str,
    introduction: &str,
    entries: impl Iterator<Item = &'static Documentation>,
) {
    let entries: Vec<_> = entries.collect();
    let _ = write!(out, "\n## {title}\n\n{introduction}\n\n");
    for entry in &entries {
        let _ = writeln!(
            out,
            "- [`{}`](#{}): {}",
            entry.name,
            anchor(entry.name, anchors),
            first_sentence(entry.summary)
        );
    }
    for entry in entries {
        describe(out, entry);
    }
}

fn describe(out: &mut String, entry: &Documentation) {
    let _ = write!(out, "\n### `{}`\n\n", entry.name);
    fenced(out, "text", entry.signature);
    let _ = write!(out, "\n{}\n", entry.summary.trim());
    if !entry.parameters.is_empty() {
        let _ = write!(out, "\n| Argument | |\n|---|---|\n");
        for parameter in entry.parameters {
            let description = parameter.description.replace('|', "\\|");
            let _ = writeln!(out, "| `{}` | {description} |", parameter.name);
        }
    }
    for example in entry.examples {
        let _ = write!(out, "\n**{}**\n\n", example.title);
        fenced(out, "yaml", example.mapping);
        if example.input.trim() != "{}" {
            let _ = write!(out, "\nwith\n\n");
            fenced(out, "json", example.input);
        }
        match example.output.trim() {
            error if error.starts_with("TG") => {
                let _ = write!(out, "\nis the error `{error}`.\n");
            }
            output => {
                let _ = write!(out, "\ngives\n\n");
                fenced(out, "json", output);
            }
        }
    }
}

fn fenced(out: &mut String, language: &str, text: &str) {
    let _ = write!(
        out,
        "```{language}\n{}\n```\n",
        text.trim_matches('\n').trim_end()
    );
}

/// The fragment that GitHub gives a heading: lower case, only letters, digits, `-` and `_`; a second one of the same
/// name is numbered.
fn anchor(name: &str, known: &mut Vec<String>) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .filter(|next| next.is_alphanumeric() || matches!(next, '-' | '_'))
        .collect();
    let earlier = known.iter().filter(|known| **known == plain).count();
    known.push(plain.clone());
    if earlier == 0 {
        plain
    } else {
        format!("{plain}-{earlier}")
    }
}

fn first_sentence(summary: &str) -> &str {
    let end = summary.find(". ").map_or(summary.len(), |end| end + 1);
    summary.get(..end).unwrap_or(summary).trim()
}
