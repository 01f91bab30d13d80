//! Sends the orders to poll: one message for every run that is due in the minute to come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use storage::aws::{DynamoIntegrations, SqsPollQueue};
use storage::{IntegrationStore, PollMessage, PollQueue, ScheduledStream, StorageError, StreamKey};

use crate::environment::Environment;
use crate::error::Error;
use crate::metrics::{Metrics, Sink, to_standard_output};
use crate::ports::namespace;
use crate::runtime::{self, Refused};

/// The time that one call of the function plans. The schedule calls it as often.
const SPAN: Duration = Duration::from_secs(60);

/// The shortest interval that an integration can have. What is stored is not trusted to keep to it: an interval of nothing
/// would be orders without end.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(10);

/// Runs the function that sends the orders to poll until Lambda stops it.
///
/// Its environment: `TICKET_GATEWAY_INTEGRATIONS_TABLE`, `TICKET_GATEWAY_POLL_QUEUE_URL`,
/// `TICKET_GATEWAY_METRICS_NAMESPACE`.
///
/// # Errors
/// When the environment is not complete or the Lambda runtime cannot be reached.
pub async fn run_poll_dispatch() -> Result<(), Error> {
    let function = runtime::start(async {
        let variable = |name: &str| std::env::var(name).ok();
        PollDispatch::from_environment(variable).map(Arc::new)
    })
    .await?;
    runtime::serve(move |event: LambdaEvent<Value>, _| {
        let function = Arc::clone(&function);
        async move {
            match function.dispatch(&event.payload, Timestamp::now()).await {
                Ok(_) => Ok(()),
                Err(error) => {
                    tracing::error!(%error, "not every order to poll was sent");
                    Err(Refused(
                        "Not every order to poll was sent; the function's log says why",
                    ))
                }
            }
        }
    })
    .await
}

/// Sends the orders to poll. One per process.
pub struct PollDispatch {
    integrations: Arc<dyn IntegrationStore>,
    queue: Arc<dyn PollQueue>,
    metrics: Metrics,
}

/// What one call of the function did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatched {
    /// Streams that are polled.
    pub streams: usize,
    /// Orders that were sent.
    pub orders: usize,
    /// Orders that came too late to be of use, and were not sent.
    pub late: usize,
}

impl PollDispatch {
    /// Over these ports; writes its metrics to `sink`.
    pub fn new(
        integrations: Arc<dyn IntegrationStore>,
        queue: Arc<dyn PollQueue>,
        namespace: String,
        sink: Sink,
    ) -> Self {
        PollDispatch {
            integrations,
            queue,
            metrics: Metrics::new(namespace, sink),
        }
    }

    /// Over the stores on AWS that the environment names.
    ///
    /// # Errors
    /// When a variable is missing or has a form that it cannot have.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let environment = Environment::new(&variable);
        let (table, queue) = (environment.integrations_table()?, environment.queue_url()?);
        let connection = environment.connection()?;
        Ok(Self::new(
            Arc::new(DynamoIntegrations::new(&connection, table)),
            Arc::new(SqsPollQueue::new(&connection, queue)),
            namespace(&environment)?,
            to_standard_output(),
        ))
    }

    /// Sends the orders of one minute: that of `scheduled_time` in the event, which EventBridge Scheduler puts there, or the
    /// one in which `now` lies. Called twice for a minute it sends them twice, which costs calls and does no harm.
    ///
    /// # Errors
    /// When the streams cannot be read, or the queue did not take all orders; it may have others.
    pub async fn dispatch(&self, event: &Value, now: Timestamp) -> Result<Dispatched, StorageError> {
        let begun = Instant::now();
        let minute = minute(event, now);
        let scheduled = self.integrations.scheduled().await?;
        let mut dispatched = Dispatched {
            streams: scheduled.iter().map(|(_, streams)| streams.len()).sum(),
            orders: 0,
            late: 0,
        };
        let mut orders = Vec::new();
        for (integration, streams) in scheduled {
            for stream in streams {
                dispatched.late += plan(&integration, stream, minute, now, &mut orders);
            }
        }
        // The soonest first: while the last of ten thousand are sent, the first are being worked on.
        orders.sort_by_key(|(_, delay)| *delay);

        self.queue.send(&orders).await?;
        dispatched.orders = orders.len();
        self.metrics.dispatched(&dispatched);
        tracing::info!(
            minute = %minute,
            streams = dispatched.streams,
            orders = dispatched.orders,
            late = dispatched.late,
            duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "orders to poll"
        );
        Ok(dispatched)
    }
}

/// The minute to plan. A call that Scheduler or Lambda repeats is for the minute of the first; a call by hand, or with
/// something else for a time, is for the present one.
fn minute(event: &Value, now: Timestamp) -> Timestamp {
    let scheduled = event.get("scheduled_time").and_then(Value::as_str);
    let scheduled = scheduled.and_then(|text| text.parse::<Timestamp>().ok());
    let is_known = |time: &Timestamp| time.duration_since(now).unsigned_abs() <= Duration::from_secs(3600);
    let time = scheduled.filter(is_known).unwrap_or(now).as_second();
    Timestamp::from_second(time - time.rem_euclid(60)).unwrap_or(now)
}

/// Adds the orders of one stream. The number of those for which there is another one by now.
fn plan(
    integration: &str,
    stream: ScheduledStream,
    minute: Timestamp,
    now: Timestamp,
    orders: &mut Vec<(PollMessage, Duration)>,
) -> usize {
    let interval = Duration::from_secs(u64::from(stream.interval_seconds)).max(SHORTEST_INTERVAL);
    let key = StreamKey {
        integration: integration.to_owned(),
        destination: stream.destination,
    };
    let mut late = 0;
    for after in polling::due(&key, interval, minute, SPAN) {
        let due_at = minute.saturating_add(after).unwrap_or(now);
        let wait = due_at.duration_since(now);
        if wait.is_negative() && wait.unsigned_abs() >= interval {
            late += 1;
            continue;
        }
        let message = PollMessage {
            stream: key.clone(),
            due_at,
        };
        orders.push((message, Duration::try_from(wait).unwrap_or_default()));
    }
    late
}
