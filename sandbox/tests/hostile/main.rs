//! The hostile ticketing system, seen over HTTP: what follows from its seed, what it does wrong, and what it says of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, in its helping functions too"
)]

mod api;
mod faults;
mod seed;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sandbox::hostile::{Clock, Options, Running, Truth, start};
use serde_json::Value;

/// 2026-01-05T10:30:45Z.
const NOW: i64 = 1_767_609_045_000_000;

/// A clock that moves by `milliseconds` with each request.
fn clock(milliseconds: i64) -> Clock {
    let now = AtomicI64::new(NOW);
    Arc::new(move || {
        let now = now.fetch_add(milliseconds * 1000, Ordering::Relaxed);
        Timestamp::from_microsecond(now).unwrap()
    })
}

/// Well-behaved, without changes of its own, with its clock right.
fn quiet() -> Options {
    Options {
        changes_per_second: 0.0,
        fault_rate: 0.0,
        skew_seconds: Some(0),
        slow: Duration::from_millis(1),
        clock: clock(100),
        ..Options::default()
    }
}

/// One that runs, and a client for it.
struct Sandbox {
    running: Running,
    client: reqwest::Client,
}

async fn running(options: Options) -> Sandbox {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A connection for each request: on one that was used before, the client tries again by itself.
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    Sandbox {
        running: start(options).await.unwrap(),
        client: client.build().unwrap(),
    }
}

impl Sandbox {
    async fn send(&self, method: &str, path: &str, body: String) -> reqwest::Result<reqwest::Response> {
        let method = method.parse().unwrap();
        let request = self
            .client
            .request(method, format!("{}{path}", self.running.url()));
        request.body(body).send().await
    }

    /// The answer to a GET below the base URL.
    async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.send("GET", path, String::new()).await
    }

    /// The body of a GET that is answered with a 200.
    async fn body(&self, path: &str) -> Value {
        let answer = self.get(path).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    fn truth(&self) -> Truth {
        self.running.truth()
    }
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["tickets"].as_array().unwrap();
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}
