//! Credentials of every kind.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use upstream::{ApiKeyLocation, Auth, ClientAuthentication, Connector, ErrorKind, Outcome};

use crate::support::{
    Asked, Reply, Server, client_with, connector, context, get, parameters, post, template,
};

fn with(server: &Server, auth: Auth) -> Connector {
    Connector {
        auth,
        ..connector(&server.url)
    }
}

fn key_in(location: ApiKeyLocation) -> Auth {
    Auth::ApiKey {
        location,
        secret: "key".to_owned(),
        fallback_secret: None,
    }
}

fn in_query() -> ApiKeyLocation {
    ApiKeyLocation::Query {
        name: "key".to_owned(),
    }
}

async fn asked_with(auth: Auth, secrets: &[(&str, &str)]) -> Asked {
    let server = Server::agreeable().await;
    let mut action = get("/t");
    action.query = parameters(&[("q", "1")]);
    let scope = json!({"settings": {"user": "agent@example.com"}});
    client_with(secrets)
        .call(&with(&server, auth), &action, &scope, &mut context())
        .await
        .unwrap();
    server.asked_once()
}

#[tokio::test]
async fn basic_bearer_and_keys_are_sent() {
    let basic = Auth::Basic {
        username: template("{{settings.user}}"),
        secret: "password".to_owned(),
    };
    let asked = asked_with(basic, &[("password", "pa:ss")]).await;
    assert_eq!(
        asked.header("authorization"),
        Some("Basic YWdlbnRAZXhhbXBsZS5jb206cGE6c3M=")
    );
    let key_as_user = |password: Option<&str>| Auth::BasicKey {
        secret: "key".to_owned(),
        password: password.map(template),
    };
    let asked = asked_with(key_as_user(Some("X")), &[("key", "abc")]).await;
    assert_eq!(asked.header("authorization"), Some("Basic YWJjOlg="));
    let asked = asked_with(key_as_user(None), &[("key", "abc")]).await;
    assert_eq!(asked.header("authorization"), Some("Basic YWJjOg=="));
    let asked = asked_with(
        Auth::Bearer {
            secret: "token".to_owned(),
        },
        &[("token", "abc")],
    )
    .await;
    assert_eq!(asked.header("authorization"), Some("Bearer abc"));
    let header = ApiKeyLocation::Header {
        name: "X-Key".to_owned(),
        pattern: "Token token=%s".to_owned(),
    };
    let asked = asked_with(key_in(header), &[("key", "abc")]).await;
    assert_eq!(asked.header("x-key"), Some("Token token=abc"));
    let asked = asked_with(key_in(in_query()), &[("key", "a&b=c")]).await;
    assert_eq!(asked.query, "q=1&key=a%26b%3Dc");
}

#[tokio::test]
async fn a_caller_cannot_choose_who_asks_or_where_tokens_come_from() {
    let server = Server::agreeable().await;
    let auth = Auth::Basic {
        username: template("{{user}}"),
        secret: "password".to_owned(),
    };
    let client = client_with(&[("password", "p"), ("client_secret", "s")]);
    client
        .call(
            &with(&server, auth),
            &get("/t"),
            &json!({"user": "admin"}),
            &mut context(),
        )
        .await
        .unwrap();
    assert_eq!(server.asked_once().header("authorization"), Some("Basic OnA="));
    let mut connector = oauth(&server, ClientAuthentication::Basic);
    if let Auth::OAuth2ClientCredentials { token_url, .. } = &mut connector.auth {
        *token_url = template("{{url}}");
    }
    let scope = json!({"url": server.url, "settings": {}});
    let error = client
        .call(&connector, &get("/t"), &scope, &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Credentials, Outcome::NotSent)
    );
}

