//! Steps that are done more than once, conditions between steps, times and lists that are filtered again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::support::{Answer, Upstream, call, gateway_of, get, post, reply};

const HEAD: &str = "
name: desk
settings: {base_url: {type: url, required: true}, zone: {type: text, default: America/New_York}}
connector:
  base_url: \"{{settings.base_url}}\"
  action_timeout_seconds: 5
  retry: {max_attempts: 1}
";

/// A desk whose ticket 7 has the comments that the system's answer to `/tickets/7` lists.
fn with_comments(more: &str) -> String {
    format!(
        "{HEAD}
http_actions:
  get_ticket: {{method: GET, path: '/tickets/{{{{{{id}}}}}}'}}
  get_comment: {{method: GET, path: '/comments/{{{{{{id}}}}}}'}}
actions:
  query_ticket_by_id:
    steps:
      - action: {{action_name: get_ticket, input_args: {{id: data.context.ticket_id}}, output_key: ticket}}
      - action:
          action_name: get_comment
          for_each: data.ticket.comments
          input_args: {{id: item}}
          output_key: comments
          {more}
      - return:
          output_mapper:
            raw_ticket:
              id: data.ticket.id
              state: \"'open'\"
              short_description: \"'x'\"
              updated_at: \"'2026-01-05T10:00:00Z'\"
              custom_data: {{comments: data.comments}}
ticketing: {{states: {{open: NEW, done: RESOLVED}}}}
"
    )
}

fn ticket_with(comments: Value) -> impl Fn(&crate::support::Seen) -> axum::response::Response + Clone {
    move |seen| match seen.path.as_str() {
        "/tickets/7" => reply(200, &json!({"id": 7, "comments": comments})),
        "/comments/bad" => reply(500, &json!(null)),
        path => reply(200, &json!(path.trim_start_matches("/comments/"))),
    }
}

async fn comments(yaml: &str, list: Value) -> (Answer, Vec<String>) {
    let upstream = Upstream::start(ticket_with(list)).await;
    let answer = get(&gateway_of(yaml, &upstream, json!({})), "/v1/desk/tickets/7").await;
    (answer, upstream.lines())
}

#[tokio::test]
async fn a_step_is_done_for_each_element_and_gives_its_results_in_order() {
    let yaml = with_comments("when: item != 'c' AND index < 4");
    let (answer, lines) = comments(&yaml, json!(["a", "b", "c", "d", "e"])).await;
    let expected = json!(["a", "b", null, "d", null]);
    assert_eq!(
        answer.body["raw_ticket"]["custom_data"]["comments"], expected,
        "{answer:?}"
    );
    assert_eq!(lines.len(), 4);
}

#[tokio::test]
async fn an_element_that_is_not_there_gives_null() {
    let yaml = with_comments("").replace(
        "path: '/comments/{{{id}}}'",
        "path: '/comments/{{{id}}}', null_when: response.status == 404",
    );
    let upstream = Upstream::start(|seen| match seen.path.as_str() {
        "/comments/gone" => reply(404, &json!({"error": "no such comment"})),
        _ => ticket_with(json!(["a", "gone", "c"]))(seen),
    })
    .await;
    let answer = get(&gateway_of(&yaml, &upstream, json!({})), "/v1/desk/tickets/7").await;
    assert_eq!(
        answer.body["raw_ticket"]["custom_data"]["comments"],
        json!(["a", null, "c"]),
        "{answer:?}"
    );
}

#[tokio::test]
async fn no_element_is_no_request() {
    for none in [json!([]), json!(null)] {
        let (answer, lines) = comments(&with_comments(""), none).await;
        assert_eq!(
            answer.body["raw_ticket"]["custom_data"]["comments"],
            json!([]),
            "{answer:?}"
        );
        assert_eq!(lines.len(), 1);
    }
}

#[tokio::test]
async fn too_many_elements_are_refused_before_the_first_request() {
    for (more, count, allowed) in [
        ("", 101, 100),
        ("max_items: 3", 4, 3),
        ("max_items: 1000", 1_000_000, 1000),
    ] {
        let (answer, lines) = comments(&with_comments(more), json!(vec![1; count])).await;
        assert_eq!(answer.code(), "EXTERNAL_REST_ERROR", "{answer:?}");
        let words = format!(
            "the step get_comment would be done for {count} elements, and its `max_items` allows {allowed}"
        );
        assert!(answer.message().contains(&words), "{answer:?}");
        assert_eq!(lines, ["GET /tickets/7"]);
    }
}

