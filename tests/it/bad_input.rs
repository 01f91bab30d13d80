//! A caller's mistakes: each gets an error that names the field and says what was expected.

use serde_json::json;

use crate::gateway::{Gateway, teamswork};

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_names_its_field_and_reaches_no_upstream() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &["--set", "teamswork.attachments=true"]);
    let before = sandbox.requests().len();
    let tickets = "/v1/teamswork/tickets";
    let large = "A".repeat(6_100_000);
    let cases: Vec<(&str, String, Option<String>, &str)> = vec![
        ("POST", tickets.into(), Some("{not json".into()), "JSON"),
        ("POST", tickets.into(), Some("[]".into()), "object"),
        ("POST", tickets.into(), Some("{}".into()), "payload"),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {}}).to_string()),
            "short_description",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": 5}}).to_string()),
            "short_description",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": "A"}, "surprise": 1}).to_string()),
            "surprise",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": "A", "surprise": 1}}).to_string()),
            "surprise",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": "A", "tags": "[x"}}).to_string()),
            "payload.tags",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": "A", "expected_date": -1}}).to_string()),
            "payload.expected_date",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": "A", "custom_data": ["x"]}}).to_string()),
            "payload.custom_data",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": "A", "assignee": "x"}}).to_string()),
            "payload.assignee",
        ),
        (
            "POST",
            tickets.into(),
            Some(json!({"payload": {"short_description": "A"}, "destination": "moon"}).to_string()),
            "destination",
        ),
        (
            "GET",
            format!("{tickets}?updated_start_ts=yesterday&updated_end_ts=2026-01-01T00:00:00Z"),
            None,
            "updated_start_ts",
        ),
        (
            "GET",
            format!("{tickets}?updated_start_ts=2026-01-02T00:00:00Z&updated_end_ts=2026-01-01T00:00:00Z"),
            None,
            "updated_end_ts",
        ),
        ("GET", tickets.into(), None, "updated_start_ts"),
        (
            "GET",
            format!(
                "{tickets}?updated_start_ts=2026-01-01T00:00:00Z&updated_end_ts=2026-01-02T00:00:00Z&colour=red"
            ),
            None,
            "colour",
        ),
        (
            "GET",
            format!(
                "{tickets}?updated_start_ts=2026-01-01T00:00:00Z&updated_end_ts=2026-01-02T00:00:00Z&page_token=x"
            ),
            None,
            "page_token",
        ),
        (
            "PUT",
            format!("{tickets}/1/state"),
            Some(json!({"state": "Gone"}).to_string()),
            "state",
        ),
        (
            "PUT",
            format!("{tickets}/1/assignment"),
            Some("{}".into()),
            "assign",
        ),
        (
            "PATCH",
            format!("{tickets}/1"),
            Some(json!({"payload": {}}).to_string()),
            "payload",
        ),
        (
            "POST",
            format!("{tickets}/1/comments"),
            Some(json!({"comment": ""}).to_string()),
            "comment",
        ),
        (
            "POST",
            format!("{tickets}/1/attachments"),
            Some(json!({"file_name": "a", "content": "not base64!"}).to_string()),
            "content",
        ),
        (
            "POST",
            format!("{tickets}/1/attachments"),
            Some(json!({"file_name": "a", "content": large}).to_string()),
            "content",
        ),
        (
            "POST",
            format!("{tickets}/1/resolve"),
            Some(json!({"resolution": "magic"}).to_string()),
            "resolution",
        ),
    ];
    for (method, path, body, word) in cases {
        let answer = gateway.request(method, &path, body.clone()).await;
        let shown: String = body.unwrap_or_default().chars().take(100).collect();
        assert_eq!(answer.status, 400, "{method} {path} {shown}: {:#}", answer.body);
        let (code, message) = answer.error(400);
        assert_eq!(code, "INPUT_VALIDATION_FAILED", "{method} {path} {shown}");
        assert!(message.contains(word), "{method} {path} {shown}: {message}");
    }
    assert_eq!(sandbox.requests().len(), before, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_404() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    for path in [
        "/v1/elsewhere/tickets/1",
        "/v1/teamswork/tickets/11111111-2222-4333-8444-555555555555",
        "/v1/teamswork/tickets/99999999",
        "/v1/teamswork/nothing",
        "/",
    ] {
        let (code, _) = gateway.get(path).await.error(404);
        assert_eq!(code, "NOT_FOUND", "{path}");
    }
    let comment = json!({"comment": "A"});
    let path = "/v1/teamswork/tickets/11111111-2222-4333-8444-555555555555/comments";
    let (code, _) = gateway.post(path, comment).await.error(404);
    assert_eq!(code, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_cannot_leave_its_place_in_the_upstream_path() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    for id in [
        "..",
        "%2e%2e",
        "%2E%2E%2Finstance",
        "a%2Fb",
        "x%3Fkey=1",
        "x%23y",
        "%00",
        "%0d%0aX-A:1",
    ] {
        let answer = gateway.get(&format!("/v1/teamswork/tickets/{id}")).await;
        assert!(
            matches!(answer.status, 400 | 404),
            "{id}: {} {:#}",
            answer.status,
            answer.body
        );
    }
    for request in sandbox.requests() {
        let segments: Vec<_> = request.path.split('/').collect();
        assert!(
            request.path.starts_with("/tickets/") && segments.len() <= 4,
            "{}",
            request.path
        );
        assert!(
            !segments.contains(&"..") && !segments.contains(&"."),
            "{}",
            request.path
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_says_which_ones_there_are() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    let answer = gateway.request("DELETE", "/v1/teamswork/tickets/1", None).await;
    assert_eq!(answer.status, 405);
    let allowed = answer.headers["allow"].to_str().expect("text");
    assert!(allowed.contains("GET") && allowed.contains("PATCH"), "{allowed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_describes_itself() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    gateway.get("/v1/healthz").await.expect(200);
    let openapi = gateway.get("/v1/openapi.json").await.expect(200);
    assert!(
        openapi["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    let operations: usize = openapi["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .filter(|(path, _)| path.contains("{integration}"))
        .map(|(_, item)| {
            item.as_object().map_or(0, |item| {
                item.keys()
                    .filter(|key| ["get", "post", "put", "patch"].contains(&key.as_str()))
                    .count()
            })
        })
        .sum();
    assert_eq!(operations, 13, "twelve actions and the events");
}
