//! The twelve ticket actions over HTTP against TeamsWork: as the reference has it, and with every
//! reported difference of a live installation at once.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Quirk, Running, direct, teamswork};

/// Both optional capabilities on; the sandbox has them under its quirks.
const CAPABLE: [&str; 4] = [
    "--set",
    "teamswork.internal_comments=true",
    "--set",
    "teamswork.attachments=true",
];

fn requestor() -> Value {
    json!({"requestor": {"full_name": "Molly Agent", "email_addr": "molly.agent@example.com", "user_id_info": {
        "user_itsm_id_info": [{"system": "TEAMSWORK", "external_id": "0d2c7a54-7c1b-4f0e-9a53-1d3c8a7e0001",
                               "integration_id": "teamswork"}]}}})
}

async fn create(gateway: &Gateway, payload: Value) -> Value {
    let body = json!({"payload": payload, "requestor_info": requestor()});
    gateway.post("/v1/teamswork/tickets", body).await.expect(201)["raw_ticket"].clone()
}

fn id(ticket: &Value) -> &str {
    ticket["id"].as_str().expect("a ticket has an id")
}

/// The people whom the instance lists as assignees, as `{id, name, email}`.
async fn assignees(sandbox: &Running) -> Vec<Value> {
    let instance = direct(sandbox, "/instance").await;
    let instance = if instance["item"].is_object() {
        &instance["item"]
    } else {
        &instance
    };
    let people = instance["assignees"]["peoples"]
        .as_array()
        .expect("a list of people");
    let either = |person: &Value, one: &str, other: &str| {
        if person[one].is_null() {
            person[other].clone()
        } else {
            person[one].clone()
        }
    };
    people
        .iter()
        .map(|person| {
            json!({"id": either(person, "id", "key"), "name": either(person, "name", "text"),
                   "email": either(person, "email", "secondaryText")})
        })
        .collect()
}

