//! What a caller is told when the ticketing system fails, and whether a write may have happened.

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::support::{Answer, DESK, Seen, Upstream, call, gateway, gateway_of, get, post, reply};

async fn answering(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> actions::Gateway {
    gateway(&Upstream::start(answer).await)
}

async fn change(gateway: &actions::Gateway) -> Answer {
    call(
        gateway,
        "PATCH",
        "/v1/desk/tickets/IT-7",
        json!({"payload": {"a": 1}}),
    )
    .await
}

#[tokio::test]
async fn statuses_of_the_ticketing_system_become_the_apis_codes() {
    for (upstream, status, code, outcome) in [
        (404, 404, "NOT_FOUND", "refused"),
        (409, 409, "CONFLICT", "refused"),
        (400, 502, "EXTERNAL_REST_ERROR", "refused"),
        (422, 502, "EXTERNAL_REST_ERROR", "refused"),
        (401, 502, "EXTERNAL_REST_ERROR", "refused"),
        (403, 502, "EXTERNAL_REST_ERROR", "refused"),
        (429, 429, "RATE_LIMIT_EXCEEDED", "refused"),
        (500, 502, "EXTERNAL_REST_ERROR", "unknown"),
        (503, 502, "EXTERNAL_REST_ERROR", "unknown"),
    ] {
        let gateway = answering(move |_| reply(upstream, &json!({"reason": "because"}))).await;
        let answer = change(&gateway).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{upstream}: {answer:?}"
        );
        assert_eq!(answer.details()["outcome"], outcome, "{upstream}: {answer:?}");
        assert_eq!(answer.details()["upstream_status"], upstream, "{answer:?}");

        let answer = get(&gateway, "/v1/desk/tickets/IT-7").await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{upstream}: {answer:?}"
        );
        assert!(
            answer.details().get("outcome").is_none(),
            "a read changes nothing: {answer:?}"
        );
    }
}

#[tokio::test]
async fn the_systems_own_words_are_shown() {
    let gateway = answering(|_| reply(400, &json!({"reason": "priority must be one of Low, High"}))).await;
    let answer = change(&gateway).await;
    assert!(
        answer.details()["upstream_excerpt"]
            .as_str()
            .unwrap()
            .contains("Low, High"),
        "{answer:?}"
    );
    assert_eq!(answer.details()["step"], "change_record");
}

