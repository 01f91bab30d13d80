//! The metrics of a function, written to its log in CloudWatch's embedded metric format.
//!
//! The format is one JSON object; a library for it would bring a recorder for the whole process and a macro
//! language for what is here a list of fields.

mod embedded;
mod polls;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use actions::{ErrorCode, Observer, Performed, SafeCreate};
use serde_json::Value;

use embedded::{Line, Unit};

pub use polls::PollMetrics;

/// The namespace, unless the environment names another.
pub(crate) const DEFAULT_NAMESPACE: &str = "TicketGateway";

/// Takes the finished line, without its end.
pub type Sink = Box<dyn Fn(&str) + Send + Sync>;

/// Writes the metrics of each invocation.
pub(crate) struct Metrics {
    namespace: String,
    sink: Sink,
    /// Whether the invocation that is running now is the first one.
    is_cold: AtomicBool,
    polls: PollMetrics,
}

/// How an authorization ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authorization {
    Allowed,
    Refused,
    Failed,
}

/// Lambda takes standard output as the log.
pub(crate) fn to_standard_output() -> Sink {
    Box::new(|line| {
        let written = std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes());
        drop(written);
    })
}

impl Metrics {
    pub(crate) fn new(namespace: String, sink: Sink) -> Self {
        Metrics {
            namespace,
            sink,
            is_cold: AtomicBool::new(false),
            polls: PollMetrics::default(),
        }
    }

    /// Says whether the invocation that begins is the first one.
    pub(crate) fn begin(&self, is_cold: bool) {
        self.is_cold.store(is_cold, Ordering::Relaxed);
    }

    /// Writes what became of one authorization. A caller who is refused is a failed invocation to Lambda, so that
    /// Lambda's own count of errors says nothing of this function's health; `AuthorizerFailed` does.
    pub(crate) fn authorized(&self, end: Authorization, duration: Duration) {
        let mut line = Line::of("Action", "authorize_caller");
        self.cold_start(&mut line);
        line.metric("AuthorizerLatency", Unit::Milliseconds, milliseconds(duration));
        for (name, kind) in [
            ("AuthorizerAllowed", Authorization::Allowed),
            ("AuthorizerRefused", Authorization::Refused),
            ("AuthorizerFailed", Authorization::Failed),
        ] {
            line.metric(name, Unit::Count, u8::from(end == kind));
        }
        self.write(line);
    }

    fn cold_start(&self, line: &mut Line) {
        let is_cold = self.is_cold.load(Ordering::Relaxed);
        line.metric("ColdStart", Unit::Count, u8::from(is_cold));
    }

    fn write(&self, line: Line) {
        (self.sink)(&line.text(&self.namespace, SystemTime::now()));
    }
}

impl Observer for Metrics {
    /// How callers are served is published by action, how ticketing systems behave by integration; by both it would be
    /// twelve times as many metrics, each of which costs money.
    fn performed(&self, performed: &Performed<'_>) {
        let mut line = Line::of("Action", performed.action.key());
        self.cold_start(&mut line);
        let latency = milliseconds(performed.duration);
        line.metric("ActionLatency", Unit::Milliseconds, latency);
        let class = performed.status / 100;
        for (name, of) in [("Action2xx", 2), ("Action4xx", 4), ("Action5xx", 5)] {
            line.metric(name, Unit::Count, u8::from(class == of));
        }
        if let Some(integration) = performed.integration {
            line.dimension("Integration", integration);
            of_integration(&mut line, performed);
        }

        line.property("request_id", performed.request_id);
        line.property("status", performed.status);
        line.property("version", performed.version.map_or(Value::Null, Value::from));
        self.write(line);
    }
}

fn of_integration(line: &mut Line, performed: &Performed<'_>) {
    let calls = performed.upstream;
    line.metric("UpstreamCalls", Unit::Count, calls.len());
    line.metrics(
        "UpstreamLatency",
        Unit::Milliseconds,
        calls.iter().map(|call| milliseconds(call.duration)),
    );
    let answered = |class: u16| {
        calls
            .iter()
            .filter(move |call| call.status.map(|status| status / 100) == Some(class))
    };
    line.metric("Upstream4xx", Unit::Count, answered(4).count());
    line.metric("Upstream5xx", Unit::Count, answered(5).count());
    let unanswered = calls.iter().filter(|call| call.status.is_none());
    line.metric("UpstreamNoAnswer", Unit::Count, unanswered.count());

    let wait = milliseconds(performed.budget_wait);
    line.metric("BudgetWait", Unit::Milliseconds, wait);
    // The ticketing system's own refusal has the same code.
    let is_exhausted = performed.code == Some(ErrorCode::RateLimitExceeded)
        && !calls.iter().any(|call| call.status == Some(429));
    line.metric("BudgetExhausted", Unit::Count, u8::from(is_exhausted));
    line.metric("IdempotentReplays", Unit::Count, u8::from(performed.replayed));
    let was_found = matches!(performed.safe_create, Some(SafeCreate::Found));
    line.metric("SafeCreateFound", Unit::Count, u8::from(was_found));
}

fn milliseconds(duration: Duration) -> f64 {
    // Microseconds are exact enough, and short to read.
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
