//! Create, update and status as the reference describes them.

use serde_json::{Value, json};

use crate::{Api, alex, jason};

/// Example 2 of the reference, with whole ids.
fn full_example() -> Value {
    json!({
        "ticket": {
            "title": "My first ticket",
            "requestor": jason(),
            "customFields": {
                "146db0c4-de24-4818-a131-a27161bb7ad0": [alex()],
                "fef751d6-067d-431b-8a6d-667056eff6ee":
                    ["70d42d78-899a-4d5e-8cf0-79a0e4a6b0b1", "fe68df23-432e-4c0f-9841-a018b7f46d0b"],
                "4aad4ef9-3242-4bb6-87f7-29428567429f": "long text area\nbla bla bla",
                "7670050a-cf1a-4d3d-8179-5eba888dea5f": "text in custom field",
                "862bd88d-f691-4a7b-a89a-f6f48550fc27": true,
                "5b9f56bc-ec6a-45a3-b7ce-c25e1d8cfd69": ["f72541a9-c964-4c81-bc1a-4f1f2d948416"],
                "7ee98e41-c4d0-4d4c-beb9-2b7f8f8c35c8": "2023-07-26T17:00:00Z"
            },
            "description": "ticket description\nline 1\nline 2",
            "priority": "Urgent",
            "assignee": alex(),
            "expectedDate": "2023-07-26T17:00:00Z",
            "tags": [
                {"tagCategoryId": "2283653a-8d36-40eb-9a68-73eb3b331811", "text": "sdsad"},
                {"tagCategoryId": "2283653a-8d36-40eb-9a68-73eb3b331811", "text": "my tag"}
            ]
        },
        "user": jason()
    })
}

#[tokio::test]
async fn the_references_full_example_makes_a_ticket_with_everything() {
    let api = Api::with(&[]).await;
    let body = full_example();
    let reply = api.post("/tickets", &body).await;
    assert_eq!((reply.status, &reply.body["error"]), (201, &json!(false)));
    let ticket = reply.item();
    for key in [
        "title",
        "requestor",
        "customFields",
        "description",
        "priority",
        "assignee",
        "tags",
    ] {
        assert_eq!(ticket[key], body["ticket"][key], "{key}");
    }
    assert_eq!(ticket["expectedDate"], "2023-07-26T17:00:00.000Z");
    assert_eq!(ticket["status"], "Open");
    assert_eq!(ticket["createdBy"], jason());
    assert_eq!(ticket["ticketId"], 1001);
    assert_eq!(ticket["id"].as_str().unwrap().len(), 36);
    assert_eq!(ticket["createdOn"], ticket["lastUpdatedOn"]);
    assert_eq!(ticket.get("resolution"), None, "what has no value is left out");
    assert_eq!(&api.running.tickets(), std::slice::from_ref(ticket));
}

