//! `events tail`, on a state file into which events are put while it runs.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};
use storage::embedded::EmbeddedStore;
use storage::{
    Change, Event, EventKind, EventSink, EventWindow, PollState, StreamKey, StreamRecord, TicketVersion,
};
use tempfile::TempDir;

use crate::process::{Ended, Server, argument, command, run, shell};

/// A state file, as the poller of `up` writes it.
pub(crate) struct Log {
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Log {
    /// The integrations have been polled.
    fn of(integrations: &[&str]) -> Self {
        let log = Self {
            folder: TempDir::new().unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        };
        for integration in integrations {
            log.polled(integration);
        }
        log
    }

    fn state(&self) -> String {
        argument(&self.folder.path().join("state.redb")).to_owned()
    }

    fn store(&self) -> EmbeddedStore {
        EmbeddedStore::open(self.folder.path().join("state.redb")).unwrap()
    }

    fn polled(&self, integration: &str) {
        let key = StreamKey {
            integration: integration.to_owned(),
            destination: None,
        };
        let now = jiff::Timestamp::now();
        let record = StreamRecord::new(key, now, now);
        self.runtime.block_on(self.store().store_stream(&record)).unwrap();
    }

    fn publish(&self, events: &[Event]) {
        publish(&self.state(), events);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        command(&[&["events", "tail", "--state", &self.state()], arguments].concat())
    }

    fn tail(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// What is kept, as JSON.
    fn kept(&self, arguments: &[&str]) -> Vec<Value> {
        let ended = self.tail(&[&["--no-follow", "--json"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Adds events to a state file.
pub(crate) fn publish(state: &str, events: &[Event]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = EmbeddedStore::open(Path::new(state)).unwrap();
    runtime.block_on(store.publish(events)).unwrap();
}

/// A ticket that was resolved.
pub(crate) fn event(integration: &str, number: u32) -> Event {
    let at = |text: &str| text.parse().unwrap();
    let ticket = json!({
        "id": format!("T-{number}"),
        "state": "Resolved",
        "short_description": "Second monitor stays dark",
        "updated_at": "2026-01-05T10:42:00.000000Z",
    });
    let Value::Object(ticket) = ticket else {
        unreachable!()
    };
    Event {
        event_id: format!("{integration}-{number}"),
        kind: EventKind::Updated,
        integration: integration.to_owned(),
        destination: None,
        ticket_id: format!("T-{number}"),
        version: TicketVersion {
            updated_at: at("2026-01-05T10:42:00Z"),
            content: "c0ffee".to_owned(),
            ordinal: 0,
        },
        window: EventWindow {
            start: at("2026-01-05T10:40:05Z"),
            end: at("2026-01-05T10:42:20Z"),
        },
        observed_at: at("2026-01-05T10:42:30.512Z"),
        ticket,
        changes: Some(vec![
            change("state", json!("Open"), json!("Resolved")),
            change(
                "updated_at",
                json!("2026-01-05T10:30:45.123456Z"),
                json!("2026-01-05T10:42:00.000000Z"),
            ),
        ]),
        caused_by: None,
        omitted: Vec::new(),
    }
}

fn change(field: &str, before: Value, after: Value) -> Change {
    Change {
        field: field.to_owned(),
        before,
        after,
    }
}

const LINES: &str =
    "2026-01-05T10:42:30Z  desk  T-1  updated  Second monitor stays dark\n    state: Open -> Resolved\n";

#[test]
fn what_is_kept_is_printed_a_line_an_event_and_a_line_a_change() {
    let log = Log::of(&["desk"]);
    log.publish(&[event("desk", 1)]);
    let ended = log.tail(&["desk", "--no-follow"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), LINES), "{ended:?}");
}

#[test]
fn an_event_is_printed_when_it_comes_until_ctrl_c() {
    let log = Log::of(&["desk"]);
    log.publish(&[event("desk", 7)]);
    let mut tail = Server::start(log.command(&["desk"]));
    tail.said_until("events of desk");
    log.publish(&[event("desk", 1)]);
    let printed = tail.printed_until(|line| line.contains("state:"));
    assert_eq!(
        printed.join("\n") + "\n",
        LINES,
        "what was there before is not printed"
    );
    log.publish(&[event("desk", 2)]);
    let printed = tail.printed_until(|line| line.contains("state:"));
    assert!(printed[0].contains("T-2"), "{printed:?}");

    let ended = tail.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let again = ended
        .stderr
        .lines()
        .find(|line| line.contains("--after"))
        .unwrap();
    log.publish(&[event("desk", 3)]);
    let binary = env!("CARGO_BIN_EXE_ticket-gateway");
    let again = again.split_once("ticket-gateway").unwrap().1;
    let ended = shell(&format!("'{binary}' {again} --no-follow"));
    assert!(
        ended.stdout.contains("T-3") && !ended.stdout.contains("T-2"),
        "{ended:?}"
    );
}

#[test]
fn every_integration_that_is_polled_is_followed_without_a_name() {
    let log = Log::of(&["desk", "office"]);
    let mut tail = Server::start(log.command(&["--from-start", "--json"]));
    tail.said_until("events of desk, office");
    log.publish(&[event("office", 1)]);
    assert!(tail.printed_until(|_| true)[0].contains("\"office\""));
    log.publish(&[event("desk", 1)]);
    assert!(tail.printed_until(|_| true)[0].contains("\"desk\""));
    assert_eq!(tail.stop().code, Some(0));
}

#[test]
fn json_is_an_event_a_line_with_the_cursor_to_go_on_from() {
    let log = Log::of(&["desk"]);
    let events: Vec<Event> = (1..=250).map(|number| event("desk", number)).collect();
    for events in events.chunks(100) {
        log.publish(events);
    }
    let kept = log.kept(&["desk"]);
    assert_eq!(kept.len(), 250);
    let mut first = kept[0].clone();
    let cursor = first.as_object_mut().unwrap().remove("cursor").unwrap();
    assert_eq!(first, serde_json::to_value(&events[0]).unwrap());
    let rest = log.kept(&["desk", "--after", cursor.as_str().unwrap()]);
    assert_eq!(rest[..], kept[1..]);
}

#[test]
fn values_are_shown_so_that_a_line_stays_a_line() {
    let log = Log::of(&["desk"]);
    let mut told = event("desk", 1);
    told.kind = EventKind::Created;
    told.destination = Some("it".to_owned());
    told.caused_by = Some("request-1".to_owned());
    told.omitted = vec!["comments".to_owned()];
    told.ticket.insert(
        "short_description".to_owned(),
        json!("\u{1b}[2JDark\nand\u{7} cold"),
    );
    let long = "x".repeat(200);
    told.changes = Some(vec![
        change("priority", Value::Null, json!(2)),
        change("close_notes", json!(""), json!(long)),
        change(
            "description",
            json!(format!("{long}1")),
            json!(format!("{long}2")),
        ),
        change("comments", Value::Null, Value::Null),
        change("attachments", json!([]), json!([{"id": "1"}, {"id": "2"}])),
        change(
            "assigned_to_user",
            json!("ann"),
            json!({"full_name": "Bob B.", "id": "7"}),
        ),
        change("custom_data.impact", json!({"level": 1}), json!(["a", "b"])),
    ]);
    log.publish(&[told]);
    let shortened = format!("{}…", "x".repeat(59));
    let expected = [
        "2026-01-05T10:42:30Z  desk/it  T-1  created   [2JDark and  cold  (by our request request-1)",
        "    priority: (none) -> 2",
        &format!("    close_notes: \"\" -> {shortened}"),
        &format!("    description: {shortened} (changed)"),
        "    comments: changed (too long for the event)",
        "    attachments: [] -> 2 entries",
        "    assigned_to_user: ann -> Bob B.",
        "    custom_data.impact: {\"level\":1} -> [\"a\",\"b\"]",
    ];
    let ended = log.tail(&["--no-follow"]);
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_first_version_has_no_changes_to_show() {
    let log = Log::of(&["desk"]);
    let (mut made, mut found) = (event("desk", 1), event("desk", 2));
    (made.kind, made.changes) = (EventKind::Created, None);
    found.changes = None;
    log.publish(&[made, found]);
    let ended = log.tail(&["--no-follow"]);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[0].contains("created") && lines[1].contains("updated"),
        "{lines:?}"
    );
    assert!(lines[2].contains("not known"), "{lines:?}");
}

#[test]
fn a_name_that_was_never_polled_is_said_to_be() {
    let log = Log::of(&["desk"]);
    let ended = log.tail(&["desc", "--no-follow"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    assert!(ended.stderr.contains("never polled"), "{}", ended.stderr);
    assert!(ended.stderr.contains("did you mean `desk`?"), "{}", ended.stderr);
}

#[test]
fn an_integration_that_is_polled_only_later_is_followed_from_its_first_event() {
    let log = Log::of(&[]);
    let mut tail = Server::start(log.command(&[]));
    tail.said_until("nothing is polled here yet");
    log.publish(&[event("desk", 1)]);
    log.polled("desk");
    let printed = tail.printed_until(|line| line.contains("state:"));
    assert_eq!(printed.join("\n") + "\n", LINES);
    tail.said_until("`desk` is polled by now");
    assert_eq!(tail.stop().code, Some(0));
}

#[test]
fn a_wrong_place_to_begin_is_told() {
    let log = Log::of(&["desk"]);
    let ended = log.tail(&["desk", "--after", "nonsense"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("`nonsense` is no cursor"),
        "{}",
        ended.stderr
    );
    // As after a state file that was deleted.
    let ended = log.tail(&["desk", "--after", "0000000000000009"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("events tail desk --from-start"),
        "{}",
        ended.stderr
    );

    for usage in [
        &["events", "tail", "--after", "1"][..],
        &["events", "tail", "desk", "--after", "1", "--from-start"],
        &["events", "tail", "Not-A-Name"],
        &["events"],
    ] {
        assert_eq!(run(usage).code, Some(2), "{usage:?}");
    }
}

#[test]
fn a_ticket_without_a_title_is_its_id() {
    let log = Log::of(&["desk"]);
    let mut bare = event("desk", 1);
    bare.ticket = Map::new();
    log.publish(&[bare]);
    let ended = log.tail(&["--no-follow"]);
    assert!(
        ended
            .stdout
            .starts_with("2026-01-05T10:42:30Z  desk  T-1  updated\n"),
        "{}",
        ended.stdout
    );
}
