//! Messages: who may be sender and receiver in which direction, what each channel needs, and what is really sent.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Api, but, incoming, send};

const PATH: &str = "/tickets/5001/messages";

fn note() -> Value {
    json!({"channel": "internal-note", "via": "internal-note", "from_agent": true, "public": false,
           "sender": {"email": "noor.agent@example.com"}, "body_text": "Between us"})
}

fn reply() -> Value {
    json!({"channel": "email", "via": "api", "from_agent": true, "sender": {"id": 4},
           "receiver": {"id": 7001}, "body_text": "It is on its way",
           "source": {"type": "email", "from": {"address": "help@shop.example.com"},
                      "to": [{"address": "lena.brandt@example.com"}]}})
}

#[tokio::test]
async fn an_incoming_message_is_a_customers_and_has_no_receiver() {
    let api = Api::with(&[]).await;
    let made = api.post(PATH, &incoming()).await.expect(201);
    assert_eq!(made["sender"]["id"], 7_001);
    assert_eq!(
        (&made["public"], &made["from_agent"]),
        (&json!(true), &json!(false))
    );
    let with_receiver = but(incoming(), "receiver", json!({"id": 7001}));
    assert!(api.post(PATH, &with_receiver).await.wrong()["receiver"].is_array());
    let from_user = but(incoming(), "sender", json!({"id": 4}));
    assert!(api.post(PATH, &from_user).await.wrong()["sender"].is_array());
    let from_nobody = but(incoming(), "sender", Value::Null);
    let wrong = api.post(PATH, &from_nobody).await;
    let expected = json!({"error": {"msg": "Failed to create message",
                                    "data": {"sender": ["Missing data for required field."]}}});
    assert_eq!(wrong.expect(400), expected);
    // An address that is not known becomes a customer.
    let from_stranger = but(incoming(), "sender", json!({"email": "stranger@example.com"}));
    let made = api.post(PATH, &from_stranger).await.expect(201);
    assert_eq!(
        api.get("/customers?email=stranger@example.com").await.ids(),
        [made["sender"]["id"].as_i64().unwrap()]
    );
    assert!(api.running.sent().is_empty());
}

#[tokio::test]
async fn an_outgoing_message_is_a_users_and_is_really_sent() {
    let api = Api::with(&[]).await;
    let made = api.post(PATH, &reply()).await.expect(201);
    assert_eq!(made["sent_datetime"], Value::Null, "it is sent later");
    assert_eq!(api.running.sent().len(), 1);
    let there = api.get(&format!("{PATH}/{}", made["id"])).await.expect(200);
    assert!(there["sent_datetime"].is_string());
    // One that says when it was sent is only kept.
    let stored = but(reply(), "sent_datetime", json!("2026-01-05T10:30:45"));
    let made = api.post(PATH, &stored).await.expect(201);
    assert_eq!(made["sent_datetime"], "2026-01-05T10:30:45.000000");
    assert_eq!(api.running.sent().len(), 1);
    // So is one of the channel api.
    let quiet = json!({"channel": "api", "via": "api", "from_agent": true, "sender": {"id": 4}});
    api.post(PATH, &quiet).await.expect(201);
    assert_eq!(api.running.sent().len(), 1);

    let to_other = but(reply(), "receiver", json!({"id": 7002}));
    assert!(api.post(PATH, &to_other).await.wrong()["receiver"].is_array());
    let by_customer = but(reply(), "sender", json!({"id": 7001}));
    assert!(api.post(PATH, &by_customer).await.wrong()["sender"].is_array());
    let mut from_elsewhere = reply();
    from_elsewhere["source"]["from"]["address"] = json!("me@elsewhere.example.com");
    assert!(api.post(PATH, &from_elsewhere).await.wrong()["source"]["from"].is_array());
}

#[tokio::test]
async fn an_internal_note_is_a_users_or_the_bots_and_never_public() {
    let api = Api::with(&[]).await;
    let made = api.post(PATH, &note()).await.expect(201);
    assert_eq!(
        (&made["public"], &made["sender"]["name"]),
        (&json!(false), &json!("Noor Agent"))
    );
    let by_bot = api
        .post(PATH, &but(note(), "sender", json!({"email": "who@example.com"})))
        .await
        .expect(201);
    assert_eq!(by_bot["sender"]["name"], "Gorgias Bot");
    for (field, value) in [
        ("receiver", json!({"id": 7001})),
        ("public", json!(true)),
        ("from_agent", json!(false)),
        ("via", json!("email")),
        ("sender", json!({"id": 7001})),
    ] {
        let wrong = api.post(PATH, &but(note(), field, value)).await.wrong();
        assert!(wrong[field].is_array(), "{field}: {wrong}");
    }
    assert!(api.running.sent().is_empty());
}

