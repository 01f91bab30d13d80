//! Auth of kind `session`, and OAuth refresh tokens.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use upstream::{
    Auth, Body, ClientAuthentication, Connector, ErrorKind, FailWhen, HttpAction, Outcome, SecretHeader,
    SessionLocation, SessionLogin,
};

use crate::support::{Asked, Reply, Server, client_with, connector, context, get, mapping, post, template};

const PASSWORD: &str = "pa55 w'ord";
const SECRETS: &[(&str, &str)] = &[("password", PASSWORD)];

fn login() -> SessionLogin {
    SessionLogin {
        secret: "password".to_owned(),
        request: HttpAction {
            body: Body::Json(mapping("{\"user\": settings.user, \"password\": secret}")),
            ..post("/login")
        },
        secret_headers: Vec::new(),
        token: Some(mapping("response.body.token")),
        location: SessionLocation::Header {
            name: "X-Session".to_owned(),
            pattern: "id %s".to_owned(),
        },
        expired_when: None,
        keep: Duration::from_secs(60),
    }
}

fn with(server: &Server, login: SessionLogin) -> Connector {
    Connector {
        auth: Auth::Session(Box::new(login)),
        ..connector(&server.url)
    }
}

fn scope() -> Value {
    json!({"settings": {"user": "gateway"}, "meta_info": {}})
}

/// A system whose sessions are `session-1`, `session-2`, and which knows those that `good` names.
async fn system(good: impl Fn(&str, usize) -> bool + Send + Sync + 'static) -> Server {
    let begun = AtomicUsize::new(0);
    Server::start(move |asked, _| {
        if asked.path == "/login" {
            let number = begun.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::json(&json!({"token": format!("session-{number}")}));
        }
        let session = asked.header("x-session").unwrap_or_default();
        if good(session.trim_start_matches("id "), begun.load(Ordering::SeqCst)) {
            Reply::json(&json!({"seen": session}))
        } else {
            Reply::status(401)
        }
    })
    .await
}

fn paths(server: &Server) -> Vec<String> {
    server.asked().iter().map(|asked| asked.path.clone()).collect()
}

#[tokio::test]
async fn one_login_serves_all_calls() {
    let server = system(|_, _| true).await;
    let (client, connector) = (client_with(SECRETS), with(&server, login()));
    let (action, scope) = (get("/t"), scope());
    let one = || async {
        client
            .call(&connector, &action, &scope, &mut context())
            .await
            .unwrap()
    };
    tokio::join!(one(), one(), one());
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|asked| asked.path == "/login").count(), 1);
    assert_eq!(asked[0].json(), json!({"user": "gateway", "password": PASSWORD}));
    assert!(
        asked[1..]
            .iter()
            .all(|asked| asked.header("x-session") == Some("id session-1"))
    );
}

#[tokio::test]
async fn a_dead_session_is_renewed_once_and_the_request_sent_again() {
    let server = system(|session, _| session == "session-2").await;
    let (client, connector) = (client_with(SECRETS), with(&server, login()));
    // A POST, too: what was answered 401 was not done.
    let answer = client
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(paths(&server), ["/login", "/t", "/login", "/t"]);
    client
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap();
    assert_eq!(server.asked().len(), 5);
}

