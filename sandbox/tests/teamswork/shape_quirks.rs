//! The quirks of how tickets are shown.

use sandbox::teamswork::Quirk;
use serde_json::{Value, json};

use crate::{Api, alex, jason};

/// Every seeded ticket, by number.
async fn all(api: &Api) -> Vec<Value> {
    api.get("/tickets?limit=1000&orderBy=ticketId&order=ASC")
        .await
        .items()
        .clone()
}

#[tokio::test]
async fn ticket_no_is_the_number() {
    let api = Api::seeded(&[Quirk::TicketNo]).await;
    let ticket = &all(&api).await[0];
    assert_eq!(
        (&ticket["ticketNo"], ticket.get("ticketId")),
        (&json!(1001), None)
    );
    let selected = api.get("/tickets?select=ticketId&limit=1").await.items()[0].clone();
    assert_eq!(selected, json!({"ticketNo": 1040}));
}

#[tokio::test]
async fn in_progress_label_is_read_for_started() {
    let api = Api::seeded(&[Quirk::InProgressLabel]).await;
    let labels = api.get("/tickets?limit=1000").await.column("status");
    assert!(labels.contains(&"In Progress".to_owned()) && !labels.contains(&"Started".to_owned()));
    for filter in ["Started", "In%20Progress"] {
        let found = api
            .get(&format!("/tickets?limit=1000&status={filter}"))
            .await
            .column("status");
        assert!(!found.is_empty() && found.iter().all(|status| status == "In Progress"));
    }
    let id = api.new_ticket("A ticket").await;
    let reply = api
        .put(
            &format!("/tickets/{id}/status"),
            &json!({"status": "Started", "user": alex()}),
        )
        .await;
    assert_eq!(reply.item()["status"], "In Progress");
}

#[tokio::test]
async fn tags_as_text_are_written_as_objects() {
    let api = Api::with(&[Quirk::TagsAsText]).await;
    let id = api.new_ticket("A ticket").await;
    let tags = json!([{"tagCategoryId": "2283653a-8d36-40eb-9a68-73eb3b331811", "text": "vip"}]);
    let update = async |tags: &Value| {
        api.put(
            &format!("/tickets/{id}"),
            &json!({"updates": {"tags": tags}, "user": jason()}),
        )
        .await
    };
    assert_eq!(update(&tags).await.item()["tags"], json!(["vip"]));
    assert_eq!(update(&json!(["vip"])).await.status, 400);
}

#[tokio::test]
async fn null_fields_stand_for_what_has_no_value() {
    let api = Api::with(&[Quirk::NullFields]).await;
    let id = api.new_ticket("A ticket").await;
    let reply = api.get(&format!("/tickets/{id}")).await;
    for key in [
        "description",
        "assignee",
        "expectedDate",
        "resolution",
        "lastResolutionComment",
    ] {
        assert_eq!(reply.item().get(key), Some(&Value::Null), "{key}");
    }
    assert_eq!(
        api.get("/tickets").await.body.get("continuationToken"),
        Some(&Value::Null)
    );
}

#[tokio::test]
async fn extra_fields_are_there() {
    let api = Api::seeded(&[Quirk::ExtraFields]).await;
    let ticket = &all(&api).await[3];
    assert_eq!(
        (&ticket["trackingId"], &ticket["origin"]),
        (&json!("TW-1004"), &json!("WebApp"))
    );
    let activities = api
        .get(&format!("/tickets/{}/activities", ticket["id"].as_str().unwrap()))
        .await;
    assert_eq!(ticket["activityCount"], activities.items().len());
    assert!(api.get("/instance").await.item()["workflows"]["ticket"][0]["nodes"].is_array());
}

#[tokio::test]
async fn flat_records_are_every_fourth() {
    let api = Api::seeded(&[Quirk::FlatRecords]).await;
    for ticket in all(&api).await {
        let flat = ticket["ticketId"].as_u64().unwrap() % 4 == 0;
        assert_eq!(ticket["requestorEmail"].is_string(), flat, "{ticket}");
        assert_eq!(ticket["requestor"].is_object(), !flat);
        assert_eq!(ticket["createdDateTime"].is_string(), flat);
        assert_eq!(ticket["createdOn"].is_string(), !flat);
    }
}

#[tokio::test]
async fn email_people_have_the_address_three_times() {
    let api = Api::seeded(&[Quirk::EmailPeople]).await;
    let ticket = &all(&api).await[4];
    assert_eq!(ticket["ticketId"], 1005);
    let email = &ticket["requestor"]["email"];
    assert_eq!(
        ticket["requestor"],
        json!({"id": email, "name": email, "email": email})
    );
}

#[tokio::test]
async fn resolved_status_is_on_open_tickets_too() {
    let api = Api::with(&[Quirk::ResolvedStatus]).await;
    let id = api.new_ticket("A ticket").await;
    let reply = api.get(&format!("/tickets/{id}")).await;
    assert_eq!(reply.item()["resolvedStatus"], json!(["Resolved", "Closed"]));
}

#[tokio::test]
async fn bare_answers_have_no_envelope() {
    let api = Api::with(&[Quirk::BareAnswers]).await;
    let body = json!({"ticket": {"title": "A ticket", "requestor": jason()}, "user": jason()});
    let created = api.post("/tickets", &body).await;
    assert_eq!(created.body["title"], "A ticket");
    let id = created.body["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/tickets/{id}")).await.body, created.body);
    let comment = api
        .post(
            &format!("/tickets/{id}/activities"),
            &json!({"comment": "x", "user": jason()}),
        )
        .await;
    assert_eq!(comment.body["comment"], "x");
    assert_eq!(api.get("/instance").await.body["name"], "IT Help Desk");
    assert_eq!(api.get("/tickets").await.items().len(), 1, "lists keep theirs");
}
