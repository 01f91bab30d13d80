//! What nobody looks at in an answer is not kept.

use std::time::Duration;

use mapping::Projection;
use serde_json::{Value, json};
use upstream::{BodyReads, Client, FailWhen, HttpAction, UpstreamError};

use crate::support::{Reply, Server, client_with, connector, context, get, mapping};

/// The result for a caller that looks at it, as `result`, with this expression.
async fn read(server: &Server, action: &HttpAction, expression: &str) -> Result<Value, UpstreamError> {
    let reads = action.reads(&looked_at(expression));
    read_with(&client_with(&[]), server, action, &reads).await
}

fn looked_at(expression: &str) -> Projection {
    mapping(expression).projection().under(&["result"])
}

async fn read_with(
    client: &Client,
    server: &Server,
    action: &HttpAction,
    reads: &BodyReads,
) -> Result<Value, UpstreamError> {
    let answer = client
        .call_reading(&connector(&server.url), action, reads, &json!({}), &mut context())
        .await;
    answer.map(|answer| answer.result)
}

async fn ticket() -> Server {
    Server::start(|_, _| {
        Reply::json(&json!({
            "id": 7,
            "title": "Printer on fire",
            "author": {"name": "Molly", "photo": "iVBORw0KGgo="},
            "comments": [{"text": "it burns", "html": "<p>it burns</p>"}, {"text": "out", "html": "<p>out</p>"}],
            "error": null,
        }))
    })
    .await
}

#[tokio::test]
async fn parts_that_the_caller_does_not_look_at_are_left_out() {
    let server = ticket().await;
    let expression = "[result.id, result.author.name, result.comments.$MAP(c => c.text)]";
    assert_eq!(
        read(&server, &get("/t"), expression).await.unwrap(),
        json!({"id": 7, "author": {"name": "Molly"}, "comments": [{"text": "it burns"}, {"text": "out"}]})
    );
}

#[tokio::test]
async fn what_the_action_itself_looks_at_is_kept() {
    let server = ticket().await;
    let action = HttpAction {
        fail_when: vec![FailWhen {
            condition: mapping("response.body.error OR response.body.author.photo == null"),
            message: None,
            code: None,
        }],
        ..get("/t")
    };
    assert_eq!(
        read(&server, &action, "result.id").await.unwrap(),
        json!({"id": 7, "author": {"photo": "iVBORw0KGgo="}, "error": null})
    );
}

#[tokio::test]
async fn a_caller_that_looks_at_the_whole_result_gets_it() {
    let server = ticket().await;
    let whole = read(&server, &get("/t"), "result.$STRINGIFY_JSON()")
        .await
        .unwrap();
    assert_eq!(whole["author"]["photo"], "iVBORw0KGgo=");
    assert_eq!(whole["comments"][1]["html"], "<p>out</p>");
}

#[tokio::test]
async fn only_the_result_of_an_action_with_one_reads_the_body() {
    let server = ticket().await;
    let action = HttpAction {
        result: Some(mapping("response.body.author")),
        ..get("/t")
    };
    assert_eq!(
        read(&server, &action, "result.name").await.unwrap(),
        json!({"name": "Molly", "photo": "iVBORw0KGgo="})
    );
}

#[tokio::test]
async fn a_result_that_fails_still_tells_all_that_the_answer_had() {
    let server = ticket().await;
    let action = HttpAction {
        result: Some(mapping(
            "response.body.titel.$SPLIT(\"-\")[0] + response.body.author",
        )),
        ..get("/t")
    };
    let error = read(&server, &action, "result").await.unwrap_err();
    let told = "a body with id, title, author, comments, error";
    assert!(error.to_string().ends_with(told), "{error}");
}

#[tokio::test]
async fn a_bad_answer_is_read_whole() {
    let server = Server::start(|_, _| {
        Reply::json(&json!({"reason": {"text": "no such ticket"}, "more": "of it"})).with_status(404)
    })
    .await;
    let action = HttpAction {
        fail_when: vec![FailWhen {
            condition: mapping("response.status == 404"),
            message: Some(mapping("response.body.$STRINGIFY_JSON()")),
            code: None,
        }],
        ..get("/t")
    };
    let error = read(&server, &action, "result.id").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"{"reason":{"text":"no such ticket"},"more":"of it"}"#
    );
}

#[tokio::test]
async fn a_kept_answer_serves_callers_that_look_at_other_parts() {
    let server = ticket().await;
    let client = client_with(&[]);
    let action = HttpAction {
        cache: Some(Duration::from_secs(60)),
        ..get("/t")
    };
    for expression in ["result.id", "result.title"] {
        let reads = action.reads(&looked_at(expression));
        let result = read_with(&client, &server, &action, &reads).await.unwrap();
        assert_eq!(
            (&result["id"], &result["title"]),
            (&json!(7), &json!("Printer on fire"))
        );
    }
}

#[tokio::test]
async fn what_is_skipped_must_be_json() {
    let server = Server::start(|_, _| Reply::status(200).body("{\"id\": 7, \"author\": {\"name\": }}")).await;
    let error = read(&server, &get("/t"), "result.id").await.unwrap_err();
    assert!(
        error.to_string().ends_with("is not JSON: see line 1, column 30"),
        "{error}"
    );
}

#[tokio::test]
async fn of_keys_that_come_twice_the_last_counts_and_a_byte_order_mark_is_nothing() {
    let body = "\u{feff}{\"id\": 1, \"skipped\": [1, 2], \"id\": 2, \"skipped\": 3}";
    let server = Server::start(move |_, _| Reply::status(200).body(body)).await;
    assert_eq!(
        read(&server, &get("/t"), "result.id").await.unwrap(),
        json!({"id": 2})
    );
}
