//! The custom workflow and the comment it can require.

use sandbox::teamswork::Quirk;
use serde_json::{Value, json};

use crate::{Api, Reply, alex, jason};

fn state<'a>(ticket: &'a Value, label: &str) -> &'a Value {
    ticket["workflow"]
        .as_array()
        .unwrap()
        .iter()
        .find(|state| state["label"] == label)
        .unwrap()
}

async fn move_to(api: &Api, id: &str, state: &Value, more: Value) -> Reply {
    let mut body = json!({"status": state["id"], "user": jason()});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    api.put(&format!("/tickets/{id}/status"), &body).await
}

#[tokio::test]
async fn the_status_is_a_state_id_and_steps_are_enforced() {
    let api = Api::with(&[Quirk::CustomWorkflow]).await;
    let id = api.new_ticket("A ticket").await;
    let ticket = api.get(&format!("/tickets/{id}")).await.item().clone();
    assert_eq!(
        (&ticket["isCustomWorkflow"], &ticket["status"]),
        (&json!(true), &json!("Open"))
    );
    let next: Vec<_> = state(&ticket, "Open")["nextSteps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["targetId"])
        .collect();
    assert!(next.contains(&&state(&ticket, "Pending")["id"]));
    assert!(!next.contains(&&state(&ticket, "Reopened")["id"]));

    let by_label = api
        .put(
            &format!("/tickets/{id}/status"),
            &json!({"status": "Started", "user": jason()}),
        )
        .await;
    assert_eq!(by_label.status, 400);
    let no_step = move_to(&api, &id, state(&ticket, "Reopened"), json!({})).await;
    assert_eq!(no_step.status, 400);
    assert!(no_step.message().contains("no step from Open to Reopened"));
    assert_eq!(
        move_to(&api, &id, state(&ticket, "Pending"), json!({}))
            .await
            .item()["status"],
        "Pending"
    );
    assert_eq!(
        move_to(&api, &id, state(&ticket, "Resolved"), json!({}))
            .await
            .item()["status"],
        "Resolved"
    );
    assert_eq!(
        move_to(&api, &id, state(&ticket, "Reopened"), json!({}))
            .await
            .item()["status"],
        "Reopened"
    );
    assert_eq!(
        api.get("/tickets?status=Pending").await.items().len(),
        0,
        "the filter knows the custom state"
    );
}

#[tokio::test]
async fn a_stranger_may_not_close() {
    let api = Api::with(&[Quirk::CustomWorkflow]).await;
    let id = api.new_ticket("A ticket").await;
    let ticket = api.get(&format!("/tickets/{id}")).await.item().clone();
    let stranger = json!({"id": "7", "name": "Sam Stranger", "email": "sam@example.com"});
    let closed = state(&ticket, "Closed");
    assert_eq!(
        move_to(&api, &id, closed, json!({"user": stranger})).await.status,
        403
    );
    assert_eq!(
        move_to(&api, &id, closed, json!({"user": alex()})).await.status,
        200,
        "an owner of the team may"
    );
}

#[tokio::test]
async fn resolving_can_need_a_comment() {
    let api = Api::with(&[Quirk::CommentRequired]).await;
    let id = api.new_ticket("A ticket").await;
    let path = format!("/tickets/{id}/status");
    for comment in [Value::Null, json!(" ")] {
        let body = json!({"status": "Resolved", "comment": comment, "user": jason()});
        let reply = api.put(&path, &body).await;
        assert_eq!(reply.status, 400);
        assert!(reply.message().contains("comment is required"));
    }
    let body = json!({"status": "Resolved", "comment": "Done", "user": jason()});
    assert_eq!(api.put(&path, &body).await.item()["status"], "Resolved");
    assert_eq!(
        api.put(&path, &json!({"status": "Reopened", "user": jason()}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_workflow_says_where_a_comment_is_needed_and_uses_the_live_labels() {
    let api = Api::with(&[
        Quirk::CustomWorkflow,
        Quirk::CommentRequired,
        Quirk::InProgressLabel,
    ])
    .await;
    let id = api.new_ticket("A ticket").await;
    let ticket = api.get(&format!("/tickets/{id}")).await.item().clone();
    let resolved = &state(&ticket, "Resolved")["id"];
    let steps = state(&ticket, "In Progress")["nextSteps"].as_array().unwrap();
    for step in steps {
        assert_eq!(step["recordComment"], json!(&step["targetId"] == resolved));
    }
}
