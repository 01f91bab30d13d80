//! The source of a stream over HTTP: pages, rows that are no tickets, the clock of the ticketing system, and what each
//! way of failing is taken for.

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::response::Response;
use futures::stream;
use polling::SourceError;
use serde_json::{Value, json};

use crate::desk::{Asked, CANARY, DESK, Desk, answer, page, record, seconds, text, time};

/// Records 1 and 2, an empty page, then record 3.
fn three_pages(asked: &Asked) -> Response {
    match asked.parameter("cursor").as_deref() {
        None => answer(200, &json!({"items": [record(1), record(2)], "next": "c2"})),
        Some("c2") => answer(200, &json!({"items": [], "next": "c3"})),
        Some("c3") => answer(200, &json!({"items": [record(3)]})),
        other => panic!("asked for {other:?}"),
    }
}

#[tokio::test]
async fn each_call_reads_one_page_of_the_ticketing_system() {
    let desk = Desk::start(three_pages).await;
    let source = desk.source().await;
    let (mut token, mut pages) = (None, Vec::new());
    loop {
        let page = page(&source, token.as_deref()).await.unwrap();
        pages.push(
            page.tickets
                .iter()
                .map(|ticket| ticket.id.clone())
                .collect::<Vec<_>>(),
        );
        assert_eq!(desk.asked().len(), pages.len());
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(
        pages,
        [vec!["1", "2"], vec![], vec!["3"]],
        "the empty page is passed on"
    );
    for asked in desk.asked() {
        assert_eq!(asked.parameter("from").unwrap(), "2026-01-05T10:00:00.250000Z");
        assert_eq!(asked.parameter("to").unwrap(), "2026-01-05T11:00:00.000000Z");
    }
}

#[tokio::test]
async fn a_ticket_has_the_form_that_the_api_gives_it() {
    let desk = Desk::start(|_| answer(200, &json!({"items": [record(7)]}))).await;
    let page = page(&desk.source().await, None).await.unwrap();
    let ticket = &page.tickets[0];
    assert_eq!(ticket.id, "7");
    assert_eq!(ticket.updated_at, time("2026-01-05T10:30:45.5Z"));
    assert_eq!(ticket.created_at, Some(time("2026-01-05T10:00:00Z")));
    assert_eq!(
        Value::Object(ticket.fields.clone()),
        json!({"id": "7", "state": "Open", "short_description": "Second monitor stays dark",
               "updated_at": "2026-01-05T10:30:45.500000Z", "created_at": "2026-01-05T10:00:00.000000Z",
               "internal_state_code": "NEW"})
    );
}

#[tokio::test]
async fn a_row_that_is_no_ticket_does_not_stop_the_others() {
    let desk = Desk::start(|_| {
        let mut timeless = record(8);
        timeless["changed"] = json!(null);
        let mut odd = record(9);
        odd["changed"] = json!("the day before my secret birthday");
        answer(
            200,
            &json!({"items": [record(7), timeless, odd, {"status": "Open"}, record(10)]}),
        )
    })
    .await;
    let page = page(&desk.source().await, None).await.unwrap();
    let ids: Vec<&str> = page.tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    assert_eq!(ids, ["7", "10"]);
    let [timeless, odd, empty] = page.unusable.as_slice() else {
        panic!("{:?}", page.unusable)
    };
    assert_eq!(
        timeless,
        "row 2 (id `8`): updated_at: expected a time such as 2026-01-05T10:30:45Z, found nothing"
    );
    assert!(
        odd.starts_with("row 3 (id `9`): updated_at: expected a time"),
        "{odd}"
    );
    assert!(!odd.contains("birthday"), "{odd}");
    assert!(
        empty.starts_with("row 4 (no id): ") && empty.contains("id: "),
        "{empty}"
    );
}

#[tokio::test]
async fn the_ticketing_systems_clock_comes_with_its_answer() {
    for (date, age, expected) in [
        (
            "Mon, 05 Jan 2026 10:30:45 GMT",
            None,
            Some(time("2026-01-05T10:30:45Z")),
        ),
        ("Mon, 05 Jan 2026 10:30:45 GMT", Some("30"), None),
        ("yesterday", None, None),
    ] {
        let desk = Desk::start(move |_| {
            let mut answer = answer(200, &json!({"items": []}));
            let headers = answer.headers_mut();
            headers.insert("date", HeaderValue::from_static(date));
            if let Some(age) = age {
                headers.insert("age", HeaderValue::from_static(age));
            }
            answer
        })
        .await;
        let page = page(&desk.source().await, None).await.unwrap();
        assert_eq!(page.date, expected, "{date}, age {age:?}");
    }
}

/// What asking for the first page of a desk comes to that answers so.
async fn failure(answer: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static) -> SourceError {
    let desk = Desk::start(answer).await;
    let error = page(&desk.source().await, None).await.unwrap_err();
    assert!(
        !error.to_string().is_empty() && !error.to_string().contains("canary"),
        "{error}"
    );
    error
}

fn is_permanent(error: &SourceError) -> bool {
    !error.is_transient() && !error.is_token_expired() && error.rate_limit().is_none()
}

#[tokio::test]
async fn too_many_calls_are_told_with_the_time_to_wait() {
    let error = failure(|_| {
        let mut answer = text(429, "slow down");
        answer
            .headers_mut()
            .insert("retry-after", HeaderValue::from_static("7"));
        answer
    })
    .await;
    assert_eq!(error.rate_limit(), Some(Some(seconds(7))), "{error}");
    let error = failure(|_| text(429, "slow down")).await;
    assert_eq!(error.rate_limit(), Some(None), "nobody said how long: {error}");
}

#[tokio::test]
async fn the_pollers_share_of_the_budget_is_used_up_before_the_rest() {
    let desk = Desk::start(three_pages).await;
    let limited = DESK.replace(
        "  timeout_seconds",
        "  rate_limit: {requests: 2, per_seconds: 60, reserved_for_actions: 1}\n  timeout_seconds",
    );
    let source = desk.source_of(&limited, None).await;
    page(&source, None).await.unwrap();
    let error = page(&source, None).await.unwrap_err();
    assert!(matches!(error.rate_limit(), Some(Some(_))), "{error}");
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test]
async fn what_passes_is_transient() {
    for status in [408, 500, 502, 503, 504] {
        let error = failure(move |_| text(status, "{}")).await;
        assert!(error.is_transient(), "{status}: {error}");
    }
    for body in ["{\"items\": [", "<html>Down for maintenance</html>", ""] {
        let error = failure(move |_| text(200, body)).await;
        assert!(error.is_transient(), "{body}: {error}");
    }
    let error = failure(|_| {
        let pieces: [Result<Bytes, std::io::Error>; 2] = [
            Ok(Bytes::from_static(b"{\"items\": [")),
            Err(std::io::Error::other("the connection is cut here")),
        ];
        Response::new(Body::from_stream(stream::iter(pieces)))
    })
    .await;
    assert!(error.is_transient(), "cut short: {error}");

    let desk = Desk::nobody().await;
    let error = page(&desk.source().await, None).await.unwrap_err();
    assert!(error.is_transient(), "no connection: {error}");
}

#[tokio::test]
async fn a_page_takes_no_longer_than_an_action_may() {
    let desk = Desk::start(|_| {
        Response::new(Body::from_stream(
            stream::pending::<Result<Bytes, std::io::Error>>(),
        ))
    })
    .await;
    let slow = DESK
        .replace("timeout_seconds: 0.5", "timeout_seconds: 60")
        .replace("action_timeout_seconds: 1", "action_timeout_seconds: 0.5");
    let begun = tokio::time::Instant::now();
    let error = page(&desk.source_of(&slow, None).await, None).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(begun.elapsed() < seconds(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_somebody_has_to_mend_is_permanent() {
    for status in [400, 401, 403, 404, 410, 422] {
        let error = failure(move |_| text(status, "{}")).await;
        assert!(is_permanent(&error), "{status}: {error}");
    }
    let error = failure(|_| answer(200, &json!({"error": "no such view"}))).await;
    assert!(
        is_permanent(&error) && error.to_string() == "no such view",
        "{error}"
    );
    // The integration's mapping does not fit the answer.
    let error = failure(|_| answer(200, &json!({"items": "none"}))).await;
    assert!(!error.is_token_expired(), "{error}");

    let desk = Desk::start(three_pages).await;
    let source = desk.source_of(DESK, Some("facilities")).await;
    let error = page(&source, None).await.unwrap_err();
    assert!(
        is_permanent(&error) && error.to_string().contains("destination"),
        "{error}"
    );
    let switched_off = format!(
        "{DESK}capabilities: {{query_tickets_by_time_range: {{when: \"FALSE\", reason: Not in this edition}}}}\n"
    );
    let error = page(&desk.source_of(&switched_off, None).await, None)
        .await
        .unwrap_err();
    assert!(
        is_permanent(&error) && error.to_string().contains("Not in this edition"),
        "{error}"
    );
    assert_eq!(desk.asked().len(), 0);
}

#[tokio::test]
async fn a_page_token_that_is_refused_is_told_from_a_request_that_is() {
    for refusal in [400, 404, 410, 200] {
        let desk = Desk::start(move |asked| match asked.parameter("cursor") {
            None => three_pages(asked),
            Some(_) => answer(refusal, &json!({"error": "the cursor has expired"})),
        })
        .await;
        let source = desk.source().await;
        let token = page(&source, None).await.unwrap().next;
        let error = page(&source, token.as_deref()).await.unwrap_err();
        assert!(error.is_token_expired(), "{refusal}: {error}");
    }
    // With a token, too, what is not about it is not.
    for (status, transient) in [(503, true), (401, false), (403, false)] {
        let desk = Desk::start(move |asked| match asked.parameter("cursor") {
            None => three_pages(asked),
            Some(_) => text(status, "{}"),
        })
        .await;
        let source = desk.source().await;
        let token = page(&source, None).await.unwrap().next;
        let error = page(&source, token.as_deref()).await.unwrap_err();
        assert_eq!(
            (error.is_token_expired(), error.is_transient()),
            (false, transient),
            "{status}: {error}"
        );
    }
}

#[tokio::test]
async fn a_page_token_of_another_window_or_integration_is_no_longer_good() {
    let desk = Desk::start(three_pages).await;
    let source = desk.source().await;
    let token = page(&source, None).await.unwrap().next;
    let later = polling::PageRequest {
        end: time("2026-01-05T11:30:00Z"),
        token,
        ..crate::desk::window()
    };
    let error = polling::Source::page(&source, &later).await.unwrap_err();
    assert!(error.is_token_expired(), "{error}");
    let error = page(&source, Some("of an older program")).await.unwrap_err();
    assert!(error.is_token_expired(), "{error}");
    assert_eq!(desk.asked().len(), 1, "neither was sent");
}

#[tokio::test]
async fn a_list_that_cannot_be_gone_on_with_is_an_error_and_no_loss() {
    let forgetful = DESK.replace(
        "            pagination_info: {next_page_token: data.page.next_page_token}\n",
        "",
    );
    let desk = Desk::start(three_pages).await;
    let error = page(&desk.source_of(&forgetful, None).await, None)
        .await
        .unwrap_err();
    assert!(is_permanent(&error), "{error}");
    for word in ["`list`", "next_page_token", "start_from", "max_pages"] {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn lists_beside_the_tickets_are_read_as_a_whole() {
    let with_people = DESK.replace(
        "    steps:\n",
        "    steps:\n      - action: {action_name: list_people, output_key: people}\n",
    );
    let with_people = with_people.replace(
        "short_description: item.title",
        "short_description: data.people.items[1].name",
    );
    let desk = Desk::start(|asked| match (asked.path.as_str(), asked.parameter("cursor")) {
        ("/people", None) => answer(200, &json!({"items": [{"name": "Ada"}], "next": "p2"})),
        ("/people", Some(_)) => answer(200, &json!({"items": [{"name": "Molly"}]})),
        _ => three_pages(asked),
    })
    .await;
    let page = page(&desk.source_of(&with_people, None).await, None)
        .await
        .unwrap();
    assert_eq!(page.tickets[0].fields["short_description"], "Molly");
    assert!(page.next.is_some());
    let paths: Vec<String> = desk.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/people", "/people", "/records"]);
}

#[tokio::test]
async fn each_destination_is_asked_with_its_own_attributes() {
    let two = DESK.replace(
        "ticketing: {",
        "ticketing: {destinations: {it: {default: true, attributes: {table: incidents}}, hr: {attributes: {table: cases}}}, ",
    );
    let desk = Desk::start(three_pages).await;
    for destination in [Some("hr"), Some("it"), None] {
        let source = desk.source_of(&two, destination).await;
        let first = page(&source, None).await.unwrap();
        page(&source, first.next.as_deref()).await.unwrap();
    }
    let tables: Vec<_> = desk
        .asked()
        .iter()
        .filter_map(|asked| asked.parameter("table"))
        .collect();
    assert_eq!(
        tables,
        [
            "cases",
            "cases",
            "incidents",
            "incidents",
            "incidents",
            "incidents"
        ]
    );
}

#[tokio::test]
async fn no_failure_shows_the_secret_even_where_the_ticketing_system_does() {
    let told = format!("Bearer {CANARY} is not allowed here");
    for status in [400, 401, 403, 429, 500] {
        let told = told.clone();
        let error = failure(move |_| answer(status, &json!({"error": told}))).await;
        assert!(
            !format!("{error} {error:?}").contains(CANARY),
            "{status}: {error:?}"
        );
    }
}

/// A 200 of another kind, as of a maintenance page: the tickets that changed meanwhile are still to come.
#[tokio::test]
async fn an_answer_without_a_list_is_an_error_and_no_empty_page() {
    let desk = Desk::start(|asked| match asked.parameter("cursor") {
        None => answer(200, &json!({"items": [record(1)], "next": "p1"})),
        Some(_) => answer(200, &json!({"status": "maintenance"})),
    })
    .await;
    let source = desk.source().await;
    let first = page(&source, None).await.unwrap();
    let error = page(&source, first.next.as_deref()).await.unwrap_err();
    assert!(error.is_transient(), "the token is not to blame: {error}");

    // Nor where the integration makes nothing of it.
    let (before, tickets) = DESK.split_once("raw_tickets:").unwrap();
    let (_, after) = tickets.split_once("pagination_info").unwrap();
    let before = before.replace(
        "items: response.body.items\n",
        "items: response.body.items OR []\n",
    );
    let yaml = format!("{before}raw_tickets: data.page.items[0].tickets\n            pagination_info{after}");
    let desk = Desk::start(|_| answer(200, &json!({"status": "maintenance"}))).await;
    let source = desk.source_of(&yaml, None).await;
    let error = page(&source, None).await.unwrap_err();
    assert!(error.to_string().contains("instead of a list"), "{error}");
}
