//! Gorgias as an app: access tokens for a refresh token, instead of an API key.

use serde_json::{Value, json};

use crate::gorgias::{Login, Quirk, Running, app, count, create, gorgias, id};
use crate::gorgias_twelve_actions::{all_twelve, settings};

const REFRESH: &str = "sandbox-refresh-token";

/// The logins of the requests to the API itself, each once, in the order in which they first came.
fn logins(sandbox: &Running) -> Vec<Login> {
    let mut logins: Vec<Login> = Vec::new();
    for request in sandbox.requests() {
        if request.path != "/oauth/token" && !logins.contains(&request.login) {
            logins.push(request.login);
        }
    }
    logins
}

#[tokio::test(flavor = "multi_thread")]
async fn all_twelve_with_one_access_token() {
    for quirks in [&[][..], Quirk::all()] {
        let sandbox = gorgias(quirks).await;
        all_twelve(&sandbox, &app(&sandbox, &settings(quirks), REFRESH)).await;
        assert_eq!(logins(&sandbox), [Login::Token]);
        assert_eq!(count(&sandbox, "POST", "/oauth/token"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_is_renewed_within_the_call() {
    let sandbox = gorgias(&[]).await;
    let gateway = app(&sandbox, &[], REFRESH);
    let ticket = create(&gateway, json!({"short_description": "Before"})).await;
    let comments = format!("/v1/gorgias/tickets/{}/comments", id(&ticket));
    sandbox.expire_tokens();
    gateway
        .post(&comments, json!({"comment": "After"}))
        .await
        .expect(201);
    assert_eq!(logins(&sandbox), [Login::Token, Login::ExpiredToken]);
    assert_eq!(count(&sandbox, "POST", "/oauth/token"), 2);
    // Even where the write is the first to find out, it is made once.
    sandbox.expire_tokens();
    let body = json!({"payload": {"short_description": "Later"}, "requestor_info": crate::gorgias::requestor(crate::gorgias::MOLLY)});
    gateway.post("/v1/gorgias/tickets", body).await.expect(201);
    let later = sandbox
        .tickets()
        .iter()
        .filter(|ticket| ticket["subject"] == "Later")
        .count();
    assert_eq!(later, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_refresh_token_is_the_operators_error_and_is_shown_nowhere() {
    const WRONG: &str = "canary-refr3sh/+77 token";
    let sandbox = gorgias(&[]).await;
    let gateway = app(&sandbox, &[], WRONG);
    let (code, message) = gateway.get("/v1/gorgias/tickets/5001").await.error(502);
    assert_eq!(code, "EXTERNAL_REST_ERROR");
    assert!(
        message.contains("invalid_grant") && message.contains("the refresh token"),
        "{message}"
    );
    assert!(logins(&sandbox).is_empty(), "nothing was asked of the API");
    let printed = gateway.interrupt();
    for secret in [WRONG, "sandbox-client-secret"] {
        assert!(!printed.contains(secret) && !message.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_says_which_login_it_has() {
    let sandbox = gorgias(&[]).await;
    let by_key = crate::gorgias::gateway(&sandbox, &[]);
    let read: Value = by_key.get("/v1/gorgias/tickets/5001").await.expect(200);
    assert_eq!(read["raw_ticket"]["id"], "5001");
    assert_eq!(logins(&sandbox), [Login::ApiKey]);
}
