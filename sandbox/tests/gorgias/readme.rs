//! The README says what the quirks are.

use std::collections::HashSet;

use sandbox::gorgias::Quirk;

#[test]
fn the_readme_lists_every_quirk_as_it_is() {
    let readme = include_str!("../../README.md");
    let (_, quirks) = readme.split_once("### Quirks of Gorgias").unwrap();
    let (quirks, _) = quirks.split_once("\n## ").unwrap_or((quirks, ""));
    let rows: Vec<&str> = quirks.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = Quirk::all()
        .iter()
        .map(|quirk| format!("| `{quirk}` | {} |", quirk.description()))
        .collect();
    assert_eq!(rows, expected, "write the table as:\n{}", expected.join("\n"));
}

#[test]
fn names_are_unique_and_lead_back() {
    let names: HashSet<_> = Quirk::all().iter().map(|quirk| quirk.name()).collect();
    assert_eq!(names.len(), Quirk::all().len());
    for quirk in Quirk::all() {
        assert_eq!(Quirk::from_name(quirk.name()), Some(*quirk));
    }
    assert_eq!(Quirk::from_name("all"), None);
}
