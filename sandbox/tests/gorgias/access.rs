//! Logins, subdomains, the leaky bucket, and what is recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::Method;
use sandbox::gorgias::{Calls, Clock, Fault, Login, Options, Quirk};
use serde_json::{Value, json};

use crate::{Api, EMAIL, KEY, Reply, send};

/// A clock that stands still until it is moved, and the seconds to move it by.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(1_800_000_000));
    let told = Arc::clone(&seconds);
    let clock: Clock = Arc::new(move || jiff::Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
    (clock, seconds)
}

async fn token(api: &Api, form: &[(&str, &str)]) -> Reply {
    let request = api.site(Method::POST, "/oauth/token");
    send(
        request
            .basic_auth("sandbox-client", Some("sandbox-client-secret"))
            .form(form),
    )
    .await
}

#[tokio::test]
async fn a_request_without_a_good_login_is_refused_as_gorgias_does() {
    let api = Api::with(&[]).await;
    let unauthorized = json!({"error": {"msg": "Unauthorized."}});
    for request in [
        api.bare(Method::GET, "/tickets"),
        api.bare(Method::GET, "/tickets").basic_auth(EMAIL, Some("wrong")),
        api.bare(Method::GET, "/tickets")
            .basic_auth("wrong@example.com", Some(KEY)),
        api.bare(Method::GET, "/tickets").bearer_auth("wrong"),
    ] {
        assert_eq!(send(request).await.expect(401), unauthorized);
    }
    api.get("/account").await.expect(200);
    let logins: Vec<Login> = api
        .running
        .requests()
        .iter()
        .map(|request| request.login)
        .collect();
    assert_eq!(
        logins,
        [
            Login::Missing,
            Login::Wrong,
            Login::Wrong,
            Login::Wrong,
            Login::ApiKey
        ]
    );
}

#[tokio::test]
async fn the_observer_reads_and_does_not_write() {
    let api = Api::with(&[]).await;
    let as_observer = |method| {
        api.bare(method, "/tickets/5001")
            .basic_auth("observer@example.com", Some("sandbox-observer-key"))
    };
    send(as_observer(Method::GET)).await.expect(200);
    send(as_observer(Method::PUT).json(&json!({"status": "closed"})))
        .await
        .expect(403);
    assert_eq!(api.kept(5_001)["status"], "open");
}

#[tokio::test]
async fn a_refresh_token_gives_access_tokens_of_a_day() {
    let (clock, seconds) = clock();
    let api = Api::start(Options {
        clock,
        ..Options::default()
    })
    .await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "sandbox-refresh-token"),
    ];
    let granted = token(&api, &form).await.expect(200);
    assert_eq!(
        (&granted["token_type"], &granted["expires_in"]),
        (&json!("Bearer"), &json!(86_400))
    );
    let access = granted["access_token"].as_str().unwrap().to_owned();
    let probe = || api.bare(Method::GET, "/account").bearer_auth(&access);
    send(probe()).await.expect(200);
    seconds.fetch_add(86_399, Ordering::SeqCst);
    send(probe()).await.expect(200);
    seconds.fetch_add(1, Ordering::SeqCst);
    send(probe()).await.expect(401);
    // The refresh token does not end; the client may also stand in the form.
    let inside = [
        &form[..],
        &[
            ("client_id", "sandbox-client"),
            ("client_secret", "sandbox-client-secret"),
        ],
    ]
    .concat();
    let again = send(api.site(Method::POST, "/oauth/token").form(&inside))
        .await
        .expect(200);
    assert_ne!(again["access_token"], granted["access_token"]);
    let requests = api.running.requests();
    assert!(
        requests.iter().all(|request| request.body.is_empty()),
        "no secret is recorded"
    );
}

#[tokio::test]
async fn tokens_end_when_they_are_told_to() {
    let api = Api::with(&[]).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "sandbox-refresh-token"),
    ];
    for way in ["handle", "request"] {
        let granted = token(&api, &form).await.expect(200);
        let access = granted["access_token"].as_str().unwrap().to_owned();
        let probe = || api.bare(Method::GET, "/account").bearer_auth(&access);
        send(probe()).await.expect(200);
        if way == "handle" {
            api.running.expire_tokens();
        } else {
            send(api.site(Method::POST, "/sandbox/expire-tokens"))
                .await
                .expect(204);
        }
        send(probe()).await.expect(401);
        assert_eq!(api.running.requests().last().unwrap().login, Login::ExpiredToken);
    }
}

