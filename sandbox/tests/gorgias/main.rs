//! The stand-in for Gorgias, over HTTP: what the documentation says, and each quirk.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise; clippy's own exemption misses the functions it calls"
)]

mod access;
mod listing;
mod messages;
mod quirks;
mod readme;
mod tickets;

use reqwest::{Client, Method, RequestBuilder};
use sandbox::gorgias::{Options, Quirk, Running, start};
use serde_json::{Value, json};

pub(crate) const EMAIL: &str = "support@example.com";
pub(crate) const KEY: &str = "sandbox-api-key";

/// A running stand-in and a client for it.
pub(crate) struct Api {
    pub(crate) running: Running,
    client: Client,
}

/// An answer, read whole. The body is null where there is none, and a text where it is no JSON.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// What is wrong with which field, of a 400.
    #[track_caller]
    pub(crate) fn wrong(self) -> Value {
        self.expect(400)["error"]["data"].clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The ids of a list.
    #[track_caller]
    pub(crate) fn ids(self) -> Vec<i64> {
        let body = self.expect(200);
        let rows = body["data"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }
}

impl Api {
    pub(crate) async fn start(options: Options) -> Self {
        // Fails when another test was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            running: start(options).await.unwrap(),
            client,
        }
    }

    /// With quirks and forty tickets.
    pub(crate) async fn with(quirks: &[Quirk]) -> Self {
        Self::start(Options {
            quirks: quirks.iter().copied().collect(),
            seed_tickets: 40,
            rate_limit: None,
            ..Options::default()
        })
        .await
    }

    /// A request of the user who may write; `path` with its query string.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).basic_auth(EMAIL, Some(KEY))
    }

    /// A request with nothing added.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.running.url()))
    }

    /// A request outside of the API.
    pub(crate) fn site(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.running.site()))
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

    pub(crate) async fn delete(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::DELETE, path).json(body)).await
    }

    /// The ticket as the stand-in keeps it.
    pub(crate) fn kept(&self, id: i64) -> Value {
        let mut tickets = self.running.tickets();
        tickets.retain(|ticket| ticket["id"] == id);
        tickets.pop().unwrap()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.text().await.unwrap();
    let body = match body.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    Reply {
        status,
        headers,
        body,
    }
}

/// An incoming message of Lena's.
pub(crate) fn incoming() -> Value {
    json!({"channel": "api", "via": "api", "from_agent": false, "sender": {"email": "lena.brandt@example.com"},
           "body_text": "Hello"})
}

/// A new ticket with these messages.
pub(crate) fn ticket(messages: &[Value]) -> Value {
    json!({"customer": {"email": "lena.brandt@example.com"}, "channel": "api", "via": "api", "from_agent": false,
           "subject": "Zip", "messages": messages})
}

/// `value` with a field set, or taken away by null.
pub(crate) fn but(mut value: Value, field: &str, other: Value) -> Value {
    match other {
        Value::Null => {
            value.as_object_mut().unwrap().remove(field);
        }
        other => value[field] = other,
    }
    value
}
