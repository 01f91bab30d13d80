//! Regular expressions of the language.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// Longer texts go the usual way: what they take when compiled is limited.
const LONGEST_TEXT: usize = 128;

/// A regular expression that was compiled.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// One that matches nothing but the text that it is. Such are most, and a plain search needs no compiling.
    Text(String),
    Regex(Box<Regex>),
}

impl Pattern {
    /// Compiles a regular expression that may take so many bytes.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(crate) fn new(pattern: &str, bytes: usize) -> Result<Pattern, String> {
        let special = |c| {
            matches!(
                c,
                '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$'
            )
        };
        if (1..=LONGEST_TEXT).contains(&pattern.len()) && !pattern.contains(special) {
            return Ok(Pattern::Text(pattern.to_owned()));
        }
        let regex = RegexBuilder::new(pattern)
            .size_limit(bytes)
            .dfa_size_limit(bytes)
            .build();
        regex
            .map(|regex| Pattern::Regex(Box::new(regex)))
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(limit) => {
                    format!("it takes more than {limit} bytes when compiled")
                }
                // The first lines draw the pattern and point into it; the last says what is wrong.
                other => {
                    let text = other.to_string();
                    text.lines()
                        .last()
                        .unwrap_or_default()
                        .trim_start_matches("error: ")
                        .to_owned()
                }
            })
    }

    /// Where it matches first.
    pub(crate) fn find(&self, text: &str) -> Option<Range<usize>> {
        match self {
            Pattern::Text(sought) => text.find(sought).map(|at| at..at + sought.len()),
            Pattern::Regex(regex) => regex.find(text).map(|found| found.range()),
        }
    }

    /// Where it matches, from left to right.
    pub(crate) fn matches<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let (plain, regex) = match self {
            Pattern::Text(sought) => (Some(text.match_indices(sought.as_str())), None),
            Pattern::Regex(regex) => (None, Some(regex.find_iter(text))),
        };
        let plain = plain.into_iter().flatten();
        let plain = plain.map(|(at, found)| at..at + found.len());
        plain.chain(regex.into_iter().flatten().map(|found| found.range()))
    }

    /// The groups of a regular expression; a plain text has none but the whole.
    pub(crate) fn groups(&self) -> Option<&Regex> {
        match self {
            Pattern::Text(_) => None,
            Pattern::Regex(regex) => Some(regex),
        }
    }
}
