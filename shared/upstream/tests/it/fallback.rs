//! The second form of a request.

use serde_json::{Value, json};
use upstream::{Body, Client, Connector, ErrorKind, Fallback, HttpAction, Method, Outcome, UpstreamError};

use crate::support::{Asked, Reply, Server, client_with, connector, context, mapping, post, template};

fn on_status(statuses: &[u16]) -> Fallback {
    Fallback {
        on_status: statuses.to_vec(),
        when: None,
        method: None,
        path: Some(template("/tickets/{{id}}/comments")),
        query: None,
        headers: None,
        body: None,
    }
}

fn with(fallback: Fallback) -> HttpAction {
    HttpAction {
        fallback: Some(Box::new(fallback)),
        ..post("/tickets/{{id}}/activities")
    }
}

fn is_comments(asked: &Asked) -> bool {
    asked.path.ends_with("/comments")
}

async fn run(client: &Client, connector: &Connector, action: &HttpAction) -> Result<Value, UpstreamError> {
    client
        .call(connector, action, &json!({"id": 1}), &mut context())
        .await
        .map(|answer| answer.result)
}

#[tokio::test]
async fn a_listed_status_is_answered_with_the_other_form_and_the_form_that_works_is_remembered() {
    let server = Server::start(|asked, _| {
        if is_comments(asked) {
            Reply::json(&json!("ok"))
        } else {
            Reply::status(404)
        }
    })
    .await;
    let (client, connector) = (client_with(&[]), connector(&server.url));
    for _ in 0..2 {
        assert_eq!(
            run(&client, &connector, &with(on_status(&[404, 405])))
                .await
                .unwrap(),
            json!("ok")
        );
    }
    let paths: Vec<_> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(
        paths,
        [
            "/tickets/1/activities",
            "/tickets/1/comments",
            "/tickets/1/comments"
        ]
    );
}

#[tokio::test]
async fn a_remembered_form_that_stops_working_is_forgotten() {
    let server = Server::start(|asked, number| {
        if is_comments(asked) == (number < 2) {
            Reply::json(&json!("ok"))
        } else {
            Reply::status(404)
        }
    })
    .await;
    let (client, connector) = (client_with(&[]), connector(&server.url));
    for _ in 0..3 {
        run(&client, &connector, &with(on_status(&[404]))).await.unwrap();
    }
    let forms: Vec<_> = server.asked().iter().map(is_comments).collect();
    assert_eq!(forms, [false, true, true, false, false]);
}

#[tokio::test]
async fn of_two_refusals_the_one_that_speaks_of_the_resource_is_told() {
    for (activities, comments, told) in [(404, 405, 404), (405, 404, 404), (404, 404, 404), (404, 409, 409)] {
        let server = Server::start(move |asked, _| {
            Reply::status(if is_comments(asked) { comments } else { activities })
        })
        .await;
        let client = client_with(&[]);
        let action = with(on_status(&[404, 405]));
        let error = run(&client, &connector(&server.url), &action).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status(told), "{activities} {comments}");
        run(&client, &connector(&server.url), &action).await.unwrap_err();
        assert_eq!(
            server.asked()[2].path,
            "/tickets/1/activities",
            "nothing is remembered"
        );
    }
}

#[tokio::test]
async fn what_may_have_happened_has_no_second_form() {
    for status in [500, 502, 503] {
        let server = Server::start(move |_, _| Reply::status(status)).await;
        run(
            &client_with(&[]),
            &connector(&server.url),
            &with(on_status(&[404, 500, 502, 503])),
        )
        .await
        .unwrap_err();
        server.asked_once();
    }
    let server = Server::start(|asked, _| {
        if is_comments(asked) {
            Reply::json(&json!("ok"))
        } else {
            Reply::status(501)
        }
    })
    .await;
    let repeatable = HttpAction {
        repeatable: true,
        ..with(on_status(&[501]))
    };
    assert_eq!(
        run(&client_with(&[]), &connector(&server.url), &repeatable)
            .await
            .unwrap(),
        json!("ok")
    );
}

#[tokio::test]
async fn a_condition_decides_by_the_answer() {
    let server = Server::start(|asked, _| match asked.json() {
        body if body.get("ticket").is_some() => Reply::json(&json!("ok")),
        _ => Reply::json(&json!({"error": true})),
    })
    .await;
    let (client, connector) = (client_with(&[]), connector(&server.url));
    let action = HttpAction {
        method: Method::PUT,
        body: Body::JsonTemplate(template(r#"{"updates": {{id}}}"#)),
        fallback: Some(Box::new(Fallback {
            on_status: Vec::new(),
            when: Some(mapping("response.status == 400 OR response.body.error")),
            path: None,
            body: Some(Body::JsonTemplate(template(r#"{"ticket": {{id}}}"#))),
            ..on_status(&[])
        })),
        ..post("/tickets/{{id}}")
    };
    for _ in 0..2 {
        assert_eq!(run(&client, &connector, &action).await.unwrap(), json!("ok"));
    }
    let first_key = |asked: &Asked| asked.json().as_object().unwrap().keys().next().unwrap().clone();
    let keys: Vec<_> = server.asked().iter().map(first_key).collect();
    assert_eq!(
        keys,
        ["updates", "ticket", "updates", "ticket"],
        "a condition is not remembered"
    );
}

#[tokio::test]
async fn a_condition_that_fails_does_not_hide_the_status() {
    let server = Server::start(|_, _| Reply::status(404).body("<html>")).await;
    let fallback = Fallback {
        when: Some(mapping("response.body.at.$PARSE_TIME() < id")),
        ..on_status(&[])
    };
    let error = run(&client_with(&[]), &connector(&server.url), &with(fallback))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Status(404), "{error}");
    server.asked_once();
}

#[tokio::test]
async fn with_a_status_and_a_condition_both_must_hold() {
    let server = Server::start(|_, _| Reply::json(&json!({"retry": false})).with_status(400)).await;
    let fallback = Fallback {
        when: Some(mapping("response.body.retry")),
        ..on_status(&[400])
    };
    run(&client_with(&[]), &connector(&server.url), &with(fallback))
        .await
        .unwrap_err();
    server.asked_once();
}

#[tokio::test]
async fn a_form_with_a_method_that_cannot_be_repeated_is_not_repeated() {
    let server = Server::start(|asked, _| Reply::status(if asked.method == "PUT" { 405 } else { 503 })).await;
    let action = HttpAction {
        method: Method::PUT,
        repeatable: true,
        ..with(Fallback {
            method: Some(Method::POST),
            path: None,
            ..on_status(&[405])
        })
    };
    let error = run(&client_with(&[]), &connector(&server.url), &action)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Status(503), Outcome::Unknown)
    );
    let methods: Vec<_> = server.asked().into_iter().map(|asked| asked.method).collect();
    assert_eq!(methods, ["PUT", "POST"]);
}
