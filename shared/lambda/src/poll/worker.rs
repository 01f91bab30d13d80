//! Carries out orders to poll.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actions::{Gateway, Installations, Stored};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use poller::{PollError, PollObserver, Poller, PollerPorts, Tee, streams_of};
use polling::{Outcome, Report};
use storage::aws::{
    DynamoBudget, DynamoEventLog, DynamoIntegrations, DynamoPollState, DynamoWriteJournal, EventBridgeSink,
    SecretsManager, SqsPollQueue,
};
use storage::{
    EventSink, IntegrationStore, PollMessage, PollQueue, PollState, RateBudget, SecretStore, WriteJournal,
};
use upstream::{Client, ClientOptions};

use super::messages::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use crate::environment::Environment;
use crate::error::Error;
use crate::metrics::{Metrics, PollMetrics, Sink, to_standard_output};
use crate::ports::Settings;
use crate::runtime::{self, Refused};

/// How many streams one process polls at a time. SQS hands out at most as many at once.
const AT_ONCE: usize = 10;

/// What is left of a run's time for giving up the lease and for answering.
const MARGIN: Duration = Duration::from_secs(3);

/// How long a stream catches up where others of its batch wait: the batch, and with it the worker, is taken until the last
/// of them ends.
const TURN: Duration = Duration::from_secs(25);

/// What a run beyond its deadline is waited for, so that one that hangs does not take the others of its batch along.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time of a run where Lambda names no end.
const TIME: Duration = Duration::from_secs(60);

/// Runs the function that polls until Lambda stops it.
///
/// Its environment: that of a ticket action, and `TICKET_GATEWAY_POLL_QUEUE_URL`, `TICKET_GATEWAY_EVENT_BUS`,
/// `TICKET_GATEWAY_SET_ASIDE_QUEUE_URL` (where an event goes that the bus can never take; may be missing),
/// `TICKET_GATEWAY_POLL_METRICS` (`ByIntegration` or `Together`).
///
/// # Errors
/// When the environment is not complete or the Lambda runtime cannot be reached.
pub async fn run_poll_worker() -> Result<(), Error> {
    let function = runtime::start(async {
        let variable = |name: &str| std::env::var(name).ok();
        let ports = PollWorkerPorts::from_environment(variable)?;
        let settings = Settings::from_environment(variable)?;
        let metrics = PollMetrics::from_environment(variable)?;
        PollWorker::new(ports, &settings, metrics, to_standard_output()).map(Arc::new)
    })
    .await?;
    runtime::serve(move |event: LambdaEvent<SqsEvent>, _| {
        let function = Arc::clone(&function);
        async move {
            let answer = function.handle(event).await;
            answer.map_err(|NothingDone| {
                Refused("No order to poll could be carried out; the function's log says why")
            })
        }
    })
    .await
}

/// Not one order of a batch could be carried out, because of what the function works with.
#[derive(Debug, thiserror::Error)]
#[error("no order to poll could be carried out")]
pub struct NothingDone;

/// The stores behind the function that polls.
#[derive(Clone)]
pub struct PollWorkerPorts {
    /// The versions of integrations.
    pub integrations: Arc<dyn IntegrationStore>,
    /// The integrations' secrets.
    pub secrets: Arc<dyn SecretStore>,
    /// The integrations' rate budgets.
    pub budget: Arc<dyn RateBudget>,
    /// What is remembered of streams and tickets.
    pub state: Arc<dyn PollState>,
    /// Where events go.
    pub sink: Arc<dyn EventSink>,
    /// The gateway's own writes.
    pub journal: Option<Arc<dyn WriteJournal>>,
    /// Where a run that did not get to its end orders the next one.
    pub queue: Arc<dyn PollQueue>,
}

