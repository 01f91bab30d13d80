//! The queue of orders to poll: SQS.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use futures::{StreamExt, stream};

use super::connection::Connection;
use super::failure::{explain, explain_code};
use super::pause::pause;
use crate::error::StorageError;
use crate::poll_queue::{PollMessage, PollQueue};

/// Messages in a call (SQS's API reference, `SendMessageBatch`).
const BATCH: usize = 10;
/// The longest `DelaySeconds` (SQS's API reference).
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// Calls for one batch while some of it is refused.
const ATTEMPTS: u32 = 5;

/// Batches that are on their way at a time.
const SENDERS: usize = 8;
/// Batches that fail before the rest is not tried.
const MOST_FAILURES: u32 = 3;

/// Orders to poll, as messages in a standard SQS queue: the body is the [`PollMessage`] as JSON.
#[derive(Debug, Clone)]
pub struct SqsPollQueue {
    client: Client,
    queue: String,
}

impl SqsPollQueue {
    /// Sends to the queue of this URL.
    pub fn new(connection: &Connection, queue: impl Into<String>) -> Self {
        Self {
            client: Client::new(connection.config()),
            queue: queue.into(),
        }
    }

    /// Sends what one call takes; what is refused again, until all is taken.
    async fn send_batch(&self, messages: &[(PollMessage, Duration)]) -> Result<(), StorageError> {
        let doing = "cannot send the orders to poll";
        let mut left = messages
            .iter()
            .enumerate()
            .map(|(index, (message, delay))| entry(index, message, *delay))
            .collect::<Result<Vec<_>, _>>()?;
        for attempt in 1.. {
            let request = self.client.send_message_batch().queue_url(&self.queue);
            let answer = request.set_entries(Some(left.clone())).send().await;
            let answer = answer.map_err(|error| explain(doing, &error))?;
            let Some(failed) = worst(answer.failed()) else {
                return Ok(());
            };
            left.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id()));
            if failed.sender_fault() || attempt == ATTEMPTS {
                let doing = format!("{doing}: {} of {} were refused", left.len(), messages.len());
                let said = failed.message().unwrap_or("without a message");
                return Err(if failed.sender_fault() {
                    explain_code(&doing, failed.code(), said)
                } else {
                    StorageError::unavailable(doing, format!("AWS answers {}: {said}", failed.code()))
                });
            }
            pause(attempt).await;
        }
        Ok(())
    }
}

#[async_trait]
impl PollQueue for SqsPollQueue {
    async fn send(&self, messages: &[(PollMessage, Duration)]) -> Result<(), StorageError> {
        let batches: Vec<_> = messages
            .chunks(BATCH)
            .map(|batch| self.send_batch(batch))
            .collect();
        let mut sent = stream::iter(batches).buffer_unordered(SENDERS);
        let (mut failure, mut failures) = (None, 0);
        while let Some(result) = sent.next().await {
            // One order's trouble is not another's; but a queue that is not there stays away.
            if let Err(error) = result {
                failure.get_or_insert(error);
                failures += 1;
                if failures == MOST_FAILURES {
                    break;
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

/// The failure to tell: one that no repetition helps, before others.
fn worst(failed: &[BatchResultErrorEntry]) -> Option<&BatchResultErrorEntry> {
    let ours = failed.iter().find(|failed| failed.sender_fault());
    ours.or_else(|| failed.first())
}

fn entry(
    index: usize,
    message: &PollMessage,
    delay: Duration,
) -> Result<SendMessageBatchRequestEntry, StorageError> {
    let cannot = "cannot write an order to poll";
    let body = serde_json::to_string(message).map_err(|error| StorageError::failed(cannot, error))?;
    // Rounded up: never before its time.
    let delay = delay.min(LONGEST_DELAY);
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    let entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body)
        .delay_seconds(i32::try_from(seconds).unwrap_or(i32::MAX))
        .build();
    entry.map_err(|error| StorageError::failed(cannot, error))
}
