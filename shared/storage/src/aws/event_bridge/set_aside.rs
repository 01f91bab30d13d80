//! Events that the bus does not take as they are, for the operator: a JSON object with `reason` and `event` in an SQS
//! queue.

use aws_sdk_sqs::Client;
use serde::Serialize;

use crate::aws::connection::Connection;
use crate::aws::failure::explain;
use crate::error::StorageError;
use crate::event_sink::Event;

/// Bytes of a message (SQS developer guide, "message quotas": 1 MiB since August 2025).
const MOST: usize = 1_048_576;

/// A queue for what the bus does not take.
#[derive(Debug, Clone)]
pub(super) struct SetAside {
    client: Client,
    queue: String,
}

#[derive(Serialize)]
struct Message<'e> {
    reason: &'e str,
    event: &'e Event,
}

impl SetAside {
    pub(super) fn new(connection: &Connection, queue: String) -> Self {
        Self {
            client: Client::new(connection.config()),
            queue,
        }
    }

    /// Sends `event` with the reason, or `smaller` where the queue does not take that either.
    pub(super) async fn keep(
        &self,
        reason: &str,
        event: &Event,
        smaller: &Event,
    ) -> Result<(), StorageError> {
        let doing = "cannot set aside an event that the bus does not take";
        let message = |reason: &str, event| {
            serde_json::to_string(&Message { reason, event })
                .map_err(|error| StorageError::failed(doing, error))
        };
        let mut body = message(reason, event)?;
        if body.len() > MOST {
            body = message(&format!("{reason}; and too large for this queue"), smaller)?;
        }
        let request = self
            .client
            .send_message()
            .queue_url(&self.queue)
            .message_body(body);
        request.send().await.map_err(|error| explain(doing, &error))?;
        Ok(())
    }
}
