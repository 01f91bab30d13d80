//! Where a gateway runs, and what there is only in one of the two places.

use std::sync::Arc;

use storage::aws::operate::Stack;
use storage::aws::{Connection, DynamoBudget, EventBridgeSink, SqsPollQueue};
use storage::{EventSink, PollQueue, RateBudget, StorageError};

/// Where a gateway runs.
pub(crate) enum Place {
    /// Here: `up`, over a state file.
    ThisMachine,
    /// On AWS.
    Stack(Box<Deployed>),
}

/// What only a deployed gateway has.
pub(crate) struct Deployed {
    /// The rate budgets that its functions take from.
    pub(crate) budget: Arc<dyn RateBudget>,
    connection: Connection,
    stack: Stack,
}

impl Deployed {
    /// Of this stack.
    pub(super) fn new(connection: &Connection, stack: Stack, state_table: &str) -> Self {
        Self {
            budget: Arc::new(DynamoBudget::new(connection, state_table)),
            connection: connection.clone(),
            stack,
        }
    }

    /// The queue of the orders to its workers.
    ///
    /// # Errors
    /// When the stack has none: it was deployed before there was a poller.
    pub(crate) fn queue(&self) -> Result<Arc<dyn PollQueue>, StorageError> {
        let url = self.stack.output("PollQueueUrl")?;
        Ok(Arc::new(SqsPollQueue::new(&self.connection, url)))
    }

    /// Whether it has the function that delivers to webhooks.
    pub(crate) fn delivers(&self) -> bool {
        self.stack.output("DeliverWebhooksFunction").is_ok()
    }

    /// The bus of its events.
    ///
    /// # Errors
    /// When the stack has none: it was deployed before there was a poller.
    pub(crate) fn bus(&self) -> Result<Arc<dyn EventSink>, StorageError> {
        let name = self.stack.output("EventBusName")?;
        let set_aside = self.stack.output("SetAsideQueueUrl")?.to_owned();
        Ok(Arc::new(EventBridgeSink::new(
            &self.connection,
            name,
            Some(set_aside),
        )))
    }
}
