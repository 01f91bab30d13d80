//! What a run did.

use jiff::Timestamp;
use storage::EventWindow;

use crate::window::is_skewed;

/// Of so many rows that could not be made tickets a report says why.
pub const UNUSABLE_TOLD: usize = 20;

/// What a run did, for the log, the metrics and whoever called it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The last window that was read to its end.
    pub window: Option<EventWindow>,
    /// Where the watermark is now; none where the stream's record could not be read.
    pub watermark: Option<Timestamp>,
    /// Pages that were read.
    pub pages: u64,
    /// Tickets on them that lay in the window.
    pub tickets: u64,
    /// Events that the sink accepted.
    pub published: u64,
    /// Tickets that were read in an older version than is known.
    pub stale: u64,
    /// Rows that could not be made tickets: nothing is published of them.
    pub unusable: u64,
    /// Why, of the first [`UNUSABLE_TOLD`] of them.
    pub unusable_reasons: Vec<String>,
    /// The ticketing system's clock minus ours.
    pub skew_milliseconds: i64,
    /// Runs of the stream that failed in a row, this one included; 0 after one that did not.
    pub failures: u32,
}

impl Report {
    /// Adds rows that could not be made tickets.
    pub fn note_unusable(&mut self, reasons: &[String]) {
        let count = u64::try_from(reasons.len()).unwrap_or(u64::MAX);
        self.unusable = self.unusable.saturating_add(count);
        let room = UNUSABLE_TOLD.saturating_sub(self.unusable_reasons.len());
        self.unusable_reasons.extend(reasons.iter().take(room).cloned());
    }

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
