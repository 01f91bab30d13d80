//! Which events are published, and what they say.

use polling::{Order, Paging, Settings};
use serde_json::{Value, json};
use storage::EventKind;

use crate::support::{World, at, page, ticket, value};

fn settings() -> Settings {
    Settings {
        order: Order::Asc,
        paging: Paging::Stable,
        ..Settings::default()
    }
}

/// Polls once a page, 30 s apart, each page an answer of its own.
fn poll_each(pages: Vec<Vec<polling::Ticket>>) -> World {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    for (number, tickets) in pages.into_iter().enumerate() {
        world.set(1000.0 + 30.0 * number as f64);
        world.answers([page(tickets, None)]);
        world.poll(&settings());
    }
    world
}

#[test]
fn w7_a_version_is_published_once_however_often_it_is_read() {
    let same = || vec![ticket("A", 970.0, "New")];
    let world = poll_each(vec![same(), same(), same()]);
    assert_eq!(world.published(), ["A New"]);
}

#[test]
fn w7_the_same_version_has_the_same_event_id_everywhere() {
    let (one, other) = (
        poll_each(vec![vec![ticket("A", 970.0, "New")]]),
        World::at(5000.0),
    );
    other.polled_until(960.0);
    let mut reordered = ticket("A", 970.0, "New");
    reordered.fields.sort_keys();
    other.answers([page(vec![reordered], None)]);
    other.poll(&settings());
    assert_eq!(one.log()[0].event_id, other.log()[0].event_id);
    let another = poll_each(vec![vec![ticket("A", 970.0, "Open")]]);
    assert_ne!(one.log()[0].event_id, another.log()[0].event_id);
}

#[test]
fn w7_two_changes_within_one_second_are_two_events() {
    let world = poll_each(vec![
        vec![ticket("A", 970.0, "New")],
        vec![ticket("A", 970.0, "Started")],
    ]);
    assert_eq!(world.published(), ["A New", "A Started"]);
}

#[test]
fn w7_a_ticket_that_returns_to_what_it_was_within_one_step_of_time_is_a_change() {
    let world = poll_each(vec![
        vec![ticket("A", 970.0, "New")],
        vec![ticket("A", 970.0, "Started")],
        vec![ticket("A", 970.0, "New")],
        vec![ticket("A", 970.0, "New")],
    ]);
    assert_eq!(world.published(), ["A New", "A Started", "A New"]);
    let log = world.log();
    assert_ne!(log[0].event_id, log[2].event_id);
}

#[test]
fn w7_a_version_older_than_the_last_one_is_not_published() {
    let world = poll_each(vec![
        vec![ticket("A", 980.0, "Started")],
        vec![ticket("A", 970.0, "New")],
        vec![ticket("A", 980.0, "Started")],
    ]);
    assert_eq!(world.published(), ["A Started"]);
}

#[test]
fn w7_a_ticket_that_is_on_a_page_twice_has_its_events_in_order() {
    let world = poll_each(vec![vec![
        ticket("A", 970.0, "New"),
        ticket("B", 971.0, "New"),
        ticket("A", 972.0, "Started"),
        ticket("A", 970.0, "New"),
    ]]);
    assert_eq!(world.published(), ["A New", "B New", "A Started"]);
}

#[test]
fn w7_fields_that_are_to_be_ignored_make_no_version() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let ignoring = Settings {
        ignored_fields: vec!["avatar".to_owned()],
        ..settings()
    };
    for avatar in ["signed-1", "signed-2"] {
        let mut signed = ticket("A", 970.0, "New");
        signed.fields.insert("avatar".into(), json!(avatar));
        world.answers([page(vec![signed], None)]);
        world.poll(&ignoring);
        world.set(1030.0);
    }
    assert_eq!(world.published(), ["A New"]);
}

