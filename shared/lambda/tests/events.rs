//! A function answers the events that API Gateway sends.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

use std::sync::{Arc, Mutex};

use actions::Gateway;
use lambda::TasAction;
use lambda_http::Body;
use serde_json::{Value, json};

const EVENT: &str = include_str!("data/create_ticket.json");
const INTEGRATION: &str = include_str!("data/integration.yaml");

/// A fake ticketing system; remembers the paths it was asked for.
async fn upstream() -> (String, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remember = Arc::clone(&seen);
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        remember.lock().unwrap().push(request.uri().path().to_owned());
        async {
            axum::Json(json!({"id": 7, "status": "Open", "title": "x", "changed": "2026-01-12T09:35:29Z"}))
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, seen)
}

/// The gateway of a function whose environment names a folder with the test's integration.
fn function(action: TasAction, address: &str) -> Gateway {
    let folder = tempfile::tempdir().unwrap();
    let integration = folder.path().join("desk");
    std::fs::create_dir(&integration).unwrap();
    std::fs::write(integration.join("integration.yaml"), INTEGRATION).unwrap();
    lambda::gateway(action, |name| match name {
        "TICKET_GATEWAY_INTEGRATIONS" => folder.path().to_str().map(str::to_owned),
        "TICKET_GATEWAY_SETTINGS" => Some(json!({"desk": {"base_url": address}}).to_string()),
        "TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS" => Some("true".to_owned()),
        _ => None,
    })
    .unwrap()
}

async fn invoke(gateway: &Gateway, event: &Value) -> (u16, http::HeaderMap, Value) {
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let (parts, body) = lambda::handle(gateway, request).await.into_parts();
    let Body::Text(text) = body else {
        panic!("JSON is text")
    };
    (
        parts.status.as_u16(),
        parts.headers,
        serde_json::from_str(&text).unwrap(),
    )
}

fn event() -> Value {
    serde_json::from_str(EVENT).unwrap()
}

fn read_event(ticket_id: &str) -> Value {
    let mut event = event();
    event["httpMethod"] = json!("GET");
    event["requestContext"]["httpMethod"] = json!("GET");
    event["requestContext"]["resourcePath"] = json!("/v1/{integration}/tickets/{ticket_id}");
    event["resource"] = json!("/v1/{integration}/tickets/{ticket_id}");
    event["path"] = json!(format!("/v1/desk/tickets/{ticket_id}"));
    event["requestContext"]["path"] = json!(format!("/live/v1/desk/tickets/{ticket_id}"));
    event["pathParameters"] = json!({"integration": "desk", "ticket_id": ticket_id});
    event["body"] = Value::Null;
    event
}

#[tokio::test]
async fn a_proxy_event_of_a_rest_api_creates_a_ticket() {
    let (address, seen) = upstream().await;
    let (status, headers, body) = invoke(&function(TasAction::CreateTicket, &address), &event()).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["raw_ticket"]["id"], "7");
    assert_eq!(headers["x-request-id"], "req-1");
    assert_eq!(*seen.lock().unwrap(), ["/records"]);
}

#[tokio::test]
async fn a_body_in_base64_is_a_body() {
    let (address, _) = upstream().await;
    let mut event = event();
    event["body"] = json!("eyJwYXlsb2FkIjogeyJzaG9ydF9kZXNjcmlwdGlvbiI6ICJ4In19");
    event["isBase64Encoded"] = json!(true);
    let (status, _, body) = invoke(&function(TasAction::CreateTicket, &address), &event).await;
    assert_eq!(status, 201, "{body}");
}

#[tokio::test]
async fn an_error_is_an_answer_not_a_failed_invocation() {
    let (address, _) = upstream().await;
    let mut event = event();
    event["body"] = json!("{");
    let (status, _, body) = invoke(&function(TasAction::CreateTicket, &address), &event).await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (400, Some("INPUT_VALIDATION_FAILED"))
    );
}

#[tokio::test]
async fn the_route_of_another_action_is_404() {
    let (address, seen) = upstream().await;
    let (status, _, body) = invoke(&function(TasAction::CreateTicket, &address), &read_event("IT-7")).await;
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("NOT_FOUND")));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_ticket_id_reaches_the_system_as_the_caller_meant_it() {
    let (address, seen) = upstream().await;
    let gateway = function(TasAction::QueryTicketById, &address);
    for (sent, asked) in [
        ("IT-7", "/records/IT-7"),
        // API Gateway leaves the encoding in the path as it was.
        ("a%2Fb%20c", "/records/a%2Fb%20c"),
        ("50% off", "/records/50%25%20off"),
    ] {
        let (status, _, body) = invoke(&gateway, &read_event(sent)).await;
        assert_eq!(status, 200, "{sent}: {body}");
        assert_eq!(seen.lock().unwrap().last().map(String::as_str), Some(asked));
    }
}

#[tokio::test]
async fn the_base_path_of_a_custom_domain_is_not_part_of_the_route() {
    let (address, _) = upstream().await;
    let mut event = read_event("IT-7");
    event["path"] = json!("/helpdesk/v1/desk/tickets/IT-7");
    event["requestContext"]["path"] = json!("/helpdesk/v1/desk/tickets/IT-7");
    let (status, _, body) = invoke(&function(TasAction::QueryTicketById, &address), &event).await;
    assert_eq!(status, 200, "{body}");
}

#[test]
fn a_wrong_environment_is_told_before_the_first_event() {
    let folder = tempfile::tempdir().unwrap();
    let integration = folder.path().join("integration.yaml");
    let with = |yaml: &str, settings: Option<&str>| {
        std::fs::write(&integration, yaml).unwrap();
        lambda::gateway(TasAction::CreateTicket, |name| match name {
            "TICKET_GATEWAY_INTEGRATIONS" => folder.path().to_str().map(str::to_owned),
            "TICKET_GATEWAY_SETTINGS" => settings.map(str::to_owned),
            _ => None,
        })
        .err()
        .map(|error| error.to_string())
        .unwrap()
    };
    let told = lambda::gateway(TasAction::CreateTicket, |_| None)
        .err()
        .unwrap()
        .to_string();
    assert!(told.contains("TICKET_GATEWAY_INTEGRATIONS"), "{told}");
    let told = with(INTEGRATION, None);
    assert!(told.contains("base_url"), "{told}");
    let told = with(INTEGRATION, Some("[]"));
    assert!(told.contains("TICKET_GATEWAY_SETTINGS"), "{told}");
    let told = with(
        &INTEGRATION.replace("action_name: make", "action_name: mke"),
        None,
    );
    assert!(
        told.contains("integration.yaml") && told.contains("mke"),
        "{told}"
    );
}
