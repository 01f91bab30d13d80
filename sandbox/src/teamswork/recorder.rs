//! What was asked of the stand-in, for tests to look at.

use std::collections::VecDeque;

use serde_json::Value;

/// How many requests are kept; older ones are forgotten, so that a long run does not grow.
const KEPT: usize = 5_000;

/// Which key came with a request. The key itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUsed {
    /// The read-write key.
    Primary,
    /// The read-only key.
    Secondary,
    /// A key that is neither.
    Unknown,
    /// No `key` parameter.
    Missing,
}

/// A request as it arrived, also when it was refused or a fault befell it.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path below the base URL, still percent-encoded, such as `/tickets/{id}/status`.
    pub path: String,
    /// The query parameters, decoded, in their order, without `key`.
    pub query: Vec<(String, String)>,
    /// Which key was sent.
    pub key: KeyUsed,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
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

    /// The header with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
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
