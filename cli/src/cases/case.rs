//! What a case file says.

use actions::TasAction;
use jiff::Timestamp;
use mapping::Place;
use serde_json::{Map, Value};
use upstream::WholeAnswer;

/// One case file.
#[derive(Debug)]
pub(crate) struct Case {
    /// One line for people.
    pub(crate) name: String,
    /// What is called.
    pub(crate) action: TasAction,
    /// What a caller of the API would send.
    pub(crate) context: Value,
    /// What the installation fills in.
    pub(crate) settings: Map<String, Value>,
    /// Where the settings are written, or else the case's beginning.
    pub(crate) settings_place: Place,
    /// The secrets that are set; none for all that the integration needs.
    pub(crate) secrets: Option<Vec<String>>,
    /// The caller's idempotency key.
    pub(crate) idempotency_key: Option<String>,
    /// The time of all mappings.
    pub(crate) now: Timestamp,
    /// Whether the requests may come in another order.
    pub(crate) in_any_order: bool,
    /// The requests, in order, with their answers.
    pub(crate) exchanges: Vec<Exchange>,
    /// What is to come of it; none only while a case is being made.
    pub(crate) expect: Option<Expectation>,
    /// The file.
    pub(crate) place: Place,
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The request as [`super::shown`] writes it.
    pub(crate) request: Value,
    /// How often it is sent, and answered so.
    pub(crate) times: u32,
    /// What it is answered with.
    pub(crate) reply: Reply,
    /// Where the request is written.
    pub(crate) place: Place,
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A whole answer.
    Answer(WholeAnswer),
    /// None.
    Lost(Loss),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// There was no connection: nothing was sent.
    NoConnection,
    /// It was sent, and no answer came in time.
    Timeout,
    /// It was sent, and the connection was lost.
    Lost,
}

impl Loss {
    pub(crate) const ALL: [Loss; 3] = [Loss::NoConnection, Loss::Timeout, Loss::Lost];

    /// The word in `failure`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Loss::NoConnection => "no_connection",
            Loss::Timeout => "timeout",
            Loss::Lost => "lost",
        }
    }
}

/// What is to come of the call.
#[derive(Debug)]
pub(crate) struct Expectation {
    /// The output, or the error.
    pub(crate) end: End,
    /// Where it is written.
    pub(crate) place: Place,
}

/// The end of a call, as it is written under `expect`.
#[derive(Debug)]
pub(crate) enum End {
    /// The whole answer.
    Output(Value),
    /// Of the error, only what is named: `code`, `status`, `message` (a part of it), `outcome`, `details`.
    Error(Map<String, Value>),
}
