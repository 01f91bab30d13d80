//! What a restart keeps, and starting and stopping.

use sandbox::teamswork::{Options, Quirk, start};
use serde_json::json;

use crate::{Api, alex, jason, set};

#[tokio::test]
async fn a_state_file_keeps_everything_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        state: Some(folder.path().join("teamswork.redb")),
        seed_tickets: 3,
        quirks: set(&[Quirk::Attachments, Quirk::PrivateComments]),
        ..Options::default()
    };
    let first = Api::start(options()).await;
    let id = first.new_ticket("Kept").await;
    first
        .post(
            &format!("/tickets/{id}/activities"),
            &json!({"comment": "x", "isPrivate": true, "user": alex()}),
        )
        .await;
    let link = json!({"attachments": [{"src": "https://example.com", "caption": "y"}], "user": jason()});
    first.post(&format!("/tickets/{id}/attachments"), &link).await;
    let (tickets, activities) = (first.running.tickets(), first.running.activities(&id));
    let attachments = first.running.attachments(&id);
    assert_eq!((tickets.len(), activities.len(), attachments.len()), (4, 2, 1));
    first.running.stop().await;

    let second = Api::start(options()).await;
    assert_eq!(
        second.running.tickets(),
        tickets,
        "and no second set of seed tickets"
    );
    // The address of a file or a quirk may differ, what is kept does not.
    assert_eq!(second.running.activities(&id), activities);
    assert_eq!(second.running.attachments(&id), attachments);
    let newer = second.new_ticket("Newer").await;
    assert_eq!(second.kept(&newer)["ticketId"], 1005);
    assert!(second.kept(&newer)["createdOn"].as_str() > tickets[3]["lastInteraction"].as_str());
}

#[tokio::test]
async fn an_unusable_state_file_and_a_taken_address_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a store").unwrap();
    let wrong_file = start(Options {
        state: Some(path),
        ..Options::default()
    })
    .await
    .err()
    .unwrap();
    assert!(
        wrong_file.is_state() && wrong_file.to_string().contains("notes.txt"),
        "{wrong_file}"
    );

    let running = start(Options::default()).await.unwrap();
    let taken = start(Options {
        listen: running.address(),
        ..Options::default()
    })
    .await
    .err()
    .unwrap();
    assert!(
        taken.is_listen() && taken.to_string().contains("cannot listen"),
        "{taken}"
    );
}

#[tokio::test]
async fn a_stopped_stand_in_no_longer_answers() {
    let api = Api::with(&[]).await;
    assert_eq!(api.get("/tags").await.status, 200);
    let url = format!("{}/tags?key={}", api.running.url(), crate::PRIMARY);
    api.running.stop().await;
    assert!(reqwest::get(url).await.is_err());
}

#[tokio::test]
async fn everything_works_with_every_quirk_on() {
    let api = Api::start(Options {
        quirks: Quirk::all().iter().copied().collect(),
        seed_tickets: 40,
        ..Options::default()
    })
    .await;
    let id = api.new_ticket("A ticket").await;
    let comment = api
        .post(
            &format!("/tickets/{id}/comments"),
            &json!({"comment": "x", "isPrivate": true, "user": alex()}),
        )
        .await;
    assert_eq!(comment.body["isPrivate"], true);
    let update = api
        .put(
            &format!("/tickets/{id}"),
            &json!({"ticket": {"title": "B"}, "user": alex()}),
        )
        .await;
    assert_eq!(update.body["title"], "B");
    let started = update.body["workflow"][1]["id"].clone();
    let status = api
        .post(
            &format!("/tickets/{id}/status"),
            &json!({"status": started, "user": alex()}),
        )
        .await;
    assert_eq!(status.body["status"], "In Progress");
    let page = api
        .get("/tickets?limit=20&orderBy=lastInteraction&order=DESC")
        .await;
    assert_eq!(
        (page.items().len(), page.items()[0]["title"].as_str()),
        (20, Some("B"))
    );
    assert!(page.header("continuationToken").is_some());
}
