//! Lets the program around the gateway see how each action went, without reading its log.

use std::time::Duration;

use integration::contract::TasAction;
use upstream::CallRecord;

use crate::error::{ErrorCode, Outcome};
use crate::safe_create::SafeCreate;

/// Is told of every action that was performed, before its answer is given. It must not block.
pub trait Observer: Send + Sync {
    /// One action came to its end.
    fn performed(&self, performed: &Performed<'_>);
}

/// How one action went: names and numbers, nothing that was sent.
#[derive(Debug, Clone)]
pub struct Performed<'p> {
    /// The request's id.
    pub request_id: &'p str,
    /// The integration; none where the call named one that there is not, so that a caller's words never become the
    /// name of a metric.
    pub integration: Option<&'p str>,
    /// The stored version of the integration; none where it was given at the start.
    pub version: Option<u64>,
    /// The action.
    pub action: TasAction,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The code of an error.
    pub code: Option<ErrorCode>,
    /// What became of a write; none for a query, and for a write that was refused before its first step.
    pub outcome: Option<Outcome>,
    /// From the request to the answer.
    pub duration: Duration,
    /// The requests to the ticketing system, in order.
    pub upstream: &'p [CallRecord],
    /// How long the call waited for its share of the rate budget and, after a 429, for the system's own limit.
    pub budget_wait: Duration,
    /// Whether the answer is the one that an earlier request with the same key got.
    pub replayed: bool,
    /// What came of looking for a ticket that may have been created already; none where nobody looked.
    pub safe_create: Option<SafeCreate>,
}

impl Performed<'_> {
    /// Writes the log line. `asked_for` is the integration as the caller named it.
    pub(crate) fn log(&self, asked_for: &str) {
        let upstream: Duration = self.upstream.iter().map(|call| call.duration).sum();
        tracing::info!(
            request_id = self.request_id,
            integration = asked_for,
            version = self.version,
            action = self.action.key(),
            status = self.status,
            code = self.code.map(ErrorCode::as_str),
            outcome = self.outcome.map(Outcome::as_str),
            duration_ms = milliseconds(self.duration),
            upstream_calls = self.upstream.len(),
            upstream_ms = milliseconds(upstream),
            budget_wait_ms = milliseconds(self.budget_wait),
            replayed = self.replayed,
            safe_create = self.safe_create.map(SafeCreate::as_str),
            "action"
        );
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
