//! What a ticketing system answers becomes a valid ticket or an error that says what is missing.

use serde_json::{Value, json};

use crate::support::{Upstream, gateway, gateway_of, get, reply};

/// An integration that hands on what its system answers.
const OPEN: &str = "
name: open
settings: {base_url: {type: url, required: true}}
connector: {base_url: '{{settings.base_url}}', auth: {kind: none}}
http_actions:
  ask: {method: GET, path: /ask}
  tell: {method: POST, path: /tell}
actions:
  query_ticket_by_id:
    steps:
      - action: {action_name: ask, input_args: {}, output_key: answer}
      - return: {output_mapper: data.answer}
  query_tickets_by_time_range:
    steps:
      - action: {action_name: ask, input_args: {}, output_key: answer}
      - return: {output_mapper: data.answer}
  update_ticket_fields:
    steps:
      - action: {action_name: tell, input_args: {}, output_key: answer}
      - return: {output_mapper: data.answer}
  add_public_comment:
    steps:
      - action: {action_name: tell, input_args: {}, output_key: answer}
      - return: {output_mapper: data.answer}
";

async fn open(answer: Value) -> actions::Gateway {
    gateway_of(
        OPEN,
        &Upstream::start(move |_| reply(200, &answer)).await,
        json!({}),
    )
}

fn ticket() -> Value {
    json!({"id": "1", "state": "Open", "short_description": "x", "updated_at": "2026-01-05T10:30:45Z"})
}

const LIST: &str =
    "/v1/open/tickets?updated_start_ts=2026-01-05T10:00:00Z&updated_end_ts=2026-01-05T11:00:00Z";

#[tokio::test]
async fn times_of_comments_and_attachments_are_put_into_form() {
    let mut given = ticket();
    for part in ["comments", "attachments"] {
        given[part] = json!([{"id": 1, "created_at": "2026-01-05T12:00:00+01:00"}]);
    }
    let answer = get(&open(given.clone()).await, "/v1/open/tickets/1").await;
    for part in ["comments", "attachments"] {
        assert_eq!(
            answer.body["raw_ticket"][part],
            json!([{"id": "1", "created_at": "2026-01-05T11:00:00.000000Z"}])
        );
        let mut wrong = given.clone();
        wrong[part][0]["created_at"] = json!("yesterday");
        let answer = get(&open(wrong).await, "/v1/open/tickets/1").await;
        let place = format!("raw_ticket.{part}[0].created_at: expected a time");
        assert!(answer.message().contains(&place), "{answer:?}");
    }
}

#[tokio::test]
async fn both_shapes_of_an_answer_are_taken() {
    for shape in [ticket(), json!({"raw_ticket": ticket()})] {
        let answer = get(&open(shape).await, "/v1/open/tickets/1").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.body["raw_ticket"]["updated_at"],
            "2026-01-05T10:30:45.000000Z"
        );
    }
    for shape in [json!([ticket()]), json!({"raw_tickets": [ticket()]})] {
        let answer = get(&open(shape).await, LIST).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["raw_tickets"].as_array().map(Vec::len), Some(1));
    }
    for shape in [json!({"id": 5}), json!({"comment": {"id": 5}}), Value::Null] {
        let answer = crate::support::post(
            &open(shape).await,
            "/v1/open/tickets/1/comments",
            json!({"comment": "x"}),
        )
        .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["comment"]["body"], "x");
    }
}

#[tokio::test]
async fn an_empty_list_is_a_list() {
    for shape in [json!([]), Value::Null, json!({"raw_tickets": null})] {
        let answer = get(&open(shape).await, LIST).await;
        assert_eq!(answer.body["raw_tickets"], json!([]), "{answer:?}");
    }
}