#[tokio::test]
async fn a_missing_or_unusable_secret_is_named_before_sending() {
    let server = Server::agreeable().await;
    let bearer = with(
        &server,
        Auth::Bearer {
            secret: "token".to_owned(),
        },
    );
    let error = client_with(&[])
        .call(&bearer, &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Credentials, Outcome::NotSent)
    );
    assert!(
        error.to_string().contains("`token` of `example` is not set"),
        "{error}"
    );
    let client = client_with(&[("token", "abc\n")]);
    let error = client
        .call(&bearer, &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(
        error.to_string().contains("line break") && !error.to_string().contains("abc"),
        "{error}"
    );
    let key = with(
        &server,
        Auth::BasicKey {
            secret: "key".to_owned(),
            password: None,
        },
    );
    let error = client_with(&[("key", "ab:cd")])
        .call(&key, &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the secret `key` holds a colon"),
        "{error}"
    );
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_refused_key_is_followed_by_the_other_one_which_is_remembered() {
    let server = Server::start(|asked, _| match asked.parameter("key").as_deref() {
        Some("second") => Reply::json(&json!(1)),
        _ => Reply::status(401),
    })
    .await;
    let fallback_secret = Some("spare".to_owned());
    let auth = Auth::ApiKey {
        location: in_query(),
        secret: "key".to_owned(),
        fallback_secret,
    };
    let client = client_with(&[("key", "first"), ("spare", "second")]);
    for _ in 0..2 {
        client
            .call(
                &with(&server, auth.clone()),
                &post("/t"),
                &json!({}),
                &mut context(),
            )
            .await
            .unwrap();
    }
    let keys: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.parameter("key").unwrap())
        .collect();
    assert_eq!(keys, ["first", "second", "second"]);
    let client = client_with(&[("key", "first")]);
    let error = client
        .call(&with(&server, auth), &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Credentials, Some(401))
    );
    assert_eq!(server.asked().len(), 3 + 1);
}

#[tokio::test]
async fn a_key_that_may_only_read_gives_way_to_the_other_for_a_write() {
    let server = Server::start(
        |asked, _| match (asked.method.as_str(), asked.parameter("key").as_deref()) {
            ("GET", Some("reader")) | (_, Some("writer")) => Reply::json(&json!(1)),
            _ => Reply::status(403),
        },
    )
    .await;
    let fallback_secret = Some("writer".to_owned());
    let auth = Auth::ApiKey {
        location: in_query(),
        secret: "reader".to_owned(),
        fallback_secret,
    };
    let client = client_with(&[("reader", "reader"), ("writer", "writer")]);
    let connector = with(&server, auth);
    client
        .call(&connector, &get("/t"), &json!({}), &mut context())
        .await
        .unwrap();
    client
        .call(&connector, &post("/t"), &json!({}), &mut context())
        .await
        .unwrap();
    let keys: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.parameter("key").unwrap())
        .collect();
    assert_eq!(keys, ["reader", "reader", "writer"]);
}

fn oauth(server: &Server, client_authentication: ClientAuthentication) -> Connector {
    let auth = Auth::OAuth2ClientCredentials {
        token_url: template(&format!("{}/token", server.url)),
        client_id: template("{{settings.client}}"),
        secret: "client_secret".to_owned(),
        scope: Some(template("tickets:read tickets:write")),
        client_authentication,
        extra: vec![("audience".to_owned(), template("a&b"))],
    };
    with(server, auth)
}

const SECRET: &[(&str, &str)] = &[("client_secret", "s3c/ret")];

/// A token endpoint that gives `token-1`, `token-2`, … and an API that knows the tokens for which `good`.
async fn token_server(
    good: impl Fn(&str) -> bool + Send + Sync + 'static,
    expires_in: &'static str,
) -> Server {
    let issued = AtomicUsize::new(0);
    Server::start(move |asked, _| {
        if asked.path == "/token" {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::json(&json!({
                "access_token": format!("token-{number}"), "token_type": "bearer", "expires_in": expires_in,
            }));
        }
        let token = asked
            .header("authorization")
            .unwrap_or_default()
            .trim_start_matches("Bearer ");
        if good(token) {
            Reply::json(&json!(token))
        } else {
            Reply::status(401)
        }
    })
    .await
}

fn scope() -> serde_json::Value {
    json!({"settings": {"client": "me"}})
}

