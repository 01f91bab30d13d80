//! How a mapping explains its result.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, but does not count the functions that tests share"
)]

use mapping::{Environment, ExplainedKind, Explanation, Mapping, Role};
use serde_json::{Value, json};

fn explain(mapping: &str, input: &Value) -> Explanation {
    let mapping = Mapping::compile(&mapping::parse("mapping.yaml", mapping).unwrap()).unwrap();
    let environment = Environment::now();
    let explanation = mapping.explain(input, &environment);
    // Whatever is explained, the result is the evaluation's own.
    match mapping.evaluate(input, &environment) {
        Ok(value) => assert_eq!(explanation.result.as_ref().unwrap(), &value),
        Err(error) => assert_eq!(
            explanation.result.as_ref().unwrap_err().to_string(),
            error.to_string()
        ),
    }
    explanation
}

fn part<'e>(explanation: &'e Explanation, role: &Role) -> &'e Explanation {
    let found = explanation.parts.iter().find(|(known, _)| known == role);
    &found
        .unwrap_or_else(|| panic!("no {role:?} in {explanation:?}"))
        .1
}

fn field<'e>(explanation: &'e Explanation, name: &str) -> &'e Explanation {
    part(explanation, &Role::Field(name.to_owned()))
}

fn argument<'e>(explanation: &'e Explanation, name: &str) -> &'e Explanation {
    part(explanation, &Role::Argument(name.to_owned()))
}

/// What is missing on the paths of one expression.
fn missing(expression: &str, input: &Value) -> Vec<(String, Option<String>)> {
    let paths = explain(&json!(expression).to_string(), input).paths;
    paths.into_iter().map(|path| (path.path, path.missing)).collect()
}

#[test]
fn each_field_names_its_place_its_paths_and_their_values() {
    let explanation = explain(
        "ticket:\n  id: data.item.id.$TEXT()\n  kind: \"'INCIDENT'\"\n",
        &json!({"data": {"item": {"id": 7}}}),
    );
    let ticket = field(&explanation, "ticket");
    let id = field(ticket, "id");
    assert_eq!(
        (id.place.to_string(), id.kind),
        ("mapping.yaml:2:7".into(), ExplainedKind::Expression)
    );
    assert_eq!(id.result.as_ref().unwrap(), &json!("7"));
    assert_eq!(
        (id.paths[0].path.as_str(), &id.paths[0].value),
        ("data.item.id", &json!(7))
    );
    assert_eq!(id.paths[0].missing, None);
    assert_eq!(field(ticket, "kind").kind, ExplainedKind::Constant);
}

#[test]
fn a_path_that_leads_nowhere_says_at_which_part_and_what_there_is() {
    let input = json!({"data": {"ticket": {"item": {"id": 1, "title": "VPN", "lastUpdated": "x", "closed": null}}, "rows": [1, 2], "none": []}});
    let said = |expression: &str| missing(expression, &input).remove(0).1.unwrap();
    assert_eq!(
        said("data.ticket.item.lastUpdatedOn.day"),
        "`data.ticket.item` has no `lastUpdatedOn`; it has id, title, lastUpdated, closed; did you mean `lastUpdated`?"
    );
    assert_eq!(
        said("data.ticket.item.closed"),
        "`data.ticket.item.closed` is null"
    );
    assert_eq!(
        said("data.ticket.item.title.text"),
        "`data.ticket.item.title` is text and has no `text`"
    );
    assert_eq!(said("data.rows[4].id"), "`data.rows` has 2 elements and no [4]");
    assert_eq!(said("data.none[0]"), "`data.none` is an empty list");
    assert_eq!(
        said("data.ticket['Id']"),
        "`data.ticket` has no `Id`; it has item"
    );
    assert_eq!(
        said("dat.ticket"),
        "there is no `dat`; it has data; did you mean `data`?"
    );
}

