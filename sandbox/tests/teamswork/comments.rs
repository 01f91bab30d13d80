//! Activities, comments and attachments, with and without their quirks.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use sandbox::teamswork::Quirk;
use serde_json::{Value, json};

use crate::{Api, Reply, alex, jason, send};

async fn commented(api: &Api, id: &str, body: Value) -> Reply {
    api.post(&format!("/tickets/{id}/activities"), &body).await
}

#[tokio::test]
async fn a_comment_is_answered_and_read_back() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    let reply = commented(
        &api,
        &id,
        json!({"comment": "comment from API – “é”\n2", "user": alex()}),
    )
    .await;
    assert_eq!(reply.status, 200);
    let comment = reply.item();
    assert_eq!(comment["comment"], "comment from API – “é”\n2");
    assert_eq!(
        (&comment["ticketId"], &comment["ticketNo"]),
        (&json!(id), &json!(1001))
    );
    assert_eq!(comment["user"], alex());
    let list = api.get(&format!("/tickets/{id}/activities")).await;
    assert_eq!(list.items().len(), 1);
    let activity = &list.items()[0];
    assert_eq!(
        (&activity["id"], &activity["comment"]),
        (&comment["activityId"], &comment["comment"])
    );
    assert_eq!(activity["createdBy"], alex());
    assert_eq!(activity.get("isPrivate"), None);
}

#[tokio::test]
async fn activities_tell_changes_and_comments_newest_first() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("Old").await;
    let ticket = format!("/tickets/{id}");
    commented(&api, &id, json!({"comment": "hello", "user": jason()})).await;
    api.put(
        &ticket,
        &json!({"updates": {"title": "New", "assignee": alex()}, "user": alex()}),
    )
    .await;
    let status = json!({"status": "Resolved", "resolution": "fixed", "comment": "done", "user": alex()});
    api.put(&format!("{ticket}/status"), &status).await;
    let list = api.get(&format!("{ticket}/activities")).await;
    let [resolved, updated, comment] = list.items().as_slice() else {
        panic!("{list:?}")
    };
    assert_eq!(
        resolved["changes"],
        json!([{"name": "status", "oldValue": "Open", "newValue": "Resolved"}])
    );
    assert_eq!(resolved["comment"], "done");
    assert_eq!(
        updated["changes"],
        json!([
            {"name": "title", "oldValue": "Old", "newValue": "New"},
            {"name": "assignee", "oldValue": null, "newValue": alex()}
        ])
    );
    assert_eq!(updated.get("comment"), None);
    assert_eq!(
        (&comment["comment"], &comment["changes"]),
        (&json!("hello"), &json!([]))
    );
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_no_trace() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("Same").await;
    let before = api.kept(&id);
    api.put(
        &format!("/tickets/{id}"),
        &json!({"updates": {"title": "Same"}, "user": alex()}),
    )
    .await;
    assert_eq!(api.kept(&id), before);
    assert!(api.running.activities(&id).is_empty());
}

#[tokio::test]
async fn a_comment_needs_text_and_a_user() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    for body in [
        json!({"user": jason()}),
        json!({"comment": " ", "user": jason()}),
        json!({"comment": 5, "user": jason()}),
        json!({"comment": "x"}),
        json!({"comment": "x", "user": {"id": "1"}}),
    ] {
        assert_eq!(commented(&api, &id, body.clone()).await.status, 400, "{body}");
    }
    assert!(api.running.activities(&id).is_empty());
}

#[tokio::test]
async fn the_reference_knows_no_private_comment_so_it_becomes_public() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("A ticket").await;
    let reply = commented(
        &api,
        &id,
        json!({"comment": "secret", "isPrivate": true, "user": alex()}),
    )
    .await;
    assert_eq!(reply.item().get("isPrivate"), None);
    assert_eq!(api.running.activities(&id)[0]["isPrivate"], false);
}

