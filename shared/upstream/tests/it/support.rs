//! A server that records what it is asked and answers what a test says, and builders with plain defaults.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body as AxumBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response as AxumResponse};
use mapping::{Mapping, Template};
use serde_json::{Value, json};
use storage::embedded::StaticSecrets;
use storage::in_process::InProcessBudget;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use upstream::{
    Answer, Auth, Body, CallContext, Client, ClientOptions, Connector, HttpAction, Method, PageKind,
    Paginate, Parameter, RateSignals, ResponseFormat, RetryPolicy, SendTo, UpstreamError,
};

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A query parameter, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// An answer.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::status(200)
            .header("content-type", "application/json")
            .body(value.to_string())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// A server on this machine.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers with what `answer` makes of each request and its number, from 0.
    pub(crate) async fn start(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (record, answer) = (Arc::clone(&asked), Arc::new(answer));
        let handler = move |request: Request| {
            let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let one = Asked {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
                };
                let number = {
                    let mut all = record.lock().unwrap();
                    all.push(one.clone());
                    all.len() - 1
                };
                let reply = answer(&one, number);
                tokio::time::sleep(reply.delay).await;
                let mut response = AxumResponse::builder().status(reply.status);
                for (name, value) in &reply.headers {
                    response = response.header(name, value);
                }
                response.body(AxumBody::from(reply.body)).unwrap()
            }
        };
        let app = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, asked }
    }

    /// Answers every request with `{"ok": true}`.
    pub(crate) async fn agreeable() -> Self {
        Self::start(|_, _| Reply::json(&json!({"ok": true}))).await
    }

    /// Everything it was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The only thing it was asked.
    pub(crate) fn asked_once(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }
}

/// A server that reads one request head per connection, writes these bytes and hangs up. Counts connections.
pub(crate) async fn raw_server(bytes: &'static [u8]) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut some = [0; 1024];
                match stream.read(&mut some).await {
                    Ok(0) | Err(_) => break,
                    Ok(length) => head.extend_from_slice(&some[..length]),
                }
            }
            if !head.is_empty() {
                *counter.lock().unwrap() += 1;
            }
            stream.write_all(bytes).await.ok();
            stream.shutdown().await.ok();
        }
    });
    (url, connections)
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub(crate) fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

pub(crate) fn mapping(expression: &str) -> Mapping {
    Mapping::compile_text(expression).unwrap()
}

pub(crate) fn pairs(list: &[(&str, &str)]) -> Vec<(Template, Template)> {
    list.iter()
        .map(|(key, value)| (template(key), template(value)))
        .collect()
}

/// Query parameters or form fields.
pub(crate) fn parameters(list: &[(&str, &str)]) -> Vec<(Template, Parameter)> {
    let pairs = pairs(list).into_iter();
    pairs.map(|(key, value)| (key, value.into())).collect()
}

/// A connector without credentials and with waits that do not matter.
pub(crate) fn connector(url: &str) -> Connector {
    Connector {
        integration: "example".to_owned(),
        instance: Connector::next_instance(),
        base_url: url.parse().unwrap(),
        auth: Auth::None,
        headers: Vec::new(),
        secret_headers: Vec::new(),
        rate_limit: None,
        rate_signals: RateSignals::default(),
        timeout: Duration::from_secs(5),
        action_timeout: Duration::from_secs(10),
        follow_redirects: false,
        max_response_bytes: 1_000_000,
        retry: RetryPolicy {
            max_attempts: 3,
            initial_delay: Duration::from_millis(2),
            max_delay: Duration::from_millis(5),
        },
    }
}

/// An action with only a method and a path.
pub(crate) fn action(method: &Method, path: &str) -> HttpAction {
    HttpAction {
        name: "do_it".to_owned(),
        method: method.clone(),
        path: template(path),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        response: ResponseFormat::Json,
        paginate: None,
        result: None,
        null_when: None,
        fail_when: Vec::new(),
        fallback: None,
        retry: None,
        timeout: None,
        repeatable: HttpAction::repeatable_by_default(method),
        read_only: false,
        cache: None,
    }
}

pub(crate) fn get(path: &str) -> HttpAction {
    action(&Method::GET, path)
}

pub(crate) fn post(path: &str) -> HttpAction {
    action(&Method::POST, path)
}

/// Pages by the token `next` of the body, sent in the query.
pub(crate) fn by_token() -> Paginate {
    Paginate {
        kind: PageKind::Token {
            next: mapping("response.body.next"),
            send: SendTo::Query("cursor".to_owned()),
        },
        items: mapping("response.body.items"),
        items_at: Some(vec!["items".to_owned()]),
        keep: None,
        unique_by: None,
        stop_when: None,
        end_when: None,
        max_pages: 50,
        max_items: 10_000,
        start_from: Some(mapping("page_token")),
        otherwise: None,
        empty_page_ends: false,
        stop_on_repeat: false,
    }
}

/// A client with these secrets of `example`, allowed to reach this machine.
pub(crate) fn client_with(secrets: &[(&str, &str)]) -> Client {
    let store = secrets.iter().fold(StaticSecrets::new(), |store, (key, secret)| {
        store.with("example", key, secret)
    });
    Client::new(ClientOptions {
        secrets: Arc::new(store),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: true,
        user_agent: "ticket-gateway/test".to_owned(),
    })
    .unwrap()
}

pub(crate) fn context() -> CallContext {
    CallContext::within(Duration::from_secs(10))
}

/// Performs one action with a client of its own.
pub(crate) async fn call(
    connector: &Connector,
    action: &HttpAction,
    scope: &Value,
) -> Result<Answer, UpstreamError> {
    client_with(&[])
        .call(connector, action, scope, &mut context())
        .await
}
