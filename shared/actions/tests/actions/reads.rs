//! What no expression looks at is not kept, and a page takes little memory beside its own text.

use std::sync::Arc;
use std::time::Duration;

use actions::{Gateway, RequestMeta, TasAction};
use bytes::Bytes;
use http::HeaderMap;
use integration::Installation;
use serde_json::{Value, json};
use storage::embedded::StaticSecrets;
use storage::in_process::InProcessBudget;
use upstream::{CallContext, Client, ClientOptions, Lost, Prepared, Transport, WholeAnswer};

use crate::support::{install, reply};

/// A desk of which each way into `data` is read: a body as it is, the items of pages, a list of a `for_each`.
const WAYS: &str = r#"
name: desk
settings: {base_url: {type: url, required: true}}
connector: {base_url: "{{settings.base_url}}", auth: {kind: none}}
http_actions:
  get_record: {method: GET, path: "/records/{{{id}}}"}
  list_records:
    method: GET
    path: /records
    paginate:
      next: response.body.next
      send: {query: cursor}
      items: response.body.items
      unique_by: item.key
      keep: item.kind == 'ticket'
      max_pages: 3
actions:
  query_ticket_by_id:
    steps:
      - action: {action_name: get_record, input_args: {id: data.context.ticket_id}, output_key: record}
      - return:
          output_mapper:
            raw_ticket:
              id: data.record.id
              state: data.record.status
              short_description: data.record.title
              updated_at: data.record.times.changed
  query_tickets_by_time_range:
    steps:
      - action: {action_name: list_records, output_key: page}
      - action:
          action_name: get_record
          for_each: data.page.items.$MAP(row => row.id)
          input_args: {id: item}
          fail_when: data.records.gone
          output_key: records
      - return:
          output_mapper:
            raw_tickets:
              MAP():
                items: data.records
                converter:
                  id: item.id
                  state: item.status
                  short_description: data.page.items[loop.index0].title
                  updated_at: item.times.changed
"#;

/// Answers every request with this body.
struct Answering(Bytes);

#[async_trait::async_trait]
impl Transport for Answering {
    async fn send(&self, _: Prepared, _: usize) -> Result<WholeAnswer, Lost> {
        Ok(WholeAnswer {
            status: 200,
            headers: HeaderMap::new(),
            // A body that was read from the network is a copy too.
            body: Bytes::copy_from_slice(&self.0),
        })
    }
}

fn client(body: &Value) -> Client {
    let options = ClientOptions {
        secrets: Arc::new(StaticSecrets::new()),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: true,
        user_agent: "test".to_owned(),
    };
    Client::over(Arc::new(Answering(body.to_string().into())), options)
}

fn desk(yaml: &str) -> Installation {
    install(yaml, json!({"base_url": "http://127.0.0.1:9"}))
}

/// What a step of an action gets when its requests are answered with this body.
async fn result(yaml: &str, action: TasAction, step: usize, body: &Value) -> Value {
    let installation = desk(yaml);
    let step = &installation.integration.action(action).unwrap().steps[step];
    let mut context = CallContext::within(Duration::from_secs(10));
    let scope = json!({"id": 7, "settings": {}, "meta_info": {}});
    let (connector, action) = (&installation.connector, &step.http_action);
    let called = client(body);
    let answer = called.call_reading(connector, action, &step.reads, &scope, &mut context);
    answer.await.unwrap().result
}

fn record() -> Value {
    json!({
        "id": 7,
        "key": "A-7",
        "kind": "ticket",
        "status": "Open",
        "title": "Second monitor stays dark",
        "times": {"made": "2026-01-05T11:00:00Z", "changed": "2026-01-05T12:00:00Z"},
        "watchers": [{"name": "Molly"}],
    })
}

#[tokio::test]
async fn a_body_is_read_as_far_as_the_expressions_look() {
    assert_eq!(
        result(WAYS, TasAction::QueryTicketById, 0, &record()).await,
        json!({"id": 7, "status": "Open", "title": "Second monitor stays dark",
               "times": {"changed": "2026-01-05T12:00:00Z"}})
    );
}

#[tokio::test]
async fn so_are_the_items_of_pages() {
    let page = json!({"items": [record()], "next": null, "facets": [1, 2, 3]});
    assert_eq!(
        result(WAYS, TasAction::QueryTicketsByTimeRange, 0, &page).await["items"],
        json!([{"id": 7, "key": "A-7", "kind": "ticket", "title": "Second monitor stays dark"}])
    );
}

/// The second item of all may be the first of its page.
#[tokio::test]
async fn an_item_at_a_place_of_the_list_may_be_at_any_place_of_a_page() {
    let yaml = WAYS.replace("data.page.items[loop.index0].title", "data.page.items[1].title");
    let page = json!({"items": [record()], "next": null});
    assert_eq!(
        result(&yaml, TasAction::QueryTicketsByTimeRange, 0, &page).await["items"][0]["title"],
        "Second monitor stays dark"
    );
}

#[tokio::test]
async fn so_are_the_answers_of_a_for_each() {
    assert_eq!(
        result(WAYS, TasAction::QueryTicketsByTimeRange, 1, &record()).await,
        json!({"id": 7, "status": "Open", "times": {"changed": "2026-01-05T12:00:00Z"}})
    );
}

