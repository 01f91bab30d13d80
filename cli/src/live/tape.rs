//! What happened, in order: the points that actions came to, and the requests with their answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actions::{Point, Reached, Witness};
use async_trait::async_trait;
use http::HeaderName;
use mapping::Place;
use serde_json::Value;
use storage::{Secret, SecretStore, StorageError};
use upstream::{Lost, Network, Prepared, Redactor, Transport, WholeAnswer};

/// Shorter values of such headers are no secrets.
const SHORTEST_SECRET: usize = 6;

/// A record of what happened, and of what must not be shown of it.
#[derive(Default)]
pub(crate) struct Tape {
    entries: Mutex<Vec<Entry>>,
    redactor: Mutex<Redactor>,
}

/// One thing that happened.
#[derive(Clone)]
pub(crate) enum Entry {
    /// A list of steps came to a point.
    Reached {
        /// Where the list of steps is written: that tells one from another.
        compound: Place,
        /// Where in it.
        point: Point,
        /// What the mappings see there.
        bank: Value,
    },
    /// A request was sent.
    Sent(Box<Exchange>),
}

/// A request, and its answer once there is one.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// The request, credentials included.
    pub(crate) request: Prepared,
    /// The answer; none while it is awaited.
    pub(crate) answer: Option<Result<WholeAnswer, Lost>>,
    /// Until the answer; none of one that comes from a case.
    pub(crate) took: Option<Duration>,
}

impl Tape {
    /// Everything since the last time.
    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.entries())
    }

    /// A text without the secrets that were read or sent so far.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        lock(&self.redactor).text(text)
    }

    fn hide(&self, secret: &str) {
        if !secret.is_empty() {
            lock(&self.redactor).hide(secret);
        }
    }

    /// Credentials that are no secrets of the store: tokens, sessions.
    fn hide_credentials(&self, request: &Prepared) {
        for (name, value) in &request.headers {
            let Ok(value) = value.to_str() else { continue };
            if names_secret(name.as_str()) {
                let parts = credentials(value).into_iter().chain([value]);
                for part in parts.filter(|part| part.len() >= SHORTEST_SECRET) {
                    self.hide(part);
                }
            }
        }
        for (name, value) in request.url.query_pairs() {
            if names_secret(&name) && value.len() >= SHORTEST_SECRET {
                self.hide(&value);
            }
        }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        lock(&self.entries)
    }
}

/// Whether a header, parameter or field of this name is taken for a secret. A place in a list is called a token, too, and
/// is none.
pub(crate) fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    let words = [
        "authorization",
        "password",
        "passwd",
        "secret",
        "apikey",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "authtoken",
        "csrf",
        "signature",
        "credential",
        "session",
        "cookie",
    ];
    words.iter().any(|word| name.contains(word)) || matches!(name.as_str(), "key" | "token" | "auth" | "sig")
}

/// The values in a header of credentials. The word in front of them is the scheme (RFC 9110 section 11.4), and what stands
/// before `=` a name: people are told both.
fn credentials(header: &str) -> Vec<&str> {
    let words: Vec<&str> = header
        .split([' ', ';', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let is_scheme = |word: &&str| words.len() > 1 && !word.contains('=');
    let after = words.get(usize::from(words.first().is_some_and(is_scheme))..);
    after
        .unwrap_or_default()
        .iter()
        .map(|word| unnamed(word))
        .collect()
}

/// `VALUE` of `name=VALUE` or `name="VALUE"`; `=` at the end is the padding of Base64.
fn unnamed(word: &str) -> &str {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) if !value.trim_matches('=').is_empty() => (name, value),
        _ => ("", word),
    };
    let is_name = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    let value = if is_name { value } else { word };
    value.trim_matches('"')
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Witness for Tape {
    fn reached(&self, reached: &Reached<'_>) {
        self.entries().push(Entry::Reached {
            compound: reached.compound.place.clone(),
            point: reached.point,
            bank: reached.bank.clone(),
        });
    }
}

/// The way out, past the tape.
pub(crate) struct TapedTransport {
    out: Arc<dyn Transport>,
    tape: Arc<Tape>,
    /// Whether it says something how long an answer takes.
    is_timed: bool,
}

impl TapedTransport {
    pub(crate) fn over_network(network: Network, tape: Arc<Tape>) -> Self {
        Self {
            out: Arc::new(network),
            tape,
            is_timed: true,
        }
    }

    pub(crate) fn over_case(player: Arc<dyn Transport>, tape: Arc<Tape>) -> Self {
        Self {
            out: player,
            tape,
            is_timed: false,
        }
    }
}

#[async_trait]
impl Transport for TapedTransport {
    async fn send(&self, request: Prepared, limit: usize) -> Result<WholeAnswer, Lost> {
        self.tape.hide_credentials(&request);
        let index = {
            let mut entries = self.tape.entries();
            entries.push(Entry::Sent(Box::new(Exchange {
                request: request.clone(),
                answer: None,
                took: None,
            })));
            entries.len() - 1
        };
        let begun = Instant::now();
        let answer = self.out.send(request, limit).await;
        if let Some(Entry::Sent(exchange)) = self.tape.entries().get_mut(index) {
            exchange.answer = Some(answer.clone());
            exchange.took = self.is_timed.then(|| begun.elapsed());
        }
        answer
    }
}

/// The secrets, each of which the tape hides from then on.
pub(crate) struct TapedSecrets {
    secrets: Arc<dyn SecretStore>,
    tape: Arc<Tape>,
}

impl TapedSecrets {
    pub(crate) fn new(secrets: Arc<dyn SecretStore>, tape: Arc<Tape>) -> Self {
        Self { secrets, tape }
    }

    fn seen(&self, secret: Option<Secret>) -> Option<Secret> {
        if let Some(secret) = &secret {
            self.tape.hide(secret.expose());
        }
        secret
    }
}

#[async_trait]
impl SecretStore for TapedSecrets {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        Ok(self.seen(self.secrets.secret(integration, key).await?))
    }

    async fn another(
        &self,
        integration: &str,
        key: &str,
        tried: &[Secret],
    ) -> Result<Option<Secret>, StorageError> {
        Ok(self.seen(self.secrets.another(integration, key, tried).await?))
    }

    fn accepted(&self, integration: &str, key: &str, secret: &Secret) {
        self.secrets.accepted(integration, key, secret);
    }

    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        self.secrets.how_to_set(integration, key)
    }
}

/// The names of the headers that are shown with a request or an answer; of the others only that they are there.
pub(crate) fn is_shown(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "content-type"
            | "content-length"
            | "accept"
            | "allow"
            | "date"
            | "retry-after"
            | "location"
            | "etag"
            | "if-match"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_header_the_values_are_hidden_and_the_names_are_not() {
        assert_eq!(credentials("user_token abc123"), ["abc123"]);
        assert_eq!(credentials("Basic YWxhZGRpbg=="), ["YWxhZGRpbg=="]);
        assert_eq!(
            credentials("session_id=abc123; remember=def456"),
            ["abc123", "def456"]
        );
        assert_eq!(
            credentials("Digest username=\"ana\", response=\"0f1e\""),
            ["ana", "0f1e"]
        );
        assert_eq!(credentials("Token token=abc123"), ["abc123"]);
        assert_eq!(credentials("abc123"), ["abc123"]);
    }
}
