//! The rate budget: who may ask, what the system says of its own limit, and what the caller hears.

use std::time::Duration;

use serde_json::json;
use upstream::{
    CallContext, Client, Connector, ErrorKind, Lane, Outcome, RateLimit, RateSignals, UpstreamError,
};

use crate::support::{Reply, Server, client_with, connector, context, get, mapping, post};

async fn ask(client: &Client, connector: &Connector, lane: Lane) -> Result<CallContext, UpstreamError> {
    let mut context = context();
    context.lane = lane;
    client
        .call(connector, &post("/t"), &json!({}), &mut context)
        .await
        .map(|_| context)
}

fn in_a_minute(url: &str, requests: u32, reserved: u32) -> Connector {
    let mut connector = connector(url);
    connector.rate_limit = Some(RateLimit {
        requests,
        per: Duration::from_secs(60),
        reserved,
    });
    connector
}

/// Nothing was sent, and the caller hears when to come back.
fn held_back(result: Result<CallContext, UpstreamError>) -> u64 {
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Budget, Outcome::NotSent)
    );
    let wait = error.retry_after().unwrap();
    assert!(error.to_string().contains("try again in"), "{error}");
    wait.as_secs_f64().ceil() as u64
}

#[tokio::test]
async fn polling_leaves_the_reserve_to_ticket_actions() {
    let server = Server::agreeable().await;
    let (client, connector) = (client_with(&[]), in_a_minute(&server.url, 3, 2));
    ask(&client, &connector, Lane::Poll).await.unwrap();
    assert!(held_back(ask(&client, &connector, Lane::Poll).await) > 50);
    for _ in 0..2 {
        ask(&client, &connector, Lane::Action).await.unwrap();
    }
    for lane in [Lane::Action, Lane::Poll] {
        assert!(held_back(ask(&client, &connector, lane).await) > 50);
    }
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_wait_for_the_budget_is_counted() {
    let server = Server::agreeable().await;
    let mut connector = connector(&server.url);
    connector.rate_limit = Some(RateLimit {
        requests: 1,
        per: Duration::from_millis(80),
        reserved: 0,
    });
    let (client, mut context) = (client_with(&[]), context());
    for _ in 0..3 {
        client
            .call(&connector, &get("/t"), &json!({}), &mut context)
            .await
            .unwrap();
    }
    let waited = context.budget_wait;
    assert!(
        (Duration::from_millis(80)..Duration::from_secs(2)).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test]
async fn after_a_429_nothing_is_sent_until_the_time_it_names() {
    for (name, value) in [
        ("retry-after", "40"),
        ("x-ratelimit-reset", "40"),
        ("ratelimit", "\"default\";r=3;t=40"),
    ] {
        let server = Server::start(move |_, _| {
            Reply::status(429)
                .header(name, value)
                .header("x-ratelimit-remaining", "3")
        })
        .await;
        // With a budget of our own and without one.
        for connector in [connector(&server.url), in_a_minute(&server.url, 100, 0)] {
            let before = server.asked().len();
            let client = client_with(&[]);
            let error = ask(&client, &connector, Lane::Action).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RateLimited, "{name}");
            assert_eq!(error.retry_after().unwrap().as_secs(), 40, "{name}");
            for lane in [Lane::Action, Lane::Poll] {
                assert!((39..=40).contains(&held_back(ask(&client, &connector, lane).await)));
            }
            assert_eq!(server.asked().len(), before + 1, "{name}");
        }
    }
}

#[tokio::test]
async fn a_system_that_says_that_nothing_is_left_is_not_asked_before_its_reset() {
    let server = Server::start(|_, number| {
        Reply::json(&json!(1))
            .header("X-RateLimit-Remaining", if number == 0 { "1" } else { "0" })
            .header("X-RateLimit-Reset", "30")
    })
    .await;
    let (client, connector) = (client_with(&[]), connector(&server.url));
    ask(&client, &connector, Lane::Action).await.unwrap();
    ask(&client, &connector, Lane::Action).await.unwrap();
    assert!((29..=30).contains(&held_back(ask(&client, &connector, Lane::Action).await)));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn who_is_held_back_hears_whose_limit_it_is() {
    let server = Server::start(|_, number| {
        Reply::json(&json!(1))
            .header("X-RateLimit-Remaining", if number == 0 { "1" } else { "0" })
            .header("X-RateLimit-Reset", "30")
    })
    .await;
    let told = async |requests: u32| {
        let (client, connector) = (client_with(&[]), in_a_minute(&server.url, requests, 0));
        for _ in 0..2 {
            ask(&client, &connector, Lane::Action).await.ok();
        }
        let error = ask(&client, &connector, Lane::Action).await.unwrap_err();
        error.to_string()
    };
    let ours = told(1).await;
    assert!(
        ours.starts_with("the rate budget of `example`, 1 requests in 60 s, is used up"),
        "{ours}"
    );
    let theirs = told(90).await;
    assert!(
        theirs.starts_with("the ticketing system said that no request remains for `example`"),
        "{theirs}"
    );
}

#[tokio::test]
async fn a_reset_in_the_far_future_holds_requests_back_for_an_hour_at_most() {
    let server = Server::start(|_, _| Reply::status(429).header("retry-after", "864000")).await;
    let (client, connector) = (client_with(&[]), connector(&server.url));
    ask(&client, &connector, Lane::Action).await.unwrap_err();
    assert_eq!(held_back(ask(&client, &connector, Lane::Action).await), 3600);
}

#[tokio::test]
async fn a_system_with_a_way_of_its_own_is_understood_by_expressions() {
    let server = Server::start(|_, number| {
        let reply = Reply::json(&json!({"resets": {"in": 25}}));
        match number {
            0 => reply,
            1 => reply.header("X-Call-Limit", "38/40"),
            _ => reply.header("X-Call-Limit", "40/40"),
        }
    })
    .await;
    let left = r#"
        response.headers["x-call-limit"].$SPLIT("/")[1].$INTEGER()
        - response.headers["x-call-limit"].$SPLIT("/")[0].$INTEGER()"#;
    let mut connector = connector(&server.url);
    connector.rate_signals = RateSignals {
        remaining: Some(mapping(left)),
        resets_in_seconds: Some(mapping("response.body.resets.in")),
    };
    let client = client_with(&[]);
    for _ in 0..3 {
        ask(&client, &connector, Lane::Action).await.unwrap();
    }
    assert!((24..=25).contains(&held_back(ask(&client, &connector, Lane::Action).await)));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn another_host_has_limits_of_its_own() {
    use upstream::{Auth, ClientAuthentication};
    let tokens = Server::start(|_, _| {
        Reply::json(&json!({"access_token": "t", "expires_in": 3600}))
            .header("RateLimit-Remaining", "0")
            .header("RateLimit-Reset", "600")
    })
    .await;
    let server = Server::agreeable().await;
    let mut connector = connector(&server.url);
    connector.auth = Auth::OAuth2ClientCredentials {
        token_url: crate::support::template(&tokens.url),
        client_id: crate::support::template("me"),
        secret: "key".to_owned(),
        scope: None,
        client_authentication: ClientAuthentication::Body,
        extra: Vec::new(),
    };
    let client = client_with(&[("key", "k")]);
    for _ in 0..2 {
        ask(&client, &connector, Lane::Action).await.unwrap();
    }
    assert_eq!(server.asked().len(), 2);
}
