//! Request bodies of every kind.

use serde_json::{Value, json};
use upstream::{Body, ErrorKind, HttpAction, Outcome, Part, PartContent};

use crate::support::{Asked, Server, call, connector, mapping, pairs, parameters, post, template};

async fn send(body: Body, scope: &Value) -> Asked {
    let server = Server::agreeable().await;
    call(
        &connector(&server.url),
        &HttpAction {
            body,
            ..post("/tickets")
        },
        scope,
    )
    .await
    .unwrap();
    server.asked_once()
}

async fn refuse(body: Body, scope: &Value) -> String {
    // What cannot be a JSON template's value is the template's mistake: what a caller sends is escaped in it.
    let kind = if matches!(body, Body::JsonTemplate(_)) {
        ErrorKind::Mapping
    } else {
        ErrorKind::Input
    };
    let server = Server::agreeable().await;
    let error = call(
        &connector(&server.url),
        &HttpAction {
            body,
            ..post("/tickets")
        },
        scope,
    )
    .await
    .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (kind, Outcome::NotSent),
        "{error}"
    );
    assert!(server.asked().is_empty());
    error.to_string()
}

fn json_text(text: &str) -> Body {
    Body::JsonTemplate(template(text))
}

#[tokio::test]
async fn a_value_inside_quotes_cannot_leave_its_string() {
    let evil = "\", \"admin\": true, \"x\": \"\\ \n\u{1}é";
    for text in [r#"{"title": "{{t}}", "n": 1}"#, r#"{"title": "{{{t}}}", "n": 1}"#] {
        let asked = send(json_text(text), &json!({"t": evil})).await;
        assert_eq!(asked.json(), json!({"title": evil, "n": 1}));
        assert_eq!(asked.header("content-type"), Some("application/json"));
    }
    let asked = send(
        json_text(r#"{"say \"{{t}}\"": "a{{t}}b{{n}}{{o}}"}"#),
        &json!({"t": "\"", "n": 5, "o": {"k": "v"}}),
    )
    .await;
    assert_eq!(asked.json(), json!({"say \"\"\"": "a\"b5{\"k\":\"v\"}"}));
}

#[tokio::test]
async fn a_value_outside_quotes_is_one_json_value() {
    let text = r#"{"n": {{n}}, "list": {{{list}}}, "text": {{text}}}"#;
    let asked = send(
        json_text(text),
        &json!({"n": 1.5, "list": [1, {"a": "\""}], "text": r#"{"b": null}"#}),
    )
    .await;
    assert_eq!(
        asked.json(),
        json!({"n": 1.5, "list": [1, {"a": "\""}], "text": {"b": null}})
    );
    for evil in ["1, \"admin\": true", "1}", "plain", "", "\"a\" \"b\""] {
        let message = refuse(json_text(r#"{"n": {{n}}}"#), &json!({"n": evil})).await;
        assert!(message.contains("quotes"), "{message}");
    }
    refuse(json_text(r#"{"n": {{missing}}}"#), &json!({})).await;
    refuse(
        json_text(r#"{"n": "\{{n}}"}"#),
        &json!({"n": "\", \"admin\": true, \"x\": \""}),
    )
    .await;
}

#[tokio::test]
async fn a_json_template_may_have_sections_and_keeps_long_numbers() {
    let text = r#"{"ids": [{{#ids}}"{{.}}",{{/ids}} "end"], "big": 12345678901234567890123}"#;
    let asked = send(json_text(text), &json!({"ids": ["a\"", "b"]})).await;
    assert_eq!(asked.json()["ids"], json!(["a\"", "b", "end"]));
    assert!(asked.text().contains("12345678901234567890123"));
}

#[tokio::test]
async fn a_mapping_is_sent_as_json_with_its_nulls() {
    let body = Body::Json(mapping("payload"));
    let asked = send(body, &json!({"payload": {"z": null, "a": ["é"]}})).await;
    assert_eq!(asked.text(), r#"{"z":null,"a":["é"]}"#);
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_form_is_encoded() {
    let body = Body::Form(parameters(&[
        ("a", "{{a}}"),
        ("b&", "1"),
        ("c", "{{#no}}{{no}}{{/no}}"),
    ]));
    let asked = send(body, &json!({"a": "x&y=z +é"})).await;
    assert_eq!(asked.text(), "a=x%26y%3Dz%20%2B%C3%A9&b%26=1");
    assert_eq!(
        asked.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
}

#[tokio::test]
async fn multipart_has_quoted_names_and_the_bytes_of_the_file() {
    let file = |content: &str| PartContent::File {
        content: mapping(content),
        file_name: template("{{name}}"),
        content_type: Some(template("{{type}}")),
    };
    let text = |content: &str, content_type: Option<&str>| PartContent::Text {
        content: mapping(content),
        content_type: content_type.map(template),
    };
    let part = |name: &str, content| Part {
        name: name.to_owned(),
        content,
    };
    let body = Body::Multipart(vec![
        part("files", file("content")),
        part("user", text("user", Some("application/{{kind}}"))),
        part("comment", text("comment", Some("{{type}}"))),
        part("absent", text("nothing", None)),
        part("no file", file("nothing")),
    ]);
    let scope = json!({
        "content": "aGVs\r\nbG8A/w", "name": "ü \"x\".bin", "type": "", "user": {"id": 1}, "comment": "hi", "kind": "json",
    });
    let asked = send(body, &scope).await;
    let content_type = asked.header("content-type").unwrap();
    assert!(
        content_type.starts_with("multipart/form-data; boundary="),
        "{content_type}"
    );
    assert!(asked.header("content-length").is_some());
    let text = String::from_utf8_lossy(&asked.body);
    for expected in [
        "Content-Disposition: form-data; name=\"files\"; filename=\"ü \\\"x\\\".bin\"\r\nContent-Type: application/octet-stream",
        "Content-Disposition: form-data; name=\"user\"\r\nContent-Type: application/json\r\n\r\n{\"id\":1}\r\n",
        "Content-Disposition: form-data; name=\"comment\"\r\n\r\nhi\r\n",
    ] {
        assert!(text.contains(expected), "{expected}\nis not in\n{text}");
    }
    assert!(!text.contains("absent") && !text.contains("no file"), "{text}");
    assert!(
        asked.body.windows(9).any(|window| window == b"\r\nhello\0\xff"),
        "{text}"
    );
}

#[tokio::test]
async fn base64_that_is_not_names_the_argument() {
    let binary = || Body::Binary {
        content: mapping("content"),
        content_type: template("image/png"),
    };
    let part = PartContent::File {
        content: mapping("attachment.content"),
        file_name: template("a.txt"),
        content_type: None,
    };
    let message = refuse(binary(), &json!({"content": "not base64!"})).await;
    assert!(message.contains("`content` is not Base64"), "{message}");
    assert!(!message.contains("not base64!"), "{message}");
    let message = refuse(binary(), &json!({"content": 7})).await;
    assert!(message.contains("`content` must be Base64"), "{message}");
    let body = Body::Multipart(vec![Part {
        name: "file".to_owned(),
        content: part,
    }]);
    let message = refuse(body, &json!({"attachment": {"content": "a"}})).await;
    assert!(
        message.contains("`attachment.content` is not Base64"),
        "{message}"
    );
    let asked = send(binary(), &json!({"content": "/+8="})).await;
    assert_eq!(
        (asked.body.as_slice(), asked.header("content-type")),
        (&b"\xff\xef"[..], Some("image/png"))
    );
}

#[tokio::test]
async fn text_is_escaped_for_its_type() {
    let text = |content: &str, content_type: &str| Body::Text {
        content: template(content),
        content_type: template(content_type),
    };
    let scope = json!({"a": "<b>&\"x\""});
    let asked = send(text("a: {{a}}", "text/plain; charset=utf-8"), &scope).await;
    assert_eq!(asked.text(), "a: <b>&\"x\"");
    assert_eq!(asked.header("content-type"), Some("text/plain; charset=utf-8"));
    let asked = send(
        text("a={{a}}&b={{{a}}}", "application/x-www-form-urlencoded"),
        &scope,
    )
    .await;
    assert_eq!(asked.text(), "a=%3Cb%3E%26%22x%22&b=%3Cb%3E%26%22x%22");
    let asked = send(text("<a>{{a}}</a>", "application/xml"), &scope).await;
    assert_eq!(asked.text(), "<a>&lt;b&gt;&amp;&quot;x&quot;</a>");
    let evil = json!({"a": "\", \"admin\": true, \"x\": \""});
    let asked = send(text(r#"{"a": "{{a}}"}"#, "application/merge-patch+json"), &evil).await;
    assert_eq!(asked.json(), evil);
}

#[tokio::test]
async fn a_content_type_that_is_given_stays() {
    let server = Server::agreeable().await;
    let mut action = post("/tickets");
    action.body = json_text("{}");
    action.headers = pairs(&[("Content-Type", "application/merge-patch+json")]);
    call(&connector(&server.url), &action, &json!({})).await.unwrap();
    assert_eq!(
        server.asked_once().header("content-type"),
        Some("application/merge-patch+json")
    );
}