#[tokio::test]
async fn a_system_that_refuses_every_session_is_asked_twice_and_no_more() {
    let server = system(|_, _| false).await;
    let (client, connector) = (client_with(SECRETS), with(&server, login()));
    let error = client
        .call(&connector, &post("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(error.outcome(), Outcome::Refused);
    assert_eq!(paths(&server), ["/login", "/t", "/login", "/t"]);
}

#[tokio::test]
async fn an_expression_can_say_that_a_session_died() {
    for status in [200, 302] {
        let server = Server::start(move |asked: &Asked, number| match (asked.path.as_str(), number) {
            ("/login", _) => Reply::json(&json!({"token": format!("session-{number}")})),
            (_, 1) => Reply::json(&json!({"error": "expired"}))
                .with_status(status)
                .header("location", "/login"),
            _ => Reply::json(&json!({"ok": true})),
        })
        .await;
        let expired_when = Some(mapping(
            "response.body.error == \"expired\" OR response.status == 302",
        ));
        let connector = with(
            &server,
            SessionLogin {
                expired_when,
                ..login()
            },
        );
        let client = client_with(SECRETS);
        let answer = client
            .call(&connector, &get("/t"), &scope(), &mut context())
            .await
            .unwrap();
        assert_eq!(answer.result, json!({"ok": true}), "{status}");
        assert_eq!(paths(&server), ["/login", "/t", "/login", "/t"], "{status}");
    }
}

/// Some systems put a byte order mark before their JSON.
#[tokio::test]
async fn a_byte_order_mark_hides_neither_the_token_nor_that_a_session_died() {
    let server = Server::start(|asked, number| match (asked.path.as_str(), number) {
        ("/login", _) => Reply::status(200).body(format!("\u{feff}{{\"token\": \"session-{number}\"}}")),
        (_, 1) => Reply::status(200).body("\u{feff}{\"error\": \"expired\"}"),
        _ => Reply::status(200).body("\u{feff}{\"ok\": true}"),
    })
    .await;
    let expired_when = Some(mapping("response.body.error == \"expired\""));
    let connector = with(
        &server,
        SessionLogin {
            expired_when,
            ..login()
        },
    );
    let client = client_with(SECRETS);
    let answer = client
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap();
    assert_eq!(answer.result, json!({"ok": true}));
    assert_eq!(paths(&server), ["/login", "/t", "/login", "/t"]);
}

#[tokio::test]
async fn a_session_that_is_dead_from_the_beginning_is_an_error_even_with_a_good_status() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/login" => Reply::json(&json!({"token": "session-x"})),
        _ => Reply::json(&json!({"error": "expired"})),
    })
    .await;
    let expired_when = Some(mapping("response.body.error == \"expired\""));
    let connector = with(
        &server,
        SessionLogin {
            expired_when,
            ..login()
        },
    );
    let client = client_with(SECRETS);
    let error = client
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().contains("expired_when"), "{error}");
}

#[tokio::test]
async fn cookies_can_be_the_session() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/login" => Reply::status(302)
            .header("location", "/home")
            .header("set-cookie", "sid=abcdefgh; Path=/; HttpOnly")
            .header("set-cookie", "lang=en")
            .header("set-cookie", "old=; Max-Age=0"),
        _ => Reply::json(&json!({"cookie": asked.header("cookie")})),
    })
    .await;
    let cookies = SessionLogin {
        token: None,
        location: SessionLocation::Cookie { name: None },
        ..login()
    };
    let (client, connector) = (client_with(SECRETS), with(&server, cookies));
    client
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap();
    assert_eq!(server.asked()[1].header("cookie"), Some("sid=abcdefgh; lang=en"));

    let named = SessionLogin {
        location: SessionLocation::Cookie {
            name: Some("sid".to_owned()),
        },
        token: Some(mapping(
            "response.headers[\"set-cookie\"].$SPLIT(\";\")[0].$SPLIT(\"=\")[1]",
        )),
        ..login()
    };
    let connector = with(&server, named);
    client
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap();
    assert_eq!(server.asked()[3].header("cookie"), Some("sid=abcdefgh"));
}

#[tokio::test]
async fn a_login_that_fails_says_so_and_nothing_is_sent() {
    let refusals: [(u16, Value, &str); 6] = [
        (
            401,
            json!({"error": "bad password"}),
            "answered 401: bad password; check the secret `password`",
        ),
        (
            400,
            json!({"message": format!("no application has {PASSWORD}"), "active_session": "s-4711"}),
            "answered 400: check the secret `password`",
        ),
        (404, json!(null), "check the `path` of the `login`"),
        (200, json!({"token": null}), "gave no token"),
        (
            200,
            json!({"error": format!("{PASSWORD} is wrong")}),
            "failed: *** is wrong",
        ),
        (503, json!(null), "answered 503"),
    ];
    for (status, body, words) in refusals {
        let server = Server::start(move |_, _| Reply::json(&body).with_status(status)).await;
        let mut login = login();
        login.request.fail_when = vec![FailWhen {
            condition: mapping("response.body.error"),
            message: Some(mapping("response.body.error")),
            code: None,
        }];
        let (client, connector) = (client_with(SECRETS), with(&server, login));
        let error = client
            .call(&connector, &post("/t"), &scope(), &mut context())
            .await
            .unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains(words), "{status}: {told}");
        assert!(!told.contains("pa55"), "{told}");
        if status == 400 {
            assert_eq!(
                error.excerpt(),
                Some("no application has ***"),
                "what the system says, and nothing else of its answer"
            );
        }
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(
            paths(&server).iter().all(|path| path == "/login"),
            "{:?}",
            paths(&server)
        );
    }
}