#[tokio::test]
async fn refused_credentials_are_the_operators_affair() {
    let gateway = answering(|_| reply(401, &json!({}))).await;
    let answer = get(&gateway, "/v1/desk/tickets/IT-7").await;
    assert!(
        answer.message().contains("the gateway's credentials"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_missing_path_upstream_is_not_a_missing_ticket_where_none_was_named() {
    let gateway = answering(|_| reply(404, &json!({}))).await;
    let answer = post(
        &gateway,
        "/v1/desk/tickets",
        json!({"payload": {"short_description": "x"}}),
    )
    .await;
    assert_eq!((answer.status, answer.code()), (502, "EXTERNAL_REST_ERROR"));
}

#[tokio::test]
async fn a_404_in_html_does_not_come_from_the_api() {
    let page = || {
        (
            axum::http::StatusCode::NOT_FOUND,
            [("content-type", "text/html")],
            "<html><body>No such site</body></html>",
        )
            .into_response()
    };
    let gateway = answering(move |_| page()).await;
    let answer = get(&gateway, "/v1/desk/tickets/IT-7").await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_404_of_a_path_that_is_the_same_for_everybody_is_not_about_the_requestor() {
    let gateway = answering(|_| reply(404, &json!({}))).await;
    let answer = get(&gateway, "/v1/desk/requestors/12/tickets").await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn too_many_requests_say_when_to_come_back() {
    let gateway =
        answering(|_| (axum::http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "17")]).into_response())
            .await;
    let answer = change(&gateway).await;
    assert_eq!(answer.header("retry-after"), Some("17"), "{answer:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_502_and_a_write_may_have_happened() {
    let html = || {
        (
            [("content-type", "text/html")],
            "<html><body>Down for maintenance</body></html>",
        )
            .into_response()
    };
    let gateway = answering(move |_| html()).await;
    let answer = change(&gateway).await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );
    assert_eq!(answer.details()["outcome"], "unknown");
    assert!(
        answer.message().contains("may have been made or not"),
        "{}",
        answer.message()
    );

    let gateway =
        answering(|_| (axum::http::StatusCode::FOUND, [("location", "/login")]).into_response()).await;
    let answer = get(&gateway, "/v1/desk/tickets/IT-7").await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_system_that_is_down_was_not_sent_anything() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let installation = crate::support::install(DESK, json!({"base_url": address}));
    let gateway = actions::Gateway::builder(crate::support::client())
        .integration(installation)
        .build()
        .unwrap();

    let answer = change(&gateway).await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );
    assert_eq!(answer.details()["outcome"], "not_sent");
    assert!(
        answer.message().contains("Nothing was changed"),
        "{}",
        answer.message()
    );
}

#[tokio::test]
async fn a_slow_system_is_504() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // Takes connections and never answers.
    let silent = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            kept.push(socket);
        }
    });
    let installation = crate::support::install(DESK, json!({"base_url": address}));
    let gateway = actions::Gateway::builder(crate::support::client())
        .integration(installation)
        .build()
        .unwrap();

    let answer = change(&gateway).await;
    assert_eq!(
        (answer.status, answer.code()),
        (504, "EXTERNAL_TIMEOUT"),
        "{answer:?}"
    );
    assert_eq!(answer.details()["outcome"], "unknown");
    silent.abort();
}

#[tokio::test]
async fn a_rule_of_the_integration_chooses_code_and_words() {
    let create = json!({"payload": {"short_description": "x"}});
    let gateway = answering(|_| reply(200, &json!({"error": "taken"}))).await;
    let answer = post(&gateway, "/v1/desk/tickets", create.clone()).await;
    assert_eq!((answer.status, answer.code()), (409, "CONFLICT"), "{answer:?}");
    assert!(
        answer.message().contains("the desk has this ticket already"),
        "{}",
        answer.message()
    );

    let gateway = answering(|_| reply(200, &json!({"error": true}))).await;
    let answer = post(&gateway, "/v1/desk/tickets", create).await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );

    // A rule of the step, which sees the data bank.
    let gateway = answering(|_| reply(200, &json!({"locked": true}))).await;
    let answer = post(&gateway, "/v1/desk/tickets/IT-7/reopen", Value::Null).await;
    assert_eq!((answer.status, answer.code()), (409, "CONFLICT"), "{answer:?}");
    assert!(
        answer.message().starts_with("the ticket is locked"),
        "{}",
        answer.message()
    );
    assert_eq!(answer.details()["outcome"], "refused");
}

#[tokio::test]
async fn a_failure_after_a_change_says_that_it_was_partly_done() {
    let gateway = answering(|seen| match seen.method.as_str() {
        "PATCH" => reply(200, &json!({"id": 7})),
        _ => reply(400, &json!({})),
    })
    .await;
    let answer = post(&gateway, "/v1/desk/tickets/IT-7/resolve", json!({"comment": "x"})).await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{answer:?}"
    );
    assert_eq!(answer.details()["outcome"], "partly_done");
}

#[tokio::test]
async fn a_read_that_fails_after_the_change_says_so_too() {
    let gateway = answering(|seen| match seen.method.as_str() {
        "POST" => reply(200, &json!({"id": 7, "status": "Open"})),
        _ => reply(500, &json!({})),
    })
    .await;
    let answer = post(
        &gateway,
        "/v1/desk/tickets",
        json!({"payload": {"short_description": "x"}}),
    )
    .await;
    assert_eq!(answer.details()["outcome"], "partly_done", "{answer:?}");
}

