//! Lambda glue: start-up, and an event of API Gateway to an action and back.
//!
//! Each function of the deployment is one call: [`run`] with its action, [`run_authorizer`], [`run_describe`],
//! [`run_read_events`], [`run_poll_dispatch`], [`run_poll_worker`] or [`run_deliver_webhooks`].
//! Everything that can be done once is done before the first invocation, while Lambda gives the start-up its full
//! processor.

mod action;
mod answer;
mod authorizer;
mod caller;
mod deadline;
mod describe;
mod environment;
mod error;
mod event;
mod events;
mod log;
mod metrics;
mod poll;
mod ports;
mod runtime;
mod serving;
mod webhooks;

pub use action::{ActionFunction, run};
pub use actions::TasAction;
pub use authorizer::{Authorizer, AuthorizerSettings, Denied, JwtSettings, run_authorizer};
pub use describe::{describe, run_describe};
pub use error::Error;
pub use events::{ReadEvents, run_read_events};
pub use metrics::{PollMetrics, Sink};
pub use poll::{
    BatchItemFailure, Dispatched, NothingDone, PollDispatch, PollWorker, PollWorkerPorts, SqsBatchResponse,
    SqsEvent, SqsMessage, run_poll_dispatch, run_poll_worker,
};
pub use ports::{Ports, Settings};
pub use webhooks::{DeliverWebhooks, run_deliver_webhooks};