#[tokio::test]
async fn headers_that_hold_secrets_go_with_the_login_and_with_every_call_and_are_shown_nowhere() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/login" => Reply::json(&json!({"token": "t0ken/value"})),
        "/bad" => Reply::json(&json!({"sent": asked.header("app-token")})).with_status(400),
        _ => Reply::json(&json!({"sent": asked.header("app-token"), "once": asked.header("x-once")})),
    })
    .await;
    let held = |name: &str, secret: &str, pattern: &str| SecretHeader {
        name: name.to_owned(),
        secret: secret.to_owned(),
        pattern: pattern.to_owned(),
    };
    let login = SessionLogin {
        secret_headers: vec![held("X-Once", "once", "%s")],
        ..login()
    };
    let mut connector = with(&server, login);
    connector.secret_headers = vec![held("App-Token", "app_token", "app %s")];
    let secrets = [SECRETS, &[("app_token", "app-t0ken-1"), ("once", "0nly-now-1")]].concat();
    let client = client_with(&secrets);
    let answer = client
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap();
    assert_eq!(answer.result, json!({"sent": "app ***", "once": null}));
    let asked = server.asked();
    assert_eq!(asked[0].path, "/login");
    assert_eq!(asked[0].header("app-token"), Some("app app-t0ken-1"));
    assert_eq!(asked[0].header("x-once"), Some("0nly-now-1"));
    assert_eq!(asked[1].header("app-token"), Some("app app-t0ken-1"));
    assert_eq!(asked[1].header("x-session"), Some("id t0ken/value"));

    let error = client
        .call(&connector, &get("/bad"), &scope(), &mut context())
        .await
        .unwrap_err();
    let told = format!("{error} {error:?} {:?}", error.excerpt());
    assert!(!told.contains("app-t0ken"), "{told}");

    let unset = client_with(SECRETS);
    let error = unset
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the secret `app_token` of `example` is not set"),
        "{error}"
    );
}

#[tokio::test]
async fn a_session_token_is_in_no_answer_and_no_error() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/login" => Reply::json(&json!({"token": "t0ken/value"})),
        "/echo" => Reply::json(&json!({"sent": asked.header("x-session")})),
        _ => Reply::json(&json!({"sent": asked.header("x-session")})).with_status(400),
    })
    .await;
    let (client, connector) = (client_with(SECRETS), with(&server, login()));
    let answer = client
        .call(&connector, &get("/echo"), &scope(), &mut context())
        .await
        .unwrap();
    assert_eq!(answer.result, json!({"sent": "id ***"}));
    let error = client
        .call(&connector, &get("/bad"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("t0ken"), "{error:?}");
}

#[tokio::test]
async fn a_new_set_up_of_the_connector_has_a_session_of_its_own() {
    let server = system(|_, _| true).await;
    let client = client_with(SECRETS);
    for connector in [with(&server, login()), with(&server, login())] {
        client
            .call(&connector, &get("/t"), &scope(), &mut context())
            .await
            .unwrap();
    }
    assert_eq!(paths(&server), ["/login", "/t", "/login", "/t"]);
}

const CLIENT: &[(&str, &str)] = &[("client_secret", "cl1ent-secret"), ("refresh", "refresh-0")];