#[tokio::test]
async fn an_expression_that_takes_the_data_bank_as_a_whole_gets_all_of_it() {
    for whole in [
        "data.$STRINGIFY_JSON()",
        "$.data.page.items[0].$STRINGIFY_JSON()",
        "$.$STRINGIFY_JSON()",
    ] {
        let yaml = WAYS.replace("data.page.items[loop.index0].title", whole);
        let page = json!({"items": [record()], "next": null});
        assert_eq!(
            result(&yaml, TasAction::QueryTicketsByTimeRange, 0, &page).await["items"],
            json!([record()]),
            "{whole}"
        );
    }
}

#[tokio::test]
async fn pages_that_differ_only_in_what_nobody_looks_at_are_different_pages() {
    let upstream = crate::support::Upstream::start(|seen| {
        let number: u32 = seen.parameter("cursor").map_or(1, |text| text.parse().unwrap());
        let rows: Vec<Value> = (0..2)
            .map(|row| json!({"kind": "ticket", "n": [number, row]}))
            .collect();
        reply(
            200,
            &json!({"items": rows, "next": (number < 3).then_some(number + 1)}),
        )
    })
    .await;
    let yaml = WAYS.replace("data.page.items.$MAP(row => row.id)", "[]");
    let yaml = yaml.replace("data.page.items[loop.index0].title", "item.title");
    let gateway = crate::support::gateway_of(&yaml, &upstream, json!({}));
    let range = json!({"updated_start_ts": "2026-01-05T10:00:00Z", "updated_end_ts": "2026-01-05T13:00:00Z"});
    let answer = gateway
        .perform(
            "desk",
            TasAction::QueryTicketsByTimeRange,
            range,
            &RequestMeta::new(),
        )
        .await;
    assert_eq!(answer.unwrap()["raw_tickets"], json!([]));
    assert_eq!(upstream.lines().len(), 3);
}

/// A desk whose tickets have 9 fields, a list among them.
const LIST: &str = r#"
name: desk
settings: {base_url: {type: url, required: true}}
connector: {base_url: "{{settings.base_url}}", auth: {kind: none}}
http_actions:
  list_records:
    method: GET
    path: /records
    paginate: {next: response.body.next, send: {query: cursor}, items: response.body.items, max_pages: 1}
actions:
  query_tickets_by_time_range:
    steps:
      - action: {action_name: list_records, output_key: page}
      - return:
          output_mapper:
            raw_tickets:
              MAP():
                items: data.page.items
                converter:
                  id: item.id
                  number: item.number.$TRIM()
                  state: item.status
                  short_description: item.title
                  description: item.text
                  requested_for: item.caller.mail.$LOWERCASE()
                  assigned_to_user: item.assignee.name OR "nobody"
                  updated_at: item.changed
                  comments:
                    MAP():
                      items: item.notes.$FILTER(note => NOT note.internal)
                      converter: {id: item.id, body: item.body, created_at: item.made}
"#;

/// 5.7 KB: half of it is read.
fn large_record(number: u32) -> Value {
    let words = "the printer on the third floor prints only blank pages since Monday; ";
    let person = |name: &str| {
        json!({"id": format!("{number:032x}"), "name": name, "mail": format!("{name}@Example.COM"),
        "link": format!("https://desk.example.com/api/people/{number:032x}")})
    };
    let notes = (0..6).map(|note| {
        json!({"id": note, "internal": note % 2 == 1, "made": "2026-01-05T12:00:00Z",
        "author": person("grace"), "body": words})
    });
    let custom = (0..24).map(|field| (format!("u_custom_field_{field}"), json!(format!("value {field}"))));
    json!({
        "id": number,
        "number": format!(" INC{number:07} "),
        "status": "Open",
        "title": words,
        "text": words.repeat(41),
        "caller": person("ada"),
        "assignee": null,
        "changed": "2026-01-05T12:00:00Z",
        "notes": notes.collect::<Vec<_>>(),
        "custom": custom.collect::<serde_json::Map<_, _>>(),
    })
}

#[test]
fn a_page_of_100_tickets_takes_three_times_its_bytes_at_most() {
    let rows: Vec<Value> = (0..100).map(large_record).collect();
    let page = json!({"items": rows, "next": "2"});
    let bytes = page.to_string().len();
    assert_eq!(bytes / 100 / 100, 57);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let gateway = Gateway::builder(client(&page))
        .integration(desk(LIST))
        .build()
        .unwrap();
    let ask = || {
        let request = http::Request::get(
            "/v1/desk/tickets?updated_start_ts=2026-01-05T10:00:00Z&updated_end_ts=2026-01-05T13:00:00Z",
        );
        let answer = runtime.block_on(gateway.handle(request.body(Bytes::new()).unwrap()));
        assert_eq!(answer.status(), 200, "{:?}", answer.body());
    };
    // What is set up once is not the page's.
    ask();
    let measured = allocation_counter::measure(ask);
    let ratio = measured.bytes_max as f64 / bytes as f64;
    println!("{bytes} bytes, peak {} ({ratio:.2})", measured.bytes_max);
    assert!(
        ratio <= 3.0,
        "{bytes} bytes took {} at most ({ratio:.2})",
        measured.bytes_max
    );
}
