//! What is wrong with a request is named, field by field, and nothing is sent.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{DESK, Upstream, call, gateway, gateway_of, get, post, send};

#[tokio::test]
async fn every_wrong_field_is_named_with_what_was_expected() {
    let upstream = Upstream::desk().await;
    let gateway = gateway_of(DESK, &upstream, json!({"notes": true}));
    let t = "/v1/desk/tickets";
    let cases: Vec<(&str, String, Value, &str)> = vec![
        (
            "POST",
            t.into(),
            json!({}),
            "payload: expected an object, found nothing",
        ),
        (
            "POST",
            t.into(),
            json!({"payload": {}}),
            "payload.short_description: expected non-empty text, found nothing",
        ),
        (
            "POST",
            t.into(),
            json!({"payload": {"short_description": " "}}),
            "payload.short_description: expected non-empty text, found empty text",
        ),
        (
            "POST",
            t.into(),
            json!({"payload": {"short_description": 5}}),
            "payload.short_description: expected non-empty text, found a number",
        ),
        (
            "POST",
            t.into(),
            json!({"payload": []}),
            "payload: expected an object, found a list",
        ),
        (
            "POST",
            t.into(),
            json!({"payload": {"short_description": "x", "description": {}}}),
            "payload.description: expected text, found an empty object",
        ),
        (
            "POST",
            t.into(),
            json!({"payload": {"short_description": "x"}, "destnation": "it"}),
            "destnation: unknown field; did you mean `destination`?",
        ),
        (
            "POST",
            t.into(),
            json!({"payload": {"short_description": "x"}, "requestor_info": {"requestor": {"email_addr": 5}}}),
            "requestor_info.requestor.email_addr: expected text, found a number",
        ),
        (
            "PATCH",
            format!("{t}/IT-7"),
            json!({"payload": {}}),
            "payload: expected an object with at least one field, found an empty object",
        ),
        (
            "PATCH",
            format!("{t}/IT-7"),
            json!({"payload": {"a": 1}, "ticket_id": "8"}),
            "ticket_id: stands in the path and cannot be given a second time",
        ),
        (
            "PUT",
            format!("{t}/IT-7/assignment"),
            json!({}),
            "assignee: expected an assignee or an assignment_group, found neither",
        ),
        (
            "PUT",
            format!("{t}/IT-7/assignment"),
            json!({"assignee": 5}),
            "assignee: expected non-empty text or an object with at least one field, found a number",
        ),
        (
            "PUT",
            format!("{t}/IT-7/assignment"),
            json!({"assignee": {"mail": "x"}}),
            "assignee.mail: unknown field; did you mean `email`?",
        ),
        (
            "POST",
            format!("{t}/IT-7/comments"),
            json!({"comment": ""}),
            "comment: expected non-empty text, found empty text",
        ),
        (
            "POST",
            format!("{t}/IT-7/internal-comments"),
            json!({"comment": null}),
            "comment: expected non-empty text, found null",
        ),
        (
            "POST",
            format!("{t}/IT-7/attachments"),
            json!({"file_name": "a", "content": "not base64!"}),
            "content: expected Base64",
        ),
        (
            "POST",
            format!("{t}/IT-7/attachments"),
            json!({"file_name": "a", "content": "SGVsbG8"}),
            "content: expected Base64",
        ),
        (
            "POST",
            format!("{t}/IT-7/attachments"),
            json!({"file_name": "a", "content": "data:text/plain;base64,SGVsbG8="}),
            "content: expected Base64 alone",
        ),
        (
            "POST",
            format!("{t}/IT-7/attachments"),
            json!({"content": "SGVsbG8="}),
            "file_name: expected non-empty text, found nothing",
        ),
        (
            "POST",
            format!("{t}/IT-7/attachments"),
            json!({"file_name": "../a", "content": "SGVsbG8="}),
            "file_name: expected a name, not a path",
        ),
        (
            "POST",
            format!("{t}/IT-7/attachments"),
            json!({"file_name": "..", "content": "SGVsbG8="}),
            "file_name: expected a name, not a path",
        ),
        (
            "POST",
            format!("{t}/IT-7/attachments"),
            json!({"file_name": "a", "content": "SGVsbG8=", "content_type": "png"}),
            "content_type: expected a media type",
        ),
        (
            "POST",
            format!("{t}/IT-7/resolve"),
            json!({"resolution": 5}),
            "resolution: expected text, found a number",
        ),
        (
            "GET",
            t.into(),
            Value::Null,
            "updated_start_ts: expected a time such as 2026-01-05T10:30:45Z, found nothing",
        ),
        (
            "GET",
            format!("{t}?updated_start_ts=yesterday&updated_end_ts=2026-01-05T10:00:00Z"),
            Value::Null,
            "updated_start_ts: expected an RFC 3339 time with an offset",
        ),
        (
            "GET",
            format!("{t}?updated_start_ts=2026-01-05T10:00:00&updated_end_ts=2026-01-05T10:00:00Z"),
            Value::Null,
            "updated_start_ts: expected an RFC 3339 time with an offset",
        ),
        (
            "GET",
            format!("{t}?updated_start_ts=2026-01-05T11:00:00Z&updated_end_ts=2026-01-05T10:00:00Z"),
            Value::Null,
            "updated_end_ts: expected a time that is not before updated_start_ts",
        ),
        (
            "GET",
            format!("{t}?since=1"),
            Value::Null,
            "since: unknown query parameter",
        ),
        (
            "GET",
            format!("{t}?destination=it&destination=hr"),
            Value::Null,
            "destination: expected once, found several times",
        ),
        (
            "GET",
            "/v1/desk/requestors/12/tickets?updated_start_ts=2026-01-05T11:00:00Z".into(),
            Value::Null,
            "updated_end_ts: expected an RFC 3339 time",
        ),
        (
            "GET",
            format!("{t}/IT-7?fields=all"),
            Value::Null,
            "fields: unknown query parameter",
        ),
        (
            "GET",
            format!("{t}/{}", "9".repeat(256)),
            Value::Null,
            "ticket_id: expected text of at most 255 characters, found 256",
        ),
        (
            "GET",
            format!("{t}/%20"),
            Value::Null,
            "ticket_id: expected non-empty text, found empty text",
        ),
        (
            "POST",
            format!("{t}?destination=it"),
            json!({"payload": {"short_description": "x"}}),
            "destination: unknown query parameter",
        ),
    ];
    for (method, path, body, expected) in cases {
        let answer = call(&gateway, method, &path, body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "INPUT_VALIDATION_FAILED"),
            "{method} {path} {body}: {answer:?}"
        );
        assert!(
            answer.message().contains(expected),
            "{method} {path} {body}\nexpected {expected}\nfound    {}",
            answer.message()
        );
        let field = expected.split(':').next().unwrap();
        assert!(answer.fields().contains(&field), "{answer:?}");
    }
    assert!(
        upstream.seen().is_empty(),
        "nothing was sent: {:?}",
        upstream.lines()
    );
}

