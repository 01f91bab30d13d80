//! Each quirk changes what it says, and the quirk is what makes the difference.

use reqwest::Method;
use sandbox::gorgias::Quirk;
use serde_json::{Value, json};

use crate::{Api, but, incoming, send, ticket};

async fn both(quirk: Quirk) -> [(Api, bool); 2] {
    [(Api::with(&[]).await, false), (Api::with(&[quirk]).await, true)]
}

#[tokio::test]
async fn dates_with_offset() {
    for (api, quirk) in both(Quirk::DatesWithOffset).await {
        let read = api.get("/tickets/5001").await.expect(200);
        let time = read["updated_datetime"].as_str().unwrap();
        assert_eq!(time.ends_with("+00:00"), quirk, "{time}");
    }
}

#[tokio::test]
async fn fields_left_out() {
    for (api, quirk) in both(Quirk::FieldsLeftOut).await {
        let read = api.get("/tickets/5001").await.expect(200);
        assert_eq!(read.get("snooze_datetime").is_none(), quirk);
        assert_eq!(read["messages"][0].get("receiver").is_none(), quirk);
    }
}

#[tokio::test]
async fn priority_not_read() {
    for (api, quirk) in both(Quirk::PriorityNotRead).await {
        api.put("/tickets/5001", &json!({"priority": "high"}))
            .await
            .expect(200);
        let read = api.get("/tickets/5001").await.expect(200);
        assert_eq!(read["priority"].is_null(), quirk);
        assert_eq!(api.kept(5_001)["priority"], "high");
    }
}

#[tokio::test]
async fn messages_cut() {
    for (api, quirk) in both(Quirk::MessagesCut).await {
        for _ in 0..31 {
            api.post("/tickets/5001/messages", &incoming()).await.expect(201);
        }
        let read = api.get("/tickets/5001").await.expect(200);
        let shown = read["messages"].as_array().unwrap().len();
        assert_eq!(
            (shown, &read["messages_count"]),
            (if quirk { 30 } else { 32 }, &json!(32))
        );
        assert_eq!(
            api.get("/messages?ticket_id=5001&limit=100").await.ids().len(),
            32
        );
    }
}

#[tokio::test]
async fn file_size_text() {
    for (api, quirk) in both(Quirk::FileSizeText).await {
        let part = reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("a.txt");
        let form = reqwest::multipart::Form::new().part("a", part);
        let files = send(
            api.request(Method::POST, "/upload?type=attachment")
                .multipart(form),
        )
        .await
        .expect(201);
        assert_eq!(files[0]["size"], if quirk { json!("1") } else { json!(1) });
        let message = but(incoming(), "attachments", files);
        api.post("/tickets/5001/messages", &message).await.expect(201);
    }
}

#[tokio::test]
async fn lists_show_trashed() {
    for (api, quirk) in both(Quirk::ListsShowTrashed).await {
        assert!(api.running.trash(5_001));
        let ids = api.get("/tickets?trashed=false&limit=100").await.ids();
        assert_eq!(ids.contains(&5_001), quirk);
    }
}

#[tokio::test]
async fn pages_overlap_and_cursors_repeat() {
    for (api, quirk) in both(Quirk::PagesOverlap).await {
        let first = api.get("/tickets?limit=5").await.expect(200);
        let cursor = first["meta"]["next_cursor"].as_str().unwrap();
        let second = api
            .get(&format!("/tickets?limit=5&cursor={cursor}"))
            .await
            .expect(200);
        assert_eq!(second["data"][0]["id"] == first["data"][4]["id"], quirk);
    }
    for (api, quirk) in both(Quirk::CursorRepeats).await {
        let first = api.get("/tickets?limit=25").await.expect(200);
        let cursor = first["meta"]["next_cursor"].as_str().unwrap();
        let last = api
            .get(&format!("/tickets?limit=25&cursor={cursor}"))
            .await
            .expect(200);
        assert_eq!(last["meta"]["next_cursor"] == first["meta"]["next_cursor"], quirk);
    }
}

