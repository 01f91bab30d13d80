//! `polling`.

use crate::read::{Count, Flag, Items, Seconds, Text, choice, object};

object! {
    /// How the integration is polled: what is known of the ticketing system's lists, and the operator's numbers.
    struct Polling, "polling" {
        /// Whether this integration is polled (yes by default).
        enabled: Option<Flag>,
        /// Time between two runs (30 by default).
        interval_seconds: Option<Seconds<10_000, 3_600_000>>,
        /// How far each window reaches back over the one before (120 by default).
        look_back_seconds: Option<Seconds<10_000, 3_600_000>>,
        /// How far behind now a window ends (10 by default).
        settle_seconds: Option<Seconds<0, 3_600_000>>,
        /// The step of the times that the query by time range keeps to: finer parts of `updated_start_ts` and
        /// `updated_end_ts` make no difference to it (`second` by default).
        granularity: Option<Granularity>,
        /// Whether the query takes tickets that changed exactly at an end of the window (`inclusive` by default).
        boundary: Option<Boundary>,
        /// In which order the query gives the tickets of a window (`unsorted` by default).
        order: Option<Order>,
        /// What a page token stands for: a place in the list, or a number of rows (`shifting` by default).
        paging: Option<Paging>,
        /// How many pages of one list the ticketing system gives (any number by default).
        max_pages: Option<Count<1, 1_000_000>>,
        /// The longest window; after an outage there are several (3600 by default).
        max_window_seconds: Option<Seconds<60_000, 31_536_000_000>>,
        /// How long the last version of a ticket is remembered; longer than any outage (30 by default).
        retention_days: Option<Count<1, 3_650>>,
        /// The longest wait between two runs of a stream that keeps failing (900 by default).
        backoff_ceiling_seconds: Option<Seconds<10_000, 86_400_000>>,
        /// Fields of a ticket whose change is no change of the ticket, such as one with signed links or a counter of views.
        ignored_fields: Option<Items<Text>>,
        /// Whether each destination is polled for itself (no by default).
        by_destination: Option<Flag>,
    }
}

choice! {
    /// A step of time.
    enum Granularity, "step of time" {
        Microsecond = "microsecond",
        Millisecond = "millisecond",
        Second = "second",
        Minute = "minute",
        Day = "day",
    }
}

choice! {
    /// Whether the ends of a window are part of it.
    enum Boundary, "boundary" {
        Inclusive = "inclusive",
        Exclusive = "exclusive",
    }
}

choice! {
    /// The order of a list.
    enum Order, "order" {
        Asc = "asc",
        Desc = "desc",
        Unsorted = "unsorted",
        Feed = "feed",
    }
}

choice! {
    /// What a page token stands for.
    enum Paging, "kind of paging" {
        Stable = "stable",
        Shifting = "shifting",
    }
}
