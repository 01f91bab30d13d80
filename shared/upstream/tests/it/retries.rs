//! Retries, times, the rate budget, and the records of what was sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use storage::embedded::StaticSecrets;
use storage::{Budget, Observation, RateBudget, StorageError};
use upstream::{
    ApiKeyLocation, Auth, CallContext, Client, ClientOptions, Connector, ErrorKind, Fallback, HttpAction,
    Lane, Method, Outcome, RateLimit, RetryPolicy,
};

use crate::support::{
    Reply, Server, action, call, client_with, connector, context, get, nobody, post, template,
};

const SHORT: Duration = Duration::from_millis(60);
const LONG: Duration = Duration::from_secs(30);

async fn attempts(method: &Method, status: u16) -> usize {
    let server = Server::start(move |_, _| Reply::status(status)).await;
    call(&connector(&server.url), &action(method, "/t"), &json!({}))
        .await
        .unwrap_err();
    server.asked().len()
}

#[tokio::test]
async fn a_status_is_tried_again_only_where_repeating_is_safe() {
    for (status, repeatable, post) in [
        (502, 3, 1),
        (503, 3, 1),
        (504, 3, 1),
        (500, 2, 1),
        (429, 3, 3),
        (501, 1, 1),
        (404, 1, 1),
        (400, 1, 1),
    ] {
        assert_eq!(attempts(&Method::GET, status).await, repeatable, "GET {status}");
        assert_eq!(attempts(&Method::PUT, status).await, repeatable, "PUT {status}");
        assert_eq!(attempts(&Method::POST, status).await, post, "POST {status}");
        assert_eq!(attempts(&Method::PATCH, status).await, post, "PATCH {status}");
    }
}

#[tokio::test]
async fn an_action_can_be_declared_repeatable_or_not() {
    let server = Server::start(|_, _| Reply::status(503)).await;
    let connector = connector(&server.url);
    call(
        &connector,
        &HttpAction {
            repeatable: true,
            ..post("/search")
        },
        &json!({}),
    )
    .await
    .unwrap_err();
    assert_eq!(server.asked().len(), 3);
    call(
        &connector,
        &HttpAction {
            repeatable: false,
            ..get("/once")
        },
        &json!({}),
    )
    .await
    .unwrap_err();
    assert_eq!(server.asked().len(), 3 + 1);
}

#[tokio::test]
async fn an_action_may_have_its_own_policy() {
    let server = Server::start(|_, _| Reply::status(503)).await;
    let retry = Some(RetryPolicy {
        max_attempts: 1,
        ..RetryPolicy::default()
    });
    call(
        &connector(&server.url),
        &HttpAction { retry, ..get("/t") },
        &json!({}),
    )
    .await
    .unwrap_err();
    server.asked_once();
}

#[tokio::test]
async fn a_later_attempt_that_succeeds_is_the_answer_and_every_attempt_is_recorded() {
    let server = Server::start(|_, number| match number {
        0 => Reply::status(503),
        1 => Reply::status(429).header("retry-after", "0"),
        _ => Reply::json(&json!("done")),
    })
    .await;
    let mut context = context();
    let mut action = action(&Method::PUT, "/t/{{id}}");
    action.query = crate::support::parameters(&[("q", "1")]);
    let answer = client_with(&[])
        .call(
            &connector(&server.url),
            &action,
            &json!({"id": "a b"}),
            &mut context,
        )
        .await;
    assert_eq!(answer.unwrap().result, json!("done"));
    let records: Vec<_> = context
        .calls
        .iter()
        .map(|record| {
            (
                record.action.as_str(),
                record.method.as_str(),
                record.path.as_str(),
                record.status,
                record.attempt,
            )
        })
        .collect();
    assert_eq!(
        records,
        [
            ("do_it", "PUT", "/t/a%20b", Some(503), 1),
            ("do_it", "PUT", "/t/a%20b", Some(429), 2),
            ("do_it", "PUT", "/t/a%20b", Some(200), 3),
        ]
    );
}

