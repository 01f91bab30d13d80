//! The quirks of creating and updating.

use sandbox::teamswork::Quirk;
use serde_json::{Value, json};

use crate::{Api, Reply, jason};

async fn create(api: &Api, extra: Value) -> Reply {
    let mut ticket = json!({"title": "A ticket", "requestor": jason()});
    ticket
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    api.post("/tickets", &json!({"ticket": ticket, "user": jason()}))
        .await
}

async fn update(api: &Api, id: &str, key: &str, changes: Value) -> Reply {
    api.put(&format!("/tickets/{id}"), &json!({key: changes, "user": jason()}))
        .await
}

#[tokio::test]
async fn priority_ignored_on_create_is_honoured_on_update() {
    let api = Api::with(&[Quirk::PriorityIgnoredOnCreate]).await;
    let reply = create(&api, json!({"priority": "Urgent"})).await;
    assert_eq!(reply.item()["priority"], "Medium");
    let id = reply.item()["id"].as_str().unwrap();
    assert_eq!(
        update(&api, id, "updates", json!({"priority": "Urgent"}))
            .await
            .item()["priority"],
        "Urgent"
    );
}

#[tokio::test]
async fn create_without_item_makes_the_ticket_all_the_same() {
    let api = Api::with(&[Quirk::CreateWithoutItem]).await;
    let reply = create(&api, json!({})).await;
    assert_eq!(
        (reply.status, &reply.body["error"], reply.body.get("item")),
        (200, &json!(false), None)
    );
    assert_eq!(api.running.tickets().len(), 1);
}

fn custom_field() -> Value {
    json!({"862bd88d-f691-4a7b-a89a-f6f48550fc27": true})
}

#[tokio::test]
async fn expected_date_no_ticket_needs_a_date_time_and_custom_fields() {
    let api = Api::with(&[Quirk::ExpectedDateNoTicket]).await;
    let date_time = "2026-02-03T17:00:00Z";
    let reply = create(
        &api,
        json!({"expectedDate": date_time, "customFields": custom_field()}),
    )
    .await;
    assert_eq!(
        (reply.status, &reply.body["error"], reply.body.get("item")),
        (200, &json!(false), None)
    );
    assert!(api.running.tickets().is_empty(), "success, and no ticket");
    create(&api, json!({"expectedDate": date_time})).await.item();
    create(
        &api,
        json!({"expectedDate": "2026-02-03", "customFields": custom_field()}),
    )
    .await
    .item();
    assert_eq!(api.running.tickets().len(), 2);
}

#[tokio::test]
async fn expected_date_only_refuses_a_time_of_day() {
    let api = Api::with(&[Quirk::ExpectedDateOnly]).await;
    assert_eq!(
        create(&api, json!({"expectedDate": "2026-02-03T17:00:00Z"}))
            .await
            .status,
        400
    );
    let reply = create(&api, json!({"expectedDate": "2026-02-03"})).await;
    assert_eq!(reply.item()["expectedDate"], "2026-02-03T00:00:00.000Z");
    let id = reply.item()["id"].as_str().unwrap();
    assert_eq!(
        update(
            &api,
            id,
            "updates",
            json!({"expectedDate": "2026-02-03T17:00:00Z"})
        )
        .await
        .status,
        400
    );
}

#[tokio::test]
async fn error_200_dresses_a_refusal_as_a_success() {
    let api = Api::with(&[Quirk::Error200]).await;
    let reply = create(&api, json!({"priority": "High"})).await;
    assert_eq!(
        (reply.status, &reply.body["error"], &reply.body["statusCode"]),
        (200, &json!(true), &json!(400))
    );
    assert!(!reply.message().is_empty());
    assert!(api.running.tickets().is_empty());
    assert_eq!(
        api.get("/tickets/unknown").await.status,
        404,
        "other failures keep their status"
    );
    assert_eq!(api.get("/unknown").await.status, 404);
}

#[tokio::test]
async fn updates_key_only_and_ticket_key_only_refuse_the_other() {
    for (quirk, right, wrong) in [
        (Quirk::UpdatesKeyOnly, "updates", "ticket"),
        (Quirk::TicketKeyOnly, "ticket", "updates"),
    ] {
        let api = Api::with(&[quirk]).await;
        let id = api.new_ticket("A ticket").await;
        let refused = update(&api, &id, wrong, json!({"title": "B"})).await;
        assert_eq!(refused.status, 400);
        assert!(refused.message().contains(right), "{}", refused.message());
        assert_eq!(
            update(&api, &id, right, json!({"title": "B"})).await.item()["title"],
            "B"
        );
    }
}

#[tokio::test]
async fn wrong_update_key_ignored_answers_the_ticket_as_it_was() {
    let api = Api::with(&[Quirk::TicketKeyOnly, Quirk::WrongUpdateKeyIgnored]).await;
    let id = api.new_ticket("A").await;
    assert_eq!(
        update(&api, &id, "updates", json!({"title": "B"})).await.item()["title"],
        "A"
    );
    assert_eq!(api.kept(&id)["title"], "A");
    assert_eq!(update(&api, &id, "neither", json!({})).await.status, 400);
    assert_eq!(
        update(&api, &id, "ticket", json!({"title": "B"})).await.item()["title"],
        "B"
    );
}

#[tokio::test]
async fn custom_fields_replaced_forgets_those_not_named() {
    let api = Api::with(&[Quirk::CustomFieldsReplaced]).await;
    let id = api.new_ticket("A ticket").await;
    update(&api, &id, "updates", json!({"customFields": custom_field()})).await;
    let text = json!({"7670050a-cf1a-4d3d-8179-5eba888dea5f": "LT-7"});
    let reply = update(&api, &id, "updates", json!({"customFields": text})).await;
    assert_eq!(reply.item()["customFields"], text);
}

#[tokio::test]
async fn post_status_takes_the_place_of_put() {
    let api = Api::with(&[Quirk::PostStatus]).await;
    let id = api.new_ticket("A ticket").await;
    let (path, body) = (
        format!("/tickets/{id}/status"),
        json!({"status": "Started", "user": jason()}),
    );
    assert_eq!(api.put(&path, &body).await.status, 405);
    assert_eq!(api.post(&path, &body).await.item()["status"], "Started");
}