#[tokio::test]
async fn all_problems_are_told_at_once() {
    let upstream = Upstream::desk().await;
    let body = json!({"payload": {"short_description": ""}, "colour": 1, "destination": 2});
    let answer = post(&gateway(&upstream), "/v1/desk/tickets", body).await;
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["colour", "destination", "payload.short_description"]);
}

#[tokio::test]
async fn a_body_must_be_a_json_object() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    for (body, content_type, field) in [
        ("{\"payload\": ", Some("application/json"), "body"),
        ("[]", Some("application/json"), "body"),
        ("\u{0}", Some("application/json"), "body"),
        ("{}", Some("text/plain"), "Content-Type"),
        ("a=b", Some("application/x-www-form-urlencoded"), "Content-Type"),
        ("{}", None, "payload"),
        ("{}", Some("application/json; charset=utf-8"), "payload"),
    ] {
        let mut request = http::Request::post("/v1/desk/tickets");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = send(&gateway, request.body(Bytes::from(body)).unwrap()).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (400, vec![field]),
            "{body}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_by_its_field() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    let path = "/v1/desk/tickets/IT-7/attachments";
    let file = |bytes: usize| json!({"file_name": "a", "content": "AAAA".repeat(bytes / 3)});

    let answer = post(&gateway, path, file(actions::MAX_ATTACHMENT_BYTES)).await;
    assert_eq!(
        answer.status,
        201,
        "the limit itself is allowed: {}",
        answer.message()
    );
    for too_large in [actions::MAX_ATTACHMENT_BYTES + 3, actions::MAX_BODY_BYTES] {
        let answer = post(&gateway, path, file(too_large)).await;
        assert_eq!((answer.status, answer.fields()), (400, vec!["content"]));
        assert!(answer.message().contains("4500000 bytes"), "{}", answer.message());
    }
    let text = "x".repeat(actions::MAX_BODY_BYTES);
    let answer = post(
        &gateway,
        "/v1/desk/tickets/IT-7/comments",
        json!({"comment": text}),
    )
    .await;
    assert_eq!((answer.status, answer.fields()), (400, vec!["body"]));
}

