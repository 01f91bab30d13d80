//! What the workers talk to, on one address: a ticketing system, DynamoDB and EventBridge, as far as they are asked.

mod bus;
mod dynamo;
mod expression;
mod upstream;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use jiff::Timestamp;
use serde_json::Value;

pub use bus::Events;
pub use upstream::Tickets;

/// Everything behind the address.
#[derive(Default)]
pub struct Stub {
    pub tickets: Mutex<Tickets>,
    tables: Mutex<dynamo::Tables>,
    bus: Mutex<bus::Bus>,
    /// What the ticketing system's clock shows, and since when.
    clock: Mutex<Option<(Timestamp, Instant)>>,
    /// Requests by name since they were last forgotten.
    requests: Mutex<BTreeMap<String, u64>>,
}

/// Where it listens, such as `http://127.0.0.1:41234`.
pub async fn start(stub: &Arc<Stub>) -> String {
    let app = axum::Router::new().fallback(answer).with_state(Arc::clone(stub));
    // Records of large pages are larger than what axum takes by default.
    let app = app.layer(axum::extract::DefaultBodyLimit::disable());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

impl Stub {
    /// What was asked since the last time.
    pub fn take_requests(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.requests.lock().expect("no thread panicked"))
    }

    /// What is in the events since the last time, by ticket and its version; see [`bus::Bus`].
    pub fn take_events(&self) -> bus::Events {
        self.bus.lock().expect("no thread panicked").take()
    }

    /// Sets the ticketing system's clock.
    pub fn set_clock(&self, now: Timestamp) {
        *self.clock.lock().expect("no thread panicked") = Some((now, Instant::now()));
    }

    /// `Date`, by the ticketing system's clock; nothing that can be read where that is not set.
    fn date(&self) -> String {
        let clock = *self.clock.lock().expect("no thread panicked");
        clock.map_or_else(String::new, |(from, since)| {
            let now = from + since.elapsed();
            now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        })
    }

    /// Forgets all tables.
    pub fn forget_tables(&self) {
        *self.tables.lock().expect("no thread panicked") = dynamo::Tables::default();
    }

    fn count(&self, name: String) {
        *self
            .requests
            .lock()
            .expect("no thread panicked")
            .entry(name)
            .or_default() += 1;
    }
}

async fn answer(State(stub): State<Arc<Stub>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let Some(target) = headers.get("x-amz-target") else {
        stub.count("upstream".to_owned());
        let page = stub
            .tickets
            .lock()
            .expect("no thread panicked")
            .page(uri.query().unwrap_or_default());
        let mut response = respond(200, "application/json", page);
        let date = stub.date().parse().expect("a header");
        response.headers_mut().insert("date", date);
        return response;
    };
    let operation = target
        .to_str()
        .expect("ASCII")
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_owned();
    let request: Value = serde_json::from_slice(&body).expect("AWS clients send JSON");
    let is_bus = operation == "PutEvents";
    stub.count(operation.clone());
    let (status, answer) = if is_bus {
        (200, stub.bus.lock().expect("no thread panicked").put(&request))
    } else {
        stub.tables
            .lock()
            .expect("no thread panicked")
            .answer(&operation, &request)
    };
    let kind = if is_bus {
        "application/x-amz-json-1.1"
    } else {
        "application/x-amz-json-1.0"
    };
    respond(status, kind, answer.to_string())
}

fn respond(status: u16, kind: &str, body: String) -> Response<Body> {
    let response = Response::builder().status(status).header("content-type", kind);
    response.body(Body::from(body)).expect("a response")
}
