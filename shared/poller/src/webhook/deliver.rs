//! One round of deliveries.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use polling::Clock;
use rand::seq::SliceRandom as _;
use serde_json::json;
use storage::{Event, EventLog, Lease, LoggedEvent, SecretStore, StorageError, Swap, Webhook, WebhookStore};
use upstream::Courier;

use super::manage::secret_name;
use super::schedule::{DISABLED_AFTER, wait};
use super::signing::SigningKeys;

/// How long a receiver may take to answer.
pub const ATTEMPT_TIME: Duration = Duration::from_secs(20);
/// Others stay away for one attempt and what is written around it.
const LEASE: Duration = Duration::from_secs(60);
/// Events in memory, and at most in one turn.
const BATCH: usize = 20;
/// No event is begun in a turn that has lasted this long, so that a slow receiver does not take its place for itself.
const TURN: Duration = Duration::from_secs(10);
/// Webhooks at one time.
const CONCURRENCY: usize = 16;
/// A webhook that cannot be signed for is looked at again after this.
const WITHOUT_SECRET: Duration = Duration::from_secs(5 * 60);
/// Room for the reason of a failure in the record.
const MAX_REASON: usize = 300;

/// What deliveries work with.
#[derive(Clone)]
pub struct WebhookPorts {
    /// The webhooks.
    pub store: Arc<dyn WebhookStore>,
    /// The events.
    pub log: Arc<dyn EventLog>,
    /// The signing secrets, under [`secret_name`] of the integration.
    pub secrets: Arc<dyn SecretStore>,
    /// Sends them.
    pub courier: Courier,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deliveries {
    /// Events that receivers took.
    pub delivered: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Webhooks that were disabled by it.
    pub disabled: u64,
}

/// Delivers what is due to every webhook, in the log's order, and gives up no event. Ends when there is nothing more, or
/// when an attempt might not end before `deadline`. `owner` is a name that no other round has.
///
/// Webhooks take turns: however much one of them has to get, and however slow its receiver is, the others get theirs. Those
/// that fail are last.
///
/// It may be dropped at any `await`; an event whose receiver took it by then is delivered again.
///
/// # Errors
/// When the webhooks cannot be listed. What goes wrong with one of them is in its record and in the log.
pub async fn deliver_due(
    ports: &WebhookPorts,
    owner: &str,
    deadline: Timestamp,
) -> Result<Deliveries, StorageError> {
    let now = ports.clock.now();
    let mut due = ports.store.webhooks(None).await?;
    due.retain(|webhook| is_due(webhook, now));
    // Where the time is too short for all, it is not the same ones each time that go without.
    due.shuffle(&mut rand::rng());
    due.sort_by_key(|webhook| webhook.attempts > 0);
    let mut waiting: VecDeque<Delivery> = due
        .into_iter()
        .map(|webhook| Delivery::new(ports, webhook, owner, deadline))
        .collect();
    let mut under_way = FuturesUnordered::new();
    let mut sum = Deliveries::default();
    loop {
        while under_way.len() < CONCURRENCY
            && let Some(mut delivery) = waiting.pop_front()
        {
            under_way.push(async move {
                let turn = delivery.turn().await;
                (delivery, turn)
            });
        }
        let Some((delivery, turn)) = under_way.next().await else {
            return Ok(sum);
        };
        match turn {
            Next::Go => waiting.push_back(delivery),
            Next::Stop => {
                sum.delivered += delivery.done.delivered;
                sum.failed += delivery.done.failed;
                sum.disabled += delivery.done.disabled;
            }
        }
    }
}

/// Whether somebody should look after a webhook at `now`.
pub(super) fn is_due(webhook: &Webhook, now: Timestamp) -> bool {
    let is_held = webhook.lease.as_ref().is_some_and(|lease| now < lease.until);
    let waits = webhook.not_before.is_some_and(|not_before| now < not_before);
    webhook.disabled_at.is_none() && !is_held && !waits
}

/// Delivers to one webhook, all that it has to get. What fails is in the log.
pub(super) async fn deliver(
    ports: &WebhookPorts,
    webhook: Webhook,
    owner: &str,
    deadline: Timestamp,
) -> Deliveries {
    let mut delivery = Delivery::new(ports, webhook, owner, deadline);
    while let Next::Go = delivery.turn().await {}
    delivery.done
}

struct Delivery<'a> {
    ports: &'a WebhookPorts,
    webhook: Webhook,
    owner: &'a str,
    deadline: Timestamp,
    done: Deliveries,
}