#[tokio::test]
async fn customers_bare_and_inexact() {
    for (api, quirk) in both(Quirk::CustomersBare).await {
        let found = api
            .get("/customers?email=lena.brandt@example.com")
            .await
            .expect(200);
        assert_eq!(found.is_array(), quirk);
    }
    for (api, quirk) in both(Quirk::CustomersInexact).await {
        let body = json!({"email": "lena.brandt@example.community"});
        api.post("/customers", &body).await.expect(201);
        let ids = api.get("/customers?email=lena.brandt@example.com").await.ids();
        assert_eq!(ids, if quirk { vec![7_007, 7_001] } else { vec![7_001] });
    }
}

#[tokio::test]
async fn external_id_late() {
    for (api, quirk) in both(Quirk::ExternalIdLate).await {
        let body = but(ticket(&[incoming()]), "external_id", json!("shop-1"));
        let id = api.post("/tickets", &body).await.expect(201)["id"]
            .as_i64()
            .unwrap();
        assert_eq!(
            api.get("/tickets?external_id=shop-1").await.ids().is_empty(),
            quirk
        );
        assert_eq!(api.get("/tickets?external_id=shop-1").await.ids(), [id]);
    }
}

#[tokio::test]
async fn empty_bodies() {
    for (api, quirk) in both(Quirk::EmptyBodies).await {
        for (path, body) in [
            ("/tickets/5001", json!({"status": "closed"})),
            ("/tickets/5001/tags", json!({"names": ["a"]})),
            ("/tickets/5001/custom-fields", json!([{"id": 101, "value": "x"}])),
        ] {
            let reply = api.put(path, &body).await;
            assert!(reply.status < 300);
            let is_empty = reply.header("content-length") == Some("0");
            assert_eq!(
                (is_empty, reply.status == 202),
                (quirk, quirk || path.ends_with("tags")),
                "{path}"
            );
        }
        assert_eq!(api.kept(5_001)["status"], "closed");
    }
}

#[tokio::test]
async fn custom_fields_replaced() {
    for (api, quirk) in both(Quirk::CustomFieldsReplaced).await {
        let body = json!([{"id": 103, "value": true}]);
        api.put("/tickets/5001/custom-fields", &body).await.expect(200);
        assert_eq!(api.kept(5_001)["custom_fields"].get("101").is_none(), quirk);
    }
}

#[tokio::test]
async fn note_via_api_and_sender_must_exist() {
    let note = json!({"channel": "internal-note", "via": "internal-note", "from_agent": true,
                      "sender": {"email": "noor.agent@example.com"}, "body_text": "x"});
    for (api, quirk) in both(Quirk::NoteViaApi).await {
        let reply = api.post("/tickets/5001/messages", &note).await;
        assert_eq!(reply.status, if quirk { 400 } else { 201 });
        api.post("/tickets/5001/messages", &but(note.clone(), "via", json!("api")))
            .await
            .expect(201);
    }
    for (api, quirk) in both(Quirk::SenderMustExist).await {
        for sender in [Value::Null, json!({"email": "who@example.com"})] {
            let reply = api
                .post("/tickets/5001/messages", &but(note.clone(), "sender", sender))
                .await;
            assert_eq!(reply.status, if quirk { 400 } else { 201 });
        }
    }
}

#[tokio::test]
async fn phone_sender_required_and_sms_source_type() {
    let sms = |kind: &str| {
        json!({"channel": "sms", "via": "api", "from_agent": false, "body_text": "x",
               "source": {"type": kind, "to": [{"address": "+15550199"}], "from": {"address": "+15550100"}}})
    };
    for (api, quirk) in both(Quirk::PhoneSenderRequired).await {
        let reply = api.post("/tickets/5001/messages", &sms("phone")).await;
        assert_eq!(reply.status, if quirk { 400 } else { 201 });
        let with_sender = but(sms("phone"), "sender", json!({"id": 7001}));
        api.post("/tickets/5001/messages", &with_sender).await.expect(201);
    }
    for (api, quirk) in both(Quirk::SmsSourceType).await {
        let reply = api.post("/tickets/5001/messages", &sms("phone")).await;
        assert_eq!(reply.status, if quirk { 400 } else { 201 });
        api.post("/tickets/5001/messages", &sms("sms")).await.expect(201);
    }
}

#[tokio::test]
async fn ticket_messages_gone() {
    for (api, quirk) in both(Quirk::TicketMessagesGone).await {
        let reply = api.get("/tickets/5001/messages").await;
        assert_eq!(reply.status, if quirk { 404 } else { 200 });
        api.post("/tickets/5001/messages", &incoming()).await.expect(201);
    }
}
