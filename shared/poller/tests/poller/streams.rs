//! What of an integration is polled, and how.

use std::time::Duration;

use poller::{scheduled, streams_of};
use polling::{Boundary, Order, Paging, Settings};

use crate::desk::{DESK, seconds};

/// The desk with this `polling`.
fn desk(polling: &str) -> integration::Integration {
    let text = DESK
        .replace("polling: {}", polling)
        .replace(
            "ticketing: {",
            "ticketing: {destinations: {it: {default: true, attributes: {table: a}}, hr: {attributes: {table: b}}}, ",
        );
    let loaded = integration::load_text("integration.yaml", text);
    let told = loaded.render(false);
    loaded.integration.unwrap_or_else(|| panic!("{told}"))
}

#[test]
fn what_is_not_declared_is_the_least_that_can_be_known() {
    let streams = streams_of(&desk("polling: {enabled: true}"));
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].key.integration, "desk");
    assert_eq!(streams[0].key.destination, None);
    assert_eq!(streams[0].settings, Settings::default());
}

#[test]
fn what_is_declared_is_how_it_is_polled() {
    let streams = streams_of(&desk(
        "polling:
          interval_seconds: 60
          look_back_seconds: 300
          settle_seconds: 5
          granularity: minute
          boundary: exclusive
          order: asc
          paging: stable
          max_pages: 20
          max_window_seconds: 86400
          retention_days: 90
          backoff_ceiling_seconds: 1800
          ignored_fields: [url, attachments]",
    ));
    let expected = Settings {
        interval: seconds(60),
        look_back: seconds(300),
        settle: seconds(5),
        granularity: seconds(60),
        boundary: Boundary::Exclusive,
        order: Order::Asc,
        paging: Paging::Stable,
        max_pages: Some(20),
        max_window: seconds(86_400),
        retention: seconds(90 * 86_400),
        backoff_ceiling: seconds(1800),
        ignored_fields: vec!["url".to_owned(), "attachments".to_owned()],
        ..Settings::default()
    };
    assert_eq!(streams[0].settings, expected);
    for (word, step) in [
        ("microsecond", Duration::from_micros(1)),
        ("millisecond", Duration::from_millis(1)),
        ("second", seconds(1)),
        ("day", seconds(86_400)),
    ] {
        let streams = streams_of(&desk(&format!("polling: {{granularity: {word}}}")));
        assert_eq!(streams[0].settings.granularity, step, "{word}");
    }
    let feed = streams_of(&desk("polling: {order: feed}"));
    assert_eq!(feed[0].settings.order, Order::Feed);
}

#[test]
fn each_destination_is_a_stream_where_that_is_declared() {
    let integration = desk("polling: {by_destination: true, interval_seconds: 60}");
    let names: Vec<_> = streams_of(&integration)
        .into_iter()
        .map(|stream| stream.key.destination)
        .collect();
    assert_eq!(names, [Some("it".to_owned()), Some("hr".to_owned())]);
    let orders: Vec<_> = scheduled(&integration)
        .into_iter()
        .map(|stream| (stream.destination, stream.interval_seconds))
        .collect();
    assert_eq!(orders, [(Some("it".to_owned()), 60), (Some("hr".to_owned()), 60)]);
}

#[test]
fn an_integration_that_is_not_polled_has_no_stream() {
    for polling in ["polling: {enabled: false, by_destination: true}", ""] {
        let integration = desk(polling);
        assert!(streams_of(&integration).is_empty() && scheduled(&integration).is_empty());
    }
}
