//! A ticketing system that moves the time of a changed ticket a moment later, and lists tickets on two pages.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::fixtures::Folder;
use crate::process::{Ended, argument, command};

const INTEGRATION: &str = r#"name: late
settings:
  base_url: {type: url, required: true}
connector:
  base_url: "{{settings.base_url}}"
  auth: {kind: bearer, secret: token}
http_actions:
  make: {method: POST, path: /tickets, body: {json: {title: title}}}
  read: {method: GET, path: "/tickets/{{{ticket_id}}}"}
  write: {method: POST, path: "/tickets/{{{ticket_id}}}/comments", body: {json: {text: text}}}
  list:
    method: GET
    path: /tickets
    paginate: {kind: page, send: {query: page}, items: response.body.items, page_size: 2, max_pages: 1, start_from: page_token}
  people:
    method: GET
    path: /people
    paginate: {kind: page, send: {query: page}, items: response.body.items}
actions:
  create_ticket:
    steps:
      - action: {action_name: make, input_args: {title: data.context.payload.short_description}, output_key: found}
      - return: &return
          output_mapper:
            raw_ticket: &ticket
              id: data.found.id
              state: '"Open"'
              short_description: data.found.title
              updated_at: data.found.updated
              comments: data.found.comments
  query_ticket_by_id:
    steps:
      - action: {action_name: read, input_args: {ticket_id: data.context.ticket_id}, output_key: found}
      - return: *return
  add_public_comment:
    steps:
      - action: {action_name: write, input_args: {ticket_id: data.context.ticket.id, text: data.context.comment}, output_key: made}
      - return: {output_mapper: {comment: {body: data.context.comment, is_public: "TRUE"}}}
LIST
ticketing:
  states: {Open: NEW}
"#;

const LIST: &str = r#"  query_tickets_by_time_range:
    refilter: true
    steps:
      - action: {action_name: list, input_args: {page_token: data.context.pagination_info.next_page_token}, output_key: found}
      - action: {action_name: people, output_key: people}
      - return:
          output_mapper:
            raw_tickets:
              MAP():
                items: data.found.items
                converter: {id: item.id, state: '"Open"', short_description: item.title, updated_at: item.updated}
            pagination_info: {next_page_token: data.found.next_page_token}
"#;

#[derive(Default)]
struct Desk {
    title: Mutex<String>,
    /// The comments, and when each was written.
    comments: Mutex<Vec<(Value, Instant)>>,
    delay: Duration,
}

type Shared = State<Arc<Desk>>;

fn shown(desk: &Desk) -> Json<Value> {
    let comments = desk.comments.lock().unwrap();
    let moved = comments
        .iter()
        .filter(|(_, written)| written.elapsed() >= desk.delay);
    Json(json!({
        "id": "T-1",
        "title": *desk.title.lock().unwrap(),
        "updated": format!("2026-01-05T10:30:{:02}Z", moved.count()),
        "comments": comments.iter().map(|(comment, _)| comment).collect::<Vec<_>>(),
    }))
}

async fn make(State(desk): Shared, Json(new): Json<Value>) -> Json<Value> {
    *desk.title.lock().unwrap() = new["title"].as_str().unwrap().to_owned();
    shown(&desk)
}

async fn read(State(desk): Shared) -> Json<Value> {
    shown(&desk)
}

async fn write(State(desk): Shared, Json(new): Json<Value>) -> Json<Value> {
    let comment = json!({"id": "C-1", "body": new["text"], "is_public": true});
    desk.comments.lock().unwrap().push((comment, Instant::now()));
    shown(&desk)
}

async fn list(Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
    let is_second = query.iter().any(|(name, page)| name == "page" && page == "2");
    let ids: &[&str] = if is_second { &["T-4"] } else { &["T-2", "T-3"] };
    let row = |id: &&str| json!({"id": id, "title": "Old", "updated": jiff::Timestamp::now().to_string()});
    Json(json!({"items": ids.iter().map(row).collect::<Vec<_>>()}))
}

async fn people() -> Json<Value> {
    Json(json!({"items": []}))
}

/// Runs the doctor on it: the time of a change moves after `delay`.
pub(super) fn examined(delay: Duration, with_list: bool, more: &[&str]) -> Ended {
    let runtime = Runtime::new().unwrap();
    let desk = Arc::new(Desk {
        delay,
        ..Desk::default()
    });
    let routes = Router::new()
        .route("/tickets", post(make).get(list))
        .route("/tickets/{id}", get(read))
        .route("/tickets/{id}/comments", post(write))
        .route("/people", get(people))
        .with_state(desk);
    let address: SocketAddr = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    });
    let list = if with_list { LIST } else { "" };
    let folder = Folder::with(&INTEGRATION.replace("LIST\n", list));
    let setting = format!("late.base_url=http://{address}");
    let mut command = command(&["doctor", argument(folder.path()), "--json"]);
    command
        .args(["--allow-private-upstreams", "--set", &setting])
        .args(more);
    let command = command.env("TICKET_GATEWAY_SECRET_LATE_TOKEN", "token-1");
    command.output().unwrap().into()
}