impl PollWorkerPorts {
    /// The stores on AWS that the environment names. Events go into the log and, once they are there, to the bus.
    ///
    /// # Errors
    /// When a variable is missing or has a form that it cannot have.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let environment = Environment::new(&variable);
        let integrations = environment.integrations_table()?;
        let state = environment.state_table()?;
        let prefix = environment.secret_prefix()?;
        let queue = environment.queue_url()?;
        let bus = environment.event_bus()?;
        let set_aside = environment.set_aside_queue_url();
        let kept = environment.secret_ttl()?;
        let connection = environment.connection()?;
        let log: Arc<dyn EventSink> = Arc::new(DynamoEventLog::new(&connection, &*state));
        let bus: Arc<dyn EventSink> = Arc::new(EventBridgeSink::new(&connection, bus, set_aside));
        Ok(PollWorkerPorts {
            integrations: Arc::new(DynamoIntegrations::new(&connection, integrations)),
            secrets: Arc::new(SecretsManager::new(&connection, prefix, kept)),
            budget: Arc::new(DynamoBudget::new(&connection, &*state)),
            state: Arc::new(DynamoPollState::new(&connection, &*state)),
            sink: Arc::new(Tee::new(vec![log, bus])),
            journal: Some(Arc::new(DynamoWriteJournal::new(&connection, &*state))),
            queue: Arc::new(SqsPollQueue::new(&connection, queue)),
        })
    }
}

/// Carries out orders to poll. One per process.
pub struct PollWorker {
    poller: Poller,
    queue: Arc<dyn PollQueue>,
    metrics: Arc<Metrics>,
    turn: Duration,
}

/// What became of one order.
enum Ended {
    /// It needs no more attention. How a run went is in the stream's own record, which says when it is tried again.
    Done,
    /// Nobody can make anything of it.
    Unreadable,
    /// What the function works with failed.
    Broken,
}

/// What all orders of a batch have in common.
struct Batch<'c> {
    request_id: &'c str,
    deadline: Timestamp,
    /// How long a stream goes on that has more to do; none where no other waits for it.
    turn: Option<Duration>,
    /// When a run that did not keep to the deadline is given up.
    patience: tokio::time::Instant,
}