#[test]
fn only_what_is_evaluated_is_followed() {
    let input = json!({"a": null, "b": 1, "c": 2});
    let followed = |expression: &str| -> Vec<String> {
        missing(expression, &input)
            .into_iter()
            .map(|(path, _)| path)
            .collect()
    };
    assert_eq!(followed("a OR b OR c"), ["a", "b"]);
    assert_eq!(followed("a AND b"), ["a"]);
    assert_eq!(followed("IF a THEN b ELSE c"), ["a", "c"]);
    assert_eq!(followed("[b, c].$ANY(x => x == b)"), ["b", "c"]);
    assert_eq!(followed("$TEXT(c)"), ["c"]);
}

#[test]
fn operators_explain_the_mappings_in_them() {
    let input = json!({"rows": [{"id": 1}, {"id": 2}, {"id": 3}], "state": "open"});
    let mapped = explain(
        "MAP(): {items: rows, converter: {id: item.id, title: item.title}}",
        &input,
    );
    assert_eq!(mapped.kind, ExplainedKind::Operator("MAP()"));
    assert_eq!(argument(&mapped, "items").paths[0].path, "rows");
    let second = part(&mapped, &Role::Element(1));
    assert_eq!(field(second, "id").result.as_ref().unwrap(), &json!(2));
    assert_eq!(
        field(second, "title").paths[0].missing.as_deref(),
        Some("`item` has no `title`; it has id")
    );
    assert_eq!(mapped.parts.len(), 3, "the items and two of three turns");

    let named = explain(
        "EVAL(): {args: {seen: 'data.item OR rows[1]'}, expression: seen.nr}",
        &input,
    );
    assert_eq!(
        argument(&named, "seen").result.as_ref().unwrap(),
        &json!({"id": 2})
    );
    assert_eq!(
        argument(&named, "expression").paths[0].missing.as_deref(),
        Some("`seen` has no `nr`; it has id")
    );

    let chosen = explain(
        "CONDITIONAL(): {condition: \"state == 'open'\", on_pass: 'rows[0].id', on_fail: 'rows[9].id'}",
        &input,
    );
    assert_eq!(argument(&chosen, "on_pass").result.as_ref().unwrap(), &json!(1));
    assert_eq!(
        chosen.parts.len(),
        2,
        "the branch that was not taken is not there"
    );

    let first = explain("COALESCE(): {items: [none, state, rows]}", &input);
    let candidates: Vec<_> = first.parts.iter().map(|(role, _)| role.clone()).collect();
    assert_eq!(candidates, [Role::Candidate(0), Role::Candidate(1)]);

    let looked_up = explain(
        "LOOKUP(): {key: state, mapping: {new: 1}, default: 'rows[0].id'}",
        &input,
    );
    assert_eq!(
        argument(&looked_up, "default").result.as_ref().unwrap(),
        &json!(1)
    );

    let merged = explain("MERGE(): ['rows[0]', {state: state}]", &input);
    assert_eq!(
        field(part(&merged, &Role::Candidate(1)), "state").paths[0].path,
        "state"
    );
}

#[test]
fn a_part_that_fails_says_so_and_the_others_are_explained() {
    let explanation = explain("good: a\nbad: a.$TRIM()\n", &json!({"a": 1}));
    assert!(explanation.result.is_err());
    assert_eq!(field(&explanation, "good").result.as_ref().unwrap(), &json!(1));
    let error = field(&explanation, "bad").result.as_ref().unwrap_err();
    assert_eq!(error.code(), "TG0301");
}

#[test]
fn a_mapping_with_names_explains_them_and_what_is_made_of_them() {
    let explanation = explain(
        "WITH():\n  args: {item: data.ticket}\n  converter: {id: item.number}\n",
        &json!({"data": {"ticket": {"number": 7}}}),
    );
    assert_eq!(explanation.kind, ExplainedKind::Operator("WITH()"));
    assert_eq!(argument(&explanation, "item").paths[0].path, "data.ticket");
    let id = field(argument(&explanation, "converter"), "id");
    assert_eq!(id.paths[0].value, json!(7));
}
