//! Which events say that the gateway itself made the change.

use std::sync::Mutex;

use async_trait::async_trait;
use polling::{Order, Outcome, Paging, Ports, Settings, Ticket, run};
use storage::{JournalledWrite, StorageError, WriteJournal};

use crate::support::{World, at, complete, key, page, ticket};

/// A journal with these writes, that counts how often it is read.
#[derive(Default)]
struct Journal {
    writes: Vec<JournalledWrite>,
    fails: bool,
    reads: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl WriteJournal for Journal {
    async fn note(&self, _: &str, _: &JournalledWrite) -> Result<(), StorageError> {
        panic!("the poller notes nothing")
    }

    async fn writes(
        &self,
        integration: &str,
        ticket_ids: &[&str],
    ) -> Result<Vec<JournalledWrite>, StorageError> {
        assert_eq!(integration, "helpdesk");
        let ids = ticket_ids.iter().map(|id| (*id).to_owned());
        self.reads.lock().unwrap().push(ids.collect());
        if self.fails {
            return Err(StorageError::unavailable("cannot read the journal", "throttled"));
        }
        // All it has: what belongs to a ticket is for the poller to see.
        Ok(self.writes.clone())
    }
}

/// A write of the gateway to the ticket `A`, by our clock.
fn write(request_id: &str, from: f64, until: f64) -> JournalledWrite {
    JournalledWrite {
        ticket_id: "A".to_owned(),
        request_id: request_id.to_owned(),
        from: at(from),
        until: at(until),
    }
}

fn settings() -> Settings {
    Settings {
        order: Order::Asc,
        paging: Paging::Stable,
        ..Settings::default()
    }
}

/// Polls with `journal`; gives the cause of each event.
fn poll(world: &World, settings: &Settings, journal: &Journal, tickets: Vec<Ticket>) -> Vec<Option<String>> {
    world.answers([page(tickets, None)]);
    let (key, limits) = (key(), world.limits());
    let ports = Ports {
        journal: Some(journal),
        ..world.ports()
    };
    let report = complete(std::pin::pin!(run(&key, settings, ports, &limits)));
    assert_eq!(report.outcome, Outcome::CaughtUp);
    world.log().into_iter().map(|event| event.caused_by).collect()
}

fn world() -> World {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world
}

/// The cause of the event of ticket `A`, changed at `changed`.
fn cause(writes: Vec<JournalledWrite>, changed: f64) -> Option<String> {
    let journal = Journal {
        writes,
        ..Journal::default()
    };
    let changed = vec![ticket("A", changed, "Started")];
    poll(&world(), &settings(), &journal, changed).remove(0)
}

#[test]
fn a_change_during_a_write_of_our_own_names_its_request() {
    assert_eq!(
        cause(vec![write("r-1", 969.0, 971.0)], 970.0).as_deref(),
        Some("r-1")
    );
}

#[test]
fn a_change_before_or_after_the_write_is_somebody_elses() {
    // Seconds as steps of time, and two seconds for the clocks.
    let writes = || vec![write("r-1", 960.0, 965.0)];
    for (changed, expected) in [
        (956.0, None),
        (958.0, Some("r-1")),
        (967.0, Some("r-1")),
        (969.0, None),
    ] {
        assert_eq!(cause(writes(), changed).as_deref(), expected, "{changed}");
    }
}

#[test]
fn a_change_of_another_ticket_at_that_time_is_somebody_elses() {
    let journal = Journal {
        writes: vec![write("r-1", 969.0, 971.0)],
        ..Journal::default()
    };
    let tickets = vec![ticket("A", 970.0, "Started"), ticket("B", 970.0, "Started")];
    let causes = poll(&world(), &settings(), &journal, tickets);
    assert_eq!(causes, [Some("r-1".to_owned()), None]);
    assert_eq!(
        *journal.reads.lock().unwrap(),
        [["A", "B"]],
        "one read for the page"
    );
}

#[test]
fn of_several_writes_the_latest_one_is_named() {
    let writes = vec![
        write("early", 968.0, 971.0),
        write("late", 969.5, 971.0),
        write("after", 985.0, 986.0),
    ];
    assert_eq!(cause(writes, 970.0).as_deref(), Some("late"));
}

#[test]
fn a_journal_that_fails_delays_no_event() {
    let journal = Journal {
        writes: vec![write("r-1", 969.0, 971.0)],
        fails: true,
        ..Journal::default()
    };
    let causes = poll(
        &world(),
        &settings(),
        &journal,
        vec![ticket("A", 970.0, "Started")],
    );
    assert_eq!(causes, [None]);
}

#[test]
fn a_journal_is_not_asked_where_nothing_changed() {
    let journal = Journal::default();
    let world = world();
    let same = || vec![ticket("A", 970.0, "Started")];
    poll(&world, &settings(), &journal, same());
    world.set(1030.0);
    poll(&world, &settings(), &journal, same());
    assert_eq!(journal.reads.lock().unwrap().len(), 1);
}

#[test]
fn the_difference_of_the_clocks_is_taken_out() {
    // The ticketing system's clock is a minute ahead: its 10:17:10 was our 10:16:10.
    for (changed, expected) in [(1030.0, Some("r-1")), (970.0, None)] {
        let world = world();
        world.polled_until(950.0);
        world.with(|inner| {
            let record = inner.records.get_mut(&key()).unwrap();
            record.skew_milliseconds = 60_000;
        });
        let journal = Journal {
            writes: vec![write("r-1", 969.0, 971.0)],
            ..Journal::default()
        };
        let causes = poll(
            &world,
            &settings(),
            &journal,
            vec![ticket("A", changed, "Started")],
        );
        assert_eq!(causes[0].as_deref(), expected, "{changed}");
    }
}

#[test]
fn a_coarse_clock_needs_as_much_tolerance() {
    let coarse = Settings {
        granularity: std::time::Duration::from_secs(60),
        ..settings()
    };
    let journal = Journal {
        writes: vec![write("r-1", 975.0, 976.0)],
        ..Journal::default()
    };
    // Changed at 10:16:15; this ticketing system knows minutes only.
    let causes = poll(&world(), &coarse, &journal, vec![ticket("A", 960.0, "Started")]);
    assert_eq!(causes, [Some("r-1".to_owned())]);
}

#[test]
fn an_event_that_is_offered_again_has_the_same_cause() {
    let world = world();
    let journal = Journal {
        writes: vec![write("r-1", 969.0, 971.0)],
        ..Journal::default()
    };
    world.answers([page(vec![ticket("A", 970.0, "Started")], None)]);
    world.with(|inner| inner.sink_is_down = true);
    let (key, limits) = (key(), world.limits());
    let ports = || Ports {
        journal: Some(&journal),
        ..world.ports()
    };
    let settings = settings();
    let report = complete(std::pin::pin!(run(&key, &settings, ports(), &limits)));
    assert!(matches!(report.outcome, Outcome::Failed(_)), "{report:?}");
    // By now the journal has forgotten.
    world.with(|inner| inner.sink_is_down = false);
    world.set(1030.0);
    world.poll(&settings);
    assert_eq!(world.log()[0].caused_by.as_deref(), Some("r-1"));
}
