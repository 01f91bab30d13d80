//! The twelve ticket actions over HTTP against Gorgias: as documented, with each reported difference alone, and with
//! all of them at once.

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::gorgias::{KEY, MOLLY, Quirk, Running, count, create, gateway, gorgias, id, kept, requestor};

const EVER: &str = "updated_start_ts=2000-01-01T00:00:00Z&updated_end_ts=2999-01-01T00:00:00Z";

/// What an installer sets whose account has these quirks: the documentation contradicts itself there.
pub(crate) fn settings(quirks: &[Quirk]) -> Vec<&'static str> {
    let mut settings = Vec::new();
    if quirks.contains(&Quirk::NoteViaApi) {
        settings.push("note_via=api");
    }
    if quirks.contains(&Quirk::SmsSourceType) {
        settings.push("sms_source_type=sms");
    }
    settings
}

fn ids(tickets: &Value) -> Vec<String> {
    let tickets = tickets["raw_tickets"].as_array().expect("a list");
    tickets.iter().map(|ticket| id(ticket).to_owned()).collect()
}

/// Each action once, and what the stand-in and the callers then see.
pub(crate) async fn all_twelve(sandbox: &Running, gateway: &Gateway) {
    // Create.
    let ticket = create(
        gateway,
        json!({"short_description": "Zip broke", "description": "On <day> one.\nReally.", "priority": "medium",
               "tags": ["bags"], "meta": {"order": "A-7"}, "custom_data": {"101": "A-7"}}),
    )
    .await;
    assert_eq!(ticket["short_description"], "Zip broke");
    assert_eq!(ticket["description"], "On <day> one.\nReally.");
    assert_eq!(ticket["requested_for"], MOLLY);
    assert_eq!(ticket["internal_state_code"], "NEW");
    assert_eq!(ticket["custom_data"]["101"], "A-7");
    let updated_at = ticket["updated_at"].as_str().expect("a time");
    assert!(
        updated_at.len() == 27 && updated_at.ends_with('Z'),
        "UTC with microseconds: {updated_at}"
    );
    let there = kept(sandbox, id(&ticket));
    assert_eq!(there["priority"], "normal");
    assert_eq!(
        there["messages"][0]["body_html"],
        "On &lt;day&gt; one.<br>Really."
    );
    let path = format!("/v1/gorgias/tickets/{}", id(&ticket));

    // Query by id.
    let read = gateway.get(&path).await.expect(200)["raw_ticket"].clone();
    assert_eq!(read["short_description"], "Zip broke");

    // Query by requestor, in any case; and a stranger has none.
    let mine = gateway
        .get("/v1/gorgias/requestors/Molly.Buyer@example.com/tickets")
        .await
        .expect(200);
    assert_eq!(ids(&mine), [id(&ticket)]);
    let nobody = gateway
        .get("/v1/gorgias/requestors/nobody@example.com/tickets")
        .await
        .expect(200);
    assert_eq!(ids(&nobody), [] as [&str; 0]);

    // Query by time range.
    let from = read["updated_at"].as_str().expect("a time");
    let range = format!("/v1/gorgias/tickets?updated_start_ts={from}&updated_end_ts=2999-01-01T00:00:00Z");
    assert_eq!(ids(&gateway.get(&range).await.expect(200)), [id(&ticket)]);

    // Update fields: what is not named stays.
    let body = json!({"payload": {"short_description": "Zip is fine", "priority": "high", "add_tags": ["calm"],
                                  "custom_data": {"103": true}, "meta": {"seen": "yes"}}});
    let updated = gateway.patch(&path, body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(updated["short_description"], "Zip is fine");
    assert_eq!(updated["custom_data"]["tags"], json!(["bags", "calm"]));
    let there = kept(sandbox, id(&ticket));
    assert_eq!(there["priority"], "high");
    assert_eq!(there["meta"], json!({"order": "A-7", "seen": "yes"}));
    assert_eq!(there["custom_fields"]["101"]["value"], "A-7");
    assert_eq!(there["custom_fields"]["103"]["value"], true);

    // Update state, and the mark survives a new list of tags.
    let body = json!({"state": "WIP"});
    let started = gateway.put(&format!("{path}/state"), body).await.expect(200);
    assert_eq!(started["raw_ticket"]["internal_state_code"], "WIP");
    let body = json!({"payload": {"tags": ["bags"]}});
    let tagged = gateway.patch(&path, body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(tagged["internal_state_code"], "WIP");
    assert_eq!(tagged["custom_data"]["tags"], json!(["bags", "in-progress"]));

    // Public and internal comment.
    let body = json!({"comment": "It broke <again>", "requestor_info": requestor(MOLLY)});
    let public = gateway.post(&format!("{path}/comments"), body).await.expect(201)["comment"].clone();
    assert_eq!(public["is_public"], true);
    assert_eq!(public["author"], MOLLY);
    let body = json!({"comment": "Send a new one"});
    let internal = gateway
        .post(&format!("{path}/internal-comments"), body)
        .await
        .expect(201)["comment"]
        .clone();
    assert_eq!(internal["is_public"], false);
    assert_eq!(internal["author"], "support@example.com");

    // Attachment.
    let body = json!({"file_name": "zip.txt", "content": "YnJva2Vu", "content_type": "text/plain",
                      "comment": "A picture in words", "requestor_info": requestor(MOLLY)});
    let attached = gateway
        .post(&format!("{path}/attachments"), body)
        .await
        .expect(201)["attachment"]
        .clone();
    assert_eq!(attached["file_name"], "zip.txt");
    assert_eq!(attached["size"], 6);
    assert_eq!(sandbox.files()[0]["content"], "YnJva2Vu");

    // Resolve and close differ, though Gorgias knows one word; then reopen.
    let body = json!({"comment": "Replaced"});
    let resolved = gateway.post(&format!("{path}/resolve"), body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(resolved["internal_state_code"], "RESOLVED");
    let body = json!({"state": "CLOSED"});
    let closed = gateway.put(&format!("{path}/state"), body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(closed["internal_state_code"], "CLOSED");
    assert_eq!(kept(sandbox, id(&ticket))["status"], "closed");
    let body = json!({"comment": "Broke again"});
    let reopened = gateway.post(&format!("{path}/reopen"), body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(reopened["internal_state_code"], "NEW");

    // Update assignment, to a person by address or name and to a team.
    let body = json!({"assignee": "NOOR.agent@example.com", "assignment_group": "returns"});
    let assigned = gateway.put(&format!("{path}/assignment"), body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(assigned["assigned_to_user"], "noor.agent@example.com");
    assert_eq!(assigned["assignment_group"], "Returns");
    let body = json!({"assignee": "sam agent"});
    let assigned = gateway.put(&format!("{path}/assignment"), body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(assigned["assigned_to_user"], "sam.agent@example.com");
    assert_eq!(assigned["assignment_group"], "Returns");

    // And all of it is there afterwards; nothing of it was sent to the customer.
    let read = gateway.get(&path).await.expect(200)["raw_ticket"].clone();
    let comments = read["comments"].as_array().expect("a list").clone();
    let said: Vec<_> = comments
        .iter()
        .map(|comment| {
            (
                comment["body"].as_str().unwrap_or_default(),
                comment["is_public"] == true,
            )
        })
        .collect();
    let expected = [
        ("It broke <again>", true),
        ("Send a new one", false),
        ("A picture in words", true),
        ("Replaced", false),
        ("Broke again", false),
    ];
    assert_eq!(said, expected);
    assert_eq!(read["attachments"][0]["file_name"], "zip.txt");
    assert_eq!(sandbox.sent(), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_twelve_as_documented() {
    let sandbox = gorgias(&[]).await;
    all_twelve(&sandbox, &gateway(&sandbox, &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_twelve_with_every_quirk_on() {
    let sandbox = gorgias(Quirk::all()).await;
    let gateway = gateway(&sandbox, &settings(Quirk::all()));
    all_twelve(&sandbox, &gateway).await;
    assert!(!gateway.interrupt().contains(KEY), "the key is in no log line");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_quirk_alone_changes_nothing_for_the_caller() {
    for quirk in Quirk::all() {
        let sandbox = gorgias(&[*quirk]).await;
        let gateway = gateway(&sandbox, &settings(&[*quirk]));
        let done = tokio::spawn(async move { all_twelve(&sandbox, &gateway).await }).await;
        assert!(done.is_ok(), "with the quirk {quirk}: {}", quirk.description());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_walked_cursor_by_cursor_and_each_ticket_comes_once() {
    for quirks in [
        &[][..],
        &[Quirk::PagesOverlap],
        &[Quirk::CursorRepeats],
        &[Quirk::ListsShowTrashed],
    ] {
        let sandbox = crate::gorgias::with(crate::gorgias::Options {
            quirks: quirks.iter().copied().collect(),
            seed_tickets: 350,
            rate_limit: None,
            ..Default::default()
        })
        .await;
        let gateway = gateway(&sandbox, &[]);
        let mut found = ids(&gateway
            .get(&format!("/v1/gorgias/tickets?{EVER}"))
            .await
            .expect(200));
        let trashed = sandbox
            .tickets()
            .iter()
            .filter(|ticket| !ticket["trashed_datetime"].is_null())
            .count();
        assert_eq!(
            found.len(),
            350 - trashed,
            "those in the trash are left out, with {quirks:?}"
        );
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 350 - trashed, "each once, with {quirks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_ends_where_the_time_range_begins() {
    let sandbox = crate::gorgias::with(crate::gorgias::Options {
        seed_tickets: 350,
        rate_limit: None,
        ..Default::default()
    })
    .await;
    let gateway = gateway(&sandbox, &[]);
    let all = sandbox.tickets();
    let fifth = all[all.len() - 5]["updated_datetime"].as_str().expect("a time");
    let range = format!("/v1/gorgias/tickets?updated_start_ts={fifth}Z&updated_end_ts=2999-01-01T00:00:00Z");
    assert_eq!(ids(&gateway.get(&range).await.expect(200)).len(), 5);
    assert_eq!(count(&sandbox, "GET", "/tickets"), 1, "one page tells enough");
    let asked = &sandbox.requests()[0];
    assert_eq!(asked.parameter("order_by"), Some("updated_datetime:desc"));
    assert_eq!(asked.parameter("trashed"), Some("false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_was_merged_is_found_and_changed_under_its_old_number() {
    let sandbox = gorgias(&[]).await;
    assert!(sandbox.merge(5_003, 5_001));
    let gateway = gateway(&sandbox, &[]);
    let read = gateway.get("/v1/gorgias/tickets/5003").await.expect(200);
    assert_eq!(read["raw_ticket"]["id"], "5001");
    let body = json!({"comment": "Mine too"});
    gateway
        .post("/v1/gorgias/tickets/5003/internal-comments", body)
        .await
        .expect(201);
    let messages = kept(&sandbox, "5001")["messages"]
        .as_array()
        .expect("a list")
        .clone();
    assert!(messages.iter().any(|message| message["body_text"] == "Mine too"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_conversation_is_read_whole() {
    let sandbox = gorgias(&[Quirk::MessagesCut]).await;
    let gateway = gateway(&sandbox, &[]);
    for number in 0..34 {
        let body = json!({"comment": format!("Line {number}")});
        gateway
            .post("/v1/gorgias/tickets/5001/internal-comments", body)
            .await
            .expect(201);
    }
    let read = gateway.get("/v1/gorgias/tickets/5001").await.expect(200);
    let comments = read["raw_ticket"]["comments"].as_array().expect("a list");
    assert_eq!((comments.len(), &comments[33]["body"]), (34, &json!("Line 33")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_the_ticket_has_already_sends_no_change() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &[]);
    let ticket = create(&gateway, json!({"short_description": "A"})).await;
    let path = format!("/v1/gorgias/tickets/{}/resolve", id(&ticket));
    gateway.post(&path, json!({})).await.expect(200);
    sandbox.forget_requests();
    gateway.post(&path, json!({})).await.expect(200);
    assert!(sandbox.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn resolved_and_closed_can_also_be_told_apart_by_a_custom_field_or_not_at_all() {
    let sandbox = gorgias(&[Quirk::CustomFieldsReplaced]).await;
    let by_field = gateway(&sandbox, &["state_marker=custom_field", "state_field=105"]);
    let ticket = create(
        &by_field,
        json!({"short_description": "A", "custom_data": {"101": "A-7"}}),
    )
    .await;
    let path = format!("/v1/gorgias/tickets/{}", id(&ticket));
    for (state, outcome) in [
        ("WIP", json!("in progress")),
        ("RESOLVED", json!("resolved")),
        ("CLOSED", json!("closed")),
        ("NEW", Value::Null),
    ] {
        let changed = by_field
            .put(&format!("{path}/state"), json!({"state": state}))
            .await
            .expect(200);
        assert_eq!(changed["raw_ticket"]["internal_state_code"], state);
        let there = kept(&sandbox, id(&ticket));
        assert_eq!(there["custom_fields"]["105"]["value"], outcome);
        assert_eq!(
            there["custom_fields"]["101"]["value"], "A-7",
            "the other fields stay"
        );
        assert_eq!(there["tags"], json!([]));
    }
    let not_at_all = gateway(&sandbox, &["state_marker=none", "closed_reads_as=resolved"]);
    let closed = not_at_all
        .put(&format!("{path}/state"), json!({"state": "CLOSED"}))
        .await
        .expect(200);
    assert_eq!(closed["raw_ticket"]["internal_state_code"], "RESOLVED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_waits_is_snoozed_where_the_installer_says_for_how_long() {
    let sandbox = gorgias(&[]).await;
    let without = gateway(&sandbox, &[]);
    let body = json!({"state": "WAITING_FOR_USER"});
    let (code, message) = without
        .put("/v1/gorgias/tickets/5001/state", body.clone())
        .await
        .error(422);
    assert_eq!(code, "ACTION_NOT_SUPPORTED");
    assert!(message.contains("snooze_hours"), "{message}");
    let with = gateway(&sandbox, &["snooze_hours=24"]);
    let waiting = with.put("/v1/gorgias/tickets/5001/state", body).await.expect(200);
    assert_eq!(waiting["raw_ticket"]["internal_state_code"], "WAITING_FOR_USER");
    let body = json!({"state": "NEW"});
    with.put("/v1/gorgias/tickets/5001/state", body).await.expect(200);
    assert!(kept(&sandbox, "5001")["snooze_datetime"].is_null());
}
