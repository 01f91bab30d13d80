//! Lists: time ranges, requestors and page tokens.

use serde_json::json;

use crate::support::{Upstream, gateway, gateway_of, get, reply};

const RANGE: &str = "updated_start_ts=2026-01-05T12:00:00%2B02:00&updated_end_ts=2026-01-05T11:00:00Z";

/// A desk with two pages.
async fn two_pages() -> Upstream {
    Upstream::start(|seen| {
        let item = |id: u32| json!({"id": id, "status": "Open", "title": "x", "changed": 1_767_609_045});
        match seen.parameter("cursor").as_deref() {
            None => reply(200, &json!({"items": [item(1), item(2)], "next": "c2"})),
            Some("c2") => reply(200, &json!({"items": [item(3)], "next": null})),
            other => panic!("{other:?}"),
        }
    })
    .await
}

#[tokio::test]
async fn a_range_is_given_in_utc_microseconds() {
    let upstream = two_pages().await;
    let answer = get(&gateway(&upstream), &format!("/v1/desk/tickets?{RANGE}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.last();
    assert_eq!(
        seen.parameter("from").as_deref(),
        Some("2026-01-05T10:00:00.000000Z")
    );
    assert_eq!(
        seen.parameter("to").as_deref(),
        Some("2026-01-05T11:00:00.000000Z")
    );
}

#[tokio::test]
async fn a_page_token_leads_from_page_to_page_until_it_is_null() {
    let upstream = two_pages().await;
    let gateway = gateway(&upstream);
    let first = get(&gateway, &format!("/v1/desk/tickets?{RANGE}")).await;
    let ids = |answer: &crate::support::Answer| -> Vec<String> {
        let tickets = answer.body["raw_tickets"].as_array().unwrap().clone();
        tickets
            .iter()
            .map(|ticket| ticket["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ["1", "2"], "{first:?}");
    let token = first.body["pagination_info"]["next_page_token"]
        .as_str()
        .unwrap()
        .to_owned();

    let second = get(&gateway, &format!("/v1/desk/tickets?{RANGE}&page_token={token}")).await;
    assert_eq!(ids(&second), ["3"], "{second:?}");
    assert!(second.body["pagination_info"]["next_page_token"].is_null());
}

#[tokio::test]
async fn a_page_token_belongs_to_its_query() {
    let upstream = two_pages().await;
    let gateway = gateway(&upstream);
    let first = get(&gateway, &format!("/v1/desk/tickets?{RANGE}")).await;
    let token = first.body["pagination_info"]["next_page_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let asked = upstream.seen().len();

    for path in [
        format!(
            "/v1/desk/tickets?updated_start_ts=2026-01-05T09:00:00Z&updated_end_ts=2026-01-05T11:00:00Z&page_token={token}"
        ),
        format!("/v1/desk/tickets?{RANGE}&destination=hr&page_token={token}"),
        format!("/v1/desk/requestors/12/tickets?page_token={token}"),
        format!("/v1/desk/tickets?{RANGE}&page_token=abc"),
        format!("/v1/desk/tickets?{RANGE}&page_token="),
    ] {
        let answer = get(&gateway, &path).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (400, vec!["page_token"]),
            "{path}: {answer:?}"
        );
    }
    // The same range in another spelling is the same query.
    let same = "updated_start_ts=2026-01-05T10:00:00Z&updated_end_ts=2026-01-05T11:00:00.000Z";
    assert_eq!(
        get(&gateway, &format!("/v1/desk/tickets?{same}&page_token={token}"))
            .await
            .status,
        200
    );
    assert_eq!(upstream.seen().len(), asked + 1);
}

#[tokio::test]
async fn a_requestor_stands_in_both_places_of_the_context() {
    let upstream = two_pages().await;
    let gateway = gateway(&upstream);
    let answer = get(&gateway, "/v1/desk/requestors/molly%40example.com/tickets").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        upstream.last().parameter("person").as_deref(),
        Some("molly@example.com|molly@example.com|molly@example.com|desk")
    );
    // A bare list, and no page token in it.
    assert_eq!(answer.body["raw_tickets"].as_array().map(Vec::len), Some(2));
    assert!(answer.body["pagination_info"]["next_page_token"].is_null());

    let answer = get(&gateway, &format!("/v1/desk/requestors/158691/tickets?{RANGE}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let person = upstream.last().parameter("person").unwrap();
    assert!(
        person.starts_with("158691") && person.ends_with("desk") && !person.contains('@'),
        "{person}"
    );
}

#[tokio::test]
async fn an_integration_that_never_reads_the_token_it_gave_is_noticed() {
    let upstream = Upstream::start(|_| {
        let item = json!({"id": 1, "status": "Open", "title": "x", "changed": 1_767_609_045});
        reply(200, &json!({"items": [item], "next": "c2"}))
    })
    .await;
    let text = r#"
        name: stuck
        settings: {base_url: {type: url, required: true}}
        connector: {base_url: "{{settings.base_url}}"}
        http_actions: {list: {method: GET, path: /list}}
        actions:
          query_tickets_by_time_range:
            steps:
              - action: {action_name: list, output_key: page}
              - return:
                  output_mapper:
                    raw_tickets:
                      MAP():
                        items: data.page.items
                        converter: {id: item.id, state: item.status, short_description: item.title, updated_at: item.changed}
                    pagination_info: {next_page_token: data.page.next}
        ticketing: {states: {Open: NEW}}
    "#;
    let gateway = gateway_of(text, &upstream, json!({}));
    let path = format!("/v1/stuck/tickets?{RANGE}");
    let first = get(&gateway, &path).await;
    let token = first.body["pagination_info"]["next_page_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = get(&gateway, &format!("{path}&page_token={token}")).await;
    assert_eq!(
        (again.status, again.code()),
        (502, "EXTERNAL_REST_ERROR"),
        "{again:?}"
    );
    assert!(again.message().contains("next_page_token"), "{}", again.message());
}
