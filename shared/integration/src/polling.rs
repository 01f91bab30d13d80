//! How an integration is polled: what is known of its ticketing system's lists, and the operator's numbers.

use std::time::Duration;

use crate::model::polling as model;
use crate::read::is_set;

/// When and how far the poller looks. What each key means to the poller, and what it can promise by it, is in
/// `docs/polling.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polling {
    /// Whether this integration is polled at all.
    pub enabled: bool,
    /// Time between two runs.
    pub interval: Duration,
    /// How far each window reaches back over the one before it, for changes that were written late.
    pub look_back: Duration,
    /// How far behind now a window ends, to let writes land.
    pub settle: Duration,
    /// The step of the times that the query by time range keeps to.
    pub granularity: Duration,
    /// Whether the ends of a window are part of it.
    pub boundary: PollBoundary,
    /// The order of the lists.
    pub order: PollOrder,
    /// What a page token stands for.
    pub paging: PollPaging,
    /// How many pages of one list the ticketing system gives; none for any number.
    pub max_pages: Option<u32>,
    /// The longest window.
    pub max_window: Duration,
    /// How long the last version of a ticket is remembered.
    pub retention: Duration,
    /// The longest wait of a stream that keeps failing.
    pub backoff_ceiling: Duration,
    /// Fields of a ticket whose change is no change.
    pub ignored_fields: Vec<String>,
    /// Whether each destination is polled for itself.
    pub by_destination: bool,
}

impl Default for Polling {
    /// What the contract says of an integration that declares nothing, and the least of what could be known of its lists.
    fn default() -> Self {
        Self {
            enabled: true,
            interval: Duration::from_secs(30),
            look_back: Duration::from_secs(120),
            settle: Duration::from_secs(10),
            granularity: Duration::from_secs(1),
            boundary: PollBoundary::default(),
            order: PollOrder::default(),
            paging: PollPaging::default(),
            max_pages: None,
            max_window: Duration::from_secs(3600),
            retention: Duration::from_secs(30 * DAY),
            backoff_ceiling: Duration::from_secs(15 * 60),
            ignored_fields: Vec::new(),
            by_destination: false,
        }
    }
}

/// Seconds of a day.
const DAY: u64 = 24 * 3600;

/// In which order the ticketing system gives the tickets of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PollOrder {
    /// Oldest change first.
    Asc,
    /// Newest change first.
    Desc,
    /// Any.
    #[default]
    Unsorted,
    /// Newest change first, from now back to the start of the window: there is no filter by time.
    Feed,
}

/// Whether the ends of a window are part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PollBoundary {
    /// They are: `>=` and `<=`.
    #[default]
    Inclusive,
    /// They are not: `>` and `<`.
    Exclusive,
}

/// What a page token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PollPaging {
    /// A place in the list.
    Stable,
    /// A number of rows: what leaves the list moves the rest up.
    #[default]
    Shifting,
}

/// From the model, once it has no mistake.
pub(crate) fn compile(model: &model::Polling) -> Polling {
    let or_else = Polling::default();
    let ignored_fields = model.ignored_fields.iter().flat_map(|fields| &fields.0);
    Polling {
        enabled: model.enabled.map_or(or_else.enabled, |enabled| enabled.0),
        interval: model
            .interval_seconds
            .map_or(or_else.interval, |seconds| seconds.0),
        look_back: model
            .look_back_seconds
            .map_or(or_else.look_back, |seconds| seconds.0),
        settle: model.settle_seconds.map_or(or_else.settle, |seconds| seconds.0),
        granularity: model.granularity.map_or(or_else.granularity, step),
        boundary: model.boundary.map_or(or_else.boundary, boundary),
        order: model.order.map_or(or_else.order, order),
        paging: model.paging.map_or(or_else.paging, paging),
        max_pages: model
            .max_pages
            .map(|pages| u32::try_from(pages.0).unwrap_or(u32::MAX)),
        max_window: model
            .max_window_seconds
            .map_or(or_else.max_window, |seconds| seconds.0),
        retention: model
            .retention_days
            .map_or(or_else.retention, |days| Duration::from_secs(days.0 * DAY)),
        backoff_ceiling: model
            .backoff_ceiling_seconds
            .map_or(or_else.backoff_ceiling, |seconds| seconds.0),
        ignored_fields: ignored_fields.map(|field| field.value.clone()).collect(),
        by_destination: is_set(model.by_destination),
    }
}

fn step(granularity: model::Granularity) -> Duration {
    match granularity {
        model::Granularity::Microsecond => Duration::from_micros(1),
        model::Granularity::Millisecond => Duration::from_millis(1),
        model::Granularity::Second => Duration::from_secs(1),
        model::Granularity::Minute => Duration::from_secs(60),
        model::Granularity::Day => Duration::from_secs(DAY),
    }
}

fn boundary(boundary: model::Boundary) -> PollBoundary {
    match boundary {
        model::Boundary::Inclusive => PollBoundary::Inclusive,
        model::Boundary::Exclusive => PollBoundary::Exclusive,
    }
}

fn order(order: model::Order) -> PollOrder {
    match order {
        model::Order::Asc => PollOrder::Asc,
        model::Order::Desc => PollOrder::Desc,
        model::Order::Unsorted => PollOrder::Unsorted,
        model::Order::Feed => PollOrder::Feed,
    }
}

fn paging(paging: model::Paging) -> PollPaging {
    match paging {
        model::Paging::Stable => PollPaging::Stable,
        model::Paging::Shifting => PollPaging::Shifting,
    }
}
