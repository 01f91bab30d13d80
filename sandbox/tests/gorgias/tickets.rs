//! Tickets: creating, reading, changing, tags, custom fields, merges.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Api, but, incoming, ticket};

#[tokio::test]
async fn a_ticket_needs_a_message_and_a_customer() {
    let api = Api::with(&[]).await;
    let made = api.post("/tickets", &ticket(&[incoming()])).await.expect(201);
    assert_eq!(made["messages"][0]["body_text"], "Hello");
    assert_eq!(
        (&made["status"], &made["customer"]["id"]),
        (&json!("open"), &json!(7_001))
    );
    let none = api.post("/tickets", &ticket(&[])).await.wrong();
    assert!(none["messages"].is_array());
    let missing = api
        .post("/tickets", &but(ticket(&[]), "messages", Value::Null))
        .await;
    assert_eq!(missing.wrong()["messages"][0], "Missing data for required field.");
    let inside = api
        .post("/tickets", &ticket(&[but(incoming(), "sender", Value::Null)]))
        .await;
    assert_eq!(
        inside.wrong()["messages"]["0"]["sender"][0],
        "Missing data for required field."
    );
    // The customer is whoever wrote, where none is named.
    let unnamed = but(ticket(&[incoming()]), "customer", Value::Null);
    assert_eq!(
        api.post("/tickets", &unnamed).await.expect(201)["customer"]["id"],
        7_001
    );
}

#[tokio::test]
async fn an_unknown_address_becomes_a_customer_and_a_refused_ticket_makes_nobody() {
    let api = Api::with(&[]).await;
    let stranger = json!({"email": "stranger@example.com", "name": "A Stranger"});
    let broken = but(ticket(&[incoming()]), "customer", stranger.clone());
    let broken = but(broken, "priority", json!("asap"));
    api.post("/tickets", &broken).await.wrong();
    assert_eq!(
        api.get("/customers?email=stranger@example.com").await.ids(),
        [] as [i64; 0]
    );
    let made = api
        .post("/tickets", &but(ticket(&[incoming()]), "customer", stranger))
        .await
        .expect(201);
    assert_eq!(made["customer"]["name"], "A Stranger");
}

#[tokio::test]
async fn what_a_ticket_does_not_take_is_a_400() {
    let api = Api::with(&[]).await;
    for (field, value) in [
        ("description", json!("x")),
        ("status", json!("resolved")),
        ("priority", json!("urgent")),
        ("channel", json!("Chat")),
        ("via", json!("x")),
        ("tags", json!("x")),
        ("tags", json!([{}])),
        ("custom_fields", json!([{"id": 999, "value": 1}])),
        ("custom_fields", json!([{"id": 102, "value": "No choice"}])),
        ("assignee_user", json!({"id": 999})),
        ("assignee_team", json!({"name": "Returns"})),
        ("subject", json!("x".repeat(999))),
        ("snooze_datetime", json!("tomorrow")),
        ("customer", json!({"id": 1})),
    ] {
        let wrong = api
            .put("/tickets/5001", &but(json!({}), field, value.clone()))
            .await
            .wrong();
        assert!(!wrong[field].is_null(), "{field} {value}: {wrong}");
    }
    let wrong = api
        .put("/tickets/5001", &json!({"messages": [incoming()]}))
        .await
        .wrong();
    assert!(wrong["messages"].is_array(), "only a new ticket takes messages");
    let wrong = api.put("/tickets/5001", &json!([1])).await.wrong();
    assert!(wrong["_schema"].is_array());
}