#[tokio::test]
async fn what_does_not_exist_is_404() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    for path in [
        "/v1/other/tickets/7",
        "/v1/desk",
        "/v1/desk/tickets/",
        "/v1/desk/tickets/7/nothing",
        "/v1//tickets/7",
        "/v2/desk/tickets/7",
        "/",
    ] {
        let answer = get(&gateway, path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (404, "NOT_FOUND"),
            "{path}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn what_an_integration_cannot_do_is_422_with_the_reason() {
    let upstream = Upstream::desk().await;
    let answer = post(
        &gateway(&upstream),
        "/v1/desk/tickets/IT-7/internal-comments",
        json!({"comment": "x"}),
    )
    .await;
    assert_eq!((answer.status, answer.code()), (422, "ACTION_NOT_SUPPORTED"));
    assert!(
        answer.message().contains("no internal notes"),
        "{}",
        answer.message()
    );

    let small = "
name: small
settings: {base_url: {type: url, required: true}}
connector: {base_url: '{{settings.base_url}}', auth: {kind: none}}
http_actions: {get_record: {method: GET, path: '/records/{{{id}}}'}}
actions:
  query_ticket_by_id:
    steps:
      - action: {action_name: get_record, input_args: {id: data.context.ticket_id}, output_key: r}
      - return: {output_mapper: data.r}
";
    let gateway = gateway_of(small, &upstream, json!({}));
    let answer = post(
        &gateway,
        "/v1/small/tickets/IT-7/comments",
        json!({"comment": "x"}),
    )
    .await;
    assert_eq!((answer.status, answer.code()), (422, "ACTION_NOT_SUPPORTED"));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn of_very_many_mistakes_twenty_are_told_and_soon() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    let started = std::time::Instant::now();

    let mut unknown = json!({"payload": {"short_description": "x"}});
    for number in 0..100_000 {
        unknown[format!("k{number}")] = json!(1);
    }
    let people = vec![json!(1); 100_000];
    let wrong = json!({
        "payload": {"short_description": "x"},
        "requestor_info": {"requestor": {"user_id_info": {"user_itsm_id_info": people}}},
    });
    for body in [unknown, wrong] {
        let answer = post(&gateway, "/v1/desk/tickets", body).await;
        assert_eq!((answer.status, answer.fields().len()), (400, 20));
    }
    let query: Vec<String> = (0..1000).map(|number| format!("k{number}=")).collect();
    let answer = get(&gateway, &format!("/v1/desk/tickets?{}", query.join("&"))).await;
    assert_eq!((answer.status, answer.fields().len()), (400, 20));

    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_name_that_is_a_book_is_cut_and_compared_with_nothing() {
    let upstream = Upstream::desk().await;
    let mut body = json!({"payload": {"short_description": "x"}});
    body["é".repeat(2_000_000)] = json!(1);
    let started = std::time::Instant::now();
    let answer = post(&gateway(&upstream), "/v1/desk/tickets", body).await;
    assert_eq!(answer.status, 400);
    let cut = format!("{}…: unknown field; expected one of payload", "é".repeat(100));
    assert!(answer.message().starts_with(&cut), "{}", answer.message());
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

const NUMBERED: &str = "
name: desk
settings: {base_url: {type: url, required: true}}
connector: {base_url: \"{{settings.base_url}}\"}
http_actions:
  get: {method: GET, path: /records, query: {id: \"{{id}}\", page: \"{{page}}\"}}
actions:
  query_ticket_by_id:
    steps:
      - action:
          action_name: get
          input_args:
            page: settings.base_url.$SPLIT(\":\")[-1].$INTEGER()
            id: data.context.ticket_id.$INTEGER()
          output_key: found
      - return: {output_mapper: {raw_ticket: data.found}}
";

#[tokio::test]
async fn an_expression_that_fails_over_what_the_caller_sent_is_the_callers_mistake() {
    let upstream = Upstream::desk().await;
    let gateway = gateway_of(NUMBERED, &upstream, json!({}));
    let answer = get(&gateway, "/v1/desk/tickets/abc").await;
    assert_eq!(
        (answer.status, answer.code()),
        (400, "INPUT_VALIDATION_FAILED"),
        "{answer:?}"
    );
    assert_eq!(answer.fields(), ["ticket_id"]);
    assert!(
        answer.details()["place"]
            .as_str()
            .unwrap()
            .starts_with("desk.yaml:14:"),
        "{answer:?}"
    );
    assert!(upstream.lines().is_empty(), "nothing was sent");

    // The integration's own value is the integration's own fault.
    let own = NUMBERED.replace("[-1]", "[0]");
    let answer = get(&gateway_of(&own, &upstream, json!({})), "/v1/desk/tickets/7").await;
    assert_eq!(
        (answer.status, answer.code()),
        (500, "INTERNAL_SERVER_ERROR"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn an_id_that_no_ticket_can_have_is_not_asked_for() {
    let ids = "ticketing: {id_pattern: \"^[0-9]+$\", id_description: a whole number}\n";
    let upstream = Upstream::desk().await;
    let gateway = gateway_of(&format!("{NUMBERED}{ids}"), &upstream, json!({}));
    let answer = get(&gateway, "/v1/desk/tickets/abc").await;
    assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"), "{answer:?}");
    assert_eq!(
        answer.message(),
        "the ticketing system has no such ticket: an id there is a whole number"
    );
    assert!(upstream.lines().is_empty(), "nothing was sent");
    get(&gateway, "/v1/desk/tickets/12").await;
    assert_eq!(upstream.last().parameter("id").as_deref(), Some("12"));

    let bare = NUMBERED.to_owned() + "ticketing: {id_pattern: \"^[0-9]+$\"}\n";
    let answer = get(&gateway_of(&bare, &upstream, json!({})), "/v1/desk/tickets/abc").await;
    assert!(
        answer
            .message()
            .ends_with("an id there is text that matches `^[0-9]+$`"),
        "{answer:?}"
    );
}
