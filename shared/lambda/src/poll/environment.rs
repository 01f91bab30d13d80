//! What the two functions are told beside what every function is told.

use storage::StorageError;
use storage::aws::Connection;

use crate::environment::Environment;
use crate::error::Error;
use crate::ports::{INTEGRATIONS_TABLE, SECRET_PREFIX, STATE_TABLE};

const QUEUE: &str = "TICKET_GATEWAY_POLL_QUEUE_URL";
const BUS: &str = "TICKET_GATEWAY_EVENT_BUS";
const SET_ASIDE: &str = "TICKET_GATEWAY_SET_ASIDE_QUEUE_URL";

/// The variables of the polling functions.
pub(super) struct PollEnvironment<'e>(pub(super) Environment<'e>);

impl PollEnvironment<'_> {
    pub(super) fn integrations_table(&self) -> Result<String, Error> {
        self.0.required(
            INTEGRATIONS_TABLE,
            "names the DynamoDB table that holds the integrations",
        )
    }

    pub(super) fn state_table(&self) -> Result<String, Error> {
        self.0.required(
            STATE_TABLE,
            "names the DynamoDB table that holds the gateway's state",
        )
    }

    pub(super) fn secret_prefix(&self) -> Result<String, Error> {
        self.0.required(
            SECRET_PREFIX,
            "is what the names of the integrations' secrets begin with",
        )
    }

    pub(super) fn queue_url(&self) -> Result<String, Error> {
        self.0.required(
            QUEUE,
            "is the URL of the SQS queue that carries the orders to poll",
        )
    }

    pub(super) fn event_bus(&self) -> Result<String, Error> {
        self.0
            .required(BUS, "names the EventBridge bus that the events go to")
    }

    pub(super) fn set_aside_queue_url(&self) -> Option<String> {
        self.0.optional(SET_ASIDE)
    }
}

pub(super) fn connect(variable: impl Fn(&str) -> Option<String>) -> Result<Connection, Error> {
    Connection::from_environment(variable).map_err(|error: StorageError| Error::setup(&error))
}
