//! A state in either vocabulary, and what the state map makes of it.

use serde_json::{Value, json};

use crate::support::{DESK, Upstream, call, gateway, gateway_of, post};

async fn set(gateway: &actions::Gateway, body: Value) -> crate::support::Answer {
    call(gateway, "PUT", "/v1/desk/tickets/IT-7/state", body).await
}

#[tokio::test]
async fn either_vocabulary_fills_the_other() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    for (given, status, code) in [
        (json!({"state": "WIP"}), "Started", "WIP"),
        (json!({"state": "wip"}), "Started", "WIP"),
        (json!({"state": "Started"}), "Started", "WIP"),
        (json!({"state": " started "}), "Started", "WIP"),
        (json!({"internal_state_code": "NEW"}), "Open", "NEW"),
        (json!({"state": "Reopened"}), "Reopened", "NEW"),
        // Also an internal word; the system's own comes first, with its spelling.
        (json!({"state": "RESOLVED"}), "Resolved", "RESOLVED"),
        (
            json!({"state": "Closed", "internal_state_code": "CLOSED"}),
            "Closed",
            "CLOSED",
        ),
    ] {
        let answer = set(&gateway, given.clone()).await;
        assert_eq!(answer.status, 200, "{given}: {answer:?}");
        assert_eq!(
            upstream.last().body,
            json!({"status": status, "code": code}),
            "{given}"
        );
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_set_is_refused_with_those_that_can() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);

    let answer = set(&gateway, json!({"state": "Pending"})).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["state"]));
    for known in ["NEW", "WIP", "RESOLVED", "CLOSED", "Open", "Started"] {
        assert!(answer.message().contains(known), "{known}: {}", answer.message());
    }
    assert!(
        !answer.message().contains("WAITING_FOR_USER"),
        "nothing maps to it: {}",
        answer.message()
    );

    let answer = set(&gateway, json!({"state": "On Hold"})).await;
    assert_eq!(
        (answer.status, answer.fields()),
        (400, vec!["state"]),
        "read_only: {answer:?}"
    );

    let answer = set(&gateway, json!({"internal_state_code": "DONE"})).await;
    assert_eq!(
        (answer.status, answer.fields()),
        (400, vec!["internal_state_code"])
    );

    let answer = set(
        &gateway,
        json!({"state": "Open", "internal_state_code": "CLOSED"}),
    )
    .await;
    assert_eq!(
        (answer.status, answer.fields()),
        (400, vec!["internal_state_code"]),
        "they contradict"
    );

    let answer = set(&gateway, json!({"state": "WAITING_FOR_USER"})).await;
    assert_eq!((answer.status, answer.code()), (422, "ACTION_NOT_SUPPORTED"));

    let answer = set(&gateway, json!({})).await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["state"]));
    assert!(upstream.seen().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn resolve_and_reopen_take_only_states_that_mean_it() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);

    let answer = post(
        &gateway,
        "/v1/desk/tickets/IT-7/resolve",
        json!({"state": "CLOSED"}),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(upstream.last().body["status"], "Closed");
    let answer = post(
        &gateway,
        "/v1/desk/tickets/IT-7/resolve",
        json!({"state": "Open"}),
    )
    .await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["state"]));

    let answer = post(
        &gateway,
        "/v1/desk/tickets/IT-7/reopen",
        json!({"state": "Started"}),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = post(
        &gateway,
        "/v1/desk/tickets/IT-7/reopen",
        json!({"state": "Closed"}),
    )
    .await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["state"]));
}

/// A desk where an opened ticket is being worked on, and a solved one closed: `NEW` and `RESOLVED` are never set.
fn without_new_and_resolved() -> String {
    let states = "
    Open: {internal: NEW, read_only: true}
    Started: {internal: WIP, on: [reopen_ticket]}
    Resolved: {internal: RESOLVED, read_only: true}
    Closed: {internal: CLOSED, on: [resolve_ticket]}
  identity: {requestor: requestor_info.requestor.email_addr}
";
    format!("{}  states:{states}", DESK.split("  states:").next().unwrap())
}

#[tokio::test]
async fn resolve_and_reopen_lead_where_the_map_says() {
    let upstream = Upstream::desk().await;
    let gateway = gateway_of(&without_new_and_resolved(), &upstream, json!({}));
    for (action, status, code) in [("reopen", "Started", "WIP"), ("resolve", "Closed", "CLOSED")] {
        let answer = post(&gateway, &format!("/v1/desk/tickets/IT-7/{action}"), json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(upstream.last().body["status"], status, "{action}");
        assert_eq!(answer.body["raw_ticket"]["internal_state_code"], code, "{action}");
    }
    // Where `reopen_ticket` leads is still what WIP is.
    for body in [json!({"state": "WIP"}), json!({"state": "started"})] {
        let answer = set(&gateway, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(upstream.last().body, json!({"status": "Started", "code": "WIP"}));
    }
}

#[tokio::test]
async fn a_meaning_that_no_state_can_be_set_for_is_refused_where_it_is_asked_for() {
    let upstream = Upstream::desk().await;
    let gateway = gateway_of(&without_new_and_resolved(), &upstream, json!({}));
    let new = json!({"state": "NEW"});
    for answer in [
        set(&gateway, new.clone()).await,
        post(&gateway, "/v1/desk/tickets/IT-7/reopen", new).await,
    ] {
        assert_eq!((answer.status, answer.code()), (422, "ACTION_NOT_SUPPORTED"));
        assert!(
            answer.message().contains("can set for NEW; it knows WIP, CLOSED"),
            "{answer:?}"
        );
    }
    assert!(upstream.seen().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn without_a_state_map_the_contracts_words_go_through() {
    let upstream = Upstream::desk().await;
    let yaml = DESK.split("  states:").next().unwrap();
    let gateway = gateway_of(yaml, &upstream, json!({}));

    set(&gateway, json!({"state": "Whatever it is called"})).await;
    assert_eq!(
        upstream.last().body,
        json!({"status": "Whatever it is called", "code": null})
    );
    set(&gateway, json!({"state": "WIP"})).await;
    assert_eq!(upstream.last().body, json!({"status": "WIP", "code": "WIP"}));
    let answer = post(&gateway, "/v1/desk/tickets/IT-7/resolve", json!({})).await;
    assert_eq!(upstream.last().body["status"], "RESOLVED");
    assert!(answer.body["raw_ticket"].get("internal_state_code").is_none());
}

#[tokio::test]
async fn a_state_the_map_does_not_know_goes_out_without_a_meaning() {
    let upstream = Upstream::start(|_| {
        crate::support::reply(
            200,
            &json!({"id": 7, "status": "Escalated", "title": "x", "changed": "2026-01-05T12:00:00Z"}),
        )
    })
    .await;
    let answer = set(&gateway(&upstream), json!({"state": "WIP"})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["raw_ticket"]["state"], "Escalated");
    assert!(answer.body["raw_ticket"].get("internal_state_code").is_none());
}