#[tokio::test]
async fn after_a_change_no_failure_asks_the_caller_to_send_it_again() {
    for (made, status) in [
        (json!({"id": 7}), 404),
        (json!({"id": 7}), 409),
        (json!({"id": 7}), 429),
        (json!({}), 200),
    ] {
        let gateway = answering(move |seen| match seen.method.as_str() {
            "POST" => reply(200, &made),
            _ => reply(status, &json!({})),
        })
        .await;
        let answer = post(
            &gateway,
            "/v1/desk/tickets",
            json!({"payload": {"short_description": "x"}}),
        )
        .await;
        assert_eq!(
            (answer.status, answer.code()),
            (502, "EXTERNAL_REST_ERROR"),
            "{status}: {answer:?}"
        );
        assert_eq!(answer.details()["outcome"], "partly_done", "{answer:?}");
        assert_eq!(answer.header("retry-after"), None);
    }
}

#[tokio::test]
async fn a_rule_of_the_return_after_reading_alone_says_that_nothing_was_changed() {
    let reading = "
name: small
settings: {base_url: {type: url, required: true}}
connector: {base_url: '{{settings.base_url}}', auth: {kind: none}}
http_actions: {get_record: {method: GET, path: '/records/{{{id}}}'}}
actions:
  add_public_comment:
    steps:
      - action: {action_name: get_record, input_args: {id: data.context.ticket.id}, output_key: r}
      - return: {output_mapper: data.r, fail_when: {condition: 'true', code: CONFLICT, message: \"'closed'\"}}
";
    let gateway = gateway_of(reading, &Upstream::desk().await, json!({}));
    let answer = post(&gateway, "/v1/small/tickets/7/comments", json!({"comment": "x"})).await;
    assert_eq!((answer.status, answer.code()), (409, "CONFLICT"), "{answer:?}");
    assert_eq!(answer.details()["outcome"], "not_sent");
}

#[tokio::test]
async fn a_mapping_that_fails_is_500_with_its_code_and_place() {
    let yaml = DESK.replace(
        "fields: data.context.payload}",
        "fields: (settings.base_url OR data.context.payload.priority).$INTEGER()}",
    );
    let upstream = Upstream::desk().await;
    let gateway = gateway_of(&yaml, &upstream, json!({}));
    let answer = call(
        &gateway,
        "PATCH",
        "/v1/desk/tickets/IT-7",
        json!({"payload": {"priority": "canary-7f3a"}}),
    )
    .await;
    assert_eq!(
        (answer.status, answer.code()),
        (500, "INTERNAL_SERVER_ERROR"),
        "{answer:?}"
    );
    assert!(
        answer.details()["code"].as_str().unwrap().starts_with("TG03"),
        "{answer:?}"
    );
    assert!(
        answer.details()["place"]
            .as_str()
            .unwrap()
            .starts_with("desk.yaml:"),
        "{answer:?}"
    );
    assert_eq!(answer.details()["outcome"], "not_sent");
    assert!(
        !answer.body.to_string().contains("canary-7f3a"),
        "no data in the error: {answer:?}"
    );
}

const RULES: &str = "
name: desk
settings: {base_url: {type: url, required: true}}
connector: {base_url: \"{{settings.base_url}}\", retry: {max_attempts: 1}}
http_actions:
  look:
    method: GET
    path: /people
    query: {name: \"{{name}}\"}
  assign:
    method: PUT
    path: /records/{{{id}}}/assignee
    body: {json: {person: person}}
    fail_when:
      - {condition: response.body.why == 'person', message: \"'no such person.'\"}
      - {condition: response.body.why == 'nothing', message: response.body.text}
  get: {method: GET, path: \"/records/{{{id}}}\"}
actions:
  update_ticket_assignment:
    steps:
      - action:
          action_name: look
          input_args: {name: data.context.assignee}
          output_key: people
          fail_when: {condition: NOT data.people, message: \"'nobody is called so'\"}
      - check:
          fail_when: {condition: data.people.gone, message: \"'that person left'\"}
      - action: {action_name: assign, input_args: {id: data.context.ticket.id, person: data.people.id}, output_key: _}
      - action: {action_name: get, input_args: {id: data.context.ticket.id}, output_key: now}
      - return: {output_mapper: {raw_ticket: data.now}}
";

async fn assigned(people: Value, status: u16, told: Value) -> Answer {
    let upstream = Upstream::start(move |seen: &Seen| match seen.path.as_str() {
        "/people" => reply(200, &people),
        _ => reply(status, &told),
    })
    .await;
    let gateway = gateway_of(RULES, &upstream, json!({}));
    call(
        &gateway,
        "PUT",
        "/v1/desk/tickets/7/assignment",
        json!({"assignee": "ben"}),
    )
    .await
}

#[tokio::test]
async fn a_rule_after_steps_that_only_read_says_that_the_change_was_not_sent() {
    for (people, said) in [
        (Value::Null, "nobody is called so"),
        (json!({"gone": true}), "that person left"),
    ] {
        let answer = assigned(people, 200, json!({})).await;
        assert_eq!(answer.details()["outcome"], "not_sent", "{answer:?}");
        let expected = format!("{said}. Nothing was changed: the change was not sent.");
        assert_eq!(answer.message(), expected);
    }
}

#[tokio::test]
async fn a_rule_gives_its_words_to_a_404_whose_code_stays() {
    let answer = assigned(json!({"id": 1}), 404, json!({"why": "person"})).await;
    assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"), "{answer:?}");
    assert!(
        answer
            .message()
            .starts_with("no such person. Nothing was changed"),
        "{answer:?}"
    );
    let answer = assigned(json!({"id": 1}), 404, json!({"why": "ticket"})).await;
    assert!(answer.message().contains("has no such ticket"), "{answer:?}");
}

#[tokio::test]
async fn a_rule_whose_message_is_null_or_blank_has_the_usual_words() {
    for text in [json!(null), json!(""), json!("  ")] {
        let answer = assigned(json!({"id": 1}), 403, json!({"why": "nothing", "text": text})).await;
        assert!(
            answer
                .message()
                .starts_with("`assign`: the system answered 403; whoever runs the gateway"),
            "{answer:?}"
        );
        let answer = assigned(json!({"id": 1}), 200, json!({"why": "nothing", "text": text})).await;
        assert!(
            answer
                .message()
                .starts_with("`assign`: the answer says that it failed."),
            "{answer:?}"
        );
    }
    let answer = assigned(json!({"id": 1}), 403, json!({"why": "person"})).await;
    assert!(
        answer.message().starts_with("no such person; whoever runs"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_connectors_rules_are_asked_after_those_of_the_http_action() {
    let connector = "retry: {max_attempts: 1}, fail_when: [{condition: response.body.busy, code: CONFLICT, message: \"'try later'\"}]}";
    let rules = RULES.replace("retry: {max_attempts: 1}}", connector);
    let answer_of = |status: u16, body: Value| {
        let rules = rules.clone();
        async move {
            let upstream = Upstream::start(move |seen: &Seen| match seen.path.as_str() {
                "/people" => reply(200, &json!({"id": 1})),
                _ => reply(status, &body),
            })
            .await;
            let gateway = gateway_of(&rules, &upstream, json!({}));
            call(
                &gateway,
                "PUT",
                "/v1/desk/tickets/7/assignment",
                json!({"assignee": "ben"}),
            )
            .await
        }
    };
    for status in [200, 400] {
        let answer = answer_of(status, json!({"busy": true})).await;
        assert_eq!(answer.code(), "CONFLICT", "{answer:?}");
        assert!(answer.message().starts_with("try later"), "{answer:?}");
        assert_eq!(answer.details()["outcome"], "refused");
    }
    let own = answer_of(404, json!({"busy": true, "why": "person"})).await;
    assert!(own.message().starts_with("no such person"), "{own:?}");
}
