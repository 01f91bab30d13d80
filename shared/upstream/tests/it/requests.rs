//! Paths, queries and headers: what a value can and cannot do in them.

use serde_json::{Value, json};
use upstream::{ErrorKind, Outcome};

use crate::support::{Server, call, connector, get, pairs, parameters, post, template};

async fn path_of(path: &str, scope: &Value) -> String {
    let server = Server::agreeable().await;
    call(&connector(&server.url), &get(path), scope).await.unwrap();
    server.asked_once().path
}

#[tokio::test]
async fn a_value_in_a_path_is_one_encoded_segment() {
    for (value, segment) in [
        (json!("T-1"), "T-1"),
        (json!(42), "42"),
        (json!("a/b"), "a%2Fb"),
        (json!("../admin"), "..%2Fadmin"),
        (json!("..\\admin"), "..%5Cadmin"),
        (json!("%2e%2e"), "%252e%252e"),
        (json!("%2f"), "%252f"),
        (json!("x?key=1#f"), "x%3Fkey%3D1%23f"),
        (json!("a b+c;d"), "a%20b%2Bc%3Bd"),
        (json!("é\n"), "%C3%A9%0A"),
        (json!("@evil.example:99"), "%40evil.example%3A99"),
        (json!("..."), "..."),
    ] {
        for path in [
            "/tickets/{{id}}/notes",
            "/tickets/{{{id}}}/notes",
            "/tickets/{{&id}}/notes",
        ] {
            let asked = path_of(path, &json!({"id": value})).await;
            assert_eq!(asked, format!("/tickets/{segment}/notes"), "{value} in {path}");
        }
    }
}

#[tokio::test]
async fn a_value_that_would_name_another_resource_is_refused_before_sending() {
    let server = Server::agreeable().await;
    for value in [
        json!("."),
        json!(".."),
        json!(""),
        json!(null),
        json!(["a"]),
        json!({"a": 1}),
    ] {
        for path in [
            "/tickets/{{{id}}}",
            "/tickets/{{{id}}}/notes",
            "/tickets/{{{ id }}}.json",
        ] {
            let error = call(&connector(&server.url), &get(path), &json!({"id": value}))
                .await
                .unwrap_err();
            // A value that is not there is the integration's mistake, a bad one may be the caller's.
            let kind = if value.is_null() {
                ErrorKind::Mapping
            } else {
                ErrorKind::Input
            };
            assert_eq!(error.kind(), kind, "{value} in {path}: {error}");
            assert_eq!(error.outcome(), Outcome::NotSent);
            assert!(error.to_string().contains("id"), "{error}");
        }
    }
    let error = call(&connector(&server.url), &get("/tickets/{{{id}}}"), &json!({}))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`id` has no value"), "{error}");
    let error = call(
        &connector(&server.url),
        &get("/t/{{#id}}{{id}}{{/id}}"),
        &json!({}),
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_path_may_name_an_element_of_a_list() {
    let scope = json!({"ids": [{"id": "a"}, {"id": "b"}]});
    assert_eq!(path_of("/t/{{{ids.1.id}}}", &scope).await, "/t/b");
}

#[tokio::test]
async fn a_write_without_a_body_says_that_it_has_none() {
    let server = Server::agreeable().await;
    call(&connector(&server.url), &post("/t"), &json!({}))
        .await
        .unwrap();
    let asked = server.asked_once();
    assert_eq!(
        (asked.header("content-length"), asked.header("content-type")),
        (Some("0"), None)
    );
}

#[tokio::test]
async fn a_path_stays_below_the_base_url() {
    let server = Server::agreeable().await;
    for base in ["/ticketing/v1", "/ticketing/v1/"] {
        let connector = connector(&format!("{}{base}", server.url));
        call(&connector, &get("/tickets"), &json!({})).await.unwrap();
    }
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.path == "/ticketing/v1/tickets")
    );
    for path in [
        "/../admin",
        "/a/%2E%2e/b",
        "/a/./b",
        "/tickets?x=1",
        "/tickets#x",
        "tickets",
        "@evil.example/",
    ] {
        let error = call(&connector(&server.url), &get(path), &json!({}))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{path}");
    }
    assert_eq!(path_of("//evil.example/x", &json!({})).await, "//evil.example/x");
}