#[test]
fn an_update_lists_the_fields_that_differ_with_their_values_before_and_after() {
    let mut first = ticket("A", 970.0, "New");
    first
        .fields
        .insert("custom_data".into(), json!({"impact": 3, "room": "A1"}));
    first.fields.insert("priority".into(), json!("high"));
    let mut second = ticket("A", 995.0, "Started");
    second
        .fields
        .insert("custom_data".into(), json!({"impact": 1, "room": "A1"}));
    second.fields.insert("assigned_to_user".into(), json!("ann"));
    let world = poll_each(vec![vec![first], vec![second]]);
    let event = &world.log()[1];
    assert_eq!(event.kind, EventKind::Updated);
    let changes: Vec<(&str, &Value, &Value)> = event
        .changes
        .as_ref()
        .unwrap()
        .iter()
        .map(|change| (change.field.as_str(), &change.before, &change.after))
        .collect();
    let times = (json!(at(970.0).to_string()), json!(at(995.0).to_string()));
    let expected = [
        ("state", &value("New"), &value("Started")),
        ("updated_at", &times.0, &times.1),
        ("custom_data.impact", &json!(3), &json!(1)),
        ("assigned_to_user", &Value::Null, &value("ann")),
        ("priority", &value("high"), &Value::Null),
    ];
    assert_eq!(changes, expected);
    assert_eq!(event.window.end, at(1020.0));
    assert_eq!(event.observed_at, at(1030.0));
}

#[test]
fn a_ticket_that_was_made_before_the_poller_was_is_updated_and_not_created() {
    let world = World::at(1000.0);
    let mut old = ticket("old", 970.0, "Started");
    old.created_at = Some(at(-500.0));
    let mut new = ticket("new", 971.0, "New");
    new.created_at = Some(at(971.0));
    world.answers([page(vec![old, new], None)]);
    world.poll(&settings());
    let log = world.log();
    assert_eq!((log[0].kind, &log[0].changes), (EventKind::Updated, &None));
    assert_eq!((log[1].kind, &log[1].changes), (EventKind::Created, &None));
}

#[test]
fn a_ticket_that_was_forgotten_is_updated_and_not_created_again() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let mut made = ticket("A", 970.0, "New");
    made.created_at = Some(at(970.0));
    world.answers([page(vec![made.clone()], None)]);
    world.poll(&settings());
    let expires_at = world.with(|inner| inner.seen["A"].expires_at.unwrap());
    let forgotten = (expires_at.as_second() - at(0.0).as_second()) as f64 + 1.0;
    world.with(|inner| inner.seen.clear());
    world.polled_until(forgotten - 40.0);
    world.set(forgotten);
    let mut closed = ticket("A", forgotten - 20.0, "Closed");
    closed.created_at = made.created_at;
    world.answers([page(vec![closed], None)]);
    world.poll(&settings());
    let log = world.log();
    assert_eq!((log[1].kind, &log[1].changes), (EventKind::Updated, &None));
}

#[test]
fn a_ticket_that_was_too_large_to_be_kept_is_updated_without_changes() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.answers([page(vec![ticket("A", 970.0, "New")], None)]);
    world.poll(&settings());
    world.with(|inner| inner.seen.get_mut("A").unwrap().ticket.clear());
    world.set(1030.0);
    world.answers([page(vec![ticket("A", 990.0, "Started")], None)]);
    world.poll(&settings());
    let log = world.log();
    assert_eq!((log[1].kind, &log[1].changes), (EventKind::Updated, &None));
}

#[test]
fn an_event_without_its_ticket_says_so() {
    let world = poll_each(vec![
        vec![ticket("A", 970.0, "New")],
        vec![ticket("A", 971.0, "Open")],
    ]);
    let whole = world.log().remove(1);
    let event = whole.clone().without_comments().without_ticket();
    assert_eq!(event.omitted, ["ticket", "changes"]);
    assert_eq!(event.changes, None);
    assert!(event.ticket.keys().all(|field| field == "id"));
    assert_eq!(
        (event.event_id, event.ticket_id, event.version),
        (whole.event_id, whole.ticket_id, whole.version)
    );
}

#[test]
fn an_event_without_its_comments_says_so() {
    let mut talked = ticket("A", 970.0, "New");
    talked.fields.insert("comments".into(), json!([{"body": "long"}]));
    let world = poll_each(vec![vec![ticket("A", 960.0, "New")], vec![talked]]);
    let event = world.log().remove(1).without_comments();
    assert_eq!(event.omitted, ["comments"]);
    assert!(!event.ticket.contains_key("comments"));
    assert!(!serde_json::to_string(&event).unwrap().contains("long"));
    assert!(
        event
            .changes
            .unwrap()
            .iter()
            .any(|change| change.field == "comments")
    );
}
