//! What was asked of the stand-in, for tests to look at.

use std::collections::VecDeque;

use serde_json::Value;

/// How many requests are kept; older ones are forgotten, so that a long run does not grow.
const KEPT: usize = 5_000;

/// How a request was authenticated. The credentials themselves are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The API key of the user who may write.
    ApiKey,
    /// The API key of the user who may only read.
    ObserverKey,
    /// An access token that is valid.
    Token,
    /// An access token that is over.
    ExpiredToken,
    /// Anything else in `Authorization`.
    Wrong,
    /// No `Authorization`.
    Missing,
}

/// A request as it arrived, also when it was refused or a fault befell it.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path below the base URL, still percent-encoded, such as `/tickets/5001`; a path outside of it as it is.
    pub path: String,
    /// The query parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// How it was authenticated.
    pub login: Login,
    /// The headers without `Authorization`, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came; empty for the token endpoint.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    /// The query parameter with this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

#[derive(Default)]
pub(super) struct Recorder(VecDeque<RecordedRequest>);

impl Recorder {
    pub(super) fn add(&mut self, request: RecordedRequest) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(request);
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.0.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
