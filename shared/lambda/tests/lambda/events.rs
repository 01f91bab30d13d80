//! A function answers the events that API Gateway sends.

use lambda::TasAction;
use serde_json::{Value, json};

use crate::support::{Function, Upstream, create_event, query_event, read_event, upstream};

#[tokio::test]
async fn a_proxy_event_of_a_rest_api_creates_a_ticket() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let answer = function.invoke(&create_event()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body["raw_ticket"]["id"], "7");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(*seen.lock().unwrap(), ["/records"]);
}

#[tokio::test]
async fn the_request_id_is_the_callers_otherwise_api_gateways() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    let mut event = read_event("IT-7");
    let answer = function.invoke(&event).await;
    assert_eq!(
        answer.headers["x-request-id"],
        event["requestContext"]["requestId"]
    );
    event["multiValueHeaders"]["X-Request-Id"] = json!(["order-7"]);
    let answer = function.invoke(&event).await;
    assert_eq!(answer.headers["x-request-id"], "order-7");
}

#[tokio::test]
async fn a_query_arrives_as_the_caller_meant_it() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketsByTimeRange, &address).await;
    let answer = function.invoke(&query_event()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        *seen.lock().unwrap(),
        ["/records?since=2026-01-12T08%3A00%3A00.000000Z"]
    );
}

#[tokio::test]
async fn a_parameter_that_is_given_twice_is_refused_and_not_chosen_from() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketsByTimeRange, &address).await;
    let mut event = query_event();
    event["multiValueQueryStringParameters"]["updated_start_ts"] =
        json!(["2026-01-12T09:00:00Z", "2026-01-11T09:00:00Z"]);
    let answer = function.invoke(&event).await;
    assert_eq!(answer.code(), (400, "INPUT_VALIDATION_FAILED"));
    assert_eq!(
        answer.body["error"]["details"]["fields"][0]["field"],
        "updated_start_ts"
    );
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_idempotency_key_that_is_given_twice_is_refused() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let mut event = create_event();
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["order-1", "order-2"]);
    let answer = function.invoke(&event).await;
    assert_eq!(answer.code(), (400, "INPUT_VALIDATION_FAILED"));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_same_key_gives_the_first_answer_again() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let first = function.invoke(&create_event()).await;
    let second = function.invoke(&create_event()).await;
    assert_eq!((second.status, &second.body), (201, &first.body));
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_in_base64_is_a_body() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let mut event = create_event();
    event["body"] = json!("eyJwYXlsb2FkIjogeyJzaG9ydF9kZXNjcmlwdGlvbiI6ICJ4In19");
    event["isBase64Encoded"] = json!(true);
    let answer = function.invoke(&event).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    event["body"] = json!("!!!");
    let answer = function.invoke(&event).await;
    assert_eq!(answer.code(), (400, "INPUT_VALIDATION_FAILED"));
}

#[tokio::test]
async fn an_error_is_an_answer_not_a_failed_invocation() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let mut event = create_event();
    for body in [json!("{"), Value::Null] {
        event["body"] = body;
        let answer = function.invoke(&event).await;
        assert_eq!(answer.code(), (400, "INPUT_VALIDATION_FAILED"));
    }
}

#[tokio::test]
async fn the_route_of_another_action_is_404() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let answer = function.invoke(&read_event("IT-7")).await;
    assert_eq!(answer.code(), (404, "NOT_FOUND"));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_ticket_id_reaches_the_system_as_the_caller_meant_it() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    for (sent, asked) in [
        ("IT-7", "/records/IT-7"),
        // API Gateway leaves the encoding in the path as it was.
        ("a%2Fb%20c", "/records/a%2Fb%20c"),
        ("50% off", "/records/50%25%20off"),
        ("\u{e4}\"<", "/records/%C3%A4%22%3C"),
    ] {
        let answer = function.invoke(&read_event(sent)).await;
        assert_eq!(answer.status, 200, "{sent}: {answer:?}");
        assert_eq!(seen.lock().unwrap().last().map(String::as_str), Some(asked));
    }
}