#[tokio::test]
async fn no_connection_is_tried_again_whatever_the_method() {
    let url = nobody().await;
    let mut context = context();
    let error = client_with(&[])
        .call(&connector(&url), &post("/t"), &json!({}), &mut context)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Connect, Outcome::NotSent),
        "{error}"
    );
    assert_eq!(context.calls.len(), 3);
    assert!(error.is_transient());
}

/// A connector whose requests wait for another attempt as long as this.
fn patient(server: &Server, max_delay: Duration) -> Connector {
    let mut connector = connector(&server.url);
    connector.retry.max_delay = max_delay;
    connector
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let server = Server::start(|_, number| match number {
        0 => Reply::status(429).header("retry-after", "0.08"),
        _ => Reply::json(&json!(1)),
    })
    .await;
    let started = Instant::now();
    let mut context = context();
    client_with(&[])
        .call(
            &patient(&server, Duration::from_secs(1)),
            &post("/t"),
            &json!({}),
            &mut context,
        )
        .await
        .unwrap();
    assert!(
        started.elapsed() >= Duration::from_millis(80),
        "{:?}",
        started.elapsed()
    );
    assert!(
        context.budget_wait >= Duration::from_millis(80),
        "{:?}",
        context.budget_wait
    );
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_longest_is_left_to_the_caller() {
    let server = Server::start(|_, _| Reply::status(429).header("retry-after", "3")).await;
    let started = Instant::now();
    let connector = patient(&server, Duration::from_millis(2_500));
    let error = call(&connector, &get("/t"), &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    server.asked_once();
}

#[tokio::test]
async fn a_wait_beyond_the_time_left_is_an_error_at_once() {
    for value in ["60", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let server = Server::start(move |_, _| Reply::status(429).header("retry-after", value)).await;
        let started = Instant::now();
        let connector = patient(&server, Duration::MAX);
        let error = call(&connector, &get("/t"), &json!({})).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::RateLimited, Outcome::Refused)
        );
        assert!(error.retry_after().unwrap() >= Duration::from_secs(59));
        assert!(started.elapsed() < Duration::from_secs(5));
        server.asked_once();
    }
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_timeout() {
    let server = Server::start(|_, _| Reply::json(&json!(1)).after(LONG)).await;
    let slow = |action: HttpAction| HttpAction {
        timeout: Some(SHORT),
        ..action
    };
    let error = call(&connector(&server.url), &slow(post("/t")), &json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Timeout, Outcome::Unknown),
        "{error}"
    );
    assert_eq!(server.asked().len(), 1);
    let error = call(&connector(&server.url), &slow(get("/t")), &json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Timeout, Outcome::Refused)
    );
    assert_eq!(server.asked().len(), 1 + 3);
    let mut connector = connector(&server.url);
    connector.timeout = SHORT;
    let error = call(&connector, &post("/t"), &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn everything_ends_at_the_deadline() {
    let server = Server::start(|_, _| Reply::json(&json!(1)).after(LONG)).await;
    let mut context = CallContext::within(SHORT);
    let started = Instant::now();
    let error = client_with(&[])
        .call(&connector(&server.url), &get("/t"), &json!({}), &mut context)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(3));
    let error = client_with(&[])
        .call(&connector(&server.url), &post("/t"), &json!({}), &mut context)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Timeout, Outcome::NotSent)
    );
    assert_eq!(server.asked().len(), 1, "nothing is sent after the deadline");
}

#[tokio::test]
async fn an_attempt_that_may_have_happened_is_not_forgotten_by_the_next() {
    // The first attempt may have changed the ticket; the second was plainly refused.
    let server = Server::start(|_, number| Reply::status(if number == 0 { 502 } else { 409 })).await;
    let error = call(&connector(&server.url), &action(&Method::PUT, "/t"), &json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Status(409), Outcome::Unknown)
    );
}

