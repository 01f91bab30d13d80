//! Redirects.

use serde_json::json;
use upstream::{ApiKeyLocation, Auth, ErrorKind};

use crate::support::{Reply, Server, call, client_with, connector, context, get, post};

#[tokio::test]
async fn a_redirect_is_an_error_unless_redirects_are_followed() {
    let server = Server::start(|_, _| Reply::status(302).header("location", "/login?key=abc")).await;
    for status in [get("/t"), post("/t")] {
        let error = call(&connector(&server.url), &status, &json!({}))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Redirect, Some(302)));
        assert!(!error.to_string().contains("login"), "{error}");
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn within_the_origin_a_read_is_followed_with_its_credentials() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/v1/t" => Reply::status(308).header("location", "/v1/t/?page=1&key=old"),
        _ => Reply::json(&json!("here")),
    })
    .await;
    let mut connector = connector(&format!("{}/v1", server.url));
    connector.follow_redirects = true;
    connector.auth = Auth::ApiKey {
        location: ApiKeyLocation::Query {
            name: "key".to_owned(),
        },
        secret: "key".to_owned(),
        fallback_secret: None,
    };
    let client = client_with(&[("key", "s3cret")]);
    let answer = client
        .call(&connector, &get("/t"), &json!({}), &mut context())
        .await
        .unwrap();
    assert_eq!(answer.result, json!("here"));
    assert_eq!(server.asked()[1].query, "page=1&key=s3cret");
    let error = client
        .call(&connector, &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
}

#[tokio::test]
async fn another_origin_is_never_visited() {
    let other = Server::agreeable().await;
    let elsewhere = other.url.clone();
    let server =
        Server::start(move |_, _| Reply::status(307).header("location", &format!("{elsewhere}/t"))).await;
    let mut connector = connector(&server.url);
    connector.follow_redirects = true;
    let error = call(&connector, &get("/t"), &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::start(|_, _| Reply::status(302).header("location", "/t")).await;
    let mut connector = connector(&server.url);
    connector.follow_redirects = true;
    let error = call(&connector, &get("/t"), &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert_eq!(server.asked().len(), 6);
}
