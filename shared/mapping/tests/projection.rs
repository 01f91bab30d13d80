//! Inputs that are JSON text: what a mapping does not use is skipped, and the result is that of reading all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints exempt tests, but not the functions that tests call"
)]

mod any;

use mapping::{Environment, Mapping, Projection, fault_code, parse};
use serde_json::{Value, json};

fn environment() -> Environment {
    Environment::at("2024-05-01T12:00:00Z".parse().unwrap())
}

fn compile(yaml: &str) -> Mapping {
    Mapping::compile(&parse("test.yaml", yaml).unwrap()).unwrap()
}

fn written(mapping: &Mapping, input: &str) -> Result<String, String> {
    let mut output = Vec::new();
    let result = mapping.write_json(input, &environment(), &mut output);
    result.map_err(|error| error.code().to_owned())?;
    Ok(String::from_utf8(output).unwrap())
}

const TICKET: &str = r#"{
    "number": {"display_value": " INC7 ", "link": "https://x"},
    "description": "very\nlong",
    "comments": [{"id": 1, "body": "a \"b\" \u00e9", "internal": false, "by": {"name": "x"}}, {"id": 2, "internal": true}],
    "total": 12
}"#;

const NORMAL: &str = "
id: number.display_value.$TRIM()
comments:
  MAP():
    items: comments.$FILTER(c => NOT c.internal)
    converter: {id: item.id, body: item.body}
";

#[test]
fn a_text_gives_what_its_value_gives() {
    let mapping = compile(NORMAL);
    let expected = json!({"id": "INC7", "comments": [{"id": 1, "body": "a \"b\" é"}]});
    assert_eq!(mapping.evaluate_json(TICKET, &environment()).unwrap(), expected);
    assert_eq!(
        written(&mapping, TICKET).unwrap(),
        r#"{"id":"INC7","comments":[{"id":1,"body":"a \"b\" é"}]}"#
    );
}

#[test]
fn a_projection_keeps_what_is_used() {
    let mapping = compile(NORMAL);
    let kept = json!({
        "number": {"display_value": " INC7 "},
        "comments": [
            {"id": 1, "body": "a \"b\" é", "internal": false},
            {"id": 2, "internal": true},
        ],
    });
    assert_eq!(mapping.projection().parse(TICKET).unwrap(), kept);
    let both = Projection::of([&mapping, &compile("total: total")]);
    assert_eq!(both.parse(TICKET).unwrap()["total"], json!(12));
    assert_eq!(Projection::new().parse(TICKET).unwrap(), json!({}));
    assert_eq!(Projection::everything().parse("[1, {}]").unwrap(), json!([1, {}]));
}

#[test]
fn a_projection_of_a_part_reads_a_text_that_is_the_part() {
    let mapping = compile("id: data.answer.number.display_value\nother: data.context.x");
    let answer = mapping.projection().under(&["data", "answer"]);
    assert_eq!(
        answer.parse(TICKET).unwrap(),
        json!({"number": {"display_value": " INC7 "}})
    );
    let nothing = mapping.projection().under(&["meta_info"]);
    assert_eq!(nothing.parse(TICKET).unwrap(), json!({}));
    let all = compile("data.answer").projection().under(&["data", "answer"]);
    assert_eq!(
        all.parse(TICKET).unwrap(),
        serde_json::from_str::<Value>(TICKET).unwrap()
    );
}

/// Whether a value is truthy or null can be told without what is in it.
#[test]
fn what_is_only_asked_for_is_not_read() {
    let text =
        r#"{"items": [{"id": 1, "long": "text"}], "item": {"id": 2, "long": "text"}, "x": {"long": "text"}}"#;
    for (expression, kept) in [
        ("(items OR []).$MAP(x => x.id)", json!({"items": [{"id": 1}]})),
        (
            "$COALESCE(items, item).$MAP(x => x.id)",
            json!({"items": [{"id": 1}], "item": {"id": 2, "long": "text"}}),
        ),
        (
            "IF NOT x AND items THEN item.id",
            json!({"x": {"long": null}, "items": [null], "item": {"id": 2}}),
        ),
        (
            "$LIST(item).$MAP(x => x.id)",
            json!({"item": {"id": 2, "long": "text"}}),
        ),
    ] {
        let mapping = Mapping::compile_text(expression).unwrap();
        assert_eq!(mapping.projection().parse(text).unwrap(), kept, "{expression}");
    }
}

