//! What goes wrong between the gateway and Gorgias, and what must never happen by accident.

use std::time::Duration;

use serde_json::{Value, json};

use crate::gorgias::{
    Calls, Fault, MOLLY, Options, Quirk, count, create, gateway, gorgias, id, kept, requestor, with,
};

const TICKETS: &str = "/v1/gorgias/tickets";

#[tokio::test(flavor = "multi_thread")]
async fn a_public_comment_is_mailed_only_where_the_installer_chose_it() {
    let comment = json!({"comment": "A new one is on its way", "requestor_info": requestor(MOLLY)});
    for (choice, mailed, from_agent) in [
        ("customer", 0, false),
        ("agent_stored", 0, true),
        ("agent_sent", 1, true),
    ] {
        let sandbox = gorgias(&[]).await;
        let setting = format!("public_comments={choice}");
        let gateway = gateway(&sandbox, &[&setting, "support_email=help@shop.example.com"]);
        let payload = json!({"short_description": "Zip broke", "channel": "email"});
        let ticket = create(&gateway, payload).await;
        let path = format!("{TICKETS}/{}/comments", id(&ticket));
        gateway.post(&path, comment.clone()).await.expect(201);
        assert_eq!(sandbox.sent().len(), mailed, "{choice}");
        let message = kept(&sandbox, id(&ticket))["messages"][1].clone();
        assert_eq!(message["from_agent"], from_agent, "{choice}");
        assert_eq!(message["channel"], "email", "the thread stays one, with {choice}");
        assert_eq!(message["public"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_of_somebody_else_is_theirs() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &[]);
    let ticket = create(&gateway, json!({"short_description": "Zip broke"})).await;
    let body = json!({"comment": "Mine too", "requestor_info": requestor("omar.haddad@example.com")});
    gateway
        .post(&format!("{TICKETS}/{}/comments", id(&ticket)), body)
        .await
        .expect(201);
    let message = kept(&sandbox, id(&ticket))["messages"][1].clone();
    assert_eq!(message["sender"]["email"], "omar.haddad@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_without_an_existing_user_is_refused_and_not_left_to_the_bot() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &["agent_email=nobody@example.com"]);
    let path = format!("{TICKETS}/5001/internal-comments");
    let (_, message) = gateway.post(&path, json!({"comment": "secret"})).await.error(502);
    assert!(message.contains("agent_email"), "{message}");
    assert_eq!(count(&sandbox, "POST", "/"), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_made_behind_a_dropped_connection_is_one_ticket_and_201() {
    for quirks in [&[][..], &[Quirk::ExternalIdLate]] {
        let sandbox = gorgias(quirks).await;
        let gateway = gateway(&sandbox, &[]);
        let before = sandbox.tickets().len();
        sandbox.fail_next(Fault::DropBeforeAnswer, Calls::to("POST", "/tickets"), 1);
        create(
            &gateway,
            json!({"short_description": "Made once", "custom_data": {"101": "A-7"}}),
        )
        .await;
        assert_eq!(sandbox.tickets().len(), before + 1, "{quirks:?}");
        assert_eq!(count(&sandbox, "POST", "/tickets"), 1, "{quirks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_gorgias_forgot_is_a_page_token_that_is_over() {
    let sandbox = with(Options {
        seed_tickets: 2_300,
        rate_limit: None,
        ..Options::default()
    })
    .await;
    let gateway = gateway(&sandbox, &[]);
    let range =
        format!("{TICKETS}?updated_start_ts=2000-01-01T00:00:00Z&updated_end_ts=2999-01-01T00:00:00Z");
    let first = gateway.get(&range).await.expect(200);
    let token = first["pagination_info"]["next_page_token"]
        .as_str()
        .expect("there is more");
    let second = gateway
        .get(&format!("{range}&page_token={token}"))
        .await
        .expect(200);
    assert!(second["pagination_info"]["next_page_token"].is_null());
    sandbox.expire_cursors();
    let (code, message) = gateway
        .get(&format!("{range}&page_token={token}"))
        .await
        .error(400);
    assert_eq!(code, "INPUT_VALIDATION_FAILED");
    assert!(message.contains("begin again"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answers_own_headers_slow_the_gateway_down_before_a_429() {
    // Six in the bucket, and it leaks one each half second.
    let sandbox = with(Options {
        seed_tickets: 3,
        rate_limit: Some((6, Duration::from_secs(3))),
        ..Options::default()
    })
    .await;
    let gateway = gateway(&sandbox, &[]);
    for _ in 0..12 {
        let answer = gateway.get(&format!("{TICKETS}/5001")).await;
        answer.expect(200);
    }
    assert_eq!(
        sandbox.requests().len(),
        12,
        "no request was refused and repeated"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_a_refusal_is_told() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &[]);
    let payload = json!({"short_description": "A", "custom_data": {"102": "No such choice"}});
    let body = json!({"payload": payload, "requestor_info": requestor(MOLLY)});
    let (code, message) = gateway.post(TICKETS, body).await.error(502);
    assert_eq!(code, "EXTERNAL_REST_ERROR");
    assert!(message.contains("custom field 102"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_helpdesk_is_named_as_such() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &[]);
    sandbox.fail_next(
        Fault::Status(
            404,
            "<html><h1>This helpdesk does not exist</h1></html>".to_owned(),
        ),
        Calls::any(),
        1,
    );
    let (_, message) = gateway.get(&format!("{TICKETS}/5001")).await.error(502);
    assert!(message.contains("domain"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_ticket_does_not_have_is_refused_before_anything_is_sent() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &[]);
    let cases = [
        (json!({"priority": "yesterday"}), "priority"),
        (json!({"tags": "one"}), "tags"),
        (json!({"tags": [1]}), "tags"),
        (json!({"custom_data": {"colour": "red"}}), "custom_data"),
        (json!({"custom_data": [1]}), "custom_data"),
        (json!({"meta": "x"}), "meta"),
        (json!({"requested_for": {"name": "Molly"}}), "requested_for"),
        (json!({"colour": "red"}), "colour"),
        (json!({"description": 7}), "description"),
    ];
    for (fields, word) in cases {
        let mut payload = fields.clone();
        payload["short_description"] = json!("A");
        let body = json!({"payload": payload, "requestor_info": requestor(MOLLY)});
        let (code, message) = gateway.post(TICKETS, body).await.error(400);
        assert_eq!(code, "INPUT_VALIDATION_FAILED", "{fields}");
        assert!(message.contains(word), "{fields}: {message}");
    }
    let body = json!({"payload": {"description": "Another text"}});
    let (_, message) = gateway.patch(&format!("{TICKETS}/5001"), body).await.error(400);
    assert!(message.contains("first message"), "{message}");
    for (body, word) in [
        (json!({"assignee": "nobody@example.com"}), "assignee"),
        (json!({"assignee": "Nobody"}), "assignee"),
        (json!({"assignment_group": "Kitchen"}), "assignment_group"),
    ] {
        let (code, message) = gateway
            .put(&format!("{TICKETS}/5001/assignment"), body)
            .await
            .error(400);
        assert_eq!(code, "INPUT_VALIDATION_FAILED");
        assert!(message.contains(word), "{message}");
    }
    let (code, _) = gateway.get(&format!("{TICKETS}/abc")).await.error(404);
    assert_eq!(code, "NOT_FOUND");
    let writes = sandbox
        .requests()
        .iter()
        .filter(|request| request.method != "GET")
        .count();
    assert_eq!(writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_can_be_an_internal_note() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &["attachments_as=internal_note"]);
    let body = json!({"file_name": "a.txt", "content": "YQ=="});
    gateway
        .post(&format!("{TICKETS}/5001/attachments"), body)
        .await
        .expect(201);
    let messages = kept(&sandbox, "5001")["messages"].clone();
    let message = messages
        .as_array()
        .and_then(|all| all.last())
        .expect("a message")
        .clone();
    assert_eq!(
        (&message["public"], &message["channel"]),
        (&Value::Bool(false), &json!("internal-note"))
    );
    assert_eq!(message["attachments"][0]["name"], "a.txt");
}
