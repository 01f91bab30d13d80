//! The function that says what the API is.

use serde_json::{Value, json};

use crate::support::{Answer, query_event};

fn get(path: &str) -> Answer {
    let mut event = query_event();
    event["queryStringParameters"] = Value::Null;
    event["multiValueQueryStringParameters"] = Value::Null;
    event["pathParameters"] = Value::Null;
    event["path"] = json!(path);
    event["resource"] = json!(path);
    event["requestContext"]["resourcePath"] = json!(path);
    let answer = lambda::describe(serde_json::from_value(event).unwrap());
    Answer::of(&serde_json::to_value(&answer).unwrap())
}

#[test]
fn it_serves_the_openapi_document() {
    let answer = get("/openapi.json");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, actions::openapi());
}

#[test]
fn it_says_that_it_is_there() {
    let answer = get("/healthz");
    assert_eq!((answer.status, answer.body), (200, json!({"status": "ok"})));
}

#[test]
fn it_serves_nothing_else() {
    assert_eq!(get("/desk/tickets").code(), (404, "NOT_FOUND"));
}