#[tokio::test]
async fn private_comments_are_kept_and_read_back() {
    let api = Api::with(&[Quirk::PrivateComments]).await;
    let id = api.new_ticket("A ticket").await;
    let private = commented(
        &api,
        &id,
        json!({"comment": "secret", "isPrivate": true, "user": alex()}),
    )
    .await;
    assert_eq!(private.item()["isPrivate"], true);
    let public = commented(&api, &id, json!({"comment": "hello", "user": alex()})).await;
    assert_eq!(public.item()["isPrivate"], false);
    let list = api.get(&format!("/tickets/{id}/activities")).await;
    assert_eq!(list.column("isPrivate"), ["false", "true"]);
    let wrong = commented(
        &api,
        &id,
        json!({"comment": "x", "isPrivate": "yes", "user": alex()}),
    )
    .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn comments_path_moves_the_post_and_not_the_get() {
    let api = Api::with(&[Quirk::CommentsPath]).await;
    let id = api.new_ticket("A ticket").await;
    let body = json!({"comment": "x", "user": jason()});
    assert_eq!(commented(&api, &id, body.clone()).await.status, 404);
    assert_eq!(
        api.post(&format!("/tickets/{id}/comments"), &body).await.item()["comment"],
        "x"
    );
    assert_eq!(
        api.get(&format!("/tickets/{id}/activities")).await.items().len(),
        1
    );
}

#[tokio::test]
async fn html_texts_are_given_when_asked_for() {
    let api = Api::with(&[Quirk::HtmlTexts]).await;
    let id = api.new_ticket("A ticket").await;
    api.put(
        &format!("/tickets/{id}"),
        &json!({"updates": {"description": "a < b\nc"}, "user": jason()}),
    )
    .await;
    let read = api.get(&format!("/tickets/{id}?include=description_HTML")).await;
    assert_eq!(read.item()["description_HTML"], "<p>a &lt; b<br>c</p>");
    assert_eq!(
        api.get(&format!("/tickets/{id}"))
            .await
            .item()
            .get("description_HTML"),
        None
    );
    let html = commented(
        &api,
        &id,
        json!({"comment_HTML": "<p>a <b>bold</b> word</p>", "user": jason()}),
    )
    .await;
    assert_eq!(html.item()["comment"], "a bold word");
    let both = json!({"comment": "plain", "comment_HTML": "<p>html</p>", "user": jason()});
    assert_eq!(commented(&api, &id, both).await.item()["comment"], "plain");
    let list = api
        .get(&format!("/tickets/{id}/activities?include=comment_HTML"))
        .await;
    assert_eq!(
        list.column("comment_HTML"),
        ["<p>plain</p>", "<p>a <b>bold</b> word</p>", "null"]
    );
}

#[tokio::test]
async fn activity_paging_gives_ten_at_a_time() {
    let api = Api::with(&[Quirk::ActivityPaging]).await;
    let id = api.new_ticket("A ticket").await;
    for number in 0..23 {
        commented(
            &api,
            &id,
            json!({"comment": format!("{number}"), "user": jason()}),
        )
        .await;
    }
    let path = format!("/tickets/{id}/activities");
    let first = api.get(&path).await;
    assert_eq!(
        (first.items().len(), &first.items()[0]["comment"]),
        (10, &json!("22"))
    );
    let token = first.body["continuationToken"].as_str().unwrap();
    let second = send(api.request(Method::GET, &path).header("continuationToken", token)).await;
    assert_eq!(second.items()[0]["comment"], "12");
    let token = second.body["continuationToken"].as_str().unwrap();
    let third = send(api.request(Method::GET, &path).header("continuationToken", token)).await;
    assert_eq!(
        (third.items().len(), third.body.get("continuationToken")),
        (3, None)
    );
    assert_eq!(api.get(&format!("{path}?limit=100")).await.items().len(), 23);
}

#[tokio::test]
async fn quiet_comments_move_only_the_last_interaction() {
    let api = Api::with(&[Quirk::QuietComments]).await;
    let id = api.new_ticket("A ticket").await;
    let before = api.kept(&id);
    commented(&api, &id, json!({"comment": "x", "user": alex()})).await;
    let after = api.kept(&id);
    assert_eq!(after["lastUpdatedOn"], before["lastUpdatedOn"]);
    assert!(after["lastInteraction"].as_str() > before["lastInteraction"].as_str());
}

fn form(name: &'static str, bytes: &'static [u8]) -> Form {
    let file = Part::bytes(bytes).file_name(name).mime_str("image/png").unwrap();
    Form::new()
        .part("files", file)
        .text("user", alex().to_string())
        .text("comment", "see the picture")
}

#[tokio::test]
async fn files_are_attached_with_a_comment() {
    let api = Api::with(&[Quirk::Attachments, Quirk::MultipartNamesQuoted]).await;
    let id = api.new_ticket("A ticket").await;
    let path = format!("/tickets/{id}/attachments");
    let reply = send(
        api.request(Method::POST, &path)
            .multipart(form("screen shot.png", b"\x89PNG\x00\xff")),
    )
    .await;
    assert_eq!(reply.status, 201);
    let attachment = reply.item()["attachments"][0].clone();
    assert_eq!(attachment["filename"], "screen shot.png");
    assert_eq!(
        (&attachment["isImage"], &attachment["isHyperlink"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(api.get(&path).await.items(), std::slice::from_ref(&attachment));
    assert_eq!(api.running.attachments(&id)[0]["content"], "iVBORwD/");
    let bytes = reqwest::get(attachment["src"].as_str().unwrap())
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(&bytes[..], b"\x89PNG\x00\xff");

    let activity = &api.get(&format!("/tickets/{id}/activities")).await.items()[0].clone();
    assert_eq!(activity["comment"], "see the picture");
    assert_eq!(activity["attachments"][0]["id"], attachment["id"]);

    let upload = reply.item()["activityId"].as_str().unwrap();
    let of_upload = api.get(&format!("/tickets/activity/{upload}/attachments")).await;
    assert_eq!(of_upload.items().len(), 1);
    let listed = activity["id"].as_str().unwrap();
    assert_eq!(
        api.get(&format!("/tickets/activity/{listed}/attachments"))
            .await
            .status,
        500
    );
}

#[tokio::test]
async fn links_are_attached_as_json() {
    let api = Api::with(&[Quirk::Attachments]).await;
    let id = api.new_ticket("A ticket").await;
    let path = format!("/tickets/{id}/attachments");
    let link = json!({"src": "https://example.com/guide.pdf", "caption": "The guide"});
    let reply = api
        .post(&path, &json!({"attachments": [link], "user": alex()}))
        .await;
    assert_eq!(reply.item()["attachments"][0]["isHyperlink"], true);
    assert_eq!(
        api.running.attachments(&id)[0]["src"],
        "https://example.com/guide.pdf"
    );
    for body in [
        json!({"user": alex()}),
        json!({"attachments": [], "user": alex()}),
        json!({"attachments": [link]}),
    ] {
        assert_eq!(api.post(&path, &body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn an_upload_without_a_file_or_a_user_is_refused() {
    let api = Api::with(&[Quirk::Attachments]).await;
    let id = api.new_ticket("A ticket").await;
    let path = format!("/tickets/{id}/attachments");
    let no_file = Form::new().text("user", alex().to_string());
    assert_eq!(
        send(api.request(Method::POST, &path).multipart(no_file))
            .await
            .status,
        400
    );
    let no_user = Form::new().part("files", Part::bytes(b"x".as_slice()).file_name("x.txt"));
    assert_eq!(
        send(api.request(Method::POST, &path).multipart(no_user))
            .await
            .status,
        400
    );
    let wrong_user = form("x.png", b"x").text("user", "alex");
    assert_eq!(
        send(api.request(Method::POST, &path).multipart(wrong_user))
            .await
            .status,
        400
    );
    assert!(api.running.attachments(&id).is_empty());
}

#[tokio::test]
async fn multipart_names_must_be_in_quotation_marks() {
    let upload = |name: &str| {
        let user = alex();
        format!(
            "--edge\r\nContent-Disposition: form-data; name={name}; filename=\"a.txt\"\r\n\r\nhello\r\n\
             --edge\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\n{user}\r\n--edge--\r\n"
        )
    };
    let strict = Api::with(&[Quirk::Attachments, Quirk::MultipartNamesQuoted]).await;
    let lenient = Api::with(&[Quirk::Attachments]).await;
    for (api, name, status) in [
        (&strict, "files", 500),
        (&strict, "\"files\"", 201),
        (&lenient, "files", 201),
        (&lenient, "\"files\"", 201),
    ] {
        let id = api.new_ticket("A ticket").await;
        let request = api
            .request(Method::POST, &format!("/tickets/{id}/attachments"))
            .header("Content-Type", "multipart/form-data; boundary=edge")
            .body(upload(name));
        assert_eq!(send(request).await.status, status, "{name}");
    }
}
