use std::collections::BTreeSet;

use integration::{Loaded, RULES, load_text};
use mapping::{Diagnostic, Severity};

use crate::{crate_folder, fixtures, in_step};

/// One `#!` announcement.
#[derive(Debug)]
struct Announced {
    line: usize,
    code: String,
    words: String,
}

fn announced(text: &str) -> Vec<Announced> {
    let mut all = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for announcement in line.split("#!").skip(1) {
            let (code, words) = announcement
                .trim()
                .split_once(' ')
                .unwrap_or((announcement.trim(), ""));
            all.push(Announced {
                line: index + 1,
                code: code.to_owned(),
                words: words.trim().to_owned(),
            });
        }
    }
    all
}

fn line(diagnostic: &Diagnostic) -> usize {
    diagnostic.place.as_ref().map_or(0, |place| place.line_column().0)
}

fn says(diagnostic: &Diagnostic, words: &str) -> bool {
    diagnostic.message.contains(words) || diagnostic.help.as_ref().is_some_and(|help| help.contains(words))
}

/// What differs between the announcements of a file and what was found.
fn differences(name: &str, text: &str, loaded: &Loaded) -> Vec<String> {
    let mut unexpected: Vec<&Diagnostic> = loaded.diagnostics.iter().collect();
    let mut differences = Vec::new();
    for announced in announced(text) {
        let found = unexpected.iter().position(|diagnostic| {
            line(diagnostic) == announced.line
                && diagnostic.code == announced.code
                && says(diagnostic, &announced.words)
        });
        match found {
            Some(position) => drop(unexpected.remove(position)),
            None => differences.push(format!(
                "{name}:{} announces {} \"{}\", which is not reported",
                announced.line, announced.code, announced.words
            )),
        }
    }
    differences.extend(
        unexpected
            .iter()
            .map(|it| format!("reported, but not announced: {it}")),
    );
    differences
}

#[test]
fn every_mistake_is_found_where_it_is_and_nothing_else() {
    let mut all = Vec::new();
    for (name, text) in fixtures("bad") {
        // These two are compared with the whole text of their diagnostics below.
        if name == "ten-mistakes.yaml" || name == "mapping.yaml" {
            continue;
        }
        all.extend(differences(&name, &text, &load_text(name.clone(), text.clone())));
    }
    assert!(all.is_empty(), "\n{}", all.join("\n"));
}

#[test]
fn good_files_have_no_diagnostic() {
    for (name, text) in fixtures("good") {
        let loaded = load_text(name.clone(), text);
        assert!(loaded.diagnostics.is_empty(), "{}", loaded.render(false));
        assert!(loaded.integration.is_some(), "{name}");
    }
}

#[test]
fn every_rule_is_shown_by_a_fixture() {
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    for (name, text) in fixtures("bad") {
        shown.extend(
            load_text(name, text)
                .diagnostics
                .iter()
                .map(|diagnostic| diagnostic.code),
        );
    }
    // These need several files, or a large one; `folder.rs` shows them.
    shown.extend(["TG0207", "TG0208", "TG0281"]);
    let missing: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.code)
        .filter(|code| !shown.contains(code))
        .collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}

#[test]
fn a_file_with_ten_mistakes_gives_ten_diagnostics() {
    let folder = crate_folder().join("tests/fixtures/bad");
    let text = std::fs::read_to_string(folder.join("ten-mistakes.yaml")).unwrap();
    let loaded = load_text("ten-mistakes.yaml", text);
    let found: Vec<(usize, &str)> = loaded.diagnostics.iter().map(|it| (line(it), it.code)).collect();
    let expected = [
        (5, "TG0223"),
        (7, "TG0202"),
        (11, "TG0230"),
        (13, "TG0205"),
        (15, "TG0101"),
        (20, "TG0214"),
        (23, "TG0221"),
        (26, "TG0213"),
        (29, "TG0222"),
        (33, "TG0250"),
    ];
    let errors: Vec<(usize, &str)> = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|it| (line(it), it.code))
        .collect();
    assert_eq!(errors, expected, "{found:?}");
    assert!(loaded.integration.is_none());
    in_step(&folder.join("ten-mistakes.txt"), &loaded.render(false));
}

#[test]
fn mistakes_in_mappings_and_templates_come_out_of_the_same_run() {
    let folder = crate_folder().join("tests/fixtures/bad");
    let text = std::fs::read_to_string(folder.join("mapping.yaml")).unwrap();
    let loaded = load_text("mapping.yaml", text);
    let lines: Vec<usize> = loaded.diagnostics.iter().map(line).collect();
    assert_eq!(lines, [7, 8, 12, 13], "{}", loaded.render(false));
    assert!(loaded.diagnostics.iter().all(|it| it.code.starts_with("TG01")));
    in_step(&folder.join("mapping.txt"), &loaded.render(false));
}

#[test]
fn a_mistake_in_an_alias_is_reported_once() {
    let text = "
name: example
connector: {base_url: https://desk.example.com}
http_actions:
  a: {method: GET, path: /a, fail_when: &refused response.statuss == 1}
  b: {method: GET, path: /b, fail_when: *refused}
actions:
  query_ticket_by_id:
    steps:
      - action: {action_name: a, output_key: found}
      - action: {action_name: b, output_key: _}
      - return: {output_mapper: data.found}
";
    let loaded = load_text("integration.yaml", text);
    assert_eq!(loaded.diagnostics.len(), 1, "{}", loaded.render(false));
}

#[test]
fn a_warning_does_not_refuse_the_integration() {
    let text = include_str!("../fixtures/good/minimal.yaml").replace(
        "http_actions:",
        "http_actions:\n  forgotten: {method: GET, path: /forgotten}",
    );
    let loaded = load_text("integration.yaml", text);
    let codes: Vec<&str> = loaded.diagnostics.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["TG0226"]);
    assert!(loaded.integration.is_some());
}

/// An integration comes out exactly where nothing is wrong, whatever is missing or in the wrong place.
#[test]
fn an_integration_without_a_line_either_loads_or_says_why() {
    for (name, text) in fixtures("good").into_iter().chain(fixtures("bad")) {
        for without in 0..text.lines().count() {
            let lines = text.lines().enumerate().filter(|(index, _)| *index != without);
            let text: Vec<&str> = lines.map(|(_, line)| line).collect();
            let loaded = load_text(name.clone(), text.join("\n"));
            let wrong = loaded.diagnostics.iter().any(|it| it.severity == Severity::Error);
            assert_eq!(
                loaded.integration.is_none(),
                wrong,
                "{name} without line {}",
                without + 1
            );
        }
    }
}

#[test]
fn a_text_that_is_no_yaml_is_one_diagnostic() {
    for text in ["a: [", "- 1", "", "just words", "\u{0}", "a: 1\na: 2"] {
        let loaded = load_text("integration.yaml", text);
        assert!(loaded.integration.is_none());
        assert_eq!(loaded.diagnostics.len(), 1, "{text:?}: {}", loaded.render(false));
    }
}
