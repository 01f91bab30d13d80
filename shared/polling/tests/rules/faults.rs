//! What goes wrong, and what comes of it.

use std::time::Duration;

use polling::{Order, Outcome, Paging, Settings, SourceError};
use storage::StreamKey;

use crate::support::{World, at, failure, key, listing, page, seconds, ticket};

fn settings() -> Settings {
    Settings {
        order: Order::Asc,
        paging: Paging::Stable,
        ..Settings::default()
    }
}

#[test]
fn a_run_that_is_killed_at_any_await_loses_and_repeats_nothing() {
    let mut sent_again = 0;
    for steps in 0.. {
        let world = World::at(1000.0);
        world.polled_until(960.0);
        let tickets: Vec<_> = (0..25)
            .map(|number| ticket(&format!("T{number:02}"), 970.0 + f64::from(number) / 10.0, "New"))
            .collect();
        world.model(listing(tickets, 20));
        let was_killed = world.poll_killed_after(&settings(), steps);
        // Before the next run, one ticket changed and is no longer in its window.
        world.set(1100.0);
        let mut later: Vec<_> = (1..25)
            .map(|number| ticket(&format!("T{number:02}"), 970.0 + f64::from(number) / 10.0, "New"))
            .collect();
        later.push(ticket("T00", 1085.0, "Started"));
        world.model(listing(later, 20));
        world.poll(&settings());
        let published = world.published();
        let number_of_t00 = published.iter().filter(|event| event.starts_with("T00")).count();
        assert_eq!(published.len(), 24 + number_of_t00, "killed at {steps}");
        let last = published.iter().rfind(|event| event.starts_with("T00"));
        assert_eq!(last.map(String::as_str), Some("T00 Started"), "killed at {steps}");
        let pending = world.with(|inner| inner.seen.values().filter(|seen| seen.pending.is_some()).count());
        assert_eq!((pending, world.watermark()), (0, 1085.0), "killed at {steps}");
        sent_again += world.with(|inner| inner.accepted) - published.len();
        if !was_killed {
            break;
        }
    }
    // Only where it was killed after the sink accepted a batch and before that was noted.
    assert!(sent_again > 0);
}

#[test]
fn an_event_that_was_accepted_and_noted_is_not_offered_again_after_a_crash() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.model(listing(vec![ticket("A", 970.0, "New")], 50));
    let mut steps = 1;
    let noted =
        |world: &World| world.with(|inner| inner.seen.get("A").is_some_and(|seen| seen.pending.is_none()));
    while !noted(&world) {
        world.with(|inner| (inner.seen.clear(), inner.log.clear(), inner.accepted = 0));
        world.polled_until(960.0);
        assert!(world.poll_killed_after(&settings(), steps));
        steps += 1;
    }
    assert_eq!(
        world.watermark(),
        960.0,
        "killed between publishing and committing"
    );
    world.set(1100.0);
    world.poll(&settings());
    assert_eq!(world.with(|inner| inner.accepted), 1);
    assert_eq!(world.watermark(), 970.0);
}

#[test]
fn an_idle_poll_costs_two_reads_one_write_and_one_call() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.model(listing(vec![ticket("A", 970.0, "New")], 50));
    world.poll(&settings());
    // Ticket A is in the look-back of the next window: nothing changed, but it has to be compared.
    world.set(1030.0);
    world.with(|inner| (inner.reads, inner.writes, inner.writes_of_tickets) = (0, 0, 0));
    world.requests();
    assert_eq!(world.poll(&settings()).outcome, Outcome::CaughtUp);
    let costs = world.with(|inner| (inner.reads, inner.writes, inner.writes_of_tickets));
    assert_eq!((costs, world.requests().len()), ((2, 1, 0), 1));
}

#[test]
fn a_busy_poll_costs_a_claim_a_commit_and_two_writes_a_change() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let tickets = (0..30)
        .map(|number| ticket(&format!("T{number}"), 970.0, "New"))
        .collect();
    world.model(listing(tickets, 50));
    world.poll(&settings());
    assert_eq!(
        world.with(|inner| (inner.reads, inner.writes, inner.writes_of_tickets)),
        (2, 2, 60)
    );
}

#[test]
fn the_same_message_twice_calls_the_ticketing_system_once() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.poll(&settings());
    world.set(1003.0);
    assert_eq!(
        world.poll(&settings()).outcome,
        Outcome::NotDue { until: at(1015.0) }
    );
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn after_a_429_nothing_is_asked_before_the_time_it_named_and_it_is_no_failure() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.fails(SourceError::rate_limited("429", Some(Duration::from_secs(77))));
    assert_eq!(
        world.poll(&settings()).outcome,
        Outcome::Throttled { until: at(1077.0) }
    );
    world.set(1076.0);
    assert_eq!(
        world.poll(&settings()).outcome,
        Outcome::NotDue { until: at(1077.0) }
    );
    assert_eq!((world.requests().len(), world.record().failures), (1, 0));
    world.set(1077.0);
    assert_eq!(world.poll(&settings()).outcome, Outcome::CaughtUp);
}

