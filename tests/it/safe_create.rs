//! A ticket is made once, although the answer to its creation was lost: it is found by its marker.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sandbox::teamswork::{Calls, Fault};
use serde_json::{Value, json};

use crate::gateway::{
    CANARY, Gateway, Options, Quirk, Running, create_directly, teamswork, teamswork_connector,
};

const TICKETS: &str = "/v1/teamswork/tickets";
const TITLE: &str = "Made once";

/// Custom fields of the sandbox: a text and a text area.
const ASSET_TAG: &str = "7670050a-cf1a-4d3d-8179-5eba888dea5f";
const STEPS: &str = "4aad4ef9-3242-4bb6-87f7-29428567429f";

fn new_ticket() -> Value {
    json!({"payload": {"short_description": TITLE, "description": "Only once", "priority": "high"}})
}

fn creations(sandbox: &Running) -> usize {
    let requests = sandbox.requests();
    requests
        .iter()
        .filter(|request| request.method == "POST" && request.path == "/tickets")
        .count()
}

/// The tickets with the title, as the system keeps them.
fn made(sandbox: &Running) -> Vec<Value> {
    let mut tickets = sandbox.tickets();
    tickets.retain(|ticket| ticket["title"] == TITLE);
    tickets
}

fn creating() -> Calls {
    Calls::to("POST", "/tickets")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_made_behind_a_dropped_connection_is_one_ticket_and_201() {
    for fault in [Fault::DropBeforeAnswer, Fault::HalfBody] {
        let sandbox = teamswork(&[]).await;
        let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
        sandbox.fail_next(fault.clone(), creating(), 1);
        let ticket = gateway.post(TICKETS, new_ticket()).await.expect(201)["raw_ticket"].clone();

        assert_eq!(made(&sandbox).len(), 1, "{fault:?}");
        assert_eq!(creations(&sandbox), 1, "{fault:?}");
        assert_eq!(ticket["id"], made(&sandbox)[0]["id"]);
        // What follows the creation is done too: TeamsWork takes the priority only in a change.
        assert_eq!(ticket["priority"], "Important", "{ticket:#}");
        assert_eq!(
            ticket["description"], "Only once",
            "the marker is taken off again"
        );
        assert!(
            gateway.interrupt().contains("safe_create=\"found\""),
            "the log says so"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_marker_can_stand_in_a_custom_field_or_nowhere() {
    let sandbox = teamswork(&[]).await;
    let field = format!("teamswork.marker_field={ASSET_TAG}");
    let arguments = ["--set", "teamswork.marker=custom_field", "--set", &field];
    let gateway = Gateway::for_teamswork(sandbox.url(), &arguments);
    sandbox.fail_next(Fault::DropBeforeAnswer, creating(), 1);
    let mut body = new_ticket();
    body["payload"]["custom_data"] = json!({STEPS: "mine"});
    let ticket = gateway.post(TICKETS, body).await.expect(201)["raw_ticket"].clone();
    let there = made(&sandbox);
    assert_eq!(there.len(), 1);
    assert_eq!(
        there[0]["description"], "Only once",
        "the description is the caller's"
    );
    assert_eq!(ticket["custom_data"][STEPS], "mine");
    let marker = there[0]["customFields"][ASSET_TAG].as_str().expect("a marker");
    assert!(marker.starts_with("tg-"), "{marker}");

    let gateway = Gateway::for_teamswork(sandbox.url(), &["--set", "teamswork.marker=none"]);
    sandbox.fail_next(Fault::DropBeforeAnswer, creating(), 1);
    let body = gateway.post(TICKETS, new_ticket()).await.expect(502);
    assert_eq!(body["error"]["details"]["outcome"], "unknown", "{body:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_made_behind_a_timeout_is_found() {
    // The answer never comes; then the connection is given up after the connector's timeout.
    let sandbox = teamswork(&[]).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let connector = hurried_connector(&folder);
    let state = folder.path().join("state.redb");
    let gateway = Gateway::with_connector(&connector, sandbox.url(), &state, &[]);
    sandbox.fail_next(Fault::Delay(Duration::from_secs(60)), creating(), 1);
    gateway.post(TICKETS, new_ticket()).await.expect(201);
    assert_eq!((made(&sandbox).len(), creations(&sandbox)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_was_not_made_is_made_in_a_second_attempt() {
    for fault in [
        Fault::Status(503, String::new()),
        Fault::Html,
        Fault::DropBeforeRequest,
    ] {
        let sandbox = teamswork(&[]).await;
        let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
        sandbox.fail_next(fault.clone(), creating(), 1);
        gateway.post(TICKETS, new_ticket()).await.expect(201);
        assert_eq!((made(&sandbox).len(), creations(&sandbox)), (1, 2), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn success_without_the_ticket_in_it_is_cleared_up_by_the_marker() {
    let sandbox = teamswork(&[Quirk::CreateWithoutItem]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    // Two tickets that only the marker tells apart.
    let first = gateway.post(TICKETS, new_ticket()).await.expect(201);
    let second = gateway.post(TICKETS, new_ticket()).await.expect(201);
    assert_ne!(first["raw_ticket"]["id"], second["raw_ticket"]["id"]);
    assert_eq!(made(&sandbox).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_search_fails_too_the_ticket_is_not_made_again() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    sandbox.fail_next(Fault::DropBeforeAnswer, creating(), 1);
    sandbox.fail_next(
        Fault::Status(400, json!({"error": true, "message": "no"}).to_string()),
        Calls::to("GET", "/tickets"),
        9,
    );
    let body = gateway.post(TICKETS, new_ticket()).await.expect(502);
    assert_eq!(
        body["error"]["details"]["safe_create"], "search_failed",
        "{body:#}"
    );
    assert_eq!((made(&sandbox).len(), creations(&sandbox)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_somebody_else_marked_is_not_the_one() {
    let key = [("idempotency-key", "order-67")];
    let body = new_ticket().to_string();
    // Who knows integration, key and request knows the marker: it is what another gateway would write.
    let elsewhere = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(elsewhere.url(), &[]);
    let first = gateway
        .request_with("POST", TICKETS, Some(body.clone()), &key)
        .await;
    first.expect(201);
    let original = made(&elsewhere).remove(0);
    let described = original["description"].as_str().expect("a description");
    let marker = described.lines().last().expect("a line");
    assert!(marker.starts_with("[tg-"), "{described}");

    let days_ago = Arc::new(AtomicI64::new(2));
    let sandbox = sandbox::teamswork::start(Options {
        primary_key: CANARY.to_owned(),
        rate_limit: None,
        clock: {
            let days_ago = Arc::clone(&days_ago);
            Arc::new(move || {
                jiff::Timestamp::now()
                    - jiff::SignedDuration::from_hours(24 * days_ago.load(Ordering::SeqCst))
            })
        },
        ..Options::default()
    })
    .await
    .expect("the sandbox starts");
    let old = json!({"title": "Planted", "description": described, "requestor": original["requestor"]});
    create_directly(&sandbox, &json!({"ticket": old, "user": original["requestor"]})).await;
    days_ago.store(0, Ordering::SeqCst);
    let stranger = json!({"id": "u-9", "name": "Stranger", "email": "stranger@example.com"});
    let planted = [
        // Of somebody else, and one of the same requester that only quotes the marker.
        (stranger, described.to_owned()),
        (original["requestor"].clone(), format!("See {marker}")),
        (original["requestor"].clone(), format!("{marker}\n\nas it said")),
    ];
    for (requestor, description) in &planted {
        let ticket = json!({"title": "Planted", "description": description, "requestor": requestor});
        create_directly(&sandbox, &json!({"ticket": ticket, "user": requestor})).await;
    }
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    sandbox.fail_next(Fault::Status(503, String::new()), creating(), 1);
    let answer = gateway.request_with("POST", TICKETS, Some(body), &key).await;
    let ticket = answer.expect(201)["raw_ticket"].clone();
    assert_eq!(ticket["short_description"], TITLE, "{ticket:#}");
    assert_eq!(made(&sandbox).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_between_the_ticket_and_its_record_leaves_one_ticket() {
    let sandbox = teamswork(&[]).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let connector = hurried_connector(&folder);
    let state = folder.path().join("state.redb");
    let key = [("idempotency-key", "order-66")];
    let body = new_ticket().to_string();

    // The ticket is made at once, and its answer is held back.
    sandbox.fail_next(Fault::Delay(Duration::from_secs(60)), creating(), 1);
    let gateway = Gateway::with_connector(&connector, sandbox.url(), &state, &[]);
    {
        let call = gateway.request_with("POST", TICKETS, Some(body.clone()), &key);
        tokio::pin!(call);
        let there = async {
            while made(&sandbox).is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = there => {}
            answer = &mut call => panic!("answered before the ticket was seen: {:#}", answer.body),
        }
    }
    gateway.kill();

    let gateway = Gateway::with_connector(&connector, sandbox.url(), &state, &[]);
    // Until the claim of the dead process is over, the key is taken.
    let answer = loop {
        let answer = gateway
            .request_with("POST", TICKETS, Some(body.clone()), &key)
            .await;
        if answer.status != 409 {
            break answer;
        }
        let wait = answer.headers["retry-after"]
            .to_str()
            .expect("text")
            .parse()
            .expect("seconds");
        assert!(wait <= 10, "{wait}");
        tokio::time::sleep(Duration::from_secs(wait)).await;
    };
    let ticket = answer.expect(201)["raw_ticket"].clone();
    assert_eq!((made(&sandbox).len(), creations(&sandbox)), (1, 1));
    assert_eq!(ticket["id"], made(&sandbox)[0]["id"]);

    let again = gateway.request_with("POST", TICKETS, Some(body), &key).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201)["raw_ticket"], ticket);
}

/// A copy of the connector that gives up early: half a second for a request, four for an action.
fn hurried_connector(folder: &tempfile::TempDir) -> PathBuf {
    let yaml = std::fs::read_to_string(teamswork_connector().join("integration.yaml")).expect("it is there");
    let hurried = yaml
        .replace("\n  timeout_seconds: 10\n", "\n  timeout_seconds: 0.5\n")
        .replace(
            "\n  action_timeout_seconds: 25\n",
            "\n  action_timeout_seconds: 4\n",
        );
    assert_ne!(yaml, hurried);
    let connector = folder.path().join("teamswork");
    std::fs::create_dir(&connector).expect("a folder");
    std::fs::write(connector.join("integration.yaml"), hurried).expect("a file");
    connector
}
