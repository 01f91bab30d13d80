use serde_json::Value;

use crate::{fixtures, in_step, repository};

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&integration::json_schema()).unwrap()
}

fn value(name: &str, text: &str) -> Value {
    mapping::parse(name, text).unwrap().to_value()
}

fn mistakes(schema: &jsonschema::Validator, value: &Value) -> Vec<String> {
    schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_checked_in_schema_is_in_step_with_the_types() {
    let text = serde_json::to_string_pretty(&integration::json_schema()).unwrap() + "\n";
    in_step(&repository().join("docs/integration.schema.json"), &text);
}

#[test]
fn good_files_are_valid() {
    let schema = validator();
    for (name, text) in fixtures("good") {
        assert_eq!(mistakes(&schema, &value(&name, &text)), [""; 0], "{name}");
    }
}

#[test]
fn the_shipped_connectors_are_valid_and_say_where_their_schema_is() {
    let schema = validator();
    for connector in std::fs::read_dir(repository().join("connectors")).unwrap() {
        let folder = connector.unwrap().path();
        for file in std::fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().path())
        {
            if file.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&file).unwrap();
                let name = file.display().to_string();
                assert_eq!(mistakes(&schema, &value(&name, &text)), [""; 0], "{name}");
                let header = "# yaml-language-server: $schema=../../docs/integration.schema.json\n";
                assert!(text.starts_with(header), "{name} does not begin with {header}");
            }
        }
        let loaded = integration::load(&folder);
        assert!(loaded.diagnostics.is_empty(), "{}", loaded.render(false));
    }
}

/// Takes an object of a good file, puts a key into it that nobody knows, and sees whether both the reader and
/// the schema refuse it. Every object of `everything.yaml` that is not free-form is tried.
#[test]
fn reader_and_schema_know_the_same_keys() {
    let schema = validator();
    let (_, text) = fixtures("good")
        .into_iter()
        .find(|(name, _)| name == "everything.yaml")
        .unwrap();
    let whole = value("everything.yaml", &text);
    let mut objects = Vec::new();
    pointers(&whole, "", &mut objects);
    let mut refused = 0;
    for pointer in objects {
        let mut changed = whole.clone();
        let object = changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
        object.insert("no_such_key".into(), Value::Null);
        let text = serde_json::to_string(&changed).unwrap();
        let loaded = integration::load_text("everything.yaml", text);
        let by_reader = loaded
            .diagnostics
            .iter()
            .any(|it| it.code == "TG0201" || it.code == "TG0210");
        let by_schema = !schema.is_valid(&changed);
        // Null is no valid entry of a map, which the reader says as a wrong type.
        let as_entry = loaded.diagnostics.iter().any(|it| it.code == "TG0202");
        assert_eq!(
            by_reader || as_entry,
            by_schema,
            "an unknown key in {pointer:?}: {}",
            loaded.render(false)
        );
        refused += usize::from(by_reader);
    }
    assert!(refused > 50, "{refused}");
}

/// Every property of every object of the schema is used in `everything.yaml` or in another good file, so
/// that the reader is known to accept it.
#[test]
fn the_reader_accepts_every_key_of_the_schema() {
    let schema = integration::json_schema();
    let mut used = std::collections::BTreeSet::new();
    for (name, text) in fixtures("good") {
        keys(&value(&name, &text), &mut used);
    }
    let mut declared = std::collections::BTreeSet::new();
    properties(&schema, &mut declared);
    // Accepted with a warning (`fixtures/bad/compound.yaml`), and ticket actions, whose keys come from the contract's
    // own table.
    let elsewhere = ["delay_config", "progress_updates"];
    let unused: Vec<&String> = declared
        .iter()
        .filter(|key| !used.contains(*key) && !elsewhere.contains(&key.as_str()))
        .filter(|key| integration::TasAction::from_key(key).is_none())
        .collect();
    assert!(unused.is_empty(), "no good file uses {unused:?}");
}

#[test]
fn auth_kinds() {
    let schema = validator();
    let text = include_str!("../fixtures/good/minimal.yaml");
    for auth in [
        "{kind: none}",
        "{kind: basic, username: '{{settings.base_url}}', secret: password}",
        "{kind: basic, username_secret: key}",
        "{kind: bearer, secret: token}",
        "{kind: api_key, in: query, name: key, secret: api_key}",
        "{kind: oauth2_client_credentials, token_url: '{{settings.base_url}}/token', client_id: me, secret: s, \
         scope: a b, client_authentication: body, extra: {audience: x}}",
        "{kind: oauth2_refresh_token, token_url: '{{settings.base_url}}/token', client_id: me, secret: s, \
         refresh_secret: r, scope: a b, client_authentication: basic, extra: {audience: x}}",
        "{kind: session, secret: s, login: {path: /login, body: {form: {password: '{{secret}}'}}}, in: cookie}",
        "{kind: session, secret: s, login: {path: '/login/{{{secret}}}'}, token: response.body, in: query, name: t}",
        "{kind: by_setting, setting: way, of: {a: {kind: none}, b: {kind: bearer, secret: token}}}",
    ] {
        let mut text = text.replace("{kind: bearer, secret: token}", auth);
        if auth.contains("by_setting") {
            let way = "settings:\n  way: {type: enum, values: [a, b], default: a}\n";
            text = text.replace("settings:\n", way);
        }
        crate::good(&text);
        assert_eq!(
            mistakes(&schema, &value("integration.yaml", &text)),
            [""; 0],
            "{auth}"
        );
    }
}

/// The JSON pointers of all objects.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(object) => {
            // Below these, objects are mappings or plain values, and any key is right.
            const FREE: [&str; 16] = [
                "input_args",
                "output_mapper",
                "json",
                "default",
                "attributes",
                "keep",
                "items",
                "condition",
                "next",
                "text",
                "when",
                "message",
                "requestor",
                "query",
                "headers",
                "form",
            ];
            found.push(at.to_owned());
            for (key, value) in object.iter().filter(|(key, _)| !FREE.contains(&key.as_str())) {
                pointers(value, &format!("{at}/{}", escape(key)), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn keys(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

fn properties(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| properties(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| properties(value, found)),
        _ => {}
    }
}
