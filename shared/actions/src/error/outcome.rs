//! Whether a write that failed may have happened.

use serde::{Deserialize, Serialize};

use super::ApiError;

/// What became of a write that ended in an error: `error.details.outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The change was not sent.
    NotSent,
    /// It was sent and refused.
    Refused,
    /// It was sent, and whether it was made is not known.
    Unknown,
    /// An earlier step of the action changed something, a later one failed.
    PartlyDone,
    /// It was made; only the answer could not be built.
    Done,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 5] = [
        Outcome::NotSent,
        Outcome::Refused,
        Outcome::Unknown,
        Outcome::PartlyDone,
        Outcome::Done,
    ];

    /// The word in `error.details.outcome`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::NotSent => "not_sent",
            Outcome::Refused => "refused",
            Outcome::Unknown => "unknown",
            Outcome::PartlyDone => "partly_done",
            Outcome::Done => "done",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Outcome::NotSent => "Nothing was changed: the change was not sent.",
            Outcome::Refused => "Nothing was changed: the ticketing system refused.",
            Outcome::Unknown => {
                "The change may have been made or not: look in the ticketing system before trying again."
            }
            Outcome::PartlyDone => {
                "An earlier step of the action was carried out: look in the ticketing system before trying again."
            }
            Outcome::Done => "The change was made; do not send it again.",
        }
    }

    /// Whether sending the same write again cannot do it twice.
    pub(crate) fn is_harmless(self) -> bool {
        matches!(self, Outcome::NotSent | Outcome::Refused)
    }
}

/// A failed run, with what became of the change.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: ApiError,
    pub(crate) outcome: Outcome,
}

impl Failure {
    /// The error as the caller of a write sees it.
    pub(crate) fn of_write(self) -> ApiError {
        self.error
            .and_say(self.outcome.sentence())
            .detail("outcome", self.outcome.as_str())
    }
}

impl From<ApiError> for Failure {
    /// An error from before anything was sent.
    fn from(error: ApiError) -> Self {
        Failure {
            error,
            outcome: Outcome::NotSent,
        }
    }
}
