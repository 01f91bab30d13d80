use regex::{Regex, RegexBuilder};

/// Compiles a regular expression that may take so many bytes. The message has one line.
pub(crate) fn regex(pattern: &str, bytes: usize) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(bytes)
        .dfa_size_limit(bytes)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => format!("it takes more than {limit} bytes when compiled"),
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