async fn all_twelve(sandbox: &Running, gateway: &Gateway) {
    // Create, with the priority that TeamsWork ignores at first.
    let ticket = create(
        gateway,
        json!({"short_description": "Second monitor stays dark", "description": "HDMI-2 has no signal.",
               "priority": "critical"}),
    )
    .await;
    assert_eq!(ticket["short_description"], "Second monitor stays dark");
    assert_eq!(ticket["priority"], "Urgent");
    assert_eq!(ticket["requested_for"], "molly.agent@example.com");
    assert_eq!(ticket["internal_state_code"], "NEW");
    let updated_at = ticket["updated_at"].as_str().expect("a time");
    assert!(
        updated_at.len() == 27 && updated_at.ends_with('Z'),
        "UTC with microseconds: {updated_at}"
    );
    let path = format!("/v1/teamswork/tickets/{}", id(&ticket));

    // Query by id, by the UUID and by the number that people quote.
    let read = gateway.get(&path).await.expect(200)["raw_ticket"].clone();
    assert_eq!(id(&read), id(&ticket));
    let number = read["number"].as_str().expect("a number").to_owned();
    let by_number = gateway
        .get(&format!("/v1/teamswork/tickets/{number}"))
        .await
        .expect(200);
    assert_eq!(id(&by_number["raw_ticket"]), id(&ticket));

    // Query by requestor.
    let mine = gateway
        .get("/v1/teamswork/requestors/Molly.Agent@example.com/tickets")
        .await
        .expect(200);
    let mine = mine["raw_tickets"].as_array().expect("a list").clone();
    assert_eq!(mine.iter().map(id).collect::<Vec<_>>(), [id(&ticket)]);

    // Query by time range.
    let from = &read["updated_at"].as_str().expect("a time")[..19];
    let range = format!("/v1/teamswork/tickets?updated_start_ts={from}Z&updated_end_ts=2999-01-01T00:00:00Z");
    let changed = gateway.get(&range).await.expect(200)["raw_tickets"]
        .as_array()
        .expect("a list")
        .clone();
    assert_eq!(changed.iter().map(id).collect::<Vec<_>>(), [id(&ticket)]);

    // Update fields.
    let body = json!({"payload": {"short_description": "Monitor is back", "priority": "low"},
                      "requestor_info": requestor()});
    let updated = gateway.patch(&path, body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(updated["short_description"], "Monitor is back");
    assert_eq!(updated["priority"], "Low");

    // Update state, by the internal code.
    let started = gateway
        .put(&format!("{path}/state"), json!({"state": "WIP"}))
        .await
        .expect(200);
    assert_eq!(started["raw_ticket"]["internal_state_code"], "WIP");

    // Update assignment, by an address from the instance's list.
    let assignee = assignees(sandbox).await[0].clone();
    let address = assignee["email"].as_str().expect("an address");
    let body = json!({"assignee": address.to_uppercase()});
    let assigned = gateway.put(&format!("{path}/assignment"), body).await.expect(200);
    assert_eq!(assigned["raw_ticket"]["assigned_to_user"], address);

    // Public and internal comment.
    let body = json!({"comment": "Works after a restart of the dock", "requestor_info": requestor()});
    let public = gateway.post(&format!("{path}/comments"), body).await.expect(201)["comment"].clone();
    assert_eq!(public["is_public"], true);
    let body = json!({"comment": "Dock firmware is old"});
    let internal = gateway
        .post(&format!("{path}/internal-comments"), body)
        .await
        .expect(201)["comment"]
        .clone();
    assert_eq!(internal["is_public"], false);

    // Attachment.
    let content = base64::engine::general_purpose::STANDARD.encode("dmesg output");
    let body = json!({"file_name": "dmesg.txt", "content_type": "text/plain", "content": content});
    let attachment = gateway
        .post(&format!("{path}/attachments"), body)
        .await
        .expect(201)["attachment"]
        .clone();
    assert_eq!(attachment["file_name"], "dmesg.txt");

    // Resolve and reopen.
    let body = json!({"comment": "Replaced the cable"});
    let resolved = gateway.post(&format!("{path}/resolve"), body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(resolved["internal_state_code"], "RESOLVED");
    let body = json!({"comment": "Dark again"});
    let reopened = gateway.post(&format!("{path}/reopen"), body).await.expect(200)["raw_ticket"].clone();
    assert_eq!(reopened["internal_state_code"], "NEW");

    // And all of it is there afterwards.
    let read = gateway.get(&path).await.expect(200)["raw_ticket"].clone();
    let comments = read["comments"].as_array().expect("a list").clone();
    let of = |body: &str| {
        comments
            .iter()
            .find(|comment| comment["body"] == body)
            .expect(body)
            .clone()
    };
    assert_eq!(of("Works after a restart of the dock")["is_public"], true);
    assert_eq!(of("Dock firmware is old")["is_public"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_twelve_with_every_quirk_on() {
    let sandbox = teamswork(Quirk::all()).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &CAPABLE);
    all_twelve(&sandbox, &gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_twelve_as_the_reference_has_it() {
    // The reference has neither private comments nor attachments.
    let sandbox = teamswork(&[Quirk::PrivateComments, Quirk::Attachments]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &CAPABLE);
    all_twelve(&sandbox, &gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_quirk_alone_changes_nothing_for_the_caller() {
    for quirk in Quirk::all() {
        let sandbox = teamswork(&[*quirk, Quirk::PrivateComments, Quirk::Attachments]).await;
        let gateway = Gateway::for_teamswork(sandbox.url(), &CAPABLE);
        let done = tokio::spawn(async move { all_twelve(&sandbox, &gateway).await }).await;
        assert!(
            done.is_ok(),
            "with the quirk {}: {}",
            quirk.name(),
            quirk.description()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_the_instance_lacks_answers_422_and_sends_nothing() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    let ticket = create(&gateway, json!({"short_description": "A", "description": "B"})).await;
    let path = format!("/v1/teamswork/tickets/{}", id(&ticket));
    let before = sandbox.requests().len();
    let (code, message) = gateway
        .post(&format!("{path}/internal-comments"), json!({"comment": "secret"}))
        .await
        .error(422);
    assert_eq!(code, "ACTION_NOT_SUPPORTED");
    assert!(message.contains("internal_comments"), "{message}");
    let body = json!({"file_name": "a.txt", "content": "YQ=="});
    let (code, _) = gateway
        .post(&format!("{path}/attachments"), body)
        .await
        .error(422);
    assert_eq!(code, "ACTION_NOT_SUPPORTED");
    assert_eq!(sandbox.requests().len(), before, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_comment_that_was_stored_as_public_is_reported() {
    // The installer turned the setting on, the instance does not have the feature.
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &CAPABLE);
    let ticket = create(&gateway, json!({"short_description": "A"})).await;
    let path = format!("/v1/teamswork/tickets/{}/internal-comments", id(&ticket));
    let (code, message) = gateway.post(&path, json!({"comment": "secret"})).await.error(502);
    assert_eq!(code, "EXTERNAL_REST_ERROR");
    assert!(message.to_lowercase().contains("public"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_walked_page_by_page() {
    for quirks in [
        &[][..],
        &[Quirk::TokenInHeader],
        &[Quirk::TokenMissing],
        &[Quirk::TokenRepeats],
        &[Quirk::PagesOverlap],
    ] {
        let sandbox = teamswork(quirks).await;
        let gateway = Gateway::for_teamswork(sandbox.url(), &["--set", "teamswork.page_size=7"]);
        let path =
            "/v1/teamswork/tickets?updated_start_ts=2000-01-01T00:00:00Z&updated_end_ts=2999-01-01T00:00:00Z";
        let tickets = gateway.get(path).await.expect(200)["raw_tickets"]
            .as_array()
            .expect("a list")
            .clone();
        let mut ids: Vec<_> = tickets.iter().map(|ticket| id(ticket).to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(
            (ids.len(), tickets.len()),
            (40, 40),
            "each ticket once, with {quirks:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_leads_on_and_belongs_to_its_query() {
    let sandbox = teamswork(&[]).await;
    // Twenty pages of one ticket make a call.
    let gateway = Gateway::for_teamswork(sandbox.url(), &["--set", "teamswork.page_size=1"]);
    let range = "updated_start_ts=2000-01-01T00:00:00Z&updated_end_ts=2999-01-01T00:00:00Z";
    let first = gateway
        .get(&format!("/v1/teamswork/tickets?{range}"))
        .await
        .expect(200);
    let token = first["pagination_info"]["next_page_token"]
        .as_str()
        .expect("there is more")
        .to_owned();
    let second = gateway
        .get(&format!("/v1/teamswork/tickets?{range}&page_token={token}"))
        .await
        .expect(200);
    let mut ids: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["raw_tickets"].as_array().expect("a list"))
        .map(|ticket| id(ticket).to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    let other = format!(
        "/v1/teamswork/tickets?updated_start_ts=2001-01-01T00:00:00Z&updated_end_ts=2999-01-01T00:00:00Z&page_token={token}"
    );
    let (code, message) = gateway.get(&other).await.error(400);
    assert_eq!(code, "INPUT_VALIDATION_FAILED");
    assert!(message.contains("page_token"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_the_ticket_has_already_is_a_success_and_sends_no_change() {
    let sandbox = teamswork(&[]).await;
    let gateway = Gateway::for_teamswork(sandbox.url(), &[]);
    let ticket = create(&gateway, json!({"short_description": "A"})).await;
    let path = format!("/v1/teamswork/tickets/{}/resolve", id(&ticket));
    gateway.post(&path, json!({})).await.expect(200);
    gateway.post(&path, json!({})).await.expect(200);
    let changes = sandbox
        .requests()
        .into_iter()
        .filter(|request| request.path.ends_with("/status"))
        .count();
    assert_eq!(changes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_custom_fields_and_groups_go_by_what_the_instance_has() {
    let sandbox = teamswork(&[Quirk::TagsAsText]).await;
    let group = assignees(&sandbox).await[0].clone();
    let groups = format!("teamswork.assignment_groups={}", json!({"Service Desk": group}));
    let gateway = Gateway::for_teamswork(sandbox.url(), &["--set", &groups]);
    let categories = direct(&sandbox, "/tags").await;
    let tag = categories["items"][0]["tags"][0]["text"].clone();
    let instance = direct(&sandbox, "/instance").await;
    let fields = instance["item"]["customFields"]
        .as_array()
        .expect("a list")
        .clone();
    let field = fields
        .iter()
        .find(|field| field["type"]["key"] == "1_text")
        .expect("a text field");
    let field = field["id"].as_str().expect("an id").to_owned();
    let ticket = create(
        &gateway,
        json!({"short_description": "A", "tags": [tag], "custom_data": {field.clone(): "Lisbon"}}),
    )
    .await;
    assert_eq!(ticket["custom_data"]["tags"], json!([tag]));
    assert_eq!(ticket["custom_data"][&field], "Lisbon");

    let path = format!("/v1/teamswork/tickets/{}/assignment", id(&ticket));
    let assigned = gateway
        .put(&path, json!({"assignment_group": "Service Desk"}))
        .await
        .expect(200);
    assert_eq!(assigned["raw_ticket"]["assigned_to_user"], group["email"]);

    for (body, word) in [
        (json!({"assignee": "nobody@example.com"}), "assignee"),
        (json!({"assignment_group": "Kitchen"}), "assignment_group"),
    ] {
        let (code, message) = gateway.put(&path, body).await.error(400);
        assert_eq!(code, "INPUT_VALIDATION_FAILED");
        assert!(message.contains(word), "{message}");
    }
    let body = json!({"payload": {"short_description": "A", "tags": ["no such tag"]}});
    let (code, message) = gateway.post("/v1/teamswork/tickets", body).await.error(400);
    assert_eq!(code, "INPUT_VALIDATION_FAILED");
    assert!(message.contains("tags"), "{message}");
}