#[tokio::test]
async fn values_in_a_query_are_encoded() {
    let server = Server::agreeable().await;
    let mut action = get("/tickets");
    action.query = parameters(&[
        ("q", "{{q}}"),
        ("filter[{{f}}]", "x y"),
        ("n", "{{n}}"),
        ("object", "{{{o}}}"),
    ]);
    let scope = json!({"q": "a&b=c#d <é>", "f": "na&me", "n": 7, "o": {"a": "b"}});
    call(&connector(&server.url), &action, &scope).await.unwrap();
    let asked = server.asked_once();
    assert_eq!(asked.parameter("q").unwrap(), "a&b=c#d <é>");
    assert_eq!(asked.parameter("filter[na&me]").unwrap(), "x y");
    assert_eq!(asked.parameter("n").unwrap(), "7");
    assert_eq!(asked.parameter("object").unwrap(), r#"{"a":"b"}"#);
    assert!(
        !asked.query.contains('+') && asked.query.contains("x%20y"),
        "{}",
        asked.query
    );
}

#[tokio::test]
async fn an_optional_parameter_disappears_and_a_listed_one_is_always_sent() {
    let server = Server::agreeable().await;
    let mut action = get("/tickets");
    action.query = parameters(&[
        ("{{# v }}named{{/ v }}", "{{# v }}{{v}}{{/ v }}"),
        ("valued", "{{#v}}{{v}}{{/v}}"),
        ("always", "{{v}}"),
    ]);
    action.headers = pairs(&[("X-Optional", "{{#v}}{{v}}{{/v}}"), ("{{#v}}X-Named{{/v}}", "1")]);
    let connector = connector(&server.url);
    for scope in [json!({}), json!({"v": null}), json!({"v": ""}), json!({"v": "1"})] {
        call(&connector, &action, &scope).await.unwrap();
    }
    let asked = server.asked();
    for without in &asked[..3] {
        assert_eq!(without.query, "always=");
        assert_eq!(
            (without.header("x-optional"), without.header("x-named")),
            (None, None)
        );
    }
    assert_eq!(asked[3].query, "named=1&valued=1&always=1");
    assert_eq!(
        (asked[3].header("x-optional"), asked[3].header("x-named")),
        (Some("1"), Some("1"))
    );
}

#[tokio::test]
async fn a_value_cannot_add_a_header() {
    let server = Server::agreeable().await;
    let mut action = get("/tickets");
    action.headers = pairs(&[("X-A", "{{a}}")]);
    for value in ["a\r\nX-Evil: 1", "a\nb", "a\u{0}", "a\tb", "é", "a\u{7f}"] {
        let error = call(&connector(&server.url), &action, &json!({"a": value}))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{value:?}");
        assert!(error.to_string().contains("`X-A`"), "{error}");
    }
    action.headers = pairs(&[("{{a}}", "1")]);
    for name in [
        "X-A: 1\r\nX-B",
        "a b",
        "é",
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Proxy-Authorization",
    ] {
        let error = call(&connector(&server.url), &action, &json!({"a": name}))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{name:?}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn headers_of_the_action_win_over_those_of_the_connector() {
    let server = Server::agreeable().await;
    let mut connector = connector(&server.url);
    connector.headers = vec![
        ("X-A".to_owned(), template("{{settings.a}}")),
        ("X-B".to_owned(), template("connector")),
    ];
    let mut action = get("/tickets");
    action.headers = pairs(&[("x-b", "action")]);
    call(&connector, &action, &json!({"settings": {"a": "set"}}))
        .await
        .unwrap();
    let asked = server.asked_once();
    assert_eq!(
        (asked.header("x-a"), asked.header("x-b")),
        (Some("set"), Some("action"))
    );
    assert_eq!(asked.header("user-agent"), Some("ticket-gateway/test"));
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert_eq!(asked.header("accept-encoding"), None);
}

#[tokio::test]
async fn an_expression_that_fails_names_the_action() {
    let server = Server::agreeable().await;
    let error = call(
        &connector(&server.url),
        &get(r#"/t/{{a.$SPLIT("T")[0]}}"#),
        &json!({"a": {"b": 1}}),
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mapping, "{error}");
    assert!(error.to_string().contains("`do_it`"), "{error}");
    assert!(error.diagnostic().is_some());
    let path = path_of(
        r#"/t/{{a.$SPLIT("T")[0]}}"#,
        &json!({"a": "2026-01-05T10:30:45Z"}),
    )
    .await;
    assert_eq!(path, "/t/2026-01-05");
}