#[tokio::test]
async fn a_change_changes_what_it_names_and_moves_the_time() {
    let api = Api::with(&[]).await;
    let before = api.kept(5_001);
    let body = json!({"status": "closed", "priority": "high", "subject": "New", "assignee_user": {"id": 4},
                      "assignee_team": {"id": 202}, "snooze_datetime": "2030-01-01 10:00:00+02:00", "meta": {"a": 1}});
    let changed = api.put("/tickets/5001", &body).await.expect(200);
    assert_eq!(changed["assignee_team"], json!({"id": 202, "name": "Returns"}));
    assert_eq!(changed["snooze_datetime"], "2030-01-01T08:00:00.000000");
    assert!(changed["closed_datetime"].is_string());
    let after = api.kept(5_001);
    assert!(after["updated_datetime"].as_str() > before["updated_datetime"].as_str());
    assert_eq!(after["tags"], before["tags"]);
    let body = json!({"status": "open", "assignee_user": null, "snooze_datetime": null});
    let changed = api.put("/tickets/5001", &body).await.expect(200);
    assert_eq!(
        (&changed["assignee_user"], &changed["closed_datetime"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(changed["assignee_team_id"], 202);
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn tags_are_added_set_and_removed_by_name_with_its_case() {
    let api = Api::with(&[]).await;
    let names = || {
        let tags = api.kept(5_002)["tags"].clone();
        let names = tags
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| tag["name"].as_str().unwrap().to_owned());
        names.collect::<BTreeSet<String>>()
    };
    let path = "/tickets/5002/tags";
    api.post(path, &json!({"names": ["urgent", "New"]}))
        .await
        .expect(201);
    api.post(path, &json!({"names": ["urgent", "new"], "ids": [302]}))
        .await
        .expect(201);
    assert_eq!(names(), set(&["urgent", "New", "new", "test"]));
    api.delete(path, &json!({"names": ["New"]})).await.expect(204);
    assert!(!names().contains("New") && names().contains("new"));
    api.put(path, &json!({"names": ["vip"]})).await.expect(202);
    assert_eq!(names(), set(&["vip"]));
    let changed = api
        .put("/tickets/5002", &json!({"tags": [{"name": "refund"}]}))
        .await
        .expect(200);
    assert_eq!(changed["tags"][0]["name"], "refund");
    assert_eq!(names(), set(&["refund"]), "a change of the ticket replaces them");
    assert!(api.post(path, &json!({})).await.wrong()["_schema"].is_array());
    assert!(api.post(path, &json!({"names": [1]})).await.wrong()["names"].is_array());
}

#[tokio::test]
async fn custom_fields_are_read_on_demand_and_written_one_by_one_or_together() {
    let api = Api::with(&[]).await;
    assert!(
        api.get("/tickets/5001")
            .await
            .expect(200)
            .get("custom_fields")
            .is_none()
    );
    let path = "/tickets/5001?relationships=custom_fields";
    let read = api.get(path).await.expect(200);
    assert_eq!(read["custom_fields"]["101"]["value"], "N-1000");
    let body = json!([{"id": 102, "value": "Return"}, {"id": 103, "value": true}]);
    api.put("/tickets/5001/custom-fields", &body).await.expect(200);
    api.put("/tickets/5001/custom-fields/104", &json!(12))
        .await
        .expect(200);
    let read = api.get(path).await.expect(200)["custom_fields"].clone();
    assert_eq!(read["101"]["value"], "N-1000", "what is not named stays");
    assert_eq!(
        (&read["102"]["value"], &read["104"]["value"]),
        (&json!("Return"), &json!(12))
    );
    api.delete("/tickets/5001/custom-fields/102", &Value::Null)
        .await
        .expect(204);
    assert!(
        api.get(path).await.expect(200)["custom_fields"]
            .get("102")
            .is_none()
    );
    let wrong = api
        .put("/tickets/5001/custom-fields/104", &json!("twelve"))
        .await
        .wrong();
    assert!(wrong["value"].is_array());
}

#[tokio::test]
async fn a_merged_ticket_answers_301_for_reads_and_writes() {
    let api = Api::with(&[]).await;
    assert!(api.running.merge(5_003, 5_001));
    let moved = api.get("/tickets/5003").await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (301, Some("/api/tickets/5001"))
    );
    let moved = api.put("/tickets/5003", &json!({"status": "closed"})).await;
    assert_eq!(moved.status, 301);
    let moved = api.post("/tickets/5003/messages", &incoming()).await;
    assert_eq!(moved.header("location"), Some("/api/tickets/5001/messages"));
    assert_eq!(
        api.kept(5_001)["messages"].as_array().unwrap().len(),
        2,
        "with the messages of both"
    );
    assert!(!api.get("/tickets?limit=100").await.ids().contains(&5_003));
    assert!(!api.running.merge(5_001, 5_001) && !api.running.merge(1, 5_001));
}

#[tokio::test]
async fn an_id_that_is_none_or_nobodys_is_a_404() {
    let api = Api::with(&[]).await;
    for path in [
        "/tickets/abc",
        "/tickets/999999",
        "/tickets/999999/tags",
        "/tickets/5001/messages/1",
    ] {
        assert_eq!(
            api.get(path).await.expect(404)["error"]["msg"],
            "Resource not found.",
            "{path}"
        );
    }
}
