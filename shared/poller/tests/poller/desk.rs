//! A scripted ticketing system on this machine, an integration of it, and the source of its stream.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actions::{Fixed, Gateway, Installations, Installed};
use axum::body::Body;
use axum::extract::Request;
use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use poller::GatewaySource;
use polling::{Page, PageRequest, Source, SourceError};
use serde_json::{Value, json};
use storage::RateBudget;
use storage::embedded::StaticSecrets;
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions};

/// The desk's token: it must never be seen again.
pub(crate) const CANARY: &str = "canary-51e7/+d2 ab";

/// One page of `/records` at a time, by cursor.
pub(crate) const DESK: &str = r#"
name: desk
settings: {base_url: {type: url, required: true}}
connector:
  base_url: "{{settings.base_url}}"
  auth: {kind: bearer, secret: token}
  timeout_seconds: 0.5
  action_timeout_seconds: 1
  retry: {max_attempts: 1}
http_actions:
  list:
    method: GET
    path: /records
    query: {from: "{{from}}", to: "{{to}}", "{{#table}}table{{/table}}": "{{#table}}{{table}}{{/table}}"}
    paginate:
      next: response.body.next
      send: {query: cursor}
      items: response.body.items
      start_from: page_token
    fail_when:
      condition: response.body.error
      message: response.body.error
  list_people:
    method: GET
    path: /people
    paginate: {next: response.body.next, send: {query: cursor}, items: response.body.items}
actions:
  query_tickets_by_time_range:
    steps:
      - action:
          action_name: list
          input_args:
            from: data.context.updated_start_ts
            to: data.context.updated_end_ts
            table: data.context.destination.table
            page_token: data.context.pagination_info.next_page_token
          output_key: page
      - return:
          output_mapper:
            raw_tickets:
              MAP():
                items: data.page.items
                converter:
                  id: item.id
                  state: item.status
                  short_description: item.title
                  updated_at: item.changed
                  created_at: item.made
            pagination_info: {next_page_token: data.page.next_page_token}
ticketing: {states: {Open: NEW, Done: RESOLVED}}
polling: {}
"#;

/// A request that the desk got.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: String,
}

impl Asked {
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let uri: Uri = format!("/?{}", self.query).parse().unwrap();
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
            .unwrap()
            .0
            .into_iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// The scripted system and what is needed to ask it.
pub(crate) struct Desk {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Desk {
    /// A system that answers so.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let remember = Arc::clone(&asked);
        let app = axum::Router::new().fallback(move |request: Request| {
            let request = Asked {
                path: request.uri().path().to_owned(),
                query: request.uri().query().unwrap_or_default().to_owned(),
            };
            remember.lock().unwrap().push(request.clone());
            let answer = answer.clone();
            async move { answer(&request) }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, asked }
    }

    /// An address where nothing listens.
    pub(crate) async fn nobody() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
        }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The stream of the whole desk.
    pub(crate) async fn source(&self) -> GatewaySource {
        self.source_of(DESK, None).await
    }

    pub(crate) async fn source_of(&self, yaml: &str, destination: Option<&str>) -> GatewaySource {
        let secrets = StaticSecrets::new().with("desk", "token", CANARY);
        let settings = json!({"base_url": self.url});
        let (gateway, installed) = gateway(yaml, "desk", secrets, &settings).await;
        GatewaySource::new(gateway, installed, destination.map(str::to_owned))
    }
}

/// A gateway with one integration, and that integration.
pub(crate) async fn gateway(
    yaml: &str,
    name: &str,
    secrets: StaticSecrets,
    settings: &Value,
) -> (Arc<Gateway>, Arc<Installed>) {
    let budget: Arc<dyn RateBudget> = Arc::new(InProcessBudget::new());
    let client = Client::new(ClientOptions {
        secrets: Arc::new(secrets),
        budget,
        allow_private_addresses: true,
        user_agent: "test".to_owned(),
    })
    .unwrap();
    let loaded = integration::load_text("integration.yaml", yaml);
    let told = loaded.render(false);
    let integration = Arc::new(loaded.integration.unwrap_or_else(|| panic!("{told}")));
    let installation = integration
        .install(settings.as_object().unwrap().clone())
        .unwrap();
    let installations = Arc::new(Fixed::new(vec![installation]).unwrap());
    let installed = installations.find(name).await.unwrap().unwrap();
    let gateway = Gateway::builder(client)
        .installations(installations)
        .build()
        .unwrap();
    (Arc::new(gateway), installed)
}

/// A window of an hour, from its first page.
pub(crate) fn window() -> PageRequest {
    PageRequest {
        start: "2026-01-05T10:00:00.25Z".parse().unwrap(),
        end: "2026-01-05T11:00:00Z".parse().unwrap(),
        token: None,
    }
}

/// The page of the window with this token.
pub(crate) async fn page(source: &GatewaySource, token: Option<&str>) -> Result<Page, SourceError> {
    let request = PageRequest {
        token: token.map(str::to_owned),
        ..window()
    };
    source.page(&request).await
}

pub(crate) fn answer(status: u16, body: &Value) -> Response {
    text(status, &body.to_string())
}

pub(crate) fn text(status: u16, body: &str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

/// A record that is fit to be a ticket.
pub(crate) fn record(id: u32) -> Value {
    json!({"id": id, "status": "Open", "title": "Second monitor stays dark",
           "changed": "2026-01-05T10:30:45.5Z", "made": "2026-01-05T10:00:00Z"})
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
