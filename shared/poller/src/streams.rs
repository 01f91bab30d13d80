//! What of an integration is polled.

use integration::{Integration, PollBoundary, PollOrder, PollPaging, Polling};
use polling::{Boundary, Order, Paging, Settings};
use storage::{ScheduledStream, StreamKey};

/// A stream with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Which one.
    pub key: StreamKey,
    /// How it is polled.
    pub settings: Settings,
}

/// The streams of an integration: none where it is not polled, one for each destination where its `polling` says
/// `by_destination`, otherwise one for the whole of it.
pub fn streams_of(integration: &Integration) -> Vec<Stream> {
    let Some(polling) = integration.polling.as_ref().filter(|polling| polling.enabled) else {
        return Vec::new();
    };
    let settings = settings(polling);
    let stream = |destination| Stream {
        key: StreamKey {
            integration: integration.name.clone(),
            destination,
        },
        settings: settings.clone(),
    };
    if polling.by_destination {
        let destinations = integration.ticketing.destinations().iter();
        destinations
            .map(|destination| stream(Some(destination.name.clone())))
            .collect()
    } else {
        vec![stream(None)]
    }
}

/// What is stored beside a version of the integration, for the one who sends the orders.
pub fn scheduled(integration: &Integration) -> Vec<ScheduledStream> {
    let streams = streams_of(integration).into_iter();
    streams
        .map(|stream| ScheduledStream {
            destination: stream.key.destination,
            interval_seconds: u32::try_from(stream.settings.interval.as_secs()).unwrap_or(u32::MAX),
        })
        .collect()
}

fn settings(polling: &Polling) -> Settings {
    Settings {
        interval: polling.interval,
        look_back: polling.look_back,
        settle: polling.settle,
        granularity: polling.granularity,
        boundary: match polling.boundary {
            PollBoundary::Inclusive => Boundary::Inclusive,
            PollBoundary::Exclusive => Boundary::Exclusive,
        },
        order: match polling.order {
            PollOrder::Asc => Order::Asc,
            PollOrder::Desc => Order::Desc,
            PollOrder::Unsorted => Order::Unsorted,
            PollOrder::Feed => Order::Feed,
        },
        paging: match polling.paging {
            PollPaging::Stable => Paging::Stable,
            PollPaging::Shifting => Paging::Shifting,
        },
        max_pages: polling.max_pages,
        max_window: polling.max_window,
        retention: polling.retention,
        backoff_ceiling: polling.backoff_ceiling,
        ignored_fields: polling.ignored_fields.clone(),
        ..Settings::default()
    }
}
