//! The API key is a canary: it must be in no answer, no log line and no error, whatever happens.

use sandbox::teamswork::{Calls, Fault};
use serde_json::json;

use crate::gateway::{CANARY, Gateway, teamswork};

/// The canary as it is, percent-encoded, with plus signs for spaces, and in Base64.
fn disguises() -> Vec<String> {
    use base64::Engine as _;
    let encoded: String = CANARY
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    vec![
        CANARY.to_owned(),
        encoded.replace("%20", "+"),
        encoded.to_lowercase(),
        encoded,
        base64::engine::general_purpose::STANDARD.encode(CANARY),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_in_no_answer_and_no_log_line() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    let echo = format!(r#"{{"error": true, "message": "bad key {CANARY} in /tickets?key={CANARY}"}}"#);
    let mut answers = String::new();
    let ticket = json!({"payload": {"short_description": "A"}});
    for fault in [
        None,
        Some(Fault::Status(400, echo.clone())),
        Some(Fault::Status(401, echo.clone())),
        Some(Fault::Status(500, echo.clone())),
        Some(Fault::Status(200, echo.clone())),
        Some(Fault::Status(200, format!("<html>{CANARY}</html>"))),
        Some(Fault::Redirect(format!("http://127.0.0.1:9/?key={CANARY}"))),
        Some(Fault::DropBeforeRequest),
        Some(Fault::HalfBody),
    ] {
        if let Some(fault) = fault {
            sandbox.fail_next(fault, Calls::any(), 1);
        }
        let answer = gateway.post("/v1/teamswork/tickets", ticket.clone()).await;
        answers.push_str(&format!("{:?} {}\n", answer.headers, answer.body));
        let answer = gateway.get("/v1/teamswork/tickets/x").await;
        answers.push_str(&format!("{:?} {}\n", answer.headers, answer.body));
    }
    sandbox.stop().await;
    let answer = gateway.post("/v1/teamswork/tickets", ticket).await;
    answers.push_str(&answer.body.to_string());

    let printed = gateway.interrupt();
    assert!(
        printed.lines().count() > 20,
        "there are log lines, down to the lowest level"
    );
    for disguise in disguises() {
        assert!(
            !answers.contains(&disguise),
            "{disguise} is in an answer:\n{answers}"
        );
        if let Some(line) = printed.lines().find(|line| line.contains(&disguise)) {
            panic!("{disguise} is in a log line: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_log_line_per_action_says_how_it_went() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    let body = json!({"payload": {"short_description": "A"}}).to_string();
    let headers = [("x-request-id", "request-of-this-test")];
    let answer = gateway
        .request_with("POST", "/v1/teamswork/tickets", Some(body), &headers)
        .await;
    assert_eq!(answer.headers["x-request-id"], "request-of-this-test");
    answer.expect(201);
    let printed = gateway.interrupt();
    let lines: Vec<_> = printed
        .lines()
        .filter(|line| line.contains("request-of-this-test") && line.contains(" INFO "))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for word in ["create_ticket", "teamswork", "duration_ms", "upstream_calls"] {
        assert!(lines[0].contains(word), "{}", lines[0]);
    }
}
