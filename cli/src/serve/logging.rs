//! Log lines on stderr: one per ticket action, and whatever goes wrong in between.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::output;

/// How a log line is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// For a person
    Text,
    /// One JSON object a line
    Json,
}

/// Sends log lines to stderr; `RUST_LOG` overrides the level.
pub(crate) fn start(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(output::color_on_stderr());
    // A second call in one process would be a mistake of ours and must not end a server.
    let _ = match format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
    };
}
