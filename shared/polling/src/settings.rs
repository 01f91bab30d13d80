//! How a stream is polled.

use std::time::Duration;

/// In which order the ticketing system gives the tickets of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Oldest change first.
    Asc,
    /// Newest change first.
    Desc,
    /// Any.
    #[default]
    Unsorted,
    /// Newest change first, without a filter by time: reading stops where the window begins.
    Feed,
}

/// Whether the ticketing system's filter takes the ends of a window as part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// `>=` and `<=`.
    #[default]
    Inclusive,
    /// `>` and `<`.
    Exclusive,
}

/// What a page token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paging {
    /// A place in the list (a cursor, a snapshot): following the tokens gives every ticket that was in the
    /// window when page 1 was read and did not change since.
    Stable,
    /// A number of rows (page, offset): when a row leaves the list while it is read, those behind it move up
    /// and one is passed over.
    #[default]
    Shifting,
}

/// How a stream is polled: what is known of the ticketing system, and what the operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Time between two runs.
    pub interval: Duration,
    /// How far each window reaches back over the one before.
    pub look_back: Duration,
    /// How far behind now a window ends.
    pub settle: Duration,
    /// The step of the times that the ticketing system's filter takes; at least a microsecond.
    pub granularity: Duration,
    /// What its filter does at the ends.
    pub boundary: Boundary,
    /// The order of its lists.
    pub order: Order,
    /// What its page tokens stand for.
    pub paging: Paging,
    /// How many pages it gives of one list, or how many it should be asked for; none for any number.
    pub max_pages: Option<u32>,
    /// The longest window; after an outage there are several, and the watermark moves after each. At least
    /// twice the look-back. A feed has one window of any length.
    pub max_window: Duration,
    /// How long the last version of a ticket is remembered. It has to be longer than any outage.
    pub retention: Duration,
    /// How long a lease is held without being renewed; it ends with the run's deadline in any case.
    pub lease: Duration,
    /// The longest wait between two runs of a stream that keeps failing.
    pub backoff_ceiling: Duration,
    /// Fields of the normalised ticket whose values do not make a new version (signed links, counters of views).
    pub ignored_fields: Vec<String>,
}

impl Default for Settings {
    /// The numbers of the contract (30 s, 120 s, 10 s); of the ticketing system, the least is taken for granted.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            look_back: Duration::from_secs(120),
            settle: Duration::from_secs(10),
            granularity: Duration::from_secs(1),
            boundary: Boundary::default(),
            order: Order::default(),
            paging: Paging::default(),
            max_pages: None,
            max_window: Duration::from_secs(3600),
            retention: Duration::from_secs(30 * 24 * 3600),
            lease: Duration::from_secs(60),
            backoff_ceiling: Duration::from_secs(15 * 60),
            ignored_fields: Vec::new(),
        }
    }
}
