//! The log: one JSON object a line on standard output, where Lambda takes it from.
//!
//! Flat, so that a saved query can say `xray_trace_id` and not guess at which level it is: the fields of the
//! invocation's span stand beside those of the event.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt;

/// The crates whose words were written with the rule in mind that a secret never is among them. Of all others
/// only warnings are taken: what an HTTP client says at `debug` holds headers.
const OURS: [&str; 9] = [
    "actions",
    "integration",
    "lambda",
    "mapping",
    "poller",
    "polling",
    "storage",
    "ticket_gateway",
    "upstream",
];

/// Says once more, as an error, that the authorizer refused somebody.
const NOISE: &str = "lambda_runtime::layers::panic";

/// Starts the log. `AWS_LAMBDA_LOG_LEVEL` (Lambda's own control) chooses the level; `info` otherwise. A log that
/// was started already stays.
pub(crate) fn init(level: Option<&str>) {
    let started = tracing_subscriber::registry()
        .with(layer(level, std::io::stdout))
        .try_init();
    drop(started);
}

/// The log as a layer, with another place to write to.
pub(crate) fn layer<S, W>(level: Option<&str>, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = level_filter(level);
    JsonLines { writer }.with_filter(filter_fn(move |metadata| is_wanted(metadata, level)))
}

/// Lambda's names of levels; what is none of them is `info`.
fn level_filter(name: Option<&str>) -> LevelFilter {
    match name.unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

fn is_wanted(metadata: &Metadata<'_>, level: LevelFilter) -> bool {
    let target = metadata.target();
    let krate = target.split("::").next().unwrap_or_default();
    let is_ours = OURS.contains(&krate);
    if metadata.is_span() {
        // Whatever the level: it is what ties a line to its invocation.
        return is_ours;
    }
    let level = if is_ours {
        level
    } else {
        level.min(LevelFilter::WARN)
    };
    *metadata.level() <= level && target != NOISE
}

struct JsonLines<W> {
    writer: W,
}

/// What a span or an event says.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut time = String::new();
        if SystemTime.format_time(&mut Writer::new(&mut time)).is_err() {
            // A string takes everything.
            return;
        }
        let mut line = Fields::default();
        line.0.insert("timestamp".to_owned(), time.into());
        line.0
            .insert("level".to_owned(), event.metadata().level().as_str().into());
        // Here, so that it stands before the fields.
        line.0.insert("message".to_owned(), Value::Null);
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.0.extend(fields.0.clone());
            }
        }
        event.record(&mut line);
        let mut text = Value::Object(line.0).to_string();
        text.push('\n');
        let written = std::io::Write::write_all(
            &mut self.writer.make_writer_for(event.metadata()),
            text.as_bytes(),
        );
        // There is nowhere to say that the log cannot be written.
        drop(written);
    }
}
