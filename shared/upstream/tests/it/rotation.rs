//! A secret that is changed while the gateway runs, in the store first or in the ticketing system first.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;
use storage::in_process::InProcessBudget;
use storage::{Secret, SecretStore, StorageError};
use upstream::{
    ApiKeyLocation, Auth, Client, ClientAuthentication, ClientOptions, Connector, ErrorKind, Outcome,
};

use crate::support::{Asked, Reply, Server, connector, context, get, post, template};

/// A store that remembers what it read first, as one with a cache does, until it is asked for another value.
struct Rotating {
    cached: Mutex<&'static str>,
    /// What it has now: the present value, then the one before.
    present: Vec<&'static str>,
    accepted: Mutex<Vec<String>>,
    asked_afresh: Mutex<usize>,
}

#[async_trait]
impl SecretStore for Rotating {
    async fn secret(&self, _: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        Ok((key == "key").then(|| Secret::new((*self.cached.lock().unwrap()).to_owned())))
    }

    async fn another(&self, _: &str, key: &str, tried: &[Secret]) -> Result<Option<Secret>, StorageError> {
        *self.asked_afresh.lock().unwrap() += 1;
        let values = self.present.iter().map(|value| Secret::new((*value).to_owned()));
        let mut untried = values.filter(|value| !tried.iter().any(|tried| tried.is_same(value)));
        Ok(untried.next().filter(|_| key == "key"))
    }

    fn accepted(&self, integration: &str, key: &str, secret: &Secret) {
        let value = self
            .present
            .iter()
            .find(|value| **value == secret.expose())
            .unwrap();
        *self.cached.lock().unwrap() = value;
        self.accepted
            .lock()
            .unwrap()
            .push(format!("{integration} {key} {value}"));
    }
}

fn store(cached: &'static str, present: &[&'static str]) -> Arc<Rotating> {
    Arc::new(Rotating {
        cached: Mutex::new(cached),
        present: present.to_vec(),
        accepted: Mutex::default(),
        asked_afresh: Mutex::default(),
    })
}

fn client(store: &Arc<Rotating>) -> Client {
    Client::new(ClientOptions {
        secrets: Arc::clone(store) as Arc<dyn SecretStore>,
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: true,
        user_agent: "ticket-gateway/test".to_owned(),
    })
    .unwrap()
}

fn key_in(location: ApiKeyLocation, fallback_secret: Option<&str>) -> Auth {
    Auth::ApiKey {
        location,
        secret: "key".to_owned(),
        fallback_secret: fallback_secret.map(str::to_owned),
    }
}

/// Every kind of credentials that is made of a secret alone.
fn kinds() -> [Auth; 4] {
    let secret = || "key".to_owned();
    [
        Auth::Basic {
            username: template("agent"),
            secret: secret(),
        },
        Auth::Bearer { secret: secret() },
        key_in(
            ApiKeyLocation::Header {
                name: "X-Key".to_owned(),
                pattern: "Token %s".to_owned(),
            },
            None,
        ),
        key_in(
            ApiKeyLocation::Query {
                name: "key".to_owned(),
            },
            Some("spare"),
        ),
    ]
}

/// The secret of a request, in whatever way it was sent.
fn secret_of(asked: &Asked) -> String {
    let header = |name| asked.header(name).unwrap_or_default().to_owned();
    let (authorization, key) = (header("authorization"), header("x-key"));
    match authorization.as_str() {
        "Basic YWdlbnQ6b2xk" => "old".to_owned(),
        "Basic YWdlbnQ6bmV3" => "new".to_owned(),
        "" if key.is_empty() => asked.parameter("key").unwrap(),
        "" => key.trim_start_matches("Token ").to_owned(),
        other => other.trim_start_matches("Bearer ").to_owned(),
    }
}

async fn system_that_takes(good: &'static str, refusal: u16) -> Server {
    Server::start(move |asked, _| {
        if secret_of(asked) == good {
            Reply::json(&json!(1))
        } else {
            Reply::status(refusal)
        }
    })
    .await
}

fn with(server: &Server, auth: Auth) -> Connector {
    Connector {
        auth,
        ..connector(&server.url)
    }
}

fn secrets_sent(server: &Server) -> Vec<String> {
    server.asked().iter().map(secret_of).collect()
}

#[tokio::test]
async fn a_secret_that_was_rotated_is_picked_up_on_the_first_refusal() {
    for auth in kinds() {
        for refusal in [401, 403] {
            let server = system_that_takes("new", refusal).await;
            let store = store("old", &["new", "old"]);
            let client = client(&store);
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
            assert_eq!(secrets_sent(&server), ["old", "new", "new"], "{auth:?}");
            assert_eq!(*store.accepted.lock().unwrap(), ["example key new"]);
            assert_eq!(*store.asked_afresh.lock().unwrap(), 1);
        }
    }
}

#[tokio::test]
async fn the_previous_secret_serves_until_the_system_has_taken_the_new_one() {
    for auth in kinds() {
        let server = system_that_takes("old", 401).await;
        let store = store("new", &["new", "old"]);
        let client = client(&store);
        for _ in 0..2 {
            client
                .call(
                    &with(&server, auth.clone()),
                    &get("/t"),
                    &json!({}),
                    &mut context(),
                )
                .await
                .unwrap();
        }
        assert_eq!(secrets_sent(&server), ["new", "old", "old"], "{auth:?}");
    }
}

#[tokio::test]
async fn where_every_value_is_refused_the_first_refusal_is_reported_after_three_tries() {
    let server = system_that_takes("none of these", 401).await;
    let store = store("a", &["b", "c", "d", "e"]);
    let bearer = Auth::Bearer {
        secret: "key".to_owned(),
    };
    let error = client(&store)
        .call(&with(&server, bearer), &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.outcome()),
        (ErrorKind::Credentials, Some(401), Outcome::Refused)
    );
    assert_eq!(secrets_sent(&server), ["a", "b", "c"]);
    assert!(store.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_secret_that_did_not_change_is_sent_once() {
    let server = system_that_takes("none of these", 403).await;
    let store = store("old", &["old"]);
    let bearer = Auth::Bearer {
        secret: "key".to_owned(),
    };
    let error = client(&store)
        .call(&with(&server, bearer), &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Status(403));
    assert_eq!(secrets_sent(&server), ["old"]);
}

#[tokio::test]
async fn a_client_secret_that_was_rotated_is_picked_up_at_the_token_endpoint() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/token" if asked.text().ends_with("client_secret=new") => Reply::json(&json!({"access_token": "t"})),
        "/token" => Reply::json(&json!({"error": "invalid_client"})).with_status(401),
        _ => Reply::json(&json!(1)),
    })
    .await;
    let auth = Auth::OAuth2ClientCredentials {
        token_url: template(&format!("{}/token", server.url)),
        client_id: template("me"),
        secret: "key".to_owned(),
        scope: None,
        client_authentication: ClientAuthentication::Body,
        extra: Vec::new(),
    };
    let store = store("old", &["new", "old"]);
    client(&store)
        .call(
            &with(&server, auth.clone()),
            &post("/t"),
            &json!({}),
            &mut context(),
        )
        .await
        .unwrap();
    assert_eq!(*store.accepted.lock().unwrap(), ["example key new"]);
    let paths: Vec<_> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/token", "/token", "/t"]);

    let nobodys = self::store("a", &["b", "c", "d"]);
    let error = client(&nobodys)
        .call(&with(&server, auth), &post("/t"), &json!({}), &mut context())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Credentials, Outcome::NotSent)
    );
    assert_eq!(server.asked().len(), 3 + 3);
}