#[tokio::test]
async fn a_create_without_what_is_required_is_refused_and_names_it() {
    let api = Api::with(&[]).await;
    let ticket = json!({"title": "x", "requestor": jason()});
    let nameless = json!({"id": "1", "email": "a@example.com"});
    for (body, place) in [
        (json!({"user": jason()}), "ticket"),
        (json!({"ticket": ticket}), "user"),
        (
            json!({"ticket": {"requestor": jason()}, "user": jason()}),
            "ticket.title",
        ),
        (
            json!({"ticket": {"title": "  ", "requestor": jason()}, "user": jason()}),
            "ticket.title",
        ),
        (
            json!({"ticket": {"title": 5, "requestor": jason()}, "user": jason()}),
            "ticket.title",
        ),
        (
            json!({"ticket": {"title": "x"}, "user": jason()}),
            "ticket.requestor",
        ),
        (
            json!({"ticket": {"title": "x", "requestor": "jason"}, "user": jason()}),
            "ticket.requestor",
        ),
        (
            json!({"ticket": {"title": "x", "requestor": nameless}, "user": jason()}),
            "ticket.requestor.name",
        ),
        (
            json!({"ticket": ticket, "user": {"id": "1", "name": "x", "email": ""}}),
            "user.email",
        ),
        (json!({"ticket": [], "user": jason()}), "ticket"),
    ] {
        let reply = api.post("/tickets", &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(
            (&reply.body["error"], &reply.body["statusCode"]),
            (&json!(true), &json!(400))
        );
        assert!(reply.message().starts_with(place), "{place}: {}", reply.message());
    }
    assert!(api.running.tickets().is_empty());
}

#[tokio::test]
async fn a_wrong_value_is_refused_and_nothing_is_made() {
    let api = Api::with(&[]).await;
    let tag = |id: &str, text: &str| json!([{"tagCategoryId": id, "text": text}]);
    let labels = "2283653a-8d36-40eb-9a68-73eb3b331811";
    for (key, value) in [
        ("priority", json!("High")),
        ("priority", json!("urgent")),
        ("description", json!(["x"])),
        ("assignee", json!("alex")),
        ("assignee", json!({"email": "alex.wilber@example.com"})),
        ("expectedDate", json!("tomorrow")),
        ("expectedDate", json!("26.07.2023")),
        ("tags", json!(["vip"])),
        ("tags", json!("vip")),
        ("tags", tag(labels, "unknown")),
        ("tags", tag(labels, "paper")),
        ("tags", tag("e7a9d3b2-1c5f-4e86-9d04-6b8f2a7c1e35", "fax")),
        ("tags", tag("vip", "vip")),
        ("status", json!("Closed")),
        ("summary", json!("x")),
    ] {
        let mut body = json!({"ticket": {"title": "x", "requestor": jason()}, "user": jason()});
        body["ticket"][key] = value.clone();
        let reply = api.post("/tickets", &body).await;
        assert_eq!(reply.status, 400, "{key}: {value}");
    }
    assert!(api.running.tickets().is_empty());
}

#[tokio::test]
async fn custom_fields_are_checked_against_the_instance() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    let people = "146db0c4-de24-4818-a131-a27161bb7ad0";
    let many = "fef751d6-067d-431b-8a6d-667056eff6ee";
    let one = "5b9f56bc-ec6a-45a3-b7ce-c25e1d8cfd69";
    let head_office = "f72541a9-c964-4c81-bc1a-4f1f2d948416";
    let set = async |field: &str, value: Value| {
        let body = json!({"updates": {"customFields": {field: value}}, "user": jason()});
        api.put(&format!("/tickets/{id}"), &body).await
    };
    for (field, value) in [
        (people, alex()),
        (people, json!(["alex.wilber@example.com"])),
        (people, json!([{"id": "1"}])),
        (many, json!("70d42d78-899a-4d5e-8cf0-79a0e4a6b0b1")),
        (many, json!(["E-mail"])),
        (many, json!([head_office])),
        (one, json!([head_office, head_office])),
        (one, json!(head_office)),
        ("4aad4ef9-3242-4bb6-87f7-29428567429f", json!(5)),
        ("7670050a-cf1a-4d3d-8179-5eba888dea5f", json!(["x"])),
        ("862bd88d-f691-4a7b-a89a-f6f48550fc27", json!("true")),
        ("7ee98e41-c4d0-4d4c-beb9-2b7f8f8c35c8", json!("2023-07-26")),
    ] {
        let reply = set(field, value.clone()).await;
        assert_eq!(reply.status, 400, "{field}: {value}");
        assert!(reply.message().contains(field), "{}", reply.message());
    }
    for unknown in [
        "Asset tag",
        "146DB0C4-DE24-4818-A131-A27161BB7AD0",
        "dcd58c80-3b0e-4a64-8a9c-5d7e1f2a6b93",
    ] {
        let reply = set(unknown, json!("x")).await;
        assert_eq!(reply.status, 400);
        assert!(
            reply.message().ends_with("not found or invalid definition"),
            "{}",
            reply.message()
        );
    }
    assert_eq!(
        set(one, json!([head_office])).await.item()["customFields"],
        json!({one: [head_office]})
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let api = Api::with(&[]).await;
    for text in ["", "{", "[]", "{ status : \"Resolved\" }"] {
        let request = api.request(reqwest::Method::POST, "/tickets").body(text);
        assert_eq!(crate::send(request).await.status, 400, "{text}");
    }
}

#[tokio::test]
async fn an_update_takes_either_key_and_changes_only_what_is_named() {
    let api = Api::with(&[]).await;
    let id = api.post("/tickets", &full_example()).await.item()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = api.kept(&id);
    let path = format!("/tickets/{id}?timezone=0");
    let reply = api
        .put(
            &path,
            &json!({"updates": {"title": "My 2nd ticket", "priority": "Low"}, "user": alex()}),
        )
        .await;
    let after = reply.item();
    assert_eq!(
        (&after["title"], &after["priority"]),
        (&json!("My 2nd ticket"), &json!("Low"))
    );
    assert_eq!(after["lastUpdatedBy"], alex());
    for key in [
        "description",
        "requestor",
        "customFields",
        "assignee",
        "expectedDate",
        "tags",
        "status",
        "createdOn",
    ] {
        assert_eq!(after[key], before[key], "{key}");
    }
    let reply = api
        .put(
            &path,
            &json!({"ticket": {"title": "My 3rd ticket"}, "user": alex()}),
        )
        .await;
    assert_eq!(reply.item()["title"], "My 3rd ticket");
    let both = json!({"ticket": {"title": "x"}, "updates": {"title": "x"}, "user": alex()});
    assert_eq!(api.put(&path, &both).await.status, 400);
    assert_eq!(api.put(&path, &json!({"user": alex()})).await.status, 400);
    assert_eq!(
        api.put(&path, &json!({"updates": {"title": "x"}})).await.status,
        400,
        "user is required"
    );
}

#[tokio::test]
async fn an_update_merges_custom_fields_replaces_tags_and_clears_with_null() {
    let api = Api::with(&[]).await;
    let id = api.post("/tickets", &full_example()).await.item()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let toggle = "862bd88d-f691-4a7b-a89a-f6f48550fc27";
    let text = "7670050a-cf1a-4d3d-8179-5eba888dea5f";
    let tags = json!([{"tagCategoryId": "b1f6c0de-54a8-4f3a-8b1d-3c7e9a2d4f60", "text": "network"}]);
    let updates = json!({
        "customFields": {toggle: false, text: null}, "tags": tags, "assignee": null, "expectedDate": null,
        "description": null
    });
    let reply = api
        .put(
            &format!("/tickets/{id}"),
            &json!({"updates": updates, "user": alex()}),
        )
        .await;
    let ticket = reply.item();
    assert_eq!(ticket["customFields"][toggle], false);
    assert_eq!(ticket["customFields"].get(text), None);
    assert_eq!(ticket["customFields"].as_object().unwrap().len(), 6);
    assert_eq!(ticket["tags"], tags);
    for key in ["assignee", "expectedDate", "description"] {
        assert_eq!(ticket.get(key), None, "{key}");
    }
}

#[tokio::test]
async fn a_date_alone_is_midnight_in_the_setters_zone() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    for (timezone, stored) in [
        ("0", "2026-02-03T00:00:00.000Z"),
        ("7", "2026-02-02T17:00:00.000Z"),
        ("-5", "2026-02-03T05:00:00.000Z"),
    ] {
        let body = json!({"updates": {"expectedDate": "2026-02-03"}, "user": jason()});
        let reply = api
            .put(&format!("/tickets/{id}?timezone={timezone}"), &body)
            .await;
        assert_eq!(reply.item()["expectedDate"], stored);
    }
}

