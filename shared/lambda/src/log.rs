//! The log: one JSON object a line on standard output, where Lambda takes it from.

use tracing_subscriber::EnvFilter;

/// Starts the log. `AWS_LAMBDA_LOG_LEVEL` (Lambda's own control) or `RUST_LOG` choose the level; `info`
/// otherwise. A log that was started already stays.
pub(crate) fn init() {
    let filter = std::env::var("AWS_LAMBDA_LOG_LEVEL")
        .or_else(|_| std::env::var("RUST_LOG"))
        .ok()
        .and_then(|level| EnvFilter::try_new(level).ok())
        .unwrap_or_else(|| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(false)
        .try_init();
    drop(started);
}