#[tokio::test]
async fn each_channel_needs_its_fields() {
    let api = Api::with(&[]).await;
    let source = |from: &str, to: &str| json!({"to": [{"address": to}], "from": {"address": from}});
    let message = |channel: &str, source: Value| json!({"channel": channel, "via": "api", "from_agent": false, "source": source, "body_text": "x"});
    for channel in ["email", "phone", "sms"] {
        let wrong = api.post(PATH, &message(channel, Value::Null)).await.wrong();
        assert!(wrong["source"].is_array(), "{channel}: {wrong}");
        let wrong = api
            .post(PATH, &message(channel, json!({"type": channel})))
            .await
            .wrong();
        assert!(
            wrong["source"]["to"].is_array() && wrong["source"]["from"].is_array(),
            "{channel}: {wrong}"
        );
    }
    // The source tells who wrote, so that a sender need not.
    let mail = message(
        "email",
        source("omar.haddad@example.com", "help@shop.example.com"),
    );
    assert_eq!(api.post(PATH, &mail).await.expect(201)["sender"]["id"], 7_002);
    let wrong = api
        .post(PATH, &message("email", source("+1555", "help")))
        .await
        .wrong();
    assert!(wrong["source"]["from"].is_array());
    for channel in ["phone", "sms"] {
        let call = but(
            message(channel, source("+15550100", "+15550199")),
            "via",
            json!("api"),
        );
        let mut call = call;
        call["source"]["type"] = json!("phone");
        let made = api.post(PATH, &call).await.expect(201);
        assert!(made["sender"]["id"].is_i64());
    }
    for (field, value) in [
        ("channel", json!("carrier-pigeon")),
        ("via", json!("carrier-pigeon")),
        ("channel", Value::Null),
        ("via", Value::Null),
        ("from_agent", Value::Null),
        ("from_agent", json!("no")),
        ("colour", json!("red")),
    ] {
        let wrong = api
            .post(PATH, &but(incoming(), field, value.clone()))
            .await
            .wrong();
        assert!(wrong[field].is_array(), "{field} {value}: {wrong}");
    }
    let phone = but(incoming(), "sender", json!({"phone": "+15550100"}));
    assert!(
        api.post(PATH, &phone).await.wrong()["sender"]["phone"].is_array(),
        "not documented"
    );
}

#[tokio::test]
async fn messages_are_listed_and_the_older_path_is_deprecated() {
    let api = Api::with(&[]).await;
    for number in 0..3 {
        api.post(PATH, &but(incoming(), "body_text", json!(format!("{number}"))))
            .await
            .expect(201);
    }
    let path = "/messages?ticket_id=5001&order_by=created_datetime:asc";
    let body = api.get(path).await.expect(200);
    let texts: Vec<&str> = body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["body_text"].as_str().unwrap())
        .collect();
    assert_eq!(texts[1..], ["0", "1", "2"]);
    let older = api.get(PATH).await;
    assert_eq!(older.header("deprecation"), Some("true"));
    assert_eq!(older.ids().len(), 4);
}

#[tokio::test]
async fn a_file_is_uploaded_and_then_named_by_a_message() {
    let api = Api::with(&[]).await;
    let part = || {
        reqwest::multipart::Part::bytes(b"broken".to_vec())
            .file_name("zip.txt")
            .mime_str("text/plain")
            .unwrap()
    };
    let upload = |query: &str| {
        let form = reqwest::multipart::Form::new().part("label", part());
        api.request(Method::POST, &format!("/upload{query}"))
            .multipart(form)
    };
    assert!(send(upload("")).await.wrong()["type"].is_array());
    let files = send(upload("?type=attachment")).await.expect(201);
    let file = &files[0];
    assert_eq!(
        (&file["name"], &file["size"], &file["content_type"]),
        (&json!("label"), &json!(6), &json!("text/plain")),
        "the field's name is the label"
    );
    let made = api
        .post(PATH, &but(incoming(), "attachments", files.clone()))
        .await
        .expect(201);
    assert_eq!(made["attachments"][0]["url"], file["url"]);
    let url = file["url"].as_str().unwrap();
    let path = url.strip_prefix(api.running.url()).unwrap();
    let download = api.get(path).await;
    assert_eq!(download.status, 307);
    let signed = download
        .header("location")
        .unwrap()
        .strip_prefix(api.running.site())
        .unwrap();
    assert_eq!(send(api.site(Method::GET, signed)).await.expect(200), "broken");
    let wrong = api
        .post(PATH, &but(incoming(), "attachments", json!([{"name": "x"}])))
        .await
        .wrong();
    assert!(wrong["attachments"].is_array());
}