#[tokio::test]
async fn other_credentials_and_another_form_do_not_end_the_doubt() {
    // 503: it may have been carried out. Then the key is refused, and the other key's attempt too, for another reason.
    let with_two_keys = |url: &str| Connector {
        auth: Auth::ApiKey {
            location: ApiKeyLocation::Query {
                name: "key".to_owned(),
            },
            secret: "key".to_owned(),
            fallback_secret: Some("spare".to_owned()),
        },
        ..connector(url)
    };
    for statuses in [[503, 401, 409], [503, 401, 401], [503, 403, 429]] {
        let answer = move |_: &_, number: usize| Reply::status(*statuses.get(number).unwrap_or(&statuses[2]));
        let server = Server::start(answer).await;
        let error = client_with(&[("key", "one"), ("spare", "two")])
            .call(
                &with_two_keys(&server.url),
                &action(&Method::PUT, "/t"),
                &json!({}),
                &mut context(),
            )
            .await
            .unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{statuses:?}");
    }

    let server = Server::start(|_, number| Reply::status([503, 404, 409][number])).await;
    let mut action = action(&Method::PUT, "/t");
    action.fallback = Some(Box::new(Fallback {
        on_status: vec![404],
        when: None,
        method: None,
        path: Some(template("/other")),
        query: None,
        headers: None,
        body: None,
    }));
    let error = call(&connector(&server.url), &action, &json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Status(409), Outcome::Unknown)
    );
}

#[tokio::test]
async fn a_budget_whose_store_hangs_ends_at_the_deadline_with_nothing_sent() {
    struct Hangs;
    #[async_trait::async_trait]
    impl RateBudget for Hangs {
        async fn take(&self, _: &str, _: RateLimit, _: Lane) -> Result<Budget, StorageError> {
            std::future::pending().await
        }
        async fn observe(&self, _: &str, _: Observation) -> Result<(), StorageError> {
            Ok(())
        }
    }
    let server = Server::agreeable().await;
    let client = Client::new(ClientOptions {
        secrets: Arc::new(StaticSecrets::new()),
        budget: Arc::new(Hangs),
        allow_private_addresses: true,
        user_agent: "ticket-gateway/test".to_owned(),
    })
    .unwrap();
    let mut context = CallContext::within(SHORT);
    let (connector, action, scope) = (connector(&server.url), post("/t"), json!({}));
    let call = client.call(&connector, &action, &scope, &mut context);
    let error = tokio::time::timeout(LONG, call)
        .await
        .expect("an end")
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Budget, Outcome::NotSent)
    );
    assert!(error.retry_after().is_some() && server.asked().is_empty());
}

#[tokio::test]
async fn every_request_is_taken_from_the_rate_budget() {
    let server = Server::start(|_, number| {
        if number == 0 {
            Reply::status(503)
        } else {
            Reply::json(&json!(1))
        }
    })
    .await;
    let mut connector = connector(&server.url);
    connector.rate_limit = Some(RateLimit {
        requests: 3,
        per: Duration::from_secs(60),
        reserved: 0,
    });
    let client = client_with(&[]);
    client
        .call(&connector, &get("/t"), &json!({}), &mut context())
        .await
        .unwrap();
    client
        .call(&connector, &get("/t"), &json!({}), &mut context())
        .await
        .unwrap();
    let error = client
        .call(&connector, &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Budget, Outcome::NotSent)
    );
    assert!(error.retry_after().unwrap() > Duration::from_secs(50));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_budget_that_is_soon_free_is_waited_for() {
    let server = Server::agreeable().await;
    let mut connector = connector(&server.url);
    connector.rate_limit = Some(RateLimit {
        requests: 1,
        per: Duration::from_millis(80),
        reserved: 0,
    });
    let client = client_with(&[]);
    let started = Instant::now();
    for _ in 0..3 {
        client
            .call(&connector, &post("/t"), &json!({}), &mut context())
            .await
            .unwrap();
    }
    assert!(
        started.elapsed() >= Duration::from_millis(160),
        "{:?}",
        started.elapsed()
    );
}
