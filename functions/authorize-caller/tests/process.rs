//! The authorizer as a process, between Lambda's Runtime API and DynamoDB.

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

use process::World;
use serde_json::{Value, json};
use storage::caller_key::{self, Access, Slot};

const BINARY: &str = env!("CARGO_BIN_EXE_authorize-caller");
const EVENT: &str = include_str!("../../../shared/lambda/tests/lambda/data/authorizer.json");

fn event(key: &str) -> Value {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event["headers"]["x-api-key"] = json!(key);
    event["multiValueHeaders"]["x-api-key"] = json!([key]);
    event
}

/// A world with one key; its text.
async fn world() -> (World, String) {
    let world = World::new().await;
    let at = "2026-01-05T10:30:45Z".to_owned();
    let (key, text) = caller_key::generate("desk", "portal", Slot::Primary, Access::ReadOnly, at).unwrap();
    world.put(
        "Integrations",
        json!({
            "pk": {"S": "KEYS#desk"}, "sk": {"S": key.id}, "label": {"S": key.label}, "hash": {"S": key.hash},
            "slot": {"S": "primary"}, "access": {"S": "read-only"}, "created_at": {"S": key.created_at},
        }),
    );
    (world, text.expose().to_owned())
}

#[tokio::test]
async fn a_known_key_gets_a_policy_and_an_unknown_one_the_word_that_makes_a_401() {
    let (world, key) = world().await;
    let unknown = key.replace("desk", "other");
    let (answers, log) = world
        .run(BINARY, world.environment(), vec![event(&key), event(&unknown)])
        .await;
    let (end, policy) = &answers[0];
    assert_eq!(end, "response");
    assert_eq!(
        policy["policyDocument"]["Statement"],
        json!([{
            "Action": "execute-api:Invoke", "Effect": "Allow",
            "Resource": ["arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/GET/desk/*"],
        }])
    );
    let (end, refusal) = &answers[1];
    assert_eq!(end, "error");
    assert_eq!(refusal["errorMessage"], "Unauthorized");

    assert_eq!(log.line("allowed")["cold_start"], true);
    assert_eq!(log.line("refused")["level"], "INFO");
    for line in &log.lines {
        assert!(!line.to_string().contains(&key) && !line.to_string().contains(&unknown));
        assert_ne!(
            line["level"], "ERROR",
            "a caller's mistake is none of the function's"
        );
    }
}

#[tokio::test]
async fn a_store_that_fails_makes_a_500_and_no_policy() {
    let (world, key) = world().await;
    world.break_aws();
    let mut environment = world.environment();
    environment.insert("AWS_LAMBDA_LOG_LEVEL", "ERROR".to_owned());
    let (answers, log) = world.run(BINARY, environment, vec![event(&key)]).await;
    let (end, refusal) = &answers[0];
    assert_eq!(
        (end.as_str(), &refusal["errorMessage"]),
        ("error", &json!("AuthorizerFailed"))
    );
    let line = log.line("the caller could not be identified");
    assert_eq!(line["level"], "ERROR");
    // What a line belongs to is said at every level.
    assert_eq!(line["xray_trace_id"], "1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
}

#[tokio::test]
async fn a_missing_variable_is_told_to_lambda_and_to_the_log() {
    let (world, _) = world().await;
    let mut environment = world.environment();
    environment.remove("TICKET_GATEWAY_INTEGRATIONS_TABLE");
    let (_, log) = world.run(BINARY, environment, Vec::new()).await;
    assert!(log.is_failure);
    let told = &log.line("the function cannot start")["error"];
    assert!(
        told.as_str()
            .unwrap()
            .contains("TICKET_GATEWAY_INTEGRATIONS_TABLE"),
        "{told}"
    );
    assert_eq!(&world.init_errors()[0]["errorMessage"], told);
}
