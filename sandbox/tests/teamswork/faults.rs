//! Faults that a test asks for.

use std::time::{Duration, Instant};

use reqwest::Method;
use sandbox::teamswork::{Calls, Fault};
use serde_json::json;

use crate::{Api, jason, send};

fn new_ticket() -> serde_json::Value {
    json!({"ticket": {"title": "A ticket", "requestor": jason()}, "user": jason()})
}

#[tokio::test]
async fn a_fault_befalls_only_its_calls_and_only_so_often() {
    let api = Api::with(&[]).await;
    api.running.fail_next(
        Fault::Status(503, "down".to_owned()),
        Calls::to("POST", "/tickets"),
        2,
    );
    assert_eq!(api.get("/tickets").await.status, 200);
    for _ in 0..2 {
        let reply = api.post("/tickets", &new_ticket()).await;
        assert_eq!((reply.status, &reply.body), (503, &json!("down")));
        assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    }
    assert!(api.running.tickets().is_empty(), "nothing was done");
    assert_eq!(api.post("/tickets", &new_ticket()).await.status, 201);
    assert_eq!(
        api.running.requests().len(),
        4,
        "failed requests are recorded too"
    );
}

#[tokio::test]
async fn calls_are_told_apart_by_path() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    let path = format!("/tickets/{id}/activities");
    let body = json!({"statusCode": 500, "message": "Internal server error"});
    api.running.fail_next(
        Fault::Status(500, body.to_string()),
        Calls::below("POST", "/tickets/"),
        1,
    );
    assert_eq!(api.post("/tickets", &new_ticket()).await.status, 201);
    let reply = api.post(&path, &json!({"comment": "x", "user": jason()})).await;
    assert_eq!((reply.status, &reply.body), (500, &body));
    api.running.fail_next(Fault::Html, Calls::any(), 5);
    api.running.clear_faults();
    assert_eq!(api.get("/tags").await.status, 200);
}

#[tokio::test]
async fn a_dropped_connection_leaves_it_open_whether_the_write_happened() {
    let api = Api::with(&[]).await;
    api.running.fail_next(Fault::DropBeforeRequest, Calls::any(), 1);
    assert!(
        api.request(Method::POST, "/tickets")
            .json(&new_ticket())
            .send()
            .await
            .is_err()
    );
    assert_eq!(api.running.tickets().len(), 0);
    api.running.fail_next(Fault::DropBeforeAnswer, Calls::any(), 1);
    assert!(
        api.request(Method::POST, "/tickets")
            .json(&new_ticket())
            .send()
            .await
            .is_err()
    );
    assert_eq!(api.running.tickets().len(), 1);
    assert_eq!(
        api.get("/tickets").await.items().len(),
        1,
        "the next connection works"
    );
}

#[tokio::test]
async fn half_a_body_breaks_off() {
    let api = Api::seeded(&[]).await;
    api.running
        .fail_next(Fault::HalfBody, Calls::below("GET", "/tickets"), 1);
    let response = api.request(Method::GET, "/tickets").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.content_length().unwrap() > 1000);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_delay_answers_late() {
    let api = Api::with(&[]).await;
    api.running
        .fail_next(Fault::Delay(Duration::from_millis(120)), Calls::any(), 1);
    let start = Instant::now();
    assert_eq!(api.post("/tickets", &new_ticket()).await.status, 201);
    assert!(start.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn html_redirects_and_429_come_as_asked() {
    let api = Api::with(&[]).await;
    api.running.fail_next(Fault::Html, Calls::any(), 1);
    let html = api.get("/tickets").await;
    assert_eq!(
        (html.status, html.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    api.running.fail_next(
        Fault::Redirect("https://example.com/elsewhere".to_owned()),
        Calls::any(),
        1,
    );
    let redirect = api.get("/tickets").await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (302, Some("https://example.com/elsewhere"))
    );
    api.running
        .fail_next(Fault::TooManyRequests { retry_after: Some(3) }, Calls::any(), 1);
    let limited = api.get("/tickets").await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("3")));
    assert_eq!(limited.body["statusCode"], 429);
    api.running
        .fail_next(Fault::TooManyRequests { retry_after: None }, Calls::any(), 1);
    assert_eq!(
        send(api.request(Method::GET, "/tickets"))
            .await
            .header("retry-after"),
        None
    );
}
