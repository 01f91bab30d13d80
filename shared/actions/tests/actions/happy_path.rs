//! Each action does what the integration says, with the context of the contract.

use serde_json::json;

use crate::support::{DESK, Upstream, call, gateway, gateway_of, get, install, post, record, reply};

#[tokio::test]
async fn create_joins_what_two_chained_calls_answered() {
    let upstream = Upstream::desk().await;
    let answer = post(
        &gateway(&upstream),
        "/v1/desk/tickets",
        json!({
            "payload": {"short_description": "Second monitor stays dark", "description": "Since \"Friday\"."},
            "requestor_info": {"requestor": {"email_addr": "molly@example.com", "badge": 12}},
        }),
    )
    .await;

    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(
        answer.body,
        json!({"raw_ticket": {
            "id": "7",
            "state": "Open",
            "short_description": "Second monitor stays dark",
            "updated_at": "2026-01-05T12:00:00.000000Z",
            "internal_state_code": "NEW",
        }})
    );
    assert_eq!(upstream.lines(), ["POST /records", "GET /records/7"]);
    assert_eq!(
        upstream.seen()[0].body,
        json!({
            "title": "Second monitor stays dark",
            "text": "Since \"Friday\".",
            "table": "incidents",
            // What `ticketing.identity` made of the requestor.
            "by": "molly@example.com",
        })
    );
}

#[tokio::test]
async fn a_ticket_is_read_with_its_comments_from_a_second_call() {
    let upstream = Upstream::start(|seen| {
        if seen.path.ends_with("/notes") {
            reply(
                200,
                &json!({"items": [{"id": 1, "text": "Hello", "at": 1_767_609_045_123_i64}]}),
            )
        } else {
            reply(
                200,
                &json!({
                    "id": 7, "status": "on hold", "title": "Dark", "changed": "2026-01-05T12:00:00Z",
                    "made": 1_767_609_045, "priority": 3, "closed_at": null, "resolved_at": "",
                    "site": "LIS-2", "custom_data": {"floor": null},
                }),
            )
        }
    })
    .await;
    let answer = get(&gateway(&upstream), "/v1/desk/tickets/IT-7").await;

    assert_eq!(answer.status, 200, "{answer:?}");
    let ticket = &answer.body["raw_ticket"];
    assert_eq!(ticket["id"], "7");
    assert_eq!(ticket["priority"], "3");
    assert_eq!(
        ticket["internal_state_code"], "WIP",
        "the map is read without regard to case"
    );
    assert_eq!(ticket["created_at"], "2026-01-05T10:30:45.000000Z");
    assert_eq!(
        ticket["comments"],
        json!([{"id": "1", "body": "Hello", "created_at": "2026-01-05T10:30:45.123000Z"}])
    );
    assert_eq!(
        ticket["custom_data"],
        json!({"floor": null}),
        "custom data stays as it is"
    );
    for absent in ["closed_at", "resolved_at"] {
        assert!(
            ticket.get(absent).is_none(),
            "{absent} says nothing, so it is left out"
        );
    }
}

#[tokio::test]
async fn fields_state_and_assignment_are_changed() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);

    let answer = call(
        &gateway,
        "PATCH",
        "/v1/desk/tickets/IT-7",
        json!({"payload": {"priority": "High"}}),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(upstream.last().line(), "PATCH /records/IT-7");
    assert_eq!(upstream.last().body, json!({"priority": "High"}));

    let answer = call(
        &gateway,
        "PUT",
        "/v1/desk/tickets/IT-7/state",
        json!({"state": "WIP"}),
    )
    .await;
    assert_eq!(answer.body["raw_ticket"]["state"], "Started");
    assert_eq!(upstream.last().body, json!({"status": "Started", "code": "WIP"}));

    for (given, sent) in [
        (
            json!({"assignee": "ben@example.com"}),
            json!({"group": null, "owner": "ben@example.com"}),
        ),
        (
            json!({"assignee": {"id": "12", "name": "Ben"}, "assignment_group": "IT"}),
            json!({"group": "IT", "owner": {"id": "12", "name": "Ben"}}),
        ),
    ] {
        let answer = call(&gateway, "PUT", "/v1/desk/tickets/IT-7/assignment", given).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(upstream.last().body, sent);
    }
}

#[tokio::test]
async fn a_public_comment_reads_the_ticket_first_because_its_mapping_uses_more_than_the_id() {
    let upstream = Upstream::desk().await;
    let answer = post(
        &gateway(&upstream),
        "/v1/desk/tickets/IT-7/comments",
        json!({"comment": "It works."}),
    )
    .await;

    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(
        upstream.lines(),
        [
            "GET /records/IT-7",
            "GET /records/IT-7/notes",
            "POST /records/IT-7/notes"
        ]
    );
    assert_eq!(
        upstream.last().body,
        json!({"text": "It works.", "private": false, "state_then": "Open"})
    );
    assert_eq!(
        answer.body,
        json!({"comment": {
            "id": "7", "created_at": "2026-01-05T10:30:00.000000Z", "body": "It works.", "is_public": true,
        }})
    );
}

