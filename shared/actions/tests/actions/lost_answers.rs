//! A change whose answer is lost may have been made. Set again it is the same; what was added would be there twice.

use axum::body::{Body, Bytes};
use axum::response::Response;
use serde_json::{Value, json};

use crate::support::{Upstream, call, gateway_of};

/// A desk where a comment and a file are changes of the ticket: everything is one PUT.
const DESK: &str = "
name: desk
settings: {base_url: {type: url, required: true}}
connector:
  base_url: '{{settings.base_url}}'
  retry: {max_attempts: 3, initial_delay_seconds: 0.01}
http_actions:
  change: &change
    method: PUT
    path: /tickets/{{{id}}}
    body: {json: changes}
  comment: *change
  unlock:
    method: DELETE
    path: /tickets/{{{id}}}/lock
actions:
  update_ticket_state:
    steps:
      - action: &set {action_name: change, input_args: {id: data.context.ticket.id, changes: {status: data.context.state}}, output_key: changed}
      - return: &ticket {output_mapper: {raw_ticket: {id: data.changed.id, state: data.changed.status, short_description: data.changed.title, updated_at: data.changed.at}}}
  resolve_ticket:
    steps:
      - action:
          action_name: comment
          input_args: {id: data.context.ticket.id, changes: {status: data.context.state, comment: data.context.comment}}
          output_key: changed
      - return: *ticket
  reopen_ticket:
    steps:
      - action: *set
      - action: {action_name: comment, when: data.context.comment, input_args: {id: data.context.ticket.id, changes: {comment: data.context.comment}}, output_key: _}
      - return: *ticket
  add_internal_comment:
    steps:
      - action: {action_name: comment, input_args: {id: data.context.ticket.id, changes: {note: data.context.comment}}, output_key: changed}
      - return: {output_mapper: {comment: {id: data.changed.id}}}
  add_attachment:
    fail_when: data.context.comment
    steps:
      - action: {action_name: unlock, input_args: {id: data.context.ticket.id}, output_key: _}
      - action: {action_name: comment, input_args: {id: data.context.ticket.id, changes: {file: data.context.content}}, output_key: changed}
      - return: {output_mapper: {attachment: {id: data.changed.id}}}
ticketing: {states: {open: NEW, solved: RESOLVED}}
";

const SET: (&str, &str) = ("PUT", "state");
const RESOLVE: (&str, &str) = ("POST", "resolve");
const NOTE: (&str, &str) = ("POST", "internal-comments");
const ATTACH: (&str, &str) = ("POST", "attachments");

/// What the desk is asked, none of whose answers comes through, and what the caller is told of the change.
async fn lost(yaml: &str, (method, path): (&str, &str), body: Value) -> (Vec<String>, Value) {
    let upstream = Upstream::start(|_| {
        let cut = futures::stream::iter([
            Ok(Bytes::from_static(b"{\"id\": 7")),
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        ]);
        Response::new(Body::from_stream(cut))
    })
    .await;
    let gateway = gateway_of(yaml, &upstream, json!({}));
    let answer = call(&gateway, method, &format!("/v1/desk/tickets/7/{path}"), body).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    (upstream.lines(), answer.details()["outcome"].clone())
}

#[tokio::test]
async fn what_is_set_is_set_again() {
    let (sent, outcome) = lost(DESK, SET, json!({"state": "open"})).await;
    assert_eq!(sent, ["PUT /tickets/7"; 3]);
    assert_eq!(outcome, "unknown");
}

#[tokio::test]
async fn a_comment_is_sent_once_although_it_is_a_put() {
    for (action, body) in [
        (NOTE, json!({"comment": "seen"})),
        (RESOLVE, json!({"comment": "done"})),
    ] {
        let (sent, outcome) = lost(DESK, action, body).await;
        assert_eq!(sent, ["PUT /tickets/7"], "{action:?}");
        assert_eq!(outcome, "unknown", "{action:?}");
    }
}

#[tokio::test]
async fn nothing_of_an_attachment_is_sent_again() {
    let file = json!({"file_name": "a.txt", "content": "aGk="});
    let (sent, outcome) = lost(DESK, ATTACH, file).await;
    assert_eq!(sent, ["DELETE /tickets/7/lock"]);
    assert_eq!(outcome, "unknown");
}

#[tokio::test]
async fn the_integration_may_say_that_it_does_no_harm() {
    let knows_repeats = DESK.replace(
        "body: {json: changes}",
        "body: {json: changes}\n    repeatable: true",
    );
    let (sent, _) = lost(&knows_repeats, NOTE, json!({"comment": "seen"})).await;
    assert_eq!(sent, ["PUT /tickets/7"; 3]);
}

#[tokio::test]
async fn an_action_that_is_used_for_both_is_sent_once() {
    let one_for_all = DESK.replace("action_name: comment", "action_name: change");
    let one_for_all = one_for_all.replace("  comment: *change\n", "");
    let (sent, _) = lost(&one_for_all, SET, json!({"state": "open"})).await;
    assert_eq!(sent, ["PUT /tickets/7"]);
}