/// Whether to go on.
enum Next {
    Go,
    Stop,
}

impl<'a> Delivery<'a> {
    fn new(ports: &'a WebhookPorts, webhook: Webhook, owner: &'a str, deadline: Timestamp) -> Self {
        Self {
            ports,
            webhook,
            owner,
            deadline,
            done: Deliveries::default(),
        }
    }

    /// Delivers some events, and lets the webhook go. Whether there may be more.
    async fn turn(&mut self) -> Next {
        let turn = self.some_events().await;
        turn.unwrap_or_else(|error| {
            let Webhook { integration, id, .. } = &self.webhook;
            tracing::error!(integration, webhook = id, %error, "events cannot be delivered");
            Next::Stop
        })
    }

    async fn some_events(&mut self) -> Result<Next, StorageError> {
        let events = self.read().await?;
        // The usual case costs one read and no write.
        if events.is_empty() || self.is_near_deadline() {
            return Ok(Next::Stop);
        }
        let Some(keys) = self.keys().await? else {
            return Ok(Next::Stop);
        };
        if let Next::Stop = self.hold().await? {
            return Ok(Next::Stop);
        }
        let end = self.ports.clock.now().saturating_add(TURN);
        let end = end.unwrap_or(Timestamp::MAX);
        let mut events = events.into_iter().peekable();
        while let Some(logged) = events.next() {
            if let Next::Stop = self.one(&keys, logged).await? {
                return Ok(Next::Stop);
            }
            if events.peek().is_none() || end <= self.ports.clock.now() || self.is_near_deadline() {
                break;
            }
            if let Next::Stop = self.hold().await? {
                return Ok(Next::Stop);
            }
        }
        self.webhook.lease = None;
        self.store().await
    }

    /// What comes next in the log.
    async fn read(&mut self) -> Result<Vec<LoggedEvent>, StorageError> {
        let webhook = &mut self.webhook;
        let (log, integration) = (&self.ports.log, &webhook.integration);
        match log.read(integration, webhook.cursor.as_ref(), BATCH).await {
            Err(error) if error.is_not_found() && webhook.cursor.is_some() => {
                tracing::error!(
                    integration,
                    webhook = webhook.id,
                    "events that were not delivered are kept no longer; it goes on with the oldest that is"
                );
                webhook.cursor = None;
                log.read(integration, None, BATCH).await
            }
            read => read,
        }
    }

    /// The signing secrets; none, and noted, where there are none that can be used.
    async fn keys(&mut self) -> Result<Option<SigningKeys>, StorageError> {
        let Webhook { integration, id, .. } = &self.webhook;
        let stored = self.ports.secrets.secret(integration, &secret_name(id)).await?;
        let why = match stored.as_ref().map(SigningKeys::parse) {
            Some(Ok(keys)) => return Ok(Some(keys)),
            Some(Err(why)) => format!("its signing secret cannot be used: {why}"),
            None => "its signing secret is missing".to_owned(),
        };
        tracing::error!(
            integration,
            webhook = id,
            "{why}; make a new one: ticket-gateway webhooks rotate {integration} {id}"
        );
        // Nothing was tried, so nothing counts against the receiver.
        self.webhook.last_error = Some(why);
        self.webhook.not_before = self.ports.clock.now().saturating_add(WITHOUT_SECRET).ok();
        self.store().await?;
        Ok(None)
    }

