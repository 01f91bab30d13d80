//! The quirks of `GET /tickets`.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::Method;
use sandbox::teamswork::{Options, Quirk};
use serde_json::{Value, json};

use crate::{Api, Reply, jason, send, set};

async fn next(api: &Api, path: &str, token: &str) -> Reply {
    send(api.request(Method::GET, path).header("continuationToken", token)).await
}

#[tokio::test]
async fn default_order_random_has_no_order_but_a_stable_one() {
    let api = Api::seeded(&[Quirk::DefaultOrderRandom]).await;
    let first = api.get("/tickets?limit=40").await.column("ticketId");
    assert_eq!(first, api.get("/tickets?limit=40").await.column("ticketId"));
    assert!(!first.is_sorted() && !first.iter().rev().is_sorted());
    let asked = api
        .get("/tickets?limit=40&orderBy=createdDateTime&order=ASC")
        .await
        .column("ticketId");
    assert!(asked.is_sorted());
}

#[tokio::test]
async fn status_filter_coarse_tells_only_resolved_from_unresolved() {
    let api = Api::seeded(&[Quirk::StatusFilterCoarse]).await;
    for (status, expected) in [
        ("Open", ["Open", "Reopened", "Started"].as_slice()),
        ("Resolved", ["Closed", "Resolved"].as_slice()),
    ] {
        let found = api
            .get(&format!("/tickets?limit=100&status={status}"))
            .await
            .column("status");
        let mut found: Vec<_> = found.into_iter().collect::<HashSet<_>>().into_iter().collect();
        found.sort();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn select_of_an_unknown_column_can_answer_500() {
    let api = Api::seeded(&[Quirk::SelectUnknown500, Quirk::ResolvedStatus]).await;
    let reply = api.get("/tickets?select=id,resolvedStatus").await;
    assert_eq!((reply.status, &reply.body["error"]), (500, &json!(true)));
    assert_eq!(api.get("/tickets?select=id,status").await.status, 200);
}

/// Three tickets, made at 2026-01-05 00:00, 12:00 and 2026-01-06 00:00 UTC.
async fn dated(quirks: &[Quirk]) -> Api {
    let start: jiff::Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
    let made = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let halves = Arc::clone(&made);
    let clock = Arc::new(move || {
        start + jiff::SignedDuration::from_hours(12 * halves.load(std::sync::atomic::Ordering::SeqCst))
    });
    let api = Api::start(Options {
        quirks: set(quirks),
        clock,
        ..Options::default()
    })
    .await;
    for title in ["first", "second", "third"] {
        api.new_ticket(title).await;
        made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
    api
}

async fn titles(api: &Api, query: &str) -> Vec<String> {
    api.get(&format!("/tickets?orderBy=createdDateTime&order=ASC&{query}"))
        .await
        .column("title")
}

#[tokio::test]
async fn date_filters_take_days_with_both_ends_and_ignore_a_time_of_day() {
    let api = dated(&[Quirk::DateFilters]).await;
    assert_eq!(
        titles(&api, "createdAfter=2026-01-06&timezone=0").await,
        ["third"]
    );
    assert_eq!(titles(&api, "createdBefore=2026-01-05").await, ["first"]);
    assert_eq!(
        titles(&api, "createdAfter=2026-01-05&createdBefore=2026-01-06")
            .await
            .len(),
        3
    );
    assert_eq!(titles(&api, "lastUpdateAfter=2026-01-06").await, ["third"]);
    assert_eq!(titles(&api, "expectedDateAfter=2026-01-01").await.len(), 0);
    assert_eq!(
        titles(&api, "createdAfter=2026-01-06T00:00:00Z").await.len(),
        3,
        "silently ignored"
    );
    // 2026-01-06 00:00 in GMT+7 is 2026-01-05 17:00 UTC.
    assert_eq!(
        titles(&api, "createdAfter=2026-01-06&timezone=7").await,
        ["third"]
    );
    assert_eq!(
        titles(&api, "createdAfter=2026-01-06&timezone=12").await,
        ["second", "third"]
    );
}

#[tokio::test]
async fn timezone_inverted_moves_the_days_the_other_way() {
    let api = dated(&[Quirk::DateFilters, Quirk::TimezoneInverted]).await;
    assert_eq!(titles(&api, "createdAfter=2026-01-06&timezone=7").await.len(), 0);
    assert_eq!(
        titles(&api, "createdAfter=2026-01-06&timezone=-12").await,
        ["second", "third"]
    );
    assert_eq!(
        titles(&api, "createdAfter=2026-01-06&timezone=0").await,
        ["third"]
    );
}

#[tokio::test]
async fn without_the_quirk_date_and_state_filters_do_nothing() {
    let api = dated(&[]).await;
    assert_eq!(
        titles(&api, "createdAfter=2026-01-06&isResolved=true")
            .await
            .len(),
        3
    );
}

#[tokio::test]
async fn state_filters_tell_resolved_tickets_and_exact_states() {
    let api = Api::seeded(&[Quirk::StateFilters, Quirk::CustomWorkflow]).await;
    let resolved = api
        .get("/tickets?limit=100&isResolved=true")
        .await
        .column("status");
    assert!(
        resolved
            .iter()
            .all(|status| status == "Resolved" || status == "Closed")
    );
    let open = api
        .get("/tickets?limit=100&isResolved=false")
        .await
        .column("status");
    assert_eq!(resolved.len() + open.len(), 40);
    let workflow = api.get("/tickets?limit=1").await.items()[0]["workflow"].clone();
    let state = workflow
        .as_array()
        .unwrap()
        .iter()
        .find(|state| state["label"] == "Closed")
        .unwrap();
    let closed = api
        .get(&format!("/tickets?statusId={}", state["id"].as_str().unwrap()))
        .await
        .column("status");
    assert!(!closed.is_empty() && closed.iter().all(|status| status == "Closed"));
    assert_eq!(api.get("/tickets?isResolved=maybe").await.status, 400);
    assert_eq!(api.get("/tickets?statusId=Closed").await.status, 400);
}

#[tokio::test]
async fn times_in_timezone_come_with_its_offset() {
    let api = dated(&[Quirk::TimesInTimezone]).await;
    let created = async |timezone: &str| titles_column(&api, timezone).await;
    assert_eq!(created("0").await, "2026-01-05T00:00:00.000Z");
    assert_eq!(created("7").await, "2026-01-05T07:00:00.000+07:00");
    assert_eq!(created("-5").await, "2026-01-04T19:00:00.000-05:00");
}

async fn titles_column(api: &Api, timezone: &str) -> String {
    let path = format!("/tickets?orderBy=createdDateTime&order=ASC&timezone={timezone}");
    api.get(&path).await.column("createdOn").remove(0)
}

#[tokio::test]
async fn item_count_is_that_of_the_page() {
    let api = Api::seeded(&[Quirk::ItemCount]).await;
    assert_eq!(api.get("/tickets?limit=7").await.body["itemCount"], 7);
}

#[tokio::test]
async fn token_in_header_is_not_in_the_body() {
    let api = Api::seeded(&[Quirk::TokenInHeader]).await;
    let path = "/tickets?limit=30";
    let first = api.get(path).await;
    assert_eq!(first.body.get("continuationToken"), None);
    let second = next(&api, path, first.header("continuationToken").unwrap()).await;
    assert_eq!(
        (second.items().len(), second.header("continuationToken")),
        (10, None)
    );
}

#[tokio::test]
async fn token_missing_leaves_only_the_offset() {
    let api = Api::seeded(&[Quirk::TokenMissing]).await;
    let first = api.get("/tickets?limit=30").await;
    assert_eq!(
        (
            first.body.get("continuationToken"),
            first.header("continuationToken")
        ),
        (None, None)
    );
    assert_eq!(api.get("/tickets?limit=30&offset=30").await.items().len(), 10);
}

#[tokio::test]
async fn token_repeats_names_the_last_token_without_end() {
    let api = Api::seeded(&[Quirk::TokenRepeats]).await;
    let path = "/tickets?limit=30";
    let token = api.get(path).await.body["continuationToken"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..3 {
        let last = next(&api, path, &token).await;
        assert_eq!(
            (last.items().len(), &last.body["continuationToken"]),
            (10, &json!(token))
        );
    }
    assert_eq!(
        api.get("/tickets?limit=100").await.body.get("continuationToken"),
        None
    );
}

#[tokio::test]
async fn pages_overlap_by_one_and_still_end() {
    let api = Api::seeded(&[Quirk::PagesOverlap]).await;
    for (limit, rows) in [(15, 42), (2, 78), (1, 40)] {
        let path = format!("/tickets?limit={limit}");
        let mut reply = api.get(&path).await;
        let mut seen = reply.column("id");
        while let Some(token) = reply.body.get("continuationToken").and_then(Value::as_str) {
            reply = next(&api, &path, token).await;
            let ids = reply.column("id");
            assert!(limit == 1 || ids.first() == seen.last());
            seen.extend(ids);
        }
        assert_eq!(
            (seen.len(), seen.iter().collect::<HashSet<_>>().len()),
            (rows, 40),
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn a_quirk_that_gives_way_does_so_only_beside_its_winner() {
    let api = Api::seeded(&[Quirk::TokenMissing, Quirk::TokenInHeader]).await;
    assert!(api.get("/tickets").await.header("continuationToken").is_some());
    let api = Api::with(&[Quirk::UpdatesKeyOnly, Quirk::TicketKeyOnly]).await;
    let id = api.new_ticket("A ticket").await;
    let reply = api
        .put(
            &format!("/tickets/{id}"),
            &json!({"ticket": {"title": "B"}, "user": jason()}),
        )
        .await;
    assert_eq!(reply.item()["title"], "B");
}
