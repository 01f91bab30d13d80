//! Writes what came of a case into its file.

use mapping::Node;
use serde_json::{Value, json};

use super::yaml;

/// The text of a case with another `expect`; everything else stays as it is, comments too. None where the file is not
/// written in lines, so that a part of it cannot be replaced.
pub(crate) fn with_expectation(case: &Node, expectation: &Value) -> Option<String> {
    let text = &case.place.source.text;
    let written = yaml::text(&json!({"expect": expectation}));
    let mut keys = case.entries().iter().map(|(key, _)| key);
    let Some(key) = keys.find(|key| key.name == "expect") else {
        let break_before = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let in_lines = begins_line(text, case.entries().first()?.0.place.start);
        return in_lines.then(|| format!("{text}{break_before}{written}"));
    };
    if !begins_line(text, key.place.start) {
        return None;
    }
    let end = keys.next().map_or(text.len(), |next| next.place.start);
    let old = text.get(key.place.start..end)?;
    // Comments and empty lines before the next key belong to that one.
    let mut length = 0;
    let mut at = 0;
    for line in old.split_inclusive('\n') {
        at += line.len();
        if !line.trim().is_empty() && !line.starts_with('#') {
            length = at;
        }
    }
    let before = text.get(..key.place.start)?;
    let after = text.get(key.place.start + length..)?;
    Some(format!("{before}{written}{after}"))
}

fn begins_line(text: &str, at: usize) -> bool {
    at == 0 || text.get(..at).is_some_and(|before| before.ends_with('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updated(text: &str) -> Option<String> {
        let node = mapping::parse("case.yaml", text).unwrap();
        with_expectation(&node, &json!({"error": {"code": "NOT_FOUND"}}))
    }

    const NEW: &str = "expect:\n  error: {code: NOT_FOUND}\n";

    #[test]
    fn only_the_expectation_changes() {
        let old =
            "# A case.\nname: a\nexpect:\n  output:\n    # old\n    a: 1\n\n# The answers.\nexchanges: []\n";
        let new = format!("# A case.\nname: a\n{NEW}\n# The answers.\nexchanges: []\n");
        assert_eq!(updated(old).unwrap(), new);
    }

    #[test]
    fn one_that_is_missing_is_added() {
        assert_eq!(updated("name: a").unwrap(), format!("name: a\n{NEW}"));
    }

    #[test]
    fn a_case_on_one_line_is_left_alone() {
        assert_eq!(updated("{name: a, expect: {output: 1}}"), None);
        assert_eq!(updated("{name: a}"), None);
    }
}
