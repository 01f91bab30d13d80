//! The stand-in for TeamsWork, over HTTP: what the reference says, each quirk, faults and state.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise; clippy's own exemption misses the functions it calls"
)]

mod access;
mod comments;
mod faults;
mod instance;
mod list_quirks;
mod listing;
mod readme;
mod shape_quirks;
mod state;
mod workflow;
mod write_quirks;
mod writing;

use std::collections::BTreeSet;

use reqwest::{Client, Method, RequestBuilder};
use sandbox::teamswork::{Options, Quirk, Running, start};
use serde_json::{Value, json};

pub(crate) const PRIMARY: &str = "sandbox-primary-key";
pub(crate) const SECONDARY: &str = "sandbox-secondary-key";

/// A running stand-in and a client for it.
pub(crate) struct Api {
    pub(crate) running: Running,
    client: Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn item(&self) -> &Value {
        assert!(self.status < 300, "{self:?}");
        &self.body["item"]
    }

    pub(crate) fn items(&self) -> &Vec<Value> {
        assert!(self.status < 300, "{self:?}");
        self.body["items"].as_array().unwrap()
    }

    /// One column of every row, as text.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        self.items().iter().map(|row| text(&row[name])).collect()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A text as it is, other values as JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Api {
    pub(crate) async fn start(options: Options) -> Self {
        // Fails when another test was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            running: start(options).await.unwrap(),
            client,
        }
    }

    /// With quirks and no tickets.
    pub(crate) async fn with(quirks: &[Quirk]) -> Self {
        Self::start(Options {
            quirks: set(quirks),
            ..Options::default()
        })
        .await
    }

    /// With quirks and forty tickets.
    pub(crate) async fn seeded(quirks: &[Quirk]) -> Self {
        Self::start(Options {
            quirks: set(quirks),
            seed_tickets: 40,
            ..Options::default()
        })
        .await
    }

    /// A request with the primary key, `path` with its query string.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.running.url()))
            .query(&[("key", PRIMARY)])
    }

    /// A request with nothing added.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.running.url()))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::PUT, path).json(body)).await
    }

    /// Makes a ticket of Jason's and gives its id.
    pub(crate) async fn new_ticket(&self, title: &str) -> String {
        let body = json!({"ticket": {"title": title, "requestor": jason()}, "user": jason()});
        let reply = self.post("/tickets", &body).await;
        assert!(reply.status < 300, "{reply:?}");
        self.running.tickets().last().unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The ticket as the stand-in keeps it.
    pub(crate) fn kept(&self, id: &str) -> Value {
        self.running
            .tickets()
            .into_iter()
            .find(|ticket| ticket["id"] == id)
            .unwrap()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.text().await.unwrap();
    Reply {
        status,
        headers,
        body: serde_json::from_str(&body).unwrap_or(Value::String(body)),
    }
}

pub(crate) fn set(quirks: &[Quirk]) -> BTreeSet<Quirk> {
    quirks.iter().copied().collect()
}

pub(crate) fn jason() -> Value {
    json!({"id": "053660b7-0000-4000-8000-000000000001", "name": "Jason Doe", "email": "jason.doe@example.com"})
}

pub(crate) fn alex() -> Value {
    json!({"id": "708edddc-0000-4000-8000-000000000002", "name": "Alex Wilber", "email": "alex.wilber@example.com"})
}
