//! Answers: what is good, what is not, and what an error tells.

use serde_json::json;
use upstream::{ErrorCode, ErrorKind, FailWhen, HttpAction, Method, Outcome, ResponseFormat};

use crate::support::{Reply, Server, action, call, connector, get, mapping, post, raw_server};

#[tokio::test]
async fn json_text_and_bytes_are_read() {
    let server = Server::start(|_, _| Reply::status(200).body("[1, \"é\"]")).await;
    let connector = connector(&server.url);
    let mut action = get("/t");
    assert_eq!(
        call(&connector, &action, &json!({})).await.unwrap().result,
        json!([1, "é"])
    );
    action.response = ResponseFormat::Text;
    assert_eq!(
        call(&connector, &action, &json!({})).await.unwrap().result,
        json!("[1, \"é\"]")
    );
    action.response = ResponseFormat::Bytes;
    assert_eq!(
        call(&connector, &action, &json!({})).await.unwrap().result,
        json!("WzEsICLDqSJd")
    );
}

#[tokio::test]
async fn a_good_answer_without_a_body_is_null() {
    for reply in [|| Reply::status(204), || Reply::status(202).body(" \n")] {
        let server = Server::start(move |_, _| reply()).await;
        assert_eq!(
            call(&connector(&server.url), &post("/t"), &json!({}))
                .await
                .unwrap()
                .result,
            json!(null)
        );
    }
}

#[tokio::test]
async fn html_instead_of_json_is_a_bad_answer() {
    let page = "<html><body>Please log in</body></html>";
    let server =
        Server::start(move |_, _| Reply::status(200).header("content-type", "text/html").body(page)).await;
    let error = call(&connector(&server.url), &post("/t"), &json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.status()),
        (ErrorKind::BadAnswer, "TG0406", Some(200))
    );
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.excerpt(), Some(page));
    assert!(error.to_string().contains("text/html"), "{error}");
    let error = call(&connector(&server.url), &get("/t"), &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused);
}

#[tokio::test]
async fn half_a_body_leaves_a_write_unknown_and_a_read_is_tried_again() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\": 1";
    let (url, connections) = raw_server(half).await;
    let error = call(&connector(&url), &post("/t"), &json!({})).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::BadAnswer, Outcome::Unknown),
        "{error}"
    );
    assert_eq!(*connections.lock().unwrap(), 1);
    let error = call(&connector(&url), &get("/t"), &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    assert_eq!(*connections.lock().unwrap(), 1 + 3);
}

#[tokio::test]
async fn a_connection_lost_before_the_answer_leaves_a_write_unknown() {
    let (url, connections) = raw_server(b"").await;
    let error = call(&connector(&url), &post("/t"), &json!({})).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Connect, Outcome::Unknown),
        "{error}"
    );
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn too_long_an_answer_is_cut_off() {
    let server = Server::start(|_, _| Reply::json(&json!("x".repeat(2_000)))).await;
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n";
    let (raw, _) = raw_server(endless).await;
    for url in [server.url.as_str(), raw.as_str()] {
        let mut connector = connector(url);
        connector.max_response_bytes = 100;
        let error = call(&connector, &get("/t"), &json!({})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadAnswer);
        assert!(error.to_string().contains("longer than 100 bytes"), "{error}");
    }
    assert_eq!(server.asked().len(), 1, "a long answer stays long");
}

