//! The language, seen from outside: the shared cases, the fixtures under `tests/mapping`, and what no input may do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints exempt tests, but not the functions that tests call"
)]

mod any;

use std::fs;
use std::path::{Path, PathBuf};

use mapping::{Diagnostic, Environment, Mapping, Node, Place, parse};
use serde_json::{Value, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mapping")
}

/// The present of every test.
fn environment() -> Environment {
    Environment::at("2024-05-01T12:00:00Z".parse().unwrap())
}

#[test]
fn the_shared_cases_give_what_they_expect() {
    let text = fs::read_to_string(fixtures().join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 79);
    let mut failures = Vec::new();
    for case in &cases {
        let result = Mapping::compile_value(&case["mapping"])
            .map_err(|problems| problems[0].render(false))
            .and_then(|mapping| {
                mapping
                    .evaluate(&case["input"], &environment())
                    .map_err(|error| error.to_diagnostic().render(false))
            });
        if result.as_ref() != Ok(&case["expected"]) {
            failures.push(format!(
                "{}: expected {}, got {result:?}",
                case["id"], case["expected"]
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

/// A fixture file is a list of cases:
///
/// ```yaml
/// - case: what it shows
///   mapping: ...
///   input: ...              # {} without it
///   bindings: {name: value} # names that shadow the input
///   expect: ...             # the result,
///   error: TG0301           # or one code, or a list of codes of all mistakes
///   warns: TG0115           # or a list of codes of all warnings; none without it
///   at: $TRMI               # the text that is underlined, one for each code
///   says: did you mean      # a part of the message or the help, one for each code
///   reads: [$.a.b]          # all input paths
///   limits: {steps: 10}
/// ```
#[test]
fn the_fixtures_give_what_they_expect() {
    let mut failures = Vec::new();
    let mut count = 0;
    for topic in fs::read_dir(fixtures()).unwrap() {
        let topic = topic.unwrap().path();
        if !topic.is_dir() {
            continue;
        }
        for file in fs::read_dir(&topic).unwrap() {
            let file = file.unwrap().path();
            let text = fs::read_to_string(&file).unwrap();
            let name = file.strip_prefix(fixtures()).unwrap().display().to_string();
            let document = match parse(name, text) {
                Ok(document) => document,
                Err(problem) => {
                    failures.push(problem.render(false));
                    continue;
                }
            };
            for case in document.elements() {
                count += 1;
                if let Err(failure) = check(case) {
                    let title = case
                        .get("case")
                        .and_then(Node::as_text)
                        .unwrap_or("without a name");
                    failures.push(format!("{} {title}: {failure}", case.place));
                }
            }
        }
    }
    assert!(count > 100, "only {count} cases found");
    assert!(
        failures.is_empty(),
        "{} of {count} cases:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// What went wrong: code, place, message with help.
type Problem = (String, Option<Place>, String);

fn check(case: &Node) -> Result<(), String> {
    const KEYS: [&str; 11] = [
        "case", "mapping", "input", "bindings", "expect", "error", "warns", "at", "says", "reads", "limits",
    ];
    if let Some((key, _)) = case
        .entries()
        .iter()
        .find(|(key, _)| !KEYS.contains(&key.name.as_str()))
    {
        return Err(format!("no key {}", key.name));
    }
    let expected = case.get("expect").map(Node::to_value);
    let codes = texts(case.get("error"));
    match (run(case)?, expected) {
        (Ok(result), Some(expected)) if result == expected => Ok(()),
        (Ok(result), expected) => Err(format!("expected {expected:?} {codes:?}, got {result}")),
        (Err(problems), _) => compare(case, &codes, &problems),
    }
}

fn compare(case: &Node, codes: &[String], problems: &[Problem]) -> Result<(), String> {
    let found: Vec<&str> = problems.iter().map(|(code, _, _)| code.as_str()).collect();
    if found != codes {
        return Err(format!("expected {codes:?}, got {problems:?}"));
    }
    for (at, (_, place, _)) in texts(case.get("at")).iter().zip(problems) {
        let shown = place.as_ref().map_or("nowhere", Place::text);
        if shown != at {
            return Err(format!(
                "expected {at:?} to be underlined, got {shown:?} at {place:?}"
            ));
        }
    }
    for (says, (_, _, message)) in texts(case.get("says")).iter().zip(problems) {
        if !message.contains(says) {
            return Err(format!("expected {says:?}, got {message:?}"));
        }
    }
    Ok(())
}

fn problems(diagnostics: impl IntoIterator<Item = Diagnostic>) -> Vec<Problem> {
    let problem = |diagnostic: Diagnostic| {
        let help = diagnostic.help.unwrap_or_default();
        (
            diagnostic.code.to_owned(),
            diagnostic.place,
            format!("{}; {help}", diagnostic.message),
        )
    };
    diagnostics.into_iter().map(problem).collect()
}

fn run(case: &Node) -> Result<Result<Value, Vec<Problem>>, String> {
    let node = case.get("mapping").ok_or("no mapping")?;
    let input = case.get("input").map_or(json!({}), Node::to_value);
    let mapping = match Mapping::compile(node) {
        Ok(mapping) => mapping,
        Err(mistakes) => return Ok(Err(problems(mistakes))),
    };
    let warnings = problems(mapping.warnings().iter().cloned());
    if !warnings.is_empty() || case.get("warns").is_some() {
        compare(case, &texts(case.get("warns")), &warnings)?;
    }
    if let Some(reads) = case.get("reads") {
        let mut found: Vec<String> = mapping.reads().iter().map(ToString::to_string).collect();
        let mut expected = texts(Some(reads));
        found.sort();
        expected.sort();
        if found != expected {
            return Err(format!("reads {found:?}"));
        }
    }
    let mut environment = environment();
    for (key, limit) in case.get("limits").map_or(&[][..], Node::entries) {
        let limit = limit
            .as_number()
            .and_then(serde_json::Number::as_u64)
            .ok_or("a limit is a number")?;
        match key.name.as_str() {
            "steps" => environment.limits.steps = limit,
            "depth" => environment.limits.depth = usize::try_from(limit).unwrap(),
            "output_bytes" => environment.limits.output_bytes = usize::try_from(limit).unwrap(),
            "regex_bytes" => environment.limits.regex_bytes = usize::try_from(limit).unwrap(),
            other => return Err(format!("no limit {other}")),
        }
    }
    let bindings: Vec<(String, Value)> = case
        .get("bindings")
        .map_or(&[][..], Node::entries)
        .iter()
        .map(|(key, value)| (key.name.clone(), value.to_value()))
        .collect();
    let bindings: Vec<(&str, &Value)> = bindings
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    let result = mapping.evaluate_with(&input, &bindings, &environment);
    Ok(result.map_err(|error| {
        vec![(
            error.code().to_owned(),
            error.place().cloned(),
            error.message().to_owned(),
        )]
    }))
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let nodes = if node.kind() == "list" {
        node.elements()
    } else {
        std::slice::from_ref(node)
    };
    nodes
        .iter()
        .map(|node| {
            node.as_text()
                .map_or_else(|| node.to_value().to_string(), str::to_owned)
        })
        .collect()
}

fn compile_errors(mapping: &str) -> Vec<mapping::Diagnostic> {
    Mapping::compile(&parse("mapping.yaml", mapping).unwrap()).unwrap_err()
}

#[test]
fn the_first_mapping_of_the_guide_gives_what_it_says() {
    let guide = fs::read_to_string(fixtures().join("../../docs/mapping.md")).unwrap();
    let blocks: Vec<&str> = guide.split("\n```").skip(1).step_by(2).take(3).collect();
    let [input, mapping, result] =
        [blocks[0], blocks[1], blocks[2]].map(|block| block.split_once('\n').unwrap().1);
    let mapping = Mapping::compile(&parse("ticket.yaml", mapping).unwrap()).unwrap();
    let input: Value = serde_json::from_str(input).unwrap();
    let result: Value = serde_json::from_str(result).unwrap();
    assert_eq!(mapping.evaluate(&input, &environment()).unwrap(), result);
}

#[test]
fn every_code_is_explained_in_the_guide() {
    let guide = fs::read_to_string(fixtures().join("../../docs/mapping.md")).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in ["diagnostic.rs", "fault.rs"] {
        let text = fs::read_to_string(source.join(file)).unwrap();
        for code in text
            .split('"')
            .filter(|word| word.starts_with("TG") && word.len() == 6)
        {
            assert!(guide.contains(&format!("| `{code}` |")), "{code}");
        }
    }
}

#[test]
fn a_mistake_is_shown_with_file_line_column_and_help() {
    let mistakes = compile_errors("id: number\ntitle: short_description.$TRMI()\n");
    assert_eq!(
        mistakes[0].to_json(),
        json!({
            "severity": "error",
            "code": "TG0102",
            "message": "there is no function $TRMI",
            "file": "mapping.yaml",
            "line": 2,
            "column": 26,
            "help": "did you mean $TRIM?",
        })
    );
    let shown = mistakes[0].render(false);
    for part in [
        "error[TG0102]: there is no function $TRMI",
        "mapping.yaml:2:26",
        "title: short_desc",
        "^^^^^",
        "did you mean",
    ] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
}

#[test]
fn columns_count_characters() {
    let mistakes = compile_errors("größe: \"'é' == ! x\"\n");
    assert_eq!(mistakes[0].place.as_ref().unwrap().line_column(), (1, 16));
}

#[test]
fn a_place_is_found_in_every_notation_of_a_text() {
    let texts = [
        "a: x.$TRMI()",
        "a: b\n  + c.d\n\n  * x.$TRMI()\n",
        "a: 'b == ''it'' AND x.$TRMI()'",
        "a: \"b == \\\"it\\\" \\u0041ND\n  x.$TRMI() == '\\\\s'\"",
        "a: |\n  b ==\n    c AND\n\n  x.$TRMI()\n",
        "a: >-\n  b ==\n    c\n\n  AND\n\n\n  d AND\n  x.$TRMI()\n",
        "a:\n  - >\n\n    b AND\n      c AND\n     d\n\n    AND x.$TRMI()\n",
        "{\"a\": \"'\\ud83d\\ude00\\/é' == x.$TRMI()\"}",
        "a: &anchor !!str \"é ==\\tx.$TRMI()\"",
    ];
    for text in texts {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let mistakes = compile_errors(&text);
            assert_eq!(mistakes[0].place.as_ref().unwrap().text(), "$TRMI", "{text:?}");
        }
    }
}

#[test]
fn an_evaluation_error_names_the_node_of_the_mapping() {
    let node = parse(
        "m.yaml",
        "a: x\nb:\n  MAP():\n    items: xs\n    converter:\n      c: item.$TRIM()\n",
    )
    .unwrap();
    let error = Mapping::compile(&node)
        .unwrap()
        .evaluate(&json!({"xs": ["a", {}]}), &environment())
        .unwrap_err();
    assert_eq!(error.code(), "TG0301");
    assert_eq!(
        error.message(),
        "type error in $TRIM: expected text, found object"
    );
    assert_eq!(
        error.to_string(),
        "TG0301 m.yaml:6:10: type error in $TRIM: expected text, found object"
    );
    assert!(!error.is_limit());
    assert!(error.to_diagnostic().render(false).contains("m.yaml:6:10"));
}

#[test]
fn a_mapping_that_is_a_value_has_places_in_its_indented_json() {
    let mistakes = Mapping::compile_value(&json!({"a": ["x", "\"é\" + y."]})).unwrap_err();
    assert_eq!(mistakes[0].place.as_ref().unwrap().to_string(), "mapping:4:16");
}

#[test]
fn one_expression_can_be_compiled_alone() {
    let mapping = Mapping::compile_text("$.a + b").unwrap();
    assert_eq!(
        mapping
            .evaluate(&json!({"a": 1, "b": 2}), &environment())
            .unwrap(),
        json!(3)
    );
    let mistakes = Mapping::compile_text("\"text\" ++ a").unwrap_err();
    assert_eq!(mistakes[0].place.as_ref().unwrap().to_string(), "expression:1:9");
}

#[test]
fn a_mapping_is_shared_between_threads() {
    let mapping = Mapping::compile_text("xs.$MAP(x => x.$REPLACE('[0-9]+', '#'))").unwrap();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let mapping = mapping.clone();
            std::thread::spawn(move || {
                mapping
                    .evaluate(&json!({"xs": [format!("a{n}")]}), &environment())
                    .unwrap()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), json!(["a#"]));
    }
}

#[test]
fn documents_that_cannot_be_read() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let flat = "- [".repeat(200);
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &(b'b'..=b'h')
            .map(|c| {
                let (this, last) = (c as char, (c - 1) as char);
                format!("{this}: &{this} [{}]\n", vec![format!("*{last}"); 10].join(","))
            })
            .collect::<String>();
    // Little to send and much to keep: a long list, and one text that is repeated.
    let long = format!("l: [{}]", "1,".repeat(100_000));
    let long_json = format!("[{}1]", "1,".repeat(100_000));
    let much_text = format!("a: &a {}\nb: [{}]", "x".repeat(100_000), "*a,".repeat(1000));
    let cases = [
        ("a: [1, 2", "1:9", "not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", "3:1", "the key \"a\" appears twice"),
        ("{\"a\": 1, \"a\": 2}", "1:10", "the key \"a\" appears twice"),
        ("a: 1\n---\nb: 2\n", "2:1", "a second YAML document"),
        ("[a]: 1\n", "1:1", "a key must be a text"),
        ("a: !Ref b\n", "1:9", "the tag !Ref is not known"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", "3:3", "merge keys"),
        ("a: .nan\n", "1:4", "not a number that JSON has"),
        ("a: *b\n", "1:4", "not valid YAML"),
        ("a: &a [*a]\n", "1:8", "part of what it stands for"),
        (&deep, "1:129", "more than 128"),
        (&flat, "", ""),
        (&bomb, "5:", "more than 100000 values and keys"),
        (&long, "1:", "more than 100000 values and keys"),
        (&long_json, "1:", "more than 100000 values and keys"),
        (&much_text, "2:", "bytes of text in one document"),
    ];
    for (text, at, message) in cases {
        let problem = parse("d.yaml", text).unwrap_err();
        assert_eq!(problem.code, "TG0100");
        let place = problem.place.as_ref().unwrap().to_string();
        assert!(place.starts_with(&format!("d.yaml:{at}")), "{text:.40}: {place}");
        assert!(
            problem.message.contains(message),
            "{text:.40}: {}",
            problem.message
        );
    }
}

#[test]
fn a_document_that_is_no_yaml_comes_with_what_to_mend() {
    let cases = [
        ("a: what: happens\n", "needs quotes"),
        ("a: IF b THEN {x: 1, y: [2]} ELSE c\n", "needs quotes"),
        ("a: 1\n  b: 2\n", "indent it like its siblings"),
        ("a:\n  b: 1\n   c: 2\n", "indent it like its siblings"),
        ("a:\n  b: 1\n c: 2\n", "exactly like its siblings"),
        ("a:\n  - 1\n - 2\n", "exactly like its siblings"),
        ("  a: 1\nb: 2\n", "exactly like its siblings"),
        ("a:\n\tb: 1\n", "no tabs"),
        ("a: b\n\tc: d\n", "no tabs"),
        ("a: |\n x\n\ty\n", "no tabs"),
        ("a: 'x' OR y\n", "other kind of quotes"),
        ("a: \"x\ny: 1\n", "closing quote"),
        ("a: 1\nb\nc: 2\n", "a colon and a space"),
        ("a: @x\n", "needs quotes"),
        ("a: \"\\d\"\n", "each backslash twice"),
        ("a: [1, 2\nb: 3\n", "not closed"),
    ];
    for (text, help) in cases {
        let problem = parse("d.yaml", text).unwrap_err();
        let found = problem.help.as_deref().unwrap_or_default();
        assert!(found.contains(help), "{text:?}: {problem}");
    }
}

#[test]
fn documents_of_every_notation() {
    let cases = [
        ("", json!(null)),
        ("# nothing\n", json!(null)),
        ("---\na: 1\n...\n", json!({"a": 1})),
        (
            "{\n\t\"a\": \"\\ud83d\\ude00\",\n\t\"b\": [1e2, null]\n}",
            json!({"a": "😀", "b": [100.0, null]}),
        ),
        ("\u{feff}{\"a\": 1}", json!({"a": 1})),
        ("\u{feff}a: 1\n", json!({"a": 1})),
        ("{a: b}", json!({"a": "b"})),
        (
            "1: x\ntrue: y\nnull: z\n",
            json!({"1": "x", "true": "y", "null": "z"}),
        ),
        (
            "[0o17, 0xff, 007, +5, 1., .5, -1.5e3, 1_000, 12:30, 2024-05-01, yes, ~]",
            json!([
                15,
                255,
                7,
                5,
                1.0,
                0.5,
                -1500.0,
                "1_000",
                "12:30",
                "2024-05-01",
                "yes",
                null
            ]),
        ),
        (
            "a: !!str 5\nb: !!int 6\nc: !!map {}\n",
            json!({"a": "5", "b": 6, "c": {}}),
        ),
        (
            "a: |\n  one\n   two\n\nb: >-\n  x\n  y\n",
            json!({"a": "one\n two\n", "b": "x y"}),
        ),
        (
            "a: 'it''s'\nb: \"\\x41\\u00e9\\n\"\n",
            json!({"a": "it's", "b": "Aé\n"}),
        ),
    ];
    for (text, value) in cases {
        let node = parse("d.yaml", text).unwrap_or_else(|problem| panic!("{}", problem.render(false)));
        assert_eq!(node.to_value(), value, "{text}");
    }
}

#[test]
fn a_document_is_walked_by_key_and_kind() {
    let node = parse("d.yaml", "a: {b: [1, true]}\nc:\n").unwrap();
    let list = node.get("a").and_then(|a| a.get("b")).unwrap();
    assert_eq!(
        (node.kind(), list.kind(), list.elements().len()),
        ("object", "list", 2)
    );
    assert_eq!(
        list.elements()[0]
            .as_number()
            .and_then(serde_json::Number::as_i64),
        Some(1)
    );
    assert_eq!(list.elements()[1].as_bool(), Some(true));
    assert!(node.get("c").unwrap().is_null());
    assert!(node.get("d").is_none());
    assert_eq!(list.place.text(), "[1, true]");
    assert_eq!(node.entries()[1].0.place.to_string(), "d.yaml:2:1");
    assert_eq!(
        mapping::from_value("v", &node.to_value()).to_value(),
        node.to_value()
    );
}

#[test]
fn values_that_are_deep_are_refused_and_not_followed() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let wrapped = json!({"a": {"a": deep}});
    let copy = Mapping::compile_text("a").unwrap();
    assert!(copy.evaluate(&wrapped, &environment()).is_ok());
    let mut environment = environment();
    environment.limits.depth = 50;
    for expression in ["a", "a == $.a", "$STRINGIFY_JSON(a)", "[a]"] {
        let error = Mapping::compile_text(expression)
            .unwrap()
            .evaluate(&wrapped, &environment)
            .unwrap_err();
        assert_eq!((error.code(), error.is_limit()), ("TG0310", true), "{expression}");
    }
    let mapping = (0..200).fold(json!("x"), |mapping, _| json!([mapping]));
    let mistakes = Mapping::compile_value(&mapping).unwrap_err();
    assert_eq!(mistakes[0].code, "TG0113");
}

#[test]
fn expressions_that_are_deep_are_refused() {
    let n = 100_000;
    let deep = [
        "(".repeat(n) + "1" + &")".repeat(n),
        "[".repeat(n) + &"]".repeat(n),
        "-".repeat(n) + "1",
        "NOT ".repeat(n) + "1",
        "1 + ".repeat(n) + "1",
        "1".to_owned() + &".$TEXT()".repeat(n),
        "IF a THEN ".repeat(n) + "1",
        "x".to_owned() + &"[x".repeat(n) + &"]".repeat(n),
        "$MAP(a, b => ".repeat(n) + "1" + &")".repeat(n),
        "{'a': ".repeat(n) + "1" + &"}".repeat(n),
        "a == ".repeat(n) + "1",
    ];
    for expression in deep {
        let mistakes = Mapping::compile_text(&expression).unwrap_err();
        assert_eq!(mistakes[0].code, "TG0113", "{expression:.20}");
    }
    let long = [
        "a".to_owned() + &".a".repeat(n),
        "0 OR ".repeat(n) + "1",
        "1 AND ".repeat(n) + "1",
        format!("[{}]", "1,".repeat(n) + "1"),
    ];
    for expression in long {
        assert!(Mapping::compile_text(&expression).is_ok(), "{expression:.20}");
    }
    let keys = json!({"a.".repeat(n) + "a": "1"});
    assert_eq!(Mapping::compile_value(&keys).unwrap_err()[0].code, "TG0113");
}

#[test]
fn the_deepest_mapping_that_compiles_can_be_evaluated() {
    for n in [40, 60, 120, 126, 127] {
        let nested = "xs.$MAP(x => ".repeat(n / 2) + "1" + &")".repeat(n / 2);
        let lists = "[".repeat(n) + "xs" + &"]".repeat(n);
        for expression in [nested, lists] {
            if let Ok(mapping) = Mapping::compile_text(&expression) {
                let result = mapping.evaluate(&json!({"xs": [1]}), &environment());
                assert!(result.is_ok(), "{n} {expression:.30}: {result:?}");
            }
        }
    }
}

#[test]
fn operators_can_be_nested_as_deep_as_a_document() {
    type Wrap = fn(Value) -> Value;
    let wraps: [Wrap; 7] = [
        |inner| json!({"MAP()": {"items": "xs", "converter": inner}}),
        |inner| json!({"COALESCE()": {"items": [inner]}}),
        |inner| json!({"SORT()": {"items": "xs", "key": inner}}),
        |inner| json!({"CONDITIONAL()": {"condition": true, "context": {"a": inner}, "on_pass": "a"}}),
        |inner| json!({"LOOKUP()": {"key": "'a'", "mapping": {"a": inner}}}),
        |inner| json!({"EVAL()": {"expression": "a", "args": {"a": inner}}}),
        |inner| json!({"MERGE()": [{"a.b.c": inner}]}),
    ];
    let deepest = json!("$MAP(".repeat(20) + "xs" + &", x => [[x]])".repeat(20));
    for wrap in wraps {
        let mut compiled = 0;
        for n in 1..80 {
            let mapping = (0..n).fold(deepest.clone(), |mapping, _| wrap(mapping));
            if let Ok(mapping) = Mapping::compile_value(&mapping) {
                compiled += 1;
                let result = mapping.evaluate(&json!({"xs": [1]}), &environment());
                assert!(
                    result.is_ok() || result.as_ref().is_err_and(mapping::EvaluationError::is_limit),
                    "{n}: {result:?}"
                );
            }
        }
        assert!(compiled > 10, "{compiled}");
    }
}

#[test]
fn a_suggestion_is_close() {
    let known = ["MAP()", "MERGE()", "SORT()"];
    assert_eq!(mapping::did_you_mean("map()", known), Some("MAP()"));
    assert_eq!(mapping::did_you_mean("MREGE()", known), Some("MERGE()"));
    assert_eq!(mapping::did_you_mean("EXPLODE()", known), None);
}

mod any_input {
    use proptest::prelude::*;

    use super::*;
    use crate::any::{expression, mapping, value};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn text_that_is_no_document_or_expression_is_refused(text in "\\PC{0,60}") {
            let _ = Mapping::compile_text(&text);
            if let Ok(node) = parse("any", text) {
                let _ = Mapping::compile(&node);
            }
        }

        #[test]
        fn an_expression_compiles_or_says_where_it_does_not(text in expression(), input in value()) {
            match Mapping::compile_text(&text) {
                Ok(mapping) => drop(mapping.evaluate(&input, &environment())),
                Err(mistakes) => {
                    for mistake in mistakes {
                        let place = mistake.place.as_ref().unwrap();
                        prop_assert!(place.start <= place.end && place.end <= text.len());
                        mistake.render(false);
                    }
                }
            }
        }

        #[test]
        fn a_mapping_gives_a_result_or_an_error(mapping in mapping(), input in value()) {
            if let Ok(mapping) = Mapping::compile_value(&mapping) {
                let once = mapping.evaluate(&input, &environment()).map_err(|error| error.to_string());
                let again = mapping.evaluate(&input, &environment()).map_err(|error| error.to_string());
                prop_assert_eq!(once, again);
            }
        }

        /// A reader of the input may leave out everything that the mapping does not read.
        #[test]
        fn what_is_not_read_makes_no_difference(mapping in mapping(), input in value()) {
            if let Ok(mapping) = Mapping::compile_value(&mapping) {
                let whole = mapping.evaluate(&input, &environment()).map_err(|error| error.to_string());
                let reads: Vec<&[Segment]> = mapping.reads().iter().map(|read| read.segments.as_slice()).collect();
                let part = mapping.evaluate(&project(&input, &reads), &environment()).map_err(|error| error.to_string());
                prop_assert_eq!(whole, part);
            }
        }

        #[test]
        fn a_value_becomes_a_document_and_back(value in value()) {
            prop_assert_eq!(mapping::from_value("v", &value).to_value(), value.clone());
            prop_assert_eq!(parse("v", value.to_string()).unwrap().to_value(), value);
        }
    }

    use mapping::Segment;

    /// The input without what no path leads to.
    fn project(value: &Value, paths: &[&[Segment]]) -> Value {
        if paths.iter().any(|path| path.is_empty()) {
            return value.clone();
        }
        let below = |key: Option<&str>| -> Vec<&[Segment]> {
            let leads = |segment: &Segment| match (segment, key) {
                (Segment::Key(name), Some(key)) => name == key,
                (Segment::Index(_), None) | (Segment::Any, _) => true,
                _ => false,
            };
            paths
                .iter()
                .filter_map(|path| path.split_first())
                .filter(|(first, _)| leads(first))
                .map(|(_, rest)| rest)
                .collect()
        };
        match value {
            Value::Array(elements) => elements
                .iter()
                .map(|element| project(element, &below(None)))
                .collect(),
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .filter(|(key, _)| !below(Some(key)).is_empty())
                    .map(|(key, field)| (key.clone(), project(field, &below(Some(key)))))
                    .collect(),
            ),
            scalar => scalar.clone(),
        }
    }
}
