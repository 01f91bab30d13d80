//! The HTTP face: methods, headers, paths.

use bytes::Bytes;

use crate::support::{Upstream, call, gateway, get, send};

#[tokio::test]
async fn another_method_is_405_with_those_there_are() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    for (method, path, allowed) in [
        ("DELETE", "/v1/desk/tickets/IT-7", "GET, PATCH"),
        ("GET", "/v1/desk/tickets/IT-7/comments", "POST"),
        ("HEAD", "/v1/desk/tickets", "POST, GET"),
        ("POST", "/v1/healthz", "GET"),
    ] {
        let answer = call(&gateway, method, path, serde_json::Value::Null).await;
        assert_eq!(
            (answer.status, answer.code()),
            (405, "METHOD_NOT_ALLOWED"),
            "{method} {path}: {answer:?}"
        );
        assert_eq!(answer.header("allow"), Some(allowed));
    }
}

#[tokio::test]
async fn every_answer_carries_the_request_id_and_says_not_to_store_it() {
    let upstream = Upstream::desk().await;
    let gateway = gateway(&upstream);
    let with = |id: &str| {
        http::Request::get("/v1/desk/nothing")
            .header("x-request-id", id)
            .body(Bytes::new())
            .unwrap()
    };
    let answer = send(&gateway, with("abc-1")).await;
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    assert_eq!(answer.body["error"]["request_id"], "abc-1");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    for odd in ["two words", "a\"b", &"x".repeat(129), ""] {
        let answer = send(&gateway, with(odd)).await;
        assert_eq!(
            answer.header("x-request-id").map(str::len),
            Some(36),
            "a new UUID for {odd:?}"
        );
    }
}

#[tokio::test]
async fn a_path_is_decoded_once_and_its_slashes_stay_inside() {
    let upstream = Upstream::desk().await;
    let answer = get(&gateway(&upstream), "/v1/desk/tickets/a%2Fb%20%25c").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(upstream.seen()[0].path, "/records/a%2Fb%20%25c");
    let answer = get(&gateway(&upstream), "/v1/desk/tickets/%ff").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn an_id_that_is_no_path_segment_is_refused_before_it_is_sent() {
    let upstream = Upstream::desk().await;
    for id in ["%2e%2e", "%2e"] {
        let answer = get(&gateway(&upstream), &format!("/v1/desk/tickets/{id}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "INPUT_VALIDATION_FAILED"),
            "{answer:?}"
        );
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_gateway_for_one_action_knows_no_other_route() {
    let upstream = Upstream::desk().await;
    let installation = crate::support::install(
        crate::support::DESK,
        serde_json::json!({"base_url": upstream.address}),
    );
    let gateway = actions::Gateway::builder(crate::support::client())
        .integration(installation)
        .only(actions::TasAction::QueryTicketById)
        .build()
        .unwrap();
    assert_eq!(get(&gateway, "/v1/desk/tickets/IT-7").await.status, 200);
    assert_eq!(get(&gateway, "/v1/desk/tickets").await.status, 404);
    assert_eq!(get(&gateway, "/v1/healthz").await.status, 404);
    assert_eq!(
        call(&gateway, "PATCH", "/v1/desk/tickets/IT-7", serde_json::json!({}))
            .await
            .status,
        405
    );
}