impl PollWorker {
    /// A function over these stores, that writes its metrics to `sink`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(
        ports: PollWorkerPorts,
        settings: &Settings,
        poll_metrics: PollMetrics,
        sink: Sink,
    ) -> Result<Self, Error> {
        let client = Client::new(ClientOptions {
            secrets: ports.secrets,
            budget: ports.budget,
            allow_private_addresses: settings.allow_private_upstreams,
            user_agent: concat!("ticket-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
        })
        .map_err(|error| Error::setup(&error))?;
        let installations: Arc<dyn Installations> =
            Arc::new(Stored::new(ports.integrations, settings.refresh));
        let gateway = Gateway::builder(client)
            .installations(Arc::clone(&installations))
            .build()
            .map_err(|error| Error::setup(&error))?;
        let metrics = Arc::new(Metrics::new(settings.namespace.clone(), sink).with_polls(poll_metrics));
        let poller = Poller::new(PollerPorts {
            gateway: Arc::new(gateway),
            installations,
            state: ports.state,
            sink: ports.sink,
            journal: ports.journal,
            observer: Some(Arc::clone(&metrics) as Arc<dyn PollObserver>),
        });
        Ok(PollWorker {
            poller,
            queue: ports.queue,
            metrics,
            turn: TURN,
        })
    }

    /// How long a stream that is behind goes on where others share its batch, instead of 25 s. What is left is ordered
    /// anew. Alone it has the time of the function.
    #[must_use]
    pub fn with_turn(mut self, turn: Duration) -> Self {
        self.turn = turn;
        self
    }

    /// Carries out the orders of one batch, several at a time, and names those that are to come again.
    ///
    /// # Errors
    /// When not one of them could be carried out because a store failed: then Lambda counts a failed run, and all of them
    /// come again.
    pub async fn handle(&self, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, NothingDone> {
        let messages = event.payload.records;
        let turn = (messages.len() > 1).then_some(self.turn);
        let batch = Batch::of(&event.context, turn);
        let ended: Vec<(String, Ended)> = stream::iter(messages)
            .map(|message| {
                let batch = &batch;
                async move {
                    let ended = self.carry_out(&message, batch).await;
                    (message.message_id, ended)
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        if !ended.is_empty() && ended.iter().all(|(_, end)| matches!(end, Ended::Broken)) {
            return Err(NothingDone);
        }
        let failed = ended.into_iter().filter(|(_, end)| !matches!(end, Ended::Done));
        Ok(SqsBatchResponse {
            batch_item_failures: failed
                .map(|(item_identifier, _)| BatchItemFailure { item_identifier })
                .collect(),
        })
    }

    async fn carry_out(&self, message: &SqsMessage, batch: &Batch<'_>) -> Ended {
        let message_id = message.message_id.as_str();
        let order: PollMessage = match serde_json::from_str(&message.body) {
            Ok(order) => order,
            Err(error) => {
                // Not the text itself: whatever it is, it is not ours.
                tracing::error!(
                    message_id,
                    %error,
                    "a message in the queue of orders to poll is no such order"
                );
                return Ended::Unreadable;
            }
        };
        let run = self.poll(&order, format!("{}/{message_id}", batch.request_id), batch);
        if let Ok(ended) = tokio::time::timeout_at(batch.patience, run).await {
            return ended;
        }
        tracing::error!(
            integration = order.stream.integration,
            destination = order.stream.destination,
            "a run did not end in time and was given up; its stream is free again when its lease ends. The function needs \
             15 s more than the integration's action_timeout_seconds"
        );
        Ended::Broken
    }

    async fn poll(&self, order: &PollMessage, owner: String, batch: &Batch<'_>) -> Ended {
        let key = &order.stream;
        let integration = key.integration.as_str();
        let destination = key.destination.as_deref();
        let polled = match self.is_outdated(order).await {
            Ok(Some(age)) => {
                self.metrics.poll_outdated(integration);
                tracing::debug!(
                    integration,
                    destination,
                    age_seconds = age.as_secs(),
                    "an order to poll is older than the stream's interval; the next one is there already"
                );
                return Ended::Done;
            }
            Ok(None) => match batch.turn {
                Some(turn) => self.poller.poll_in_turn(key, owner, batch.deadline, turn).await,
                None => self.poller.poll(key, owner, batch.deadline).await,
            },
            Err(error) => Err(error),
        };
        match polled {
            Ok(report) => self.after(order, &report).await,
            Err(PollError::NoSuchStream(reason)) => {
                // It was switched off or renamed after the order was sent.
                tracing::info!(integration, destination, reason, "nothing to poll");
                Ended::Done
            }
            Err(PollError::Integration(error)) => {
                let is_passing = error.retry_after().is_some();
                self.metrics.poll_not_begun(integration, is_passing);
                tracing::error!(
                    integration,
                    destination,
                    error = error.message(),
                    "it cannot be polled"
                );
                // An integration that does not load is the business of whoever pushed it. The next order tries again.
                if is_passing { Ended::Broken } else { Ended::Done }
            }
        }
    }

    /// How old the order is, if that is too old.
    async fn is_outdated(&self, order: &PollMessage) -> Result<Option<Duration>, PollError> {
        let age = Timestamp::now().duration_since(order.due_at);
        let Ok(age) = Duration::try_from(age) else {
            // SQS may deliver a little early.
            return Ok(None);
        };
        let installations = &self.poller.ports().installations;
        let Some(installed) = installations.find(&order.stream.integration).await? else {
            return Ok(None);
        };
        let mut streams = streams_of(&installed.installation.integration).into_iter();
        let stream = streams.find(|stream| stream.key == order.stream);
        Ok(stream.and_then(|stream| (age > stream.settings.interval).then_some(age)))
    }

    async fn after(&self, order: &PollMessage, report: &Report) -> Ended {
        let integration = order.stream.integration.as_str();
        let destination = order.stream.destination.as_deref();
        match &report.outcome {
            Outcome::MoreToDo => {
                let next = PollMessage {
                    stream: order.stream.clone(),
                    due_at: Timestamp::now(),
                };
                if let Err(error) = self.queue.send(&[(next, Duration::ZERO)]).await {
                    tracing::warn!(
                        integration,
                        destination,
                        %error,
                        "the next run could not be ordered at once; the schedule will"
                    );
                }
                Ended::Done
            }
            // The record of the stream could not be read.
            Outcome::Failed(_) if report.watermark.is_none() => Ended::Broken,
            _ => Ended::Done,
        }
    }
}

impl<'c> Batch<'c> {
    fn of(context: &'c Context, turn: Option<Duration>) -> Self {
        let left = if context.deadline > 0 {
            context
                .deadline()
                .duration_since(SystemTime::now())
                .unwrap_or_default()
        } else {
            TIME
        };
        let time = left.saturating_sub(MARGIN);
        Batch {
            request_id: &context.request_id,
            deadline: Timestamp::now().saturating_add(time).unwrap_or(Timestamp::MAX),
            turn,
            patience: tokio::time::Instant::now() + time + PATIENCE,
        }
    }
}