#[tokio::test]
async fn a_token_is_fetched_once_and_used_until_it_expires() {
    let server = token_server(|_| true, "3600").await;
    let (client, connector) = (client_with(SECRET), oauth(&server, ClientAuthentication::Auto));
    let mut context = context();
    for _ in 0..3 {
        let answer = client
            .call(&connector, &get("/t"), &scope(), &mut context)
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 1 + 3);
    assert_eq!(
        asked[0].text(),
        "grant_type=client_credentials&scope=tickets%3Aread%20tickets%3Awrite&audience=a%26b"
    );
    assert_eq!(asked[0].header("authorization"), Some("Basic bWU6czNjJTJGcmV0"));
    assert_eq!(context.calls[0].action, "oauth2 token");
    let server = token_server(|_| true, "0").await;
    let connector = oauth(&server, ClientAuthentication::Body);
    for _ in 0..2 {
        client
            .call(&connector, &get("/t"), &scope(), &mut context)
            .await
            .unwrap();
    }
    assert_eq!(
        server
            .asked()
            .iter()
            .filter(|asked| asked.path == "/token")
            .count(),
        2
    );
    assert!(
        server.asked()[0]
            .text()
            .ends_with("&client_id=me&client_secret=s3c%2Fret")
    );
    assert_eq!(server.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_lifetime_that_no_clock_can_hold_is_only_long() {
    for lifetime in ["1e19", "1e300", "-1", "soon"] {
        let server = token_server(|_| true, lifetime).await;
        let (client, connector) = (client_with(SECRET), oauth(&server, ClientAuthentication::Basic));
        for _ in 0..2 {
            let answer = client
                .call(&connector, &get("/t"), &scope(), &mut context())
                .await;
            assert_eq!(answer.unwrap().result, json!("token-1"), "{lifetime}");
        }
    }
}

#[tokio::test]
async fn many_calls_at_once_fetch_one_token() {
    let server = token_server(|_| true, "3600").await;
    let (client, connector) = (client_with(SECRET), oauth(&server, ClientAuthentication::Basic));
    let (action, scope) = (get("/t"), scope());
    let one = || async {
        client
            .call(&connector, &action, &scope, &mut context())
            .await
            .unwrap()
    };
    tokio::join!(one(), one(), one(), one(), one());
    assert_eq!(
        server
            .asked()
            .iter()
            .filter(|asked| asked.path == "/token")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = token_server(|token| token == "token-2", "3600").await;
    let (client, connector) = (client_with(SECRET), oauth(&server, ClientAuthentication::Auto));
    client
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await
        .unwrap();
    client
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await
        .unwrap();
    let paths: Vec<_> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/token", "/t", "/token", "/t", "/t"]);
    let server = token_server(|_| false, "3600").await;
    let connector = oauth(&server, ClientAuthentication::Auto);
    let error = client
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Credentials, Outcome::Refused)
    );
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_client_that_is_not_known_by_header_is_tried_by_body() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/token" if asked.text().contains("client_secret") => Reply::json(&json!({"access_token": "t"})),
        "/token" => Reply::json(&json!({"error": "invalid_client"})).with_status(401),
        _ => Reply::json(&json!(1)),
    })
    .await;
    let connector = oauth(&server, ClientAuthentication::Auto);
    client_with(SECRET)
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap();
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_is_described_without_the_secret() {
    let server = Server::start(|asked, _| {
        Reply::json(&json!({"error": "invalid_client", "error_description": asked.text()})).with_status(400)
    })
    .await;
    let connector = oauth(&server, ClientAuthentication::Auto);
    let error = client_with(SECRET)
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Credentials, Outcome::NotSent)
    );
    assert!(error.to_string().contains("400 (invalid_client)"), "{error}");
    assert!(!format!("{error} {error:?}").contains("s3c"), "{error:?}");
    let server = Server::start(|_, _| Reply::status(200).body("<html>")).await;
    let connector = oauth(&server, ClientAuthentication::Basic);
    let error = client_with(SECRET)
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let server = Server::start(|_, _| Reply::status(503)).await;
    let connector = oauth(&server, ClientAuthentication::Basic);
    let error = client_with(SECRET)
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Status(503), Outcome::NotSent)
    );
    assert_eq!(server.asked().len(), 3);
}