fn refreshing(server: &Server) -> Connector {
    Connector {
        auth: Auth::OAuth2RefreshToken {
            token_url: template(&format!("{}/token", server.url)),
            client_id: template("me"),
            secret: "client_secret".to_owned(),
            refresh_secret: "refresh".to_owned(),
            scope: None,
            client_authentication: ClientAuthentication::Body,
            extra: Vec::new(),
        },
        ..connector(&server.url)
    }
}

/// A token endpoint that takes the refresh tokens for which `good`, and gives `rotated` with each access token.
async fn endpoint(
    good: impl Fn(&str, usize) -> bool + Send + Sync + 'static,
    rotated: impl Fn(usize) -> Option<String> + Send + Sync + 'static,
) -> Server {
    let granted = AtomicUsize::new(0);
    Server::start(move |asked, _| {
        if asked.path != "/token" {
            return Reply::json(&json!({"ok": true}));
        }
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
        let field = |name: &str| {
            fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(field("grant_type").as_deref(), Some("refresh_token"));
        let number = granted.load(Ordering::SeqCst) + 1;
        let sent = field("refresh_token").unwrap();
        if !good(&sent, number) {
            let words = json!({"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN", "message": sent});
            return Reply::json(&words).with_status(400);
        }
        granted.fetch_add(1, Ordering::SeqCst);
        let mut body = json!({"access_token": format!("access-{number}"), "expires_in": 0});
        if let Some(rotated) = rotated(number) {
            body["refresh_token"] = json!(rotated);
        }
        Reply::json(&body)
    })
    .await
}

#[tokio::test]
async fn a_refresh_token_gives_access_tokens() {
    let server = endpoint(|token, _| token == "refresh-0", |_| None).await;
    let (client, connector) = (client_with(CLIENT), refreshing(&server));
    for _ in 0..2 {
        client
            .call(&connector, &get("/t"), &scope(), &mut context())
            .await
            .unwrap();
    }
    let asked = server.asked();
    assert_eq!(
        asked[0].text(),
        "grant_type=refresh_token&refresh_token=refresh-0&client_id=me&client_secret=cl1ent-secret"
    );
    assert_eq!(asked[3].header("authorization"), Some("Bearer access-2"));
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_used_from_then_on() {
    let good = |token: &str, number: usize| token == format!("refresh-{}", number - 1);
    let server = endpoint(good, |number| Some(format!("refresh-{number}"))).await;
    let (client, connector) = (client_with(CLIENT), refreshing(&server));
    for _ in 0..3 {
        client
            .call(&connector, &get("/t"), &scope(), &mut context())
            .await
            .unwrap();
    }
    let tokens = server
        .asked()
        .iter()
        .filter(|asked| asked.path == "/token")
        .count();
    assert_eq!(tokens, 3);
}

#[tokio::test]
async fn a_replaced_refresh_token_that_is_refused_gives_way_to_the_stored_one() {
    let server = endpoint(
        |token, _| token == "refresh-0",
        |_| Some("worthless-token".to_owned()),
    )
    .await;
    let (client, connector) = (client_with(CLIENT), refreshing(&server));
    for _ in 0..2 {
        client
            .call(&connector, &get("/t"), &scope(), &mut context())
            .await
            .unwrap();
    }
    let tokens = server
        .asked()
        .iter()
        .filter(|asked| asked.path == "/token")
        .count();
    assert_eq!(tokens, 3);
}

#[tokio::test]
async fn a_refused_refresh_token_is_an_error_without_it() {
    let server = endpoint(|_, _| false, |_| None).await;
    let (client, connector) = (client_with(CLIENT), refreshing(&server));
    let error = client
        .call(&connector, &get("/t"), &scope(), &mut context())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    let told = format!("{error} {error:?}");
    assert!(
        told.contains("invalid_grant") && told.contains("grant access anew") && !told.contains("refresh-0"),
        "{told}"
    );
    let excerpt = error.excerpt().unwrap();
    assert!(
        excerpt.contains("BAD_REFRESH_TOKEN") && !excerpt.contains("refresh-0"),
        "{excerpt}"
    );
    assert_eq!(server.asked().len(), 1, "one wrong refresh token is sent once");
}
