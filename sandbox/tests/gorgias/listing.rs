//! Lists: parameters, order, cursors, filters.

use std::time::Duration;

use sandbox::gorgias::Options;
use serde_json::{Value, json};

use crate::Api;

#[tokio::test]
async fn only_documented_parameters_are_taken() {
    let api = Api::with(&[]).await;
    for (path, field) in [
        ("/tickets?status=open", "status"),
        (
            "/tickets?updated_datetime%5Bgte%5D=2026-01-01",
            "updated_datetime[gte]",
        ),
        ("/tickets?page=2", "page"),
        ("/tickets?offset=30", "offset"),
        ("/tickets?limit=0", "limit"),
        ("/tickets?limit=101", "limit"),
        ("/tickets?limit=x", "limit"),
        ("/tickets?limit=3&limit=4", "limit"),
        ("/tickets?order_by=subject:asc", "order_by"),
        ("/tickets?trashed=maybe", "trashed"),
        ("/tickets?cursor=made-up", "cursor"),
        ("/tickets/5001?include=all", "include"),
        ("/tickets/5001?relationships=all", "relationships"),
        ("/customers?phone=1", "phone"),
        ("/users?name=x", "name"),
        ("/custom-fields", "object_type"),
        ("/custom-fields?object_type=Shop", "object_type"),
    ] {
        let wrong = api.get(path).await.wrong();
        assert!(wrong[field].is_array(), "{path}: {wrong}");
    }
}

#[tokio::test]
async fn rows_have_no_messages_and_come_by_creation_newest_first_trash_included() {
    let api = Api::with(&[]).await;
    let body = api.get("/tickets").await.expect(200);
    assert_eq!(
        (&body["object"], &body["uri"]),
        (&json!("list"), &json!("/api/tickets/"))
    );
    let rows = body["data"].as_array().unwrap();
    assert_eq!(rows.len(), 30, "the default");
    for row in rows {
        assert!(row.get("messages").is_none() && row.get("custom_fields").is_none());
        assert_eq!(row["messages_count"], 1);
        assert!(row["excerpt"].is_string() && row["integrations"].is_array());
    }
    assert!(rows.iter().any(|row| !row["trashed_datetime"].is_null()));
    let created: Vec<&str> = rows
        .iter()
        .map(|row| row["created_datetime"].as_str().unwrap())
        .collect();
    assert!(created.is_sorted_by(|newer, older| newer >= older));
    assert!(
        !created[0].contains('+'),
        "the documentation's samples have no offset: {}",
        created[0]
    );
    let kept = api.get("/tickets?trashed=false&limit=100").await.expect(200);
    assert!(
        kept["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["trashed_datetime"].is_null())
    );
}

#[tokio::test]
async fn cursors_lead_through_a_list_and_back() {
    let api = Api::with(&[]).await;
    let query = "order_by=updated_datetime:asc&limit=15";
    let mut seen = Vec::new();
    let mut path = format!("/tickets?{query}");
    let mut pages = Vec::new();
    loop {
        let body = api.get(&path).await.expect(200);
        let ids: Vec<i64> = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect();
        seen.extend(ids);
        let next = body["meta"]["next_cursor"].as_str().map(str::to_owned);
        pages.push(body);
        match next {
            Some(cursor) => path = format!("/tickets?{query}&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, (5_001..=5_040).collect::<Vec<_>>());
    assert_eq!(pages.len(), 3);
    assert_eq!(pages[0]["meta"]["prev_cursor"], Value::Null);
    let back = pages[1]["meta"]["prev_cursor"].as_str().unwrap();
    let first = api.get(&format!("/tickets?{query}&cursor={back}")).await.ids();
    assert_eq!(first, (5_001..=5_015).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_belongs_to_its_query_and_ends_soon() {
    let api = Api::with(&[]).await;
    let body = api.get("/tickets?limit=5").await.expect(200);
    let cursor = body["meta"]["next_cursor"].as_str().unwrap().to_owned();
    let other = api
        .get(&format!("/tickets?limit=6&cursor={cursor}"))
        .await
        .wrong();
    assert!(other["cursor"].is_array(), "{other}");
    api.get(&format!("/tickets?limit=5&cursor={cursor}"))
        .await
        .expect(200);
    api.running.expire_cursors();
    let wrong = api
        .get(&format!("/tickets?limit=5&cursor={cursor}"))
        .await
        .wrong();
    assert_eq!(wrong["cursor"][0], "Invalid or expired cursor.");

    let hasty = Api::start(Options {
        seed_tickets: 9,
        cursor_lifetime: Duration::ZERO,
        ..Options::default()
    })
    .await;
    let body = hasty.get("/tickets?limit=5").await.expect(200);
    let cursor = body["meta"]["next_cursor"].as_str().unwrap();
    hasty
        .get(&format!("/tickets?limit=5&cursor={cursor}"))
        .await
        .wrong();
}

#[tokio::test]
async fn tickets_are_filtered_by_customer_external_id_and_ids() {
    let api = Api::with(&[]).await;
    let body = api.get("/tickets?customer_id=7002&limit=100").await.expect(200);
    let rows = body["data"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["customer"]["id"] == 7_002));
    api.put("/tickets/5002", &json!({"external_id": "shop-1"}))
        .await
        .expect(200);
    assert_eq!(api.get("/tickets?external_id=shop-1").await.ids(), [5_002]);
    assert_eq!(api.get("/tickets?external_id=shop").await.ids(), [] as [i64; 0]);
    let two = api
        .get("/tickets?ticket_ids=5003&ticket_ids=5004&order_by=created_datetime:asc")
        .await;
    assert_eq!(two.ids(), [5_003, 5_004]);
}

#[tokio::test]
async fn customers_are_found_by_address_in_any_case() {
    let api = Api::with(&[]).await;
    assert_eq!(
        api.get("/customers?email=MEI.tanaka@example.com").await.ids(),
        [7_003]
    );
    assert_eq!(
        api.get("/customers?email=nobody@example.com").await.ids(),
        [] as [i64; 0]
    );
    let one = api.get("/customers/7003").await.expect(200);
    assert_eq!(
        one["channels"][0],
        json!({"type": "email", "address": "mei.tanaka@example.com", "preferred": true})
    );
    let body = json!({"email": "mei.tanaka@example.com", "name": "Mei"});
    api.post("/customers", &body).await.expect(409);
    let body = json!({"email": "new@example.com", "name": "New One", "external_id": "x"});
    let made = api.post("/customers", &body).await.expect(201);
    assert_eq!(made["firstname"], "New");
}

#[tokio::test]
async fn users_teams_tags_and_fields_are_listed() {
    let api = Api::with(&[]).await;
    let users = api.get("/users?email=noor.agent@example.com").await.expect(200);
    assert_eq!(users["data"][0]["role"]["name"], "agent");
    assert_eq!(
        api.get("/users/0").await.expect(200)["email"],
        "support@example.com"
    );
    let teams = api.get("/teams").await.expect(200);
    assert_eq!(teams["data"][1]["name"], "Returns");
    let tags = api.get("/tags?search=urg").await.expect(200);
    assert_eq!(tags["data"][0]["name"], "urgent");
    let fields = api.get("/custom-fields?object_type=Ticket").await.expect(200);
    assert_eq!(fields["data"][0]["label"], "Order number");
}
