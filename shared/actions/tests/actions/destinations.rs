//! The destination: by name, by the ticket id's pattern, or the default.

use serde_json::json;

use crate::support::{Upstream, gateway, get, post, reply};

const RANGE: &str = "updated_start_ts=2026-01-05T10:00:00Z&updated_end_ts=2026-01-05T11:00:00Z";

#[tokio::test]
async fn a_named_destination_or_the_default_is_used() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    for (destination, table) in [
        ("", "incidents"),
        ("&destination=hr", "cases"),
        ("&destination=it", "incidents"),
    ] {
        let answer = get(&gateway, &format!("/v1/desk/tickets?{RANGE}{destination}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(upstream.last().parameter("table").as_deref(), Some(table));
    }
}

#[tokio::test]
async fn an_unknown_destination_is_refused_with_the_names_there_are() {
    let upstream = Upstream::desk().await;
    let body = json!({"payload": {"short_description": "x"}, "destination": "legal"});
    let answer = post(&gateway(&upstream), "/v1/desk/tickets", body).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["destination"]));
    assert!(answer.message().contains("it, hr"), "{}", answer.message());
}

#[tokio::test]
async fn a_ticket_id_tells_the_destination_on_the_way_out() {
    let upstream = Upstream::start(|_| {
        reply(200, &json!({"id": "HR-9", "status": "Open", "title": "x", "changed": "2026-01-05T12:00:00Z", "items": []}))
    })
    .await;
    let answer = get(&gateway(&upstream), "/v1/desk/tickets/HR-9").await;
    assert_eq!(answer.body["raw_ticket"]["destination"], "hr", "{answer:?}");
}
