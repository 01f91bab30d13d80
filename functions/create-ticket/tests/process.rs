//! The function as a process, between Lambda's Runtime API, DynamoDB, Secrets Manager and a ticketing system.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[path = "../../../shared/lambda/tests/process/mod.rs"]
mod process;

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use process::World;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_create-ticket");
const EVENT: &str = include_str!("../../../shared/lambda/tests/lambda/data/create_ticket.json");
const INTEGRATION: &str = include_str!("../../../shared/lambda/tests/lambda/data/integration.yaml");

/// The event, without the key that would need a store that can be written.
fn event() -> Value {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    for headers in ["headers", "multiValueHeaders"] {
        event[headers].as_object_mut().unwrap().remove("Idempotency-Key");
    }
    event
}

/// A world in which `desk` is active.
async fn world() -> World {
    let world = World::new().await;
    let content = json!({
        "files": {"integration.yaml": INTEGRATION},
        "settings": {"base_url": format!("http://{}", world.address)},
        "note": "first", "created_at": "2026-01-05T10:30:45Z", "created_by": "molly",
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(content.to_string().as_bytes()).unwrap();
    let data = STANDARD.encode(packed.finish().unwrap());
    let item = |pk: &str, sk: &str| json!({"pk": {"S": pk}, "sk": {"S": sk}});
    let mut active = item("ACTIVE", "desk");
    active["version"] = json!({"N": "1"});
    world.put("Integrations", active);
    let mut chunk = item("INTEGRATION#desk#000000000001", "CHUNK#000");
    chunk["data"] = json!({"B": data});
    chunk["chunks"] = json!({"N": "1"});
    world.put("Integrations", chunk);
    world
}

#[tokio::test]
async fn it_starts_and_answers_and_its_log_is_json_without_a_secret() {
    let world = world().await;
    let (answers, log) = world
        .run(BINARY, world.environment(), vec![event(), event()])
        .await;
    for (end, answer) in &answers {
        assert_eq!(end, "response");
        assert_eq!(answer["statusCode"], 201, "{answer}");
        assert!(!answer.to_string().contains(process::SECRET));
    }

    // The integration was there before the first call.
    assert_eq!(log.line("integration loaded")["integration"], "desk");
    let actions: Vec<&Value> = log
        .lines
        .iter()
        .filter(|line| line["message"] == "action")
        .collect();
    for (line, is_cold) in actions.iter().zip([true, false]) {
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["cold_start"], is_cold);
        assert_eq!(line["xray_trace_id"], "1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
        assert_eq!(line["lambda_request_id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
        assert_eq!(line["api_request_id"], event()["requestContext"]["requestId"]);
        assert_eq!(line["request_id"], event()["requestContext"]["requestId"]);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    let metrics: Vec<&Value> = log.lines.iter().filter(|line| line["_aws"].is_object()).collect();
    assert_eq!((actions.len(), metrics.len()), (2, 2));
    assert_eq!(
        (&metrics[0]["ColdStart"], &metrics[1]["ColdStart"]),
        (&json!(1), &json!(0))
    );
}

#[tokio::test]
async fn a_missing_variable_is_told_to_lambda_and_to_the_log() {
    let world = world().await;
    let mut environment = world.environment();
    environment.insert("TICKET_GATEWAY_STATE_TABLE", String::new());
    let (_, log) = world.run(BINARY, environment, Vec::new()).await;
    assert!(log.is_failure);
    let line = log.line("the function cannot start");
    assert_eq!(line["level"], "ERROR");
    assert!(
        line["error"]
            .as_str()
            .unwrap()
            .contains("TICKET_GATEWAY_STATE_TABLE"),
        "{line}"
    );
    let reported = world.init_errors();
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0]["errorType"], "Configuration");
    assert_eq!(reported[0]["errorMessage"], line["error"]);
}

#[tokio::test]
async fn a_store_that_fails_is_a_warning_at_the_start_and_a_safe_answer_later() {
    let world = world().await;
    world.break_aws();
    let (answers, log) = world.run(BINARY, world.environment(), vec![event()]).await;
    assert_eq!(answers[0].0, "response");
    assert_eq!(answers[0].1["statusCode"], 500, "{answers:?}");
    assert!(
        !answers[0].1.to_string().contains("Integrations"),
        "no names of the owner's for callers"
    );
    let line = log.line("the active integrations could not be loaded ahead of the first call");
    assert_eq!(line["level"], "WARN");
}