#[test]
fn elements_keep_their_places() {
    let projection = |expression: &str| Mapping::compile_text(expression).unwrap().projection().clone();
    let text = r#"{"xs": [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 3}], "ys": [1]}"#;
    for (expression, kept) in [
        ("xs[1].a", json!({"xs": [null, {"a": 2}, null]})),
        ("xs[-1].a", json!({"xs": [{"a": 1}, {"a": 2}, {"a": 3}]})),
        ("xs.$MAP(x => 1)", json!({"xs": [null, null, null]})),
        (
            "[xs[0].b, xs.$MAP(x => x.a)]",
            json!({"xs": [{"b": 1, "a": 1}, {"a": 2}, {"a": 3}]}),
        ),
    ] {
        let expected: Value = kept;
        assert_eq!(
            projection(expression).parse(text).unwrap(),
            expected,
            "{expression}"
        );
    }
}

/// How many fields there are matters to a loop, even if only one of them is used otherwise.
#[test]
fn fields_that_are_only_counted_are_null() {
    let mapping = compile("count: $LENGTH($MAP(xs, x => 1))\na: xs.a.b");
    let text = r#"{"xs": {"a": {"b": 1, "c": 2}, "other": {"long": "text"}}}"#;
    let kept = json!({"xs": {"a": {"b": 1}, "other": null}});
    assert_eq!(mapping.projection().parse(text).unwrap(), kept);
    assert_eq!(written(&mapping, text).unwrap(), r#"{"count":2,"a":1}"#);
}

#[test]
fn of_keys_that_come_twice_the_last_counts_in_the_place_of_the_first() {
    let many: Vec<String> = (0..40).map(|n| format!("\"k{}\": {n}", n % 30)).collect();
    for text in [
        r#"{"a": 1, "b": {"x": 1}, "a": {"x": 2}, "b": 3}"#.to_owned(),
        r#"{"a": {"x": 1, "x": 2}, "a": {"y": 3}}"#.to_owned(),
        format!("{{\"a\": {{{}}}}}", many.join(", ")),
    ] {
        for expression in ["$", "a", "a.x", "[b.x, a]", "a.k7", "$MAP(a, x => x)"] {
            let mapping = Mapping::compile_text(expression).unwrap();
            let whole = mapping
                .evaluate(&serde_json::from_str(&text).unwrap(), &environment())
                .unwrap();
            assert_eq!(
                written(&mapping, &text).unwrap(),
                whole.to_string(),
                "{expression} of {text}"
            );
        }
    }
}

#[test]
fn a_text_that_is_not_json_is_refused_wherever_it_is_wrong() {
    let mapping = compile("a: a");
    for text in [
        "",
        "{",
        r#"{"a": 1"#,
        r#"{"a": 1} x"#,
        r#"{"a": 1, "skipped": [1, 2}"#,
        r#"{"a": 1, "skipped": {"b": tru}}"#,
        r#"{"a": 1, "skipped": "\x"}"#,
        r#"{"a": 1, "skipped": 01}"#,
        r#"{"a": 1, skipped: 1}"#,
        "{\"a\": 1, \"skipped\": \"line\nbreak\"}",
    ] {
        assert_eq!(
            written(&mapping, text),
            Err(fault_code::INPUT.to_owned()),
            "{text}"
        );
        let error = mapping.evaluate_json(text, &environment()).unwrap_err();
        assert!(error.message().starts_with("the input is not JSON: "), "{error}");
        assert!(error.place().is_none());
        assert!(mapping.projection().parse(text).is_err());
    }
}

/// These are faults of values, not of the grammar, and only who builds the value finds them.
#[test]
fn three_faults_are_not_noticed_where_they_are_skipped() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for fault in ["1e999", r#""\ud800""#, deep.as_str()] {
        let text = format!(r#"{{"a": 1, "skipped": {fault}}}"#);
        assert!(serde_json::from_str::<Value>(&text).is_err());
        assert_eq!(written(&compile("a: a"), &text).unwrap(), r#"{"a":1}"#);
        assert_eq!(
            written(&compile("a: skipped"), &text),
            Err(fault_code::INPUT.to_owned())
        );
    }
}

/// What lies below the longest path that is followed is read whole.
#[test]
fn parts_at_the_end_of_very_long_paths_are_read() {
    for levels in [62, 63, 64, 65, 80] {
        let way = vec!["a"; levels].join(".");
        let inner = r#"{"xs": [1, {"y": 2}], "t": "text"}"#.to_owned();
        let text = (0..levels).fold(inner, |text, _| format!(r#"{{"a": {text}}}"#));
        let whole: Value = serde_json::from_str(&text).unwrap();
        for part in [
            "xs.$LENGTH()",
            "xs.$MAP(x => x.y)",
            "xs[0]",
            "xs[-1].y",
            "t.$LENGTH()",
        ] {
            let mapping = Mapping::compile_text(&format!("[{way}.{part}, NOT {way}.xs]")).unwrap();
            assert_eq!(
                mapping.evaluate_json(&text, &environment()).unwrap(),
                mapping.evaluate(&whole, &environment()).unwrap(),
                "{levels} levels, {part}"
            );
        }
    }
}

/// Each path here doubles the combinations of those before it.
#[test]
fn paths_of_which_any_may_lead_through_any_are_compiled_at_once() {
    let ways = 40;
    let paths = (0..ways).map(|at| format!("x{}.a{}", "[k]".repeat(at), "[k]".repeat(ways - 1 - at)));
    let mapping = Mapping::compile_text(&format!("[{}]", paths.collect::<Vec<_>>().join(", "))).unwrap();
    let text = (0..ways).fold("1".to_owned(), |text, _| format!(r#"{{"a": {text}, "b": 2}}"#));
    let text = format!(r#"{{"k": "a", "x": {text}}}"#);
    assert_eq!(
        mapping.evaluate_json(&text, &environment()).unwrap(),
        json!(vec![1; ways])
    );
}

#[test]
fn objects_with_few_of_the_fields_that_are_used_take_no_room_for_the_others() {
    let fields: Vec<String> = (0..500)
        .map(|field| format!(r#""f{field}": x.f{field}"#))
        .collect();
    let mapping = Mapping::compile_text(&format!("$.$MAP(x => {{{}}})", fields.join(", "))).unwrap();
    for object in [
        "{}",
        r#"{"f7": 1}"#,
        r#"{"f1": 1, "f2": 2, "f3": 3, "f4": 4, "f5": 5}"#,
    ] {
        let text = format!("[{}]", vec![object; 2_000].join(","));
        let whole = allocation_counter::measure(|| drop(serde_json::from_str::<Value>(&text).unwrap()));
        let parts = allocation_counter::measure(|| drop(mapping.projection().parse(&text).unwrap()));
        let ratio = parts.bytes_max as f64 / whole.bytes_max as f64;
        println!(
            "{object}: {} bytes, whole {} ({ratio:.2})",
            parts.bytes_max, whole.bytes_max
        );
        assert!(
            ratio < 1.2,
            "{object}: {} for {}",
            parts.bytes_max,
            whole.bytes_max
        );
    }
}

#[test]
fn after_an_error_the_output_is_as_it_was() {
    let mapping = compile("a: a\nb: b + 1");
    let mut output = b"before".to_vec();
    assert!(
        mapping
            .write_json(r#"{"a": 1, "b": "x"}"#, &environment(), &mut output)
            .is_err()
    );
    assert_eq!(output, b"before");
    mapping
        .write_json(r#"{"a": 1, "b": 2}"#, &environment(), &mut output)
        .unwrap();
    assert_eq!(output, br#"before{"a":1,"b":3}"#);
}

#[test]
fn limits_hold_for_texts_as_for_values() {
    let mut small = environment();
    small.limits.output_bytes = 64;
    let mapping = compile("a: a\nb: a");
    let text = json!({"a": "x".repeat(40)}).to_string();
    let value: Value = serde_json::from_str(&text).unwrap();
    let whole = mapping.evaluate(&value, &small).unwrap_err().to_string();
    assert_eq!(
        mapping.evaluate_json(&text, &small).unwrap_err().to_string(),
        whole
    );
    assert_eq!(
        mapping
            .write_json(&text, &small, &mut Vec::new())
            .unwrap_err()
            .to_string(),
        whole
    );
    let nested: Value = (0..20).fold(json!(1), |inner, _| json!([inner]));
    small.limits.depth = 10;
    let text = json!({"a": nested}).to_string();
    let whole = mapping
        .evaluate(&json!({"a": nested}), &small)
        .unwrap_err()
        .to_string();
    assert_eq!(
        mapping
            .write_json(&text, &small, &mut Vec::new())
            .unwrap_err()
            .to_string(),
        whole
    );
}

mod any_text {
    use proptest::prelude::*;

    use super::*;
    use crate::any::{expression, mapping, value, well_formed};

    /// A value as text, now and then with a key that comes again, and sometimes damaged.
    fn text() -> impl Strategy<Value = String> {
        let damage = prop_oneof![
            4 => Just(None),
            1 => (any::<prop::sample::Index>(), "[\"\\\\{}\\[\\],:0e.-]").prop_map(Some),
        ];
        (value(), value(), any::<bool>(), damage).prop_map(|(first, second, twice, damage)| {
            let mut text = match twice {
                true => format!(r#"{{"a": {first}, "xs": [{second}, {first}], "b": 1, "a": {second}}}"#),
                false => first.to_string(),
            };
            if let Some((at, other)) = damage {
                let at = at.index(text.len() + 1);
                if text.is_char_boundary(at) {
                    text.insert_str(at, &other);
                }
            }
            text
        })
    }

    /// A JSON text in any spelling: white space, escapes, numbers of every form, now and then one that is none.
    fn spelled() -> impl Strategy<Value = String> {
        let string = prop::collection::vec(
            prop::sample::select(vec![
                "a",
                "name",
                "a longer text without anything in it",
                "é",
                "🖨",
                " ",
                "/",
                "\\n",
                "\\\"",
                "\\\\",
                "\\/",
                "\\u00e9",
                "\\ud83d\\ude00",
                "\\uD800",
                "\\u12",
                "\\x",
                "\u{1}",
                "\t",
                "\u{7f}",
            ]),
            0..4,
        )
        .prop_map(|parts| format!("\"{}\"", parts.concat()))
        .boxed();
        let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?";
        let scalar = prop_oneof![
            4 => string.clone(),
            3 => number.prop_map(String::from),
            3 => prop::sample::select(vec!["true", "false", "null", "{}", "[ ]"]).prop_map(String::from),
            1 => prop::sample::select(vec!["", "tru", "nul1", "01", "-", "1.", ".5", "+1", "1e", "'a'"]).prop_map(String::from),
        ];
        let space = prop::sample::select(vec!["", "", "", " ", "\n\t", "\r ", "\u{a0}"]);
        scalar.prop_recursive(4, 24, 5, move |inner| {
            let spaced = (space.clone(), inner, space.clone())
                .prop_map(|(before, value, behind)| format!("{before}{value}{behind}"))
                .boxed();
            let field = (string.clone(), space.clone(), spaced.clone())
                .prop_map(|(key, behind, value)| format!("{key}{behind}:{value}"));
            prop_oneof![
                prop::collection::vec(spaced, 1..5).prop_map(|parts| format!("[{}]", parts.join(","))),
                prop::collection::vec(field, 1..5).prop_map(|parts| format!("{{{}}}", parts.join(","))),
            ]
        })
    }

    /// How many texts and mappings each test makes up: 2000, unless `PROPTEST_CASES` says otherwise.
    fn cases() -> ProptestConfig {
        let given = std::env::var("PROPTEST_CASES").ok();
        ProptestConfig {
            cases: given.and_then(|cases| cases.parse().ok()).unwrap_or(2000),
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    fn agree(mapping: &Mapping, text: &str) -> Result<(), TestCaseError> {
        let in_part = mapping.evaluate_json(text, &environment());
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
                prop_assert_eq!(in_part.unwrap_err().code(), fault_code::INPUT);
            }
            return Ok(());
        };
        let whole = mapping
            .evaluate(&value, &environment())
            .map_err(|error| error.to_string());
        let in_part = in_part.map_err(|error| error.to_string());
        prop_assert_eq!(&whole, &in_part);
        let mut output = Vec::new();
        let as_text = mapping
            .write_json(text, &environment(), &mut output)
            .map(|()| String::from_utf8(output).unwrap())
            .map_err(|error| error.to_string());
        prop_assert_eq!(whole.map(|value| value.to_string()), as_text);
        Ok(())
    }

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn every_spelling_is_read_or_refused_as_by_serde_json(text in spelled()) {
            let whole = serde_json::from_str::<Value>(&text).map_err(|error| error.to_string());
            let read = Projection::everything().parse(&text).map_err(|error| error.to_string());
            prop_assert_eq!(whole, read);
            let around = format!("{{\"skipped\": {text}}}");
            let checked = serde_json::from_str::<serde::de::IgnoredAny>(&around);
            prop_assert_eq!(checked.is_ok(), Projection::new().parse(&around).is_ok(), "{}", around);
        }

        #[test]
        fn an_expression_gives_the_same_as_if_all_were_read(expression in expression(), text in text()) {
            if let Ok(mapping) = Mapping::compile_text(&expression) {
                agree(&mapping, &text)?;
            }
        }

        #[test]
        fn a_well_formed_expression_gives_the_same_as_if_all_were_read(expression in well_formed(), text in text()) {
            agree(&Mapping::compile_text(&expression).unwrap(), &text)?;
        }

        #[test]
        fn a_mapping_gives_the_same_as_if_all_were_read(mapping in mapping(), text in text()) {
            if let Ok(mapping) = Mapping::compile_value(&mapping) {
                agree(&mapping, &text)?;
            }
        }
    }
}