#[tokio::test]
async fn a_wrong_client_or_refresh_token_gets_no_token() {
    let api = Api::with(&[]).await;
    let wrong = token(
        &api,
        &[("grant_type", "refresh_token"), ("refresh_token", "wrong")],
    )
    .await;
    assert_eq!(wrong.expect(400), json!({"error": "invalid_grant"}));
    let other = token(&api, &[("grant_type", "client_credentials")]).await;
    assert_eq!(other.expect(400), json!({"error": "unsupported_grant_type"}));
    let nobody = send(
        api.site(Method::POST, "/oauth/token")
            .form(&[("grant_type", "refresh_token")]),
    )
    .await;
    assert_eq!(nobody.expect(401), json!({"error": "invalid_client"}));
}

#[tokio::test]
async fn another_subdomain_is_a_404_with_html() {
    let api = Api::with(&[]).await;
    let at = |host: &str| api.request(Method::GET, "/account").header("host", host);
    for host in ["sandbox.gorgias.com", "sandbox.localhost:1234", "127.0.0.1"] {
        send(at(host)).await.expect(200);
    }
    let reply = send(at("sandbocks.gorgias.com")).await;
    assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    assert!(reply.expect(404).as_str().unwrap().contains("<html>"));
}

#[tokio::test]
async fn the_bucket_fills_with_each_request_and_leaks_evenly() {
    let (clock, seconds) = clock();
    let api = Api::start(Options {
        clock,
        rate_limit: Some((4, Duration::from_secs(8))),
        ..Options::default()
    })
    .await;
    for used in 1..=4 {
        let reply = api.get("/account").await;
        let expected = format!("{used}/4");
        assert_eq!(
            reply.header("x-gorgias-account-api-call-limit"),
            Some(expected.as_str())
        );
        reply.expect(200);
    }
    let full = api.get("/account").await;
    assert_eq!(full.header("retry-after"), Some("2"), "one leaks in two seconds");
    assert_eq!(full.header("x-gorgias-account-api-call-limit"), Some("4/4"));
    full.expect(429);
    seconds.fetch_add(2, Ordering::SeqCst);
    api.get("/account").await.expect(200);
    api.get("/account").await.expect(429);
    // An app has a bucket of its own, twice as large.
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "sandbox-refresh-token"),
    ];
    let granted = token(&api, &form).await.expect(200);
    let access = granted["access_token"].as_str().unwrap();
    let reply = send(api.bare(Method::GET, "/account").bearer_auth(access)).await;
    assert_eq!(reply.header("x-gorgias-account-api-call-limit"), Some("1/8"));
}

#[tokio::test]
async fn no_retry_after_is_a_quirk() {
    let api = Api::start(Options {
        rate_limit: Some((1, Duration::from_secs(60))),
        quirks: [Quirk::NoRetryAfter].into(),
        ..Options::default()
    })
    .await;
    api.get("/account").await.expect(200);
    let full = api.get("/account").await;
    assert_eq!((full.status, full.header("retry-after")), (429, None));
}

#[tokio::test]
async fn faults_happen_as_asked() {
    let api = Api::with(&[]).await;
    api.running.fail_next(
        Fault::Status(503, "{}".to_owned()),
        Calls::to("GET", "/account"),
        1,
    );
    api.get("/account").await.expect(503);
    api.running.fail_next(Fault::Html, Calls::any(), 1);
    assert!(api.get("/account").await.expect(200).is_string());
    api.running
        .fail_next(Fault::DropBeforeAnswer, Calls::to("PUT", "/tickets/5001"), 1);
    let dropped = api
        .request(Method::PUT, "/tickets/5001")
        .json(&json!({"status": "closed"}));
    assert!(dropped.send().await.is_err());
    assert_eq!(api.kept(5_001)["status"], "closed", "it was done all the same");
    let retry = Fault::TooManyRequests { retry_after: Some(7) };
    api.running.fail_next(retry, Calls::any(), 1);
    assert_eq!(api.get("/account").await.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn unknown_endpoints_and_methods_are_errors_in_gorgias_shape() {
    let api = Api::with(&[]).await;
    let body = api.get("/no-such-thing").await.expect(404);
    assert_eq!(body["error"]["msg"], "Resource not found.");
    api.put("/tickets", &Value::Null).await.expect(405);
}
