//! A fake ticketing system that remembers what it was asked, and a gateway in front of it.

use std::sync::{Arc, Mutex};

use actions::Gateway;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use storage::embedded::StaticSecrets;
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions};

/// One request that the fake system received.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    /// `GET /records/7`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// A fake ticketing system on a free port of this machine.
pub(crate) struct Upstream {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Upstream {
    pub(crate) async fn start<R: IntoResponse>(
        answer: impl Fn(&Seen) -> R + Clone + Send + Sync + 'static,
    ) -> Upstream {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remember = Arc::clone(&seen);
        let app = axum::Router::new().fallback(move |request: Request| {
            let (answer, remember) = (answer.clone(), Arc::clone(&remember));
            async move {
                let (parts, body) = request.into_parts();
                let bytes = to_bytes(body, usize::MAX).await.unwrap();
                let request = Seen {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&bytes).unwrap_or_default(),
                };
                let response: Response = answer(&request).into_response();
                remember.lock().unwrap().push(request);
                response
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Upstream { address, seen }
    }

    /// A desk that does what it is asked: every record is number 7.
    pub(crate) async fn desk() -> Upstream {
        Upstream::start(record).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("the system was asked")
    }
}

/// A record as the desk has it: the id a number, the times in its own forms.
pub(crate) fn record(seen: &Seen) -> axum::Json<Value> {
    let status = seen.body.get("status").and_then(Value::as_str).unwrap_or("Open");
    axum::Json(json!({
        "id": 7,
        "status": status,
        "title": "Second monitor stays dark",
        "changed": "2026-01-05 12:00:00",
        "made": 1_767_609_045,
        "at": "2026-01-05T12:30:00+02:00",
        "items": [],
    }))
}

pub(crate) const DESK: &str = include_str!("desk.yaml");

pub(crate) fn client() -> Client {
    Client::new(ClientOptions {
        secrets: Arc::new(StaticSecrets::new()),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: true,
        user_agent: "test".to_owned(),
    })
    .unwrap()
}

pub(crate) fn install(yaml: &str, settings: Value) -> integration::Installation {
    let loaded = integration::load_text("desk.yaml", yaml);
    let told: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.render(false))
        .collect();
    let integration = loaded
        .integration
        .unwrap_or_else(|| panic!("{}", told.join("\n")));
    let Value::Object(settings) = settings else {
        panic!("settings are an object")
    };
    Arc::new(integration).install(settings).unwrap()
}

/// A gateway with the desk in front of `upstream`.
pub(crate) fn gateway(upstream: &Upstream) -> Gateway {
    gateway_of(DESK, upstream, json!({}))
}

pub(crate) fn gateway_of(yaml: &str, upstream: &Upstream, more: Value) -> Gateway {
    let mut settings = Map::new();
    settings.insert("base_url".to_owned(), json!(upstream.address));
    settings.extend(more.as_object().cloned().unwrap_or_default());
    Gateway::builder(client())
        .integration(install(yaml, Value::Object(settings)))
        .build()
        .unwrap()
}

/// An answer of the gateway.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn details(&self) -> &Value {
        &self.body["error"]["details"]
    }

    /// The names of the fields that are wrong.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let fields = self.details()["fields"].as_array();
        fields
            .into_iter()
            .flatten()
            .filter_map(|field| field["field"].as_str())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(crate) async fn send(gateway: &Gateway, request: http::Request<Bytes>) -> Answer {
    let response = gateway.handle(request).await;
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: serde_json::from_slice(response.body()).unwrap(),
    }
}

pub(crate) async fn call(gateway: &Gateway, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    send(gateway, request).await
}

pub(crate) async fn get(gateway: &Gateway, path: &str) -> Answer {
    call(gateway, "GET", path, Value::Null).await
}

pub(crate) async fn post(gateway: &Gateway, path: &str, body: Value) -> Answer {
    call(gateway, "POST", path, body).await
}

/// An answer of the fake system with this status and JSON.
pub(crate) fn reply(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        [("content-type", "application/json")],
        Body::from(body.to_string()),
    )
        .into_response()
}