#[test]
fn a_429_without_a_time_waits_longer_each_time() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let mut waits = Vec::new();
    for _ in 0..10 {
        world.fails(SourceError::rate_limited("429", None));
        let now = seconds(polling::Clock::now(&world));
        let Outcome::Throttled { until } = world.poll(&settings()).outcome else {
            panic!()
        };
        waits.push(seconds(until) - now);
        world.set(seconds(until));
    }
    assert!(waits[0] >= 15.0 && waits[0] <= 30.0, "{waits:?}");
    assert!(waits[9] >= 450.0 && waits[9] <= 900.0, "{waits:?}");
}

#[test]
fn a_stream_that_keeps_failing_backs_off_to_a_ceiling_and_comes_back_at_once_when_it_works() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let mut waits = Vec::new();
    for _ in 0..12 {
        world.fails(SourceError::transient("503"));
        let now = seconds(polling::Clock::now(&world));
        assert_eq!(failure(&world.poll(&settings())), "503");
        let next = world.record().not_before.map_or(now, seconds);
        waits.push(next - now);
        world.set(next);
    }
    assert_eq!(waits[0], 0.0, "the first one is tried again at the next tick");
    assert!(waits[11] >= 450.0 && waits[11] <= 900.0, "{waits:?}");
    assert_eq!(world.record().failures, 12);
    assert_eq!(world.poll(&settings()).outcome, Outcome::CaughtUp);
    let record = world.record();
    assert_eq!(
        (record.failures, record.not_before, record.last_error),
        (0, None, None)
    );
}

#[test]
fn a_sink_that_is_down_holds_the_stream_and_nothing_is_lost() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.with(|inner| inner.sink_is_down = true);
    world.answers([page(vec![ticket("A", 970.0, "New")], None)]);
    world.poll(&settings());
    assert_eq!(world.record().in_flight, ["A"]);
    // Meanwhile the ticket is deleted: its event was found and is published all the same.
    world.with(|inner| inner.sink_is_down = false);
    world.set(1030.0);
    world.poll(&settings());
    assert_eq!(world.published(), ["A New"]);
}

#[test]
fn a_ticket_that_another_stream_is_publishing_is_waited_for() {
    let world = World::at(1000.0);
    let other = StreamKey {
        destination: Some("hr".to_owned()),
        ..key()
    };
    world.model(listing(vec![ticket("A", 970.0, "New")], 50));
    world.with(|inner| inner.sink_is_down = true);
    world.poll_as(&other, &settings(), &world.limits());
    world.with(|inner| inner.sink_is_down = false);
    let report = world.poll(&settings());
    assert_eq!(report.outcome, Outcome::NotDue { until: at(1060.0) });
    assert_eq!(world.published().len(), 0);
    // The other one did not come back: its claim is over.
    world.set(1061.0);
    world.poll(&settings());
    assert_eq!(world.published(), ["A New"]);
    world.poll_as(&other, &settings(), &world.limits());
    assert_eq!(world.with(|inner| inner.accepted), 1);
}

#[test]
fn a_row_that_is_no_ticket_is_reported_and_stops_nothing() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let mut odd = page(vec![ticket("A", 970.0, "New")], None);
    odd.unusable.push("row 3: `updated_at` is not a time".to_owned());
    world.answers([odd]);
    let report = world.poll(&settings());
    assert_eq!(report.unusable, 1);
    assert_eq!(report.unusable_reasons, ["row 3: `updated_at` is not a time"]);
    assert_eq!(world.published(), ["A New"]);
}

#[test]
fn the_stream_s_record_tells_of_rows_that_are_no_tickets_until_there_are_none() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let mut odd = page(vec![ticket("A", 970.0, "New")], None);
    odd.unusable.push("row 3: `updated_at` is not a time".to_owned());
    world.answers([odd]);
    world.poll(&settings());
    let record = world.record();
    assert_eq!(record.unusable, 1);
    assert_eq!(
        record.unusable_reason.as_deref(),
        Some("row 3: `updated_at` is not a time")
    );
    world.set(1030.0);
    world.answers([page(vec![], None)]);
    world.poll(&settings());
    let record = world.record();
    assert_eq!((record.unusable, record.unusable_reason), (0, None));
}