#[tokio::test]
async fn a_list_under_another_key_is_not_taken_for_an_empty_one() {
    for shape in [json!({"tickets": [ticket()]}), json!({})] {
        let answer = get(&open(shape).await, LIST).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (502, vec!["raw_tickets"]),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn no_ticket_is_404() {
    for shape in [Value::Null, json!({"raw_ticket": null})] {
        let answer = get(&open(shape).await, "/v1/open/tickets/1").await;
        assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_ticket_that_breaks_the_schema_is_502_with_what_is_wrong() {
    for (field, value, expected) in [
        (
            "short_description",
            Value::Null,
            "raw_ticket.short_description: expected text, found nothing",
        ),
        (
            "state",
            json!(""),
            "raw_ticket.state: expected non-empty text, found empty text",
        ),
        (
            "updated_at",
            json!("last week"),
            "raw_ticket.updated_at: expected a time",
        ),
        ("updated_at", json!(""), "raw_ticket.updated_at: expected a time"),
        ("created_at", json!({}), "raw_ticket.created_at: expected a time"),
        (
            "id",
            json!(["1"]),
            "raw_ticket.id: expected non-empty text, found a list",
        ),
        (
            "internal_state_code",
            json!("DONE"),
            "raw_ticket.internal_state_code: expected one of NEW, WIP",
        ),
        (
            "comments",
            json!([{"created_at": "never"}]),
            "raw_ticket.comments[0].created_at: expected a time",
        ),
        (
            "custom_data",
            json!("x"),
            "raw_ticket.custom_data: expected an object, found text",
        ),
        (
            "requested_for",
            json!([]),
            "raw_ticket.requested_for: expected text or an object, found a list",
        ),
    ] {
        let mut wrong = ticket();
        wrong[field] = value;
        let answer = get(&open(wrong.clone()).await, "/v1/open/tickets/1").await;
        assert_eq!(
            (answer.status, answer.code()),
            (502, "EXTERNAL_REST_ERROR"),
            "{wrong}: {answer:?}"
        );
        assert!(
            answer.message().contains(expected),
            "expected {expected}\nfound    {}",
            answer.message()
        );
    }
}

#[tokio::test]
async fn one_bad_ticket_of_a_list_is_named_by_its_place() {
    let answer = get(&open(json!([ticket(), {"id": 2}])).await, LIST).await;
    assert_eq!(answer.status, 502);
    assert!(answer.fields().contains(&"raw_tickets[1].state"), "{answer:?}");
}

#[tokio::test]
async fn a_write_whose_answer_is_no_ticket_was_done() {
    let gateway = open(json!({"ok": true})).await;
    let answer = crate::support::call(
        &gateway,
        "PATCH",
        "/v1/open/tickets/1",
        json!({"payload": {"a": 1}}),
    )
    .await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );
    assert_eq!(answer.details()["outcome"], "done");
    assert!(
        answer.message().contains("do not send it again"),
        "{}",
        answer.message()
    );
}

#[tokio::test]
async fn another_ticket_schema_can_take_the_place_of_the_shipped_one() {
    let ticket = json!({"key": 5, "at": 1_767_609_045, "parent": {"key": 4, "parent": null}});
    let upstream = Upstream::start(move |_| reply(200, &ticket)).await;
    let schema = json!({
        "type": "object",
        "required": ["key"],
        "properties": {
            "key": {"type": "string"},
            "at": {"type": "string", "format": "date-time"},
            "parent": {"$ref": "#"},
        },
    });
    let installation = crate::support::install(OPEN, json!({"base_url": upstream.address}));
    let gateway = actions::Gateway::builder(crate::support::client())
        .integration(installation)
        .ticket_schema(actions::TicketSchema::new(schema).unwrap())
        .build()
        .unwrap();
    let answer = get(&gateway, "/v1/open/tickets/1").await;
    assert_eq!(
        answer.body,
        json!({"raw_ticket": {
            "key": "5",
            "at": "2026-01-05T10:30:45.000000Z",
            "parent": {"key": "4"},
        }})
    );
}

#[tokio::test]
async fn the_shipped_schema_lists_the_contracts_fields() {
    use integration::contract::{ATTACHMENT_FIELDS, COMMENT_FIELDS, REQUIRED_TICKET_FIELDS, TICKET_FIELDS};
    let shipped = actions::TicketSchema::shipped().unwrap();
    let schema = shipped.as_json();
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    let keys = |pointer: &str| {
        sorted(
            schema
                .pointer(pointer)
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect(),
        )
    };
    let words = |names: &[&str]| sorted(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(keys("/properties"), words(&TICKET_FIELDS));
    assert_eq!(keys("/$defs/comment/properties"), words(&COMMENT_FIELDS));
    assert_eq!(keys("/$defs/attachment/properties"), words(&ATTACHMENT_FIELDS));
    assert_eq!(schema["required"], json!(REQUIRED_TICKET_FIELDS));
}

#[tokio::test]
async fn a_desk_that_says_null_for_a_missing_ticket_is_understood() {
    let upstream = Upstream::start(|_| reply(200, &json!({"id": 7, "items": null}))).await;
    let answer = get(&gateway(&upstream), "/v1/desk/tickets/IT-7").await;
    assert_eq!(
        answer.status, 502,
        "a record without a title is no ticket: {answer:?}"
    );
}
