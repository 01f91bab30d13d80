//! The OpenAPI document and the health check.

use std::path::Path;

use serde_json::Value;

use crate::support::{Upstream, gateway, get};

#[tokio::test]
async fn the_gateway_serves_its_document_and_its_health() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    assert_eq!(get(&gateway, "/v1/openapi.json").await.body, actions::openapi());
    assert_eq!(
        get(&gateway, "/v1/healthz").await.body,
        serde_json::json!({"status": "ok"})
    );
}

#[test]
fn the_checked_in_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let made = serde_json::to_string_pretty(&actions::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == made,
        "docs/openapi.json is out of step; run the tests once with UPDATE_DOCS=1"
    );
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn walk(root: &Value, value: &Value, found: &mut usize) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let pointer = reference
                        .strip_prefix('#')
                        .expect("a reference within the document");
                    assert!(root.pointer(pointer).is_some(), "{reference}");
                    *found += 1;
                }
                fields.values().for_each(|inner| walk(root, inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| walk(root, inner, found)),
            _ => {}
        }
    }
    let document = actions::openapi();
    let mut found = 0;
    walk(&document, &document, &mut found);
    assert!(found > 100, "{found}");
}

#[test]
fn the_document_has_every_action_with_its_path_parameters() {
    let document = actions::openapi();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push(operation["operationId"].as_str().unwrap().to_owned());
            let named: Vec<&str> = path
                .split('/')
                .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            let described: Vec<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|parameter| match parameter["$ref"].as_str() {
                    Some(reference) => document.pointer(&reference[1..]).unwrap(),
                    None => parameter,
                })
                .filter(|parameter| parameter["in"] == "path")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            assert_eq!(described, named, "{method} {path}");
        }
    }
    for action in actions::TasAction::ALL {
        assert!(operations.contains(&action.key().to_owned()), "{action}");
    }
}

#[test]
fn the_examples_of_the_document_are_valid_inputs() {
    for definition in actions::ALL.iter() {
        let mut generator = schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator();
        let schema = definition.input_schema(&mut generator);
        let mut example = (definition.example)();
        for parameter in definition.path_parameters() {
            example[parameter] = Value::from("7");
        }
        let validator = jsonschema::validator_for(&schema).unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&example)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{}: {problems:?}", definition.action);
    }
}

#[test]
fn documents_alone_are_served_without_a_gateway() {
    let ask = |method: &str, path: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .body(bytes::Bytes::new());
        let answer = actions::documents(&request.unwrap());
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), answer.headers().clone(), body)
    };
    let (status, headers, body) = ask("GET", "/v1/openapi.json");
    assert_eq!(status, 200);
    assert_eq!(body, actions::openapi());
    assert!(headers.contains_key("x-request-id"));
    assert_eq!(ask("GET", "/v1/healthz").2, serde_json::json!({"status": "ok"}));
    let (status, headers, _) = ask("POST", "/v1/healthz");
    assert_eq!(
        (status, &headers["allow"]),
        (405, &http::HeaderValue::from_static("GET"))
    );
    assert_eq!(ask("GET", "/v1/desk/tickets/7").0, 404);
}