#[tokio::test]
async fn the_status_is_changed_with_put() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    let path = format!("/tickets/{id}/status?timezone=0");
    let started = api
        .put(&path, &json!({"status": "Started", "user": alex()}))
        .await;
    assert_eq!(started.item()["status"], "Started");
    assert_eq!(
        started.item()["firstResponseOn"],
        started.item()["lastInteraction"]
    );

    let body = json!({"status": "Resolved", "resolution": "fixed", "comment": "Great job!", "user": alex()});
    let resolved = api.put(&path, &body).await;
    let ticket = resolved.item();
    assert_eq!(
        (&ticket["status"], &ticket["resolution"]),
        (&json!("Resolved"), &json!("fixed"))
    );
    assert_eq!(ticket["lastResolutionComment"], "Great job!");
    assert_eq!(ticket["firstResolutionOn"], ticket["lastResolutionOn"]);

    let reopened = api
        .put(&path, &json!({"status": "Reopened", "user": jason()}))
        .await;
    assert_eq!(reopened.item()["status"], "Reopened");
    assert_eq!(reopened.item().get("resolution"), None);

    let again = api
        .put(
            &path,
            &json!({"status": "Closed", "resolution": "cancelled", "user": jason()}),
        )
        .await;
    assert_eq!(again.item()["firstResolutionOn"], ticket["firstResolutionOn"]);
    assert!(again.item()["lastResolutionOn"].as_str() > ticket["lastResolutionOn"].as_str());
}

#[tokio::test]
async fn a_wrong_status_change_is_refused() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    for body in [
        json!({"user": jason()}),
        json!({"status": "Open", "user": jason()}),
        json!({"status": "In Progress", "user": jason()}),
        json!({"status": "resolved", "user": jason()}),
        json!({"status": " Closed", "user": jason()}),
        json!({"status": "Pending", "user": jason()}),
        json!({"status": "Resolved", "resolution": "done", "user": jason()}),
        json!({"status": "Resolved", "comment": 5, "user": jason()}),
        json!({"status": "Resolved"}),
    ] {
        assert_eq!(
            api.put(&format!("/tickets/{id}/status"), &body).await.status,
            400,
            "{body}"
        );
    }
    assert_eq!(api.kept(&id)["status"], "Open");
}