    /// Tries one event. One that was taken is noted by the next write.
    async fn one(&mut self, keys: &SigningKeys, logged: LoggedEvent) -> Result<Next, StorageError> {
        let event = &logged.event;
        let (kind, at, data) = (event.kind.name(), event.observed_at, json!(event));
        let attempt = attempt(self.ports, &self.webhook, keys, &event.event_id, kind, at, &data).await;
        let now = self.ports.clock.now();
        let webhook = &mut self.webhook;
        match attempt {
            Ok(()) => {
                self.done.delivered += 1;
                webhook.cursor = Some(logged.cursor);
                webhook.attempts = 0;
                webhook.not_before = None;
                webhook.failing_since = None;
                webhook.last_error = None;
                Ok(Next::Go)
            }
            Err(failure) => {
                self.done.failed += 1;
                self.failed(event, &failure, now);
                // Also where another took over: the attempt is noted by nobody, and made again.
                self.store().await?;
                Ok(Next::Stop)
            }
        }
    }

    fn failed(&mut self, event: &Event, failure: &Failure, now: Timestamp) {
        let webhook = &mut self.webhook;
        webhook.attempts = webhook.attempts.saturating_add(1);
        webhook.lease = None;
        let since = *webhook.failing_since.get_or_insert(now);
        let failing = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let wait = wait(webhook.attempts, failure.retry_after);
        webhook.not_before = now.saturating_add(wait).ok();
        let is_over = failure.is_gone || failing >= DISABLED_AFTER;
        if is_over {
            webhook.disabled_at = Some(now);
            self.done.disabled += 1;
        }
        tracing::warn!(
            integration = webhook.integration,
            webhook = webhook.id,
            event_id = event.event_id,
            attempts = webhook.attempts,
            again_at = webhook
                .not_before
                .filter(|_| !is_over)
                .map(tracing::field::display),
            disabled = is_over,
            error = failure.reason,
            "a webhook did not take an event"
        );
        webhook.last_error = Some(failure.reason.chars().take(MAX_REASON).collect());
    }

    fn is_near_deadline(&self) -> bool {
        let end = self.ports.clock.now().saturating_add(ATTEMPT_TIME);
        end.is_ok_and(|end| end > self.deadline)
    }

    /// Takes or renews the lease.
    async fn hold(&mut self) -> Result<Next, StorageError> {
        let until = self.ports.clock.now().saturating_add(LEASE);
        self.webhook.lease = Some(Lease {
            owner: self.owner.to_owned(),
            until: until.unwrap_or(Timestamp::MAX),
        });
        self.store().await
    }

    /// Whoever loses this swap, to another round or to an operator, writes nothing more.
    async fn store(&mut self) -> Result<Next, StorageError> {
        match self.ports.store.store_webhook(&self.webhook).await? {
            Swap::Stored => {
                self.webhook.revision += 1;
                Ok(Next::Go)
            }
            Swap::Conflict => Ok(Next::Stop),
        }
    }
}

/// Why a receiver did not take an event.
pub(super) struct Failure {
    pub(super) reason: String,
    retry_after: Option<Duration>,
    is_gone: bool,
}

/// Sends one message. The body is the same each time, the timestamp and with it the signature are not.
pub(super) async fn attempt(
    ports: &WebhookPorts,
    webhook: &Webhook,
    keys: &SigningKeys,
    message_id: &str,
    kind: &str,
    at: Timestamp,
    data: &serde_json::Value,
) -> Result<(), Failure> {
    let body = json!({"type": kind, "timestamp": at, "data": data})
        .to_string()
        .into_bytes();
    let now = ports.clock.now();
    let (timestamp, signature) = (
        now.as_second().to_string(),
        keys.signature(message_id, now, &body),
    );
    let headers = [
        ("webhook-id", message_id),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &signature),
    ];
    let failure = |reason, retry_after, is_gone| Failure {
        reason,
        retry_after,
        is_gone,
    };
    let receipt = ports
        .courier
        .post(&webhook.url, &headers, body, ATTEMPT_TIME)
        .await;
    let receipt = receipt.map_err(|error| failure(error.to_string(), None, false))?;
    match receipt.status {
        200..=299 => Ok(()),
        410 => Err(failure(
            "it answered 410: it wants no more events".to_owned(),
            None,
            true,
        )),
        300..=399 => Err(failure(
            format!(
                "it answered {}; redirects are not followed, so give the address it leads to",
                receipt.status
            ),
            None,
            false,
        )),
        status => Err(failure(
            format!("it answered {status}"),
            receipt.retry_after,
            false,
        )),
    }
}