#[tokio::test]
async fn json_that_is_too_deep_is_a_bad_answer() {
    let server = Server::start(|_, _| Reply::status(200).body("[".repeat(100_000))).await;
    let error = call(&connector(&server.url), &get("/t"), &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
}

#[tokio::test]
async fn statuses_become_errors_that_say_whether_a_write_may_have_happened() {
    for (status, kind, outcome) in [
        (400, ErrorKind::Status(400), Outcome::Refused),
        (401, ErrorKind::Credentials, Outcome::Refused),
        (403, ErrorKind::Status(403), Outcome::Refused),
        (404, ErrorKind::Status(404), Outcome::Refused),
        (409, ErrorKind::Status(409), Outcome::Refused),
        (500, ErrorKind::Status(500), Outcome::Unknown),
        (503, ErrorKind::Status(503), Outcome::Unknown),
    ] {
        let body = json!({"message": "no\n\tluck"});
        let server = Server::start(move |_, _| Reply::json(&body).with_status(status)).await;
        let error = call(&connector(&server.url), &post("/t"), &json!({}))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome(), error.status()),
            (kind, outcome, Some(status)),
            "{error}"
        );
        assert_eq!(error.excerpt(), Some(r#"{"message":"no\n\tluck"}"#));
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        server.asked_once();
    }
}

#[tokio::test]
async fn headers_are_found_in_lower_case_and_as_the_mappings_spell_them() {
    let server = Server::start(|_, _| {
        Reply::json(&json!({}))
            .header("X-Total", "a")
            .header("x-total", "b")
    })
    .await;
    let mut action = get("/t");
    let rule = |condition: &str, message: &str| FailWhen {
        condition: mapping(condition),
        message: Some(mapping(message)),
        code: None,
    };
    action.fail_when = vec![rule(
        r#"response.headers.X-TOTAL == "a, b""#,
        "response.headers.X-Total",
    )];
    action.fail_when[0].condition = mapping(r#"response.headers["X-TOTAL"] == "a, b""#);
    action.fail_when[0].message = Some(mapping(r#"response.headers["X-Total"]"#));
    let error = call(&connector(&server.url), &action, &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "a, b");
    action.fail_when.clear();
    let answer = call(&connector(&server.url), &action, &json!({})).await.unwrap();
    assert_eq!(answer.headers["x-total"], json!("a, b"));
}

#[tokio::test]
async fn fail_when_sees_the_answer_and_the_arguments() {
    let server = Server::start(|_, _| Reply::json(&json!({"error": true, "message": "no ticket T-1"}))).await;
    let mut action = action(&Method::PUT, "/t");
    let rule = |condition: &str, message: Option<&str>, code| FailWhen {
        condition: mapping(condition),
        message: message.map(mapping),
        code,
    };
    action.fail_when = vec![
        rule("settings.never", None, Some(ErrorCode::Conflict)),
        rule(
            "response.body.error AND id == 'T-1'",
            Some("response.body.message"),
            Some(ErrorCode::NotFound),
        ),
    ];
    let scope = json!({"id": "T-1", "settings": {"never": false}});
    let error = call(&connector(&server.url), &action, &scope).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FailWhen(ErrorCode::NotFound));
    assert_eq!(
        (error.to_string().as_str(), error.outcome()),
        ("no ticket T-1", Outcome::Refused)
    );
    action.fail_when = vec![rule("response.body.error", None, None)];
    let error = call(&connector(&server.url), &action, &scope).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FailWhen(ErrorCode::ExternalRestError));
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(
        error.excerpt(),
        Some(r#"{"error":true,"message":"no ticket T-1"}"#)
    );
    action.fail_when = vec![rule("response.body.error == false", None, None)];
    assert!(call(&connector(&server.url), &action, &scope).await.is_ok());
}

#[tokio::test]
async fn fail_when_can_name_what_a_bad_status_means() {
    let server = Server::start(|asked, _| {
        let status = asked.path.trim_start_matches("/t/").parse().unwrap();
        Reply::json(&json!({"reason": "closed"})).with_status(status)
    })
    .await;
    let rule = |condition: &str, code| FailWhen {
        condition: mapping(condition),
        message: Some(mapping("response.body.reason")),
        code,
    };
    let answered = async |status: u16, rules: Vec<FailWhen>| {
        let action = HttpAction {
            fail_when: rules,
            ..action(&Method::PUT, &format!("/t/{status}"))
        };
        let error = call(&connector(&server.url), &action, &json!({}))
            .await
            .unwrap_err();
        (error.kind(), error.to_string(), error.outcome())
    };
    let closed = "closed".to_owned();
    assert_eq!(
        answered(
            422,
            vec![rule("response.status == 422", Some(ErrorCode::Conflict))]
        )
        .await,
        (
            ErrorKind::FailWhen(ErrorCode::Conflict),
            closed.clone(),
            Outcome::Refused
        )
    );
    // Without a code the status keeps its meaning, and the rule says it in words.
    assert_eq!(
        answered(404, vec![rule("response.body.reason", None)]).await,
        (ErrorKind::Status(404), closed.clone(), Outcome::Refused)
    );
    // A server that broke may have done it all the same.
    assert_eq!(
        answered(
            500,
            vec![rule("response.status == 500", Some(ErrorCode::Conflict))]
        )
        .await,
        (ErrorKind::FailWhen(ErrorCode::Conflict), closed, Outcome::Unknown)
    );
    // A rule that fails on such a body does not hide the status.
    let (kind, message, _) = answered(422, vec![rule("response.body.reason < 5", None)]).await;
    assert_eq!(kind, ErrorKind::Status(422));
    assert!(message.contains("422"), "{message}");
}

#[tokio::test]
async fn null_when_makes_an_answer_null_whose_status_speaks_of_the_thing() {
    let server = Server::start(|asked, _| {
        let status = asked.path.trim_start_matches("/t/").parse().unwrap();
        Reply::json(&json!({"error": "no such thing"})).with_status(status)
    })
    .await;
    let answered = async |status: u16, condition: &str| {
        let action = HttpAction {
            null_when: Some(mapping(condition)),
            // It comes first, and `result` sees no answer that means null.
            fail_when: vec![FailWhen {
                condition: mapping("response.body.error"),
                message: None,
                code: None,
            }],
            result: Some(mapping("response.body.id + 1")),
            ..get(&format!("/t/{status}"))
        };
        let answer = call(&connector(&server.url), &action, &json!({})).await;
        answer
            .map(|answer| (answer.result, answer.status))
            .map_err(|error| error.kind())
    };
    assert_eq!(
        answered(404, "response.status == 404").await,
        Ok((json!(null), 404))
    );
    assert_eq!(answered(200, "response.body.error").await, Ok((json!(null), 200)));
    assert_eq!(
        answered(410, "response.status == 404").await,
        Err(ErrorKind::Status(410))
    );
    // What the caller may do, and how often, says nothing of the thing.
    assert_eq!(answered(401, "TRUE").await, Err(ErrorKind::Credentials));
    assert_eq!(answered(429, "TRUE").await, Err(ErrorKind::RateLimited));
    for status in [403, 408, 500, 503] {
        let missing = answered(status, "NOT response.body.id").await;
        assert_eq!(missing, Err(ErrorKind::Status(status)), "{status}");
    }
    // A condition that was not written for such a body does not hide the status.
    assert_eq!(
        answered(400, "response.body.error < 5").await,
        Err(ErrorKind::Status(400))
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_null() {
    let server = Server::start(|_, _| Reply::status(200).body("<html>Please log in</html>")).await;
    let action = HttpAction {
        null_when: Some(mapping("NOT response.body")),
        ..get("/t")
    };
    let error = call(&connector(&server.url), &action, &json!({})).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::BadAnswer);
}
