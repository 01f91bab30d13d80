//! `map`

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::process::{argument, run, run_with_input};

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

#[test]
fn every_case_of_the_language_gives_its_result() {
    let cases = include_str!("../../../tests/mapping/cases.json");
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    assert_eq!(cases.len(), 79);

    let mut wrong = Vec::new();
    for case in &cases {
        let (mapping, input) = (
            file(&case["mapping"].to_string()),
            file(&case["input"].to_string()),
        );
        let ended = run(&[
            "map",
            "--mapping",
            argument(mapping.path()),
            "--input",
            argument(input.path()),
        ]);
        let result: Option<Value> = serde_json::from_str(&ended.stdout).ok();
        if ended.code != Some(0) || result.as_ref() != Some(&case["expected"]) {
            wrong.push(format!("{}: {ended:?}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn yaml_is_read_as_json_is() {
    let mapping = file("name: user.name.$UPPERCASE()\nage: $INTEGER(user.age)\n");
    let ended = run_with_input(
        &["map", "--mapping", argument(mapping.path()), "--input", "-"],
        "user:\n  name: Ana\n  age: '41'\n",
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "{\"name\":\"ANA\",\"age\":41}\n");
    assert_eq!(ended.stderr, "");
}

#[test]
fn json_escapes_that_yaml_does_not_have_are_read() {
    let ended = run_with_input(
        &["map", "--expression", "name", "--input", "-"],
        r#"{"name": "\ud83d\ude00"}"#,
    );
    assert_eq!(ended.json(), json!("😀"), "{ended:?}");
}

#[test]
fn the_mapping_can_come_from_standard_input() {
    let input = file("{\"a\": 1}");
    let ended = run_with_input(
        &["map", "--mapping", "-", "--input", argument(input.path())],
        "{\"b\": \"a + 1\"}",
    );
    assert_eq!(ended.json(), json!({"b": 2}), "{ended:?}");
}

#[test]
fn pretty_indents() {
    let ended = run_with_input(
        &["map", "--expression", "$", "--input", "-", "--pretty"],
        "{\"a\": [1]}",
    );
    assert_eq!(ended.stdout, "{\n  \"a\": [\n    1\n  ]\n}\n");
}

#[test]
fn a_mistake_in_the_mapping_is_shown_at_its_place_and_nothing_on_stdout() {
    let mapping = file("name: user.name\nloud: user.name.$UPERCASE()\n");
    let ended = run_with_input(
        &["map", "--mapping", argument(mapping.path()), "--input", "-"],
        "{}",
    );
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains(":2:"), "{}", ended.stderr);
    assert!(ended.stderr.contains("TG0102"), "{}", ended.stderr);
    assert!(
        ended.stderr.to_lowercase().contains("uppercase"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains('\u{1b}'), "no colour into a pipe");
}

#[test]
fn a_failed_evaluation_names_the_place_in_the_mapping() {
    let mapping = file("a: 1\nb: x + 1\n");
    let ended = run_with_input(
        &["map", "--mapping", argument(mapping.path()), "--input", "-"],
        "{\"x\": {}}",
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("TG03"), "{}", ended.stderr);
    assert!(ended.stderr.contains(":2:4"), "{}", ended.stderr);
}

#[test]
fn broken_input_is_shown_at_its_place() {
    let ended = run_with_input(&["map", "--expression", "a", "--input", "-"], "a: 1\na: 2\n");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("<stdin>:2:1"), "{}", ended.stderr);
}

#[test]
fn a_missing_file_is_named() {
    let ended = run(&["map", "--expression", "a", "--input", "/nowhere/input.json"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.starts_with("error: cannot read /nowhere/input.json"),
        "{}",
        ended.stderr
    );
}

#[test]
fn reads_lists_the_paths_a_mapping_can_read() {
    let ended = run(&[
        "map",
        "--expression",
        "user.name + ' ' + user.phones[0] + odd['two words']",
        "--reads",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "$.user.name\n$.user.phones[0]\n$.odd[\"two words\"]\n"
    );
}

#[test]
fn what_cannot_be_meant_is_wrong_usage() {
    for arguments in [
        &["map", "--input", "-"][..],
        &["map", "--expression", "a"],
        &["map", "--mapping", "-", "--input", "-"],
        &["map", "--mapping", "a.yaml", "--expression", "a", "--input", "-"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{ended:?}");
    }
}
