//! Polling: the function that sends the orders, every minute, and the one that carries them out.

mod dispatch;
mod environment;
mod messages;
mod worker;

pub use dispatch::{Dispatched, PollDispatch, run_poll_dispatch};
pub use messages::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
pub use worker::{NothingDone, PollWorker, PollWorkerPorts, run_poll_worker};
