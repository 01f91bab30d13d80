//! What the two functions are told beside what every function is told.

use crate::environment::Environment;
use crate::error::Error;

const QUEUE: &str = "TICKET_GATEWAY_POLL_QUEUE_URL";
const BUS: &str = "TICKET_GATEWAY_EVENT_BUS";
const SET_ASIDE: &str = "TICKET_GATEWAY_SET_ASIDE_QUEUE_URL";

impl Environment<'_> {
    pub(super) fn queue_url(&self) -> Result<String, Error> {
        self.required(
            QUEUE,
            "is the URL of the SQS queue that carries the orders to poll",
        )
    }

    pub(super) fn event_bus(&self) -> Result<String, Error> {
        self.required(BUS, "names the EventBridge bus that the events go to")
    }

    pub(super) fn set_aside_queue_url(&self) -> Option<String> {
        self.optional(SET_ASIDE)
    }
}
