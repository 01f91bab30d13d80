//! What an operator does.

use std::time::Duration;

use polling::{Order, Outcome, Paging, Settings, dry_run, due, operate, overdue};
use storage::{Acceptance, Event, EventCursor, EventLog, EventSink, LoggedEvent, StorageError, StreamKey};

use crate::support::{World, at, complete, key, listing, ticket};

fn settings() -> Settings {
    Settings {
        order: Order::Asc,
        paging: Paging::Stable,
        ..Settings::default()
    }
}

#[test]
fn a_dry_run_gives_the_events_and_changes_nothing() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.model(listing(
        vec![ticket("A", 970.0, "New"), ticket("B", 971.0, "New")],
        50,
    ));
    let before = world.record();
    let (key, settings, limits) = (key(), settings(), world.limits());
    let work = std::pin::pin!(dry_run(&key, &settings, world.ports(), &limits));
    let (report, events) = complete(work);
    assert_eq!(
        (report.outcome, report.published, events.len()),
        (Outcome::CaughtUp, 2, 2)
    );
    assert_eq!((world.record(), world.published().len()), (before, 0));
    world.poll(&settings);
    let ids = |events: &[storage::Event]| {
        events
            .iter()
            .map(|event| event.event_id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&events), ids(&world.log()));
}

#[test]
fn a_stream_that_waits_for_its_next_run_is_not_overdue_whatever_its_settings_are() {
    for (look_back, interval) in [(60, 10), (120, 30), (3600, 3600)] {
        let settings = Settings {
            look_back: Duration::from_secs(look_back),
            interval: Duration::from_secs(interval),
            ..settings()
        };
        let world = World::at(95_000.0);
        world.polled_until(90_000.0);
        // The end of a long catch-up may be up to an interval ago; the run after it is like all that follow.
        world.poll(&settings);
        let last = 95_000 + interval;
        world.set(last as f64);
        world.poll(&settings);
        let overdue = |after: u64| {
            let now = at(last as f64) + Duration::from_secs(after);
            overdue(world.record().watermark, now, 0, &settings)
        };
        assert_eq!(overdue(interval), Duration::ZERO, "{look_back} {interval}");
        assert!(overdue(interval + 900) > Duration::from_secs(890));
        // A ticketing system whose clock is an hour slow has an older watermark by design.
        let now = at(last as f64) + Duration::from_secs(3600);
        let slow = polling::overdue(world.record().watermark, now, -3_600_000, &settings);
        assert_eq!(slow, Duration::ZERO);
    }
}

#[test]
fn a_paused_stream_rests_and_a_resumed_one_misses_nothing() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    complete(std::pin::pin!(operate::pause(&world, &key(), at(1000.0)))).unwrap();
    world.model(listing(vec![ticket("A", 1005.0, "New")], 50));
    assert_eq!(world.poll(&settings()).outcome, Outcome::Paused);
    world.set(9000.0);
    complete(std::pin::pin!(operate::resume(&world, &key(), at(9000.0)))).unwrap();
    world.poll(&settings());
    assert_eq!(world.published(), ["A New"]);
}

#[test]
fn a_rewound_stream_reads_again_and_publishes_only_what_it_has_not() {
    let world = World::at(2000.0);
    world.polled_until(1800.0);
    world.model(listing(vec![ticket("A", 1850.0, "New")], 50));
    world.poll(&settings());
    complete(std::pin::pin!(operate::rewind(
        &world,
        &key(),
        at(500.0),
        at(2000.0)
    )))
    .unwrap();
    world.model(listing(
        vec![ticket("missed", 600.0, "New"), ticket("A", 1850.0, "New")],
        50,
    ));
    world.set(2030.0);
    world.poll(&settings());
    assert_eq!(world.published(), ["A New", "missed New"]);
    assert_eq!(world.watermark(), 1900.0);
}

#[test]
fn runs_are_an_interval_apart_for_ever_and_streams_are_spread() {
    let stream = |number: u32| StreamKey {
        integration: format!("integration-{number}"),
        destination: None,
    };
    let minute = Duration::from_secs(60);
    for interval in [10_u64, 30, 45, 60, 3600] {
        let mut times = Vec::new();
        for start in 0..120 {
            let from = f64::from(start * 60);
            let delays = due(&stream(1), Duration::from_secs(interval), at(from), minute);
            times.extend(delays.into_iter().map(|delay| from + delay.as_secs_f64()));
        }
        assert_eq!(times.len() as u64, 7200 / interval, "{interval}");
        assert!(
            times
                .windows(2)
                .all(|pair| (pair[1] - pair[0] - interval as f64).abs() < 1e-3),
            "{interval}"
        );
    }
    let mut seconds = [0; 30];
    for number in 0..3000 {
        let first = due(&stream(number), Duration::from_secs(30), at(0.0), minute)[0];
        seconds[first.as_secs() as usize] += 1;
    }
    assert!(
        seconds.iter().all(|count| (50..160).contains(count)),
        "{seconds:?}"
    );
}

/// The log of a world: cursors count its events.
struct Log(World);

#[async_trait::async_trait]
impl EventSink for Log {
    fn batch_size(&self) -> usize {
        self.0.batch_size()
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        self.0.publish(events).await
    }
}

#[async_trait::async_trait]
impl EventLog for Log {
    async fn read(
        &self,
        _: &str,
        after: Option<&EventCursor>,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        let from = after.map_or(0, |cursor| cursor.0.parse().unwrap());
        let logged = self.0.log().into_iter().enumerate().skip(from).take(limit);
        let show = |(number, event): (usize, Event)| LoggedEvent {
            cursor: EventCursor((number + 1).to_string()),
            event,
        };
        Ok(logged.map(show).collect())
    }

    async fn end(&self, _: &str) -> Result<Option<EventCursor>, StorageError> {
        Ok(None)
    }
}

#[test]
fn a_replay_offers_the_same_events_again_and_goes_on_where_it_was_refused() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let tickets = (0..250)
        .map(|number| ticket(&format!("T{number}"), 970.0, "New"))
        .collect();
    world.model(listing(tickets, 300));
    world.poll(&settings());
    let (log, bus) = (Log(world.clone()), World::at(1000.0));
    bus.with(|inner| inner.refuse = vec!["T203".to_owned()]);
    let first = complete(std::pin::pin!(operate::replay(&log, &bus, "helpdesk", None))).unwrap();
    assert_eq!((first.events, first.refused.as_deref()), (203, Some("busy")));
    bus.with(|inner| inner.refuse.clear());
    let second = complete(std::pin::pin!(operate::replay(
        &log,
        &bus,
        "helpdesk",
        first.cursor
    )))
    .unwrap();
    assert_eq!((second.events, second.refused), (47, None));
    let ids = |world: &World| {
        let mut ids: Vec<String> = world.log().into_iter().map(|event| event.event_id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&world), ids(&bus));
}
