//! What was true, for the one who compares.

use jiff::Timestamp;
use serde::Serialize;

/// Everything that ever stood.
#[derive(Debug, Clone, Serialize)]
pub struct Truth {
    /// The true time.
    pub now: Timestamp,
    /// The ticketing system's clock minus the true one, in seconds.
    pub skew_seconds: i64,
    /// Changes so far: its own and those that were asked for. The tickets of the start are not counted.
    pub changes: u64,
    /// Requests of the API so far.
    pub requests: u64,
    /// Every ticket.
    pub tickets: Vec<TicketTruth>,
}

/// A ticket and all its versions, oldest first.
#[derive(Debug, Clone, Serialize)]
pub struct TicketTruth {
    /// Its id.
    pub id: String,
    /// When it was made, as the ticketing system says.
    pub created_at: Timestamp,
    /// What it was, one after the other.
    pub versions: Vec<VersionTruth>,
}

/// One version of a ticket.
#[derive(Debug, Clone, Serialize)]
pub struct VersionTruth {
    /// Counted from 1 in each ticket; answers have it too.
    pub revision: u32,
    /// As the ticketing system says: by its clock, in its steps.
    pub updated_at: Timestamp,
    /// When it was made, by the true clock.
    pub made_at: Timestamp,
    /// From when on every answer shows it or a later one, by the true clock.
    pub visible_at: Timestamp,
    /// Its title.
    pub title: String,
    /// Its status.
    pub status: &'static str,
}