#[tokio::test]
async fn what_is_no_list_is_said() {
    let (answer, _) = comments(&with_comments(""), json!({"a": 1})).await;
    assert!(
        answer
            .message()
            .contains("`for_each` of the step get_comment gives no list"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_first_failure_ends_the_step_and_names_its_element() {
    let (answer, _) = comments(&with_comments("at_once: 1"), json!(["a", "bad", "c"])).await;
    assert_eq!(answer.code(), "EXTERNAL_REST_ERROR");
    assert_eq!(answer.details()["index"], 1, "{answer:?}");
    assert_eq!(answer.details()["step"], "get_comment");
}

#[tokio::test]
async fn a_rule_of_the_step_is_asked_of_each_element() {
    let rule = "fail_when: {condition: data.comments == 'b' AND item == 'b' AND index == 1, code: NOT_FOUND, message: \"$CONCAT(['no ', item])\"}";
    let (answer, _) = comments(&with_comments(rule), json!(["a", "b"])).await;
    assert_eq!((answer.code(), answer.status), ("NOT_FOUND", 404), "{answer:?}");
    assert!(answer.message().starts_with("no b"), "{answer:?}");
}

#[tokio::test]
async fn no_more_requests_than_at_once_go_on_together() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (going, peak) = (Arc::clone(&now), Arc::clone(&most));
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (going, peak) = (Arc::clone(&going), Arc::clone(&peak));
        async move {
            if request.uri().path() == "/tickets/7" {
                return reply(200, &json!({"id": 7, "comments": [1, 2, 3, 4, 5, 6, 7, 8]}));
            }
            let together = going.fetch_add(1, Ordering::SeqCst) + 1;
            peak.fetch_max(together, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            going.fetch_sub(1, Ordering::SeqCst);
            reply(200, &json!(1))
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let unused = Upstream::desk().await;
    let yaml = with_comments("at_once: 3");
    let answer = get(
        &gateway_of(&yaml, &unused, json!({"base_url": address})),
        "/v1/desk/tickets/7",
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!((2..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

/// Changes are sent one by one; one that fails leaves those before it made.
#[tokio::test]
async fn changes_for_each_element_are_partly_done_after_a_failure() {
    let yaml = format!(
        "{HEAD}
http_actions:
  add: {{method: POST, path: /notes, body: {{json: {{text: text}}}}}}
  search: {{method: POST, path: /search, read_only: true}}
actions:
  create_ticket:
    steps:
      - action: {{action_name: search, output_key: found}}
      - action: {{action_name: add, for_each: data.context.payload.notes, max_items: 5, input_args: {{text: item}}, output_key: _}}
      - return: {{output_mapper: data.found}}
"
    );
    let fails_at = |bad: &'static str| {
        move |seen: &crate::support::Seen| {
            if seen.body["text"] == bad || bad == seen.path {
                reply(422, &json!(null))
            } else {
                reply(200, &json!({"id": 1}))
            }
        }
    };
    let create = |notes: Value| json!({"payload": {"short_description": "x", "notes": notes}});

    let upstream = Upstream::start(fails_at("b")).await;
    let answer = post(
        &gateway_of(&yaml, &upstream, json!({})),
        "/v1/desk/tickets",
        create(json!(["a", "b", "c"])),
    )
    .await;
    assert_eq!(answer.details()["outcome"], "partly_done", "{answer:?}");
    assert_eq!(upstream.lines().len(), 3, "nothing after the one that failed");

    let upstream = Upstream::start(fails_at("a")).await;
    let answer = post(
        &gateway_of(&yaml, &upstream, json!({})),
        "/v1/desk/tickets",
        create(json!(["a"])),
    )
    .await;
    assert_eq!(
        answer.details()["outcome"],
        "refused",
        "a search by POST is no change: {answer:?}"
    );

    let upstream = Upstream::start(fails_at("-")).await;
    let answer = post(
        &gateway_of(&yaml, &upstream, json!({})),
        "/v1/desk/tickets",
        create(json!(vec!["a"; 6])),
    )
    .await;
    assert_eq!(
        (answer.code(), answer.status),
        ("INPUT_VALIDATION_FAILED", 400),
        "{answer:?}"
    );
    assert_eq!(upstream.lines(), ["POST /search"]);
}

/// A ticket that is changed on the condition of its version, which the system counts up at each look until `settled`.
async fn versioned(settled: usize) -> Upstream {
    let looks = Arc::new(Mutex::new(0));
    Upstream::start(move |seen: &crate::support::Seen| {
        let mut looks = looks.lock().unwrap();
        let version = format!("\"v{}\"", *looks);
        match seen.method.as_str() {
            "GET" => {
                *looks += 1;
                let version = format!("\"v{}\"", *looks);
                ([("etag", version)], axum::Json(json!({"id": 7}))).into_response()
            }
            _ if *looks < settled => reply(412, &json!(null)),
            _ if seen.headers["if-match"].to_str().unwrap() == version => reply(200, &json!({"ok": true})),
            _ => panic!("{:?} and not {version}", seen.headers),
        }
    })
    .await
}

fn conditional(more: &str) -> String {
    format!(
        "{HEAD}
http_actions:
  get_ticket: {{method: GET, path: '/tickets/{{{{{{id}}}}}}', result: {{etag: response.headers.etag}}}}
  change: {{method: PUT, path: '/tickets/{{{{{{id}}}}}}', headers: {{If-Match: '{{{{{{etag}}}}}}'}}, body: {{json: {{state: state}}}}}}
actions:
  update_ticket_state:
    steps:
      - action: {{action_name: get_ticket, input_args: {{id: data.context.ticket.id}}, output_key: present}}
      - action:
          action_name: change
          input_args: {{id: data.context.ticket.id, etag: data.present.etag, state: data.context.state}}
          output_key: changed
          retry_from: {{step: present{more}}}
      - return: {{output_mapper: {{raw_ticket: {{id: data.context.ticket.id, state: \"'open'\", short_description: \"'x'\", updated_at: \"'2026-01-05'\"}}}}}}
ticketing: {{states: {{open: NEW, done: RESOLVED}}}}
"
    )
}

#[tokio::test]
async fn a_change_that_came_too_late_is_made_after_another_look() {
    let upstream = versioned(3).await;
    let gateway = gateway_of(&conditional(""), &upstream, json!({}));
    let answer = call(
        &gateway,
        "PUT",
        "/v1/desk/tickets/7/state",
        json!({"state": "NEW"}),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let lines = ["GET /tickets/7", "PUT /tickets/7"];
    assert_eq!(upstream.lines(), [lines, lines, lines].concat());
}

#[tokio::test]
async fn a_change_that_always_comes_too_late_is_a_conflict() {
    for (more, tries) in [("", 3), (", times: 1", 2)] {
        let upstream = versioned(usize::MAX).await;
        let gateway = gateway_of(&conditional(more), &upstream, json!({}));
        let answer = call(
            &gateway,
            "PUT",
            "/v1/desk/tickets/7/state",
            json!({"state": "NEW"}),
        )
        .await;
        assert_eq!((answer.code(), answer.status), ("CONFLICT", 409), "{answer:?}");
        assert!(
            answer.message().contains(&format!("each of the {tries} times")),
            "{answer:?}"
        );
        assert_eq!(answer.details()["outcome"], "refused");
        assert_eq!(upstream.lines().len(), tries * 2);
    }
}

#[tokio::test]
async fn another_refusal_is_not_retried() {
    let upstream = versioned(usize::MAX).await;
    let gateway = gateway_of(&conditional(", on_status: 409"), &upstream, json!({}));
    let answer = call(
        &gateway,
        "PUT",
        "/v1/desk/tickets/7/state",
        json!({"state": "NEW"}),
    )
    .await;
    assert_eq!(answer.code(), "EXTERNAL_REST_ERROR", "{answer:?}");
    assert_eq!(upstream.lines().len(), 2);
}

#[tokio::test]
async fn a_check_is_asked_though_the_steps_before_it_were_skipped() {
    let yaml = format!(
        "{HEAD}
http_actions:
  find: {{method: GET, path: /people}}
  change: {{method: PUT, path: /owner, body: {{json: {{id: id}}}}}}
actions:
  update_ticket_assignment:
    steps:
      - action: {{action_name: find, when: \"'@' IN data.context.assignee\", output_key: found}}
      - check: {{fail_when: {{condition: NOT data.found.id, code: INPUT_VALIDATION_FAILED, message: \"'assignee: no such person'\"}}}}
      - action: {{action_name: change, input_args: {{id: data.found.id}}, output_key: _}}
      - check: {{fail_when: data.found.id == 9}}
      - return: {{output_mapper: {{raw_ticket: {{id: data.context.ticket.id, state: \"'open'\", short_description: \"'x'\", updated_at: \"'2026-01-05'\"}}}}}}
ticketing: {{states: {{open: NEW}}}}
"
    );
    for (assignee, id, code, outcome, asked) in [
        ("ann", 1, "INPUT_VALIDATION_FAILED", "not_sent", 0),
        ("a@b.example", 0, "INPUT_VALIDATION_FAILED", "not_sent", 1),
        ("a@b.example", 9, "EXTERNAL_REST_ERROR", "unknown", 2),
        ("a@b.example", 1, "", "", 2),
    ] {
        let upstream = Upstream::start(move |_| reply(200, &json!({"id": id}))).await;
        let gateway = gateway_of(&yaml, &upstream, json!({}));
        let answer = call(
            &gateway,
            "PUT",
            "/v1/desk/tickets/7/assignment",
            json!({"assignee": assignee}),
        )
        .await;
        assert_eq!(answer.code(), code, "{answer:?}");
        assert_eq!(
            answer.details()["outcome"].as_str().unwrap_or_default(),
            outcome,
            "{answer:?}"
        );
        assert_eq!(upstream.lines().len(), asked);
    }
}

fn dated(more: &str) -> String {
    format!(
        "{HEAD}  dates: {{format: '%d/%m/%Y %H:%M:%S', zone: '{{{{settings.zone}}}}', empty: ['01/01/1970 00:00:00', 0]}}
http_actions:
  list: {{method: GET, path: /list, query: {{from: '{{{{meta_info.dates.updated_start_ts}}}}', to: '{{{{to}}}}'}}}}
actions:
  query_tickets_by_time_range:
    {more}
    steps:
      - action: {{action_name: list, input_args: {{to: meta_info.dates.updated_end_ts}}, output_key: found}}
      - return: {{output_mapper: {{raw_tickets: data.found}}}}
ticketing: {{states: {{open: NEW}}}}
"
    )
}

const RANGE: &str =
    "/v1/desk/tickets?updated_start_ts=2026-01-05T12:00:00.5Z&updated_end_ts=2026-01-05T14:00:00Z";

fn row(id: u32, changed: &str, resolved: Value) -> Value {
    json!({"id": id, "state": "open", "short_description": "x", "updated_at": changed, "resolved_at": resolved})
}

#[tokio::test]
async fn times_go_out_and_come_in_as_the_connector_says() {
    let upstream = Upstream::start(|_| {
        let rows = [
            row(1, "05/01/2026 07:30:00", json!("01/01/1970 00:00:00")),
            row(2, "2026-01-05T12:30:00Z", json!(0)),
            row(3, "05/01/2026 07:30:00", json!("05/07/2026 07:30:00")),
        ];
        reply(200, &json!(rows))
    })
    .await;
    let answer = get(&gateway_of(&dated(""), &upstream, json!({})), RANGE).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.last();
    assert_eq!(seen.parameter("from").as_deref(), Some("05/01/2026 07:00:00"));
    assert_eq!(seen.parameter("to").as_deref(), Some("05/01/2026 09:00:00"));
    let tickets = &answer.body["raw_tickets"];
    assert_eq!(tickets[0]["updated_at"], "2026-01-05T12:30:00.000000Z");
    assert_eq!(tickets[1]["updated_at"], "2026-01-05T12:30:00.000000Z");
    assert_eq!(tickets[0].get("resolved_at"), None);
    assert_eq!(tickets[1].get("resolved_at"), None);
    // In summer the same zone is an hour nearer.
    assert_eq!(tickets[2]["resolved_at"], "2026-07-05T11:30:00.000000Z");
}

#[tokio::test]
async fn a_range_can_be_rounded_outwards_for_a_filter_by_the_minute() {
    let upstream = Upstream::start(|_| reply(200, &json!([]))).await;
    let minutes = dated("").replace("%H:%M:%S'", "%H:%M', round: minute");
    let answer = get(&gateway_of(&minutes, &upstream, json!({})), RANGE).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.last();
    assert_eq!(seen.parameter("from").as_deref(), Some("05/01/2026 07:00"));
    assert_eq!(seen.parameter("to").as_deref(), Some("05/01/2026 09:01"));
}

#[test]
fn a_zone_that_is_none_is_found_when_it_is_installed() {
    let loaded = integration::load_text("desk.yaml", dated(""));
    let integration = Arc::new(loaded.integration.unwrap());
    let settings = json!({"base_url": "https://desk.example", "zone": "Berlin"});
    let problems = integration
        .install(settings.as_object().unwrap().clone())
        .unwrap_err();
    assert!(problems[0].contains("connector.dates"), "{problems:?}");
}

#[tokio::test]
async fn a_list_can_be_filtered_again() {
    let upstream = Upstream::start(|_| {
        let times = ["06:59:59", "07:00:00", "09:00:00", "09:00:01"];
        let rows = times
            .iter()
            .zip(1..)
            .map(|(time, id)| row(id, &format!("05/01/2026 {time}"), json!(null)));
        reply(200, &json!(rows.collect::<Vec<_>>()))
    })
    .await;
    let ids = |answer: &Answer| -> Vec<String> {
        let tickets = answer.body["raw_tickets"].as_array().unwrap().iter();
        tickets
            .map(|ticket| ticket["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = get(&gateway_of(&dated(""), &upstream, json!({})), RANGE).await;
    assert_eq!(ids(&all), ["1", "2", "3", "4"], "{all:?}");
    // The asked range begins half a second after a second that the system's times cannot tell apart.
    let within = get(&gateway_of(&dated("refilter: true"), &upstream, json!({})), RANGE).await;
    assert_eq!(ids(&within), ["2", "3"], "{within:?}");
}