#[tokio::test]
async fn an_internal_comment_reads_no_ticket_and_is_not_public() {
    let upstream = Upstream::desk().await;
    let gateway = gateway_of(DESK, &upstream, json!({"notes": true}));
    let answer = post(
        &gateway,
        "/v1/desk/tickets/IT-7/internal-comments",
        json!({"comment": "Known fault."}),
    )
    .await;

    assert_eq!(upstream.lines(), ["POST /records/IT-7/notes"]);
    assert_eq!(answer.body["comment"]["is_public"], false);
    assert_eq!(answer.body["comment"]["body"], "Known fault.");
}

#[tokio::test]
async fn an_attachment_is_sent_as_base64_and_described_from_what_was_sent() {
    let upstream = Upstream::desk().await;
    let answer = post(
        &gateway(&upstream),
        "/v1/desk/tickets/IT-7/attachments",
        json!({"file_name": "note.txt", "content": "SGVsbG8=", "content_type": "text/plain", "comment": "see"}),
    )
    .await;

    assert_eq!(
        upstream.last().body,
        json!({"name": "note.txt", "content": "SGVsbG8=", "type": "text/plain", "note": "see"})
    );
    assert_eq!(
        answer.body,
        json!({"attachment": {"id": "7", "file_name": "note.txt", "content_type": "text/plain"}})
    );
}

#[tokio::test]
async fn resolve_and_reopen_need_no_body() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);

    let answer = post(&gateway, "/v1/desk/tickets/IT-7/resolve", serde_json::Value::Null).await;
    assert_eq!(
        answer.body["raw_ticket"]["internal_state_code"], "RESOLVED",
        "{answer:?}"
    );
    assert_eq!(
        upstream.lines(),
        ["PATCH /records/IT-7"],
        "without a comment the second step is skipped"
    );

    let answer = post(&gateway, "/v1/desk/tickets/IT-7/reopen", serde_json::Value::Null).await;
    assert_eq!(answer.body["raw_ticket"]["state"], "Reopened");
}

#[tokio::test]
async fn a_comment_with_a_resolution_runs_the_step_that_waits_for_it() {
    let upstream = Upstream::desk().await;
    let body = json!({"resolution": "Rolled back.", "comment": "Fixed."});
    let answer = post(&gateway(&upstream), "/v1/desk/tickets/IT-7/resolve", body).await;

    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        upstream.lines(),
        ["PATCH /records/IT-7", "POST /records/IT-7/notes"]
    );
    assert_eq!(
        upstream.seen()[0].body,
        json!({"status": "Resolved", "resolution": "Rolled back."})
    );
}

#[tokio::test]
async fn the_idempotency_key_or_a_new_id_reaches_the_templates() {
    let upstream = Upstream::start(record).await;
    let gateway = gateway(&upstream);
    let input = json!({"payload": {"short_description": "x"}});
    let request = actions::RequestMeta {
        request_id: "r-1".to_owned(),
        action_instance_id: Some("key-1".to_owned()),
    };
    gateway
        .perform("desk", actions::TasAction::CreateTicket, input.clone(), &request)
        .await
        .unwrap();
    assert_eq!(upstream.seen()[0].headers["x-attempt"], "key-1");

    gateway
        .perform(
            "desk",
            actions::TasAction::CreateTicket,
            input,
            &actions::RequestMeta::new(),
        )
        .await
        .unwrap();
    assert_eq!(upstream.seen()[2].headers["x-attempt"].len(), 36, "a UUID");
}

#[tokio::test]
async fn an_action_takes_the_same_fields_without_http() {
    let upstream = Upstream::desk().await;
    let answer = gateway(&upstream)
        .perform(
            "desk",
            actions::TasAction::UpdateTicketState,
            json!({"ticket_id": "IT-7", "state": "closed"}),
            &actions::RequestMeta::new(),
        )
        .await
        .unwrap();
    assert_eq!(answer["raw_ticket"]["state"], "Closed");
}

#[tokio::test]
async fn two_integrations_of_one_name_are_refused() {
    let upstream = Upstream::desk().await;
    let one = || install(DESK, json!({"base_url": upstream.address}));
    let built = actions::Gateway::builder(crate::support::client())
        .integration(one())
        .integration(one())
        .build();
    assert!(built.is_err_and(|error| error.to_string().contains("`desk`")));
}

#[tokio::test]
async fn describe_runs_without_a_context() {
    let upstream = Upstream::start(|_| reply(200, &json!({"items": [{"title": "Laptops"}]}))).await;
    let gateway = gateway(&upstream);
    let request = actions::RequestMeta::new();
    assert_eq!(
        gateway.describe("desk", &request).await.unwrap(),
        json!({"records": [{"name": "Laptops"}]})
    );
    assert_eq!(
        gateway.describe("other", &request).await.unwrap_err().code(),
        actions::ErrorCode::NotFound
    );
}