#[tokio::test]
async fn the_base_path_of_a_custom_domain_is_not_part_of_the_route() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    let mut event = read_event("IT-7");
    event["path"] = json!("/helpdesk/desk/tickets/IT-7");
    event["requestContext"]["path"] = json!("/helpdesk/desk/tickets/IT-7");
    let answer = function.invoke(&event).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn an_event_without_a_resource_is_routed_by_its_path() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    for path in ["/desk/tickets/IT-7", "/v1/desk/tickets/IT-7"] {
        let mut event = read_event("IT-7");
        event["path"] = json!(path);
        event["resource"] = json!("/{proxy+}");
        event["requestContext"]["resourcePath"] = json!("/{proxy+}");
        event["pathParameters"] = json!({"proxy": path});
        let answer = function.invoke(&event).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_host_that_is_none_harms_nobody() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    let mut event = read_event("IT-7");
    for header in ["Host", "X-Forwarded-Proto"] {
        event["headers"][header] = json!("[:");
        event["multiValueHeaders"][header] = json!(["[:"]);
    }
    let answer = function.invoke(&event).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn an_integration_that_is_called_like_the_version_is_reached() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    let mut event = read_event("tickets");
    event["pathParameters"]["integration"] = json!("v1");
    event["requestContext"]["authorizer"]["integration"] = json!("v1");
    let answer = function.invoke(&event).await;
    // There is none here: without its name the route would be the one of `tickets`, which is not the caller's.
    assert_eq!(answer.code(), (404, "NOT_FOUND"));
    assert!(
        answer.body["error"]["message"].as_str().unwrap().contains("`v1`"),
        "{answer:?}"
    );
}

/// API Gateway carries the authorizer's policy out; the function does not rely on it.
#[tokio::test]
async fn a_caller_of_another_integration_is_refused_by_the_function_too() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    let mut event = read_event("IT-7");
    for others in ["other", "desk-2", "DESK", "de", "", "other des k"] {
        event["requestContext"]["authorizer"]["integration"] = json!(others);
        let answer = function.invoke(&event).await;
        assert_eq!(answer.code(), (403, "PERMISSION_DENIED"), "{others:?}");
        let id = &event["requestContext"]["requestId"];
        assert_eq!(
            (
                &answer.headers["x-request-id"],
                &answer.body["error"]["request_id"]
            ),
            (id, id)
        );
    }
    // The name in another spelling.
    event["requestContext"]["authorizer"]["integration"] = json!("desk");
    event["pathParameters"]["integration"] = json!("%64esk");
    assert_eq!(function.invoke(&event).await.code(), (403, "PERMISSION_DENIED"));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_caller_of_several_integrations_reaches_each() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    let mut event = read_event("IT-7");
    event["requestContext"]["authorizer"]["integration"] = json!("bench desk");
    assert_eq!(function.invoke(&event).await.status, 200);
}

#[tokio::test]
async fn a_caller_who_may_only_read_writes_nothing() {
    let (address, seen) = upstream(Upstream::Good).await;
    let mut read = read_event("IT-7");
    let mut create = create_event();
    for event in [&mut read, &mut create] {
        event["requestContext"]["authorizer"]["access"] = json!("read-only");
    }
    let reads = Function::of(TasAction::QueryTicketById, &address).await;
    assert_eq!(reads.invoke(&read).await.status, 200);
    let writes = Function::of(TasAction::CreateTicket, &address).await;
    assert_eq!(writes.invoke(&create).await.code(), (403, "PERMISSION_DENIED"));
    // A word that no authorizer of ours says.
    read["requestContext"]["authorizer"]["access"] = json!("all");
    assert_eq!(reads.invoke(&read).await.code(), (403, "PERMISSION_DENIED"));
    assert_eq!(*seen.lock().unwrap(), ["/records/IT-7"]);
}

#[tokio::test]
async fn without_an_authorizer_nobody_is_let_in() {
    let (address, seen) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    for context in [
        Value::Null,
        json!({}),
        json!({"integration": "desk"}),
        json!({"access": "read-write"}),
    ] {
        let mut event = read_event("IT-7");
        event["requestContext"]["authorizer"] = context;
        let answer = function.invoke(&event).await;
        assert_eq!(answer.code(), (500, "INTERNAL_SERVER_ERROR"), "{event}");
    }
    let mut event = read_event("IT-7");
    event["requestContext"]
        .as_object_mut()
        .unwrap()
        .remove("authorizer");
    assert_eq!(function.invoke(&event).await.status, 500);
    assert!(seen.lock().unwrap().is_empty());
}
