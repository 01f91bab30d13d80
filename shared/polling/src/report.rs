//! What a run did.

use jiff::Timestamp;
use storage::EventWindow;

use crate::window::is_skewed;

/// What a run did, for the log, the metrics and whoever called it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The last window that was read to its end.
    pub window: Option<EventWindow>,
    /// Where the watermark is now.
    pub watermark: Option<Timestamp>,
    /// Pages that were read.
    pub pages: u64,
    /// Tickets on them that lay in the window.
    pub tickets: u64,
    /// Events that the sink accepted.
    pub published: u64,
    /// Tickets that were read in an older version than is known.
    pub stale: u64,
    /// Rows that could not be made tickets, with the reason: nothing is published of them.
    pub unusable: Vec<String>,
    /// The ticketing system's clock minus ours.
    pub skew_milliseconds: i64,
}

impl Report {
    /// Whether the clocks differ by more than is tolerated (5 s). Windows are moved accordingly.
    pub fn is_skewed(&self) -> bool {
        is_skewed(self.skew_milliseconds)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Everything up to now is published.
    #[default]
    CaughtUp,
    /// The deadline came first: run again at once.
    MoreToDo,
    /// Another run holds the stream.
    Busy {
        /// When its lease ends.
        until: Timestamp,
    },
    /// It is not time yet.
    NotDue {
        /// When it is.
        until: Timestamp,
    },
    /// An operator paused the stream.
    Paused,
    /// The ticketing system turned the run away for the number of calls. No failure.
    Throttled {
        /// When it may be asked again.
        until: Timestamp,
    },
    /// Another run took the stream over; this one's work does not count.
    Superseded,
    /// It failed, with the reason. The stream's record says when it is tried again.
    Failed(String),
}
