//! `poll`, on this machine.

use serde_json::{Value, json};

use crate::polled::House;
use crate::process::argument;

fn status(house: &House) -> Value {
    house.json(&["poll", "status"])[0].clone()
}

#[test]
fn status_shows_every_stream_also_one_that_was_never_polled() {
    let house = House::new();
    let ended = house.run(&["poll", "status"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("desk")
            && ended.stdout.contains("never polled")
            && ended.stdout.contains("in "),
        "{}",
        ended.stdout
    );
    assert_eq!(status(&house)["interval_seconds"], 10);

    house.poll();
    let polled = status(&house);
    assert_eq!(polled["state"], "ok", "{polled}");
    assert!(
        polled["watermark"].is_string() && polled["caught_up_at"].is_string(),
        "{polled}"
    );
    assert!(
        polled["next_run_at"].is_string() && polled["lag_seconds"].as_u64().unwrap() < 300,
        "{polled}"
    );
}

#[test]
fn run_publishes_what_changed_once() {
    let house = House::new();
    house.site.set("T-1", "Printer on fire");
    let first = house.poll();
    assert_eq!(
        (&first["outcome"], &first["published"]),
        (&json!("caught_up"), &json!(1)),
        "{first}"
    );
    let again = house.poll();
    assert_eq!(again["outcome"], "not_due", "{again}");

    // Half an interval later, or at once where a stretch of time is to be read again.
    house.site.set("T-2", "Second monitor stays dark");
    house.json(&["poll", "rewind", "desk", "--to", "60s"]);
    assert_eq!(house.poll()["published"], 1);
    let events = house.events();
    let tickets: Vec<&str> = events.iter().map(|(ticket, _)| ticket.as_str()).collect();
    assert_eq!(tickets, ["T-1", "T-2"]);
}

#[test]
fn run_dry_shows_what_would_be_published_and_stores_nothing() {
    let house = House::new();
    house.site.set("T-1", "Printer on fire");
    let dry = ["poll", "run", "desk", "--dry", "--allow-private-upstreams"];
    let events = house.json(&dry);
    assert_eq!(events[0]["ticket_id"], "T-1", "{events}");
    let shown = house.run(&dry);
    assert!(shown.stdout.contains("Printer on fire"), "{shown:?}");
    assert!(shown.stderr.contains("1 event would be published"), "{shown:?}");
    assert_eq!(status(&house)["state"], "never polled");
    assert_eq!(house.events(), []);
    assert_eq!(house.poll()["published"], 1);
}

#[test]
fn an_integration_that_was_not_pushed_can_be_tried_from_its_folder() {
    let house = House::new();
    house.site.set("T-1", "Printer on fire");
    let folder = argument(house.folder.path());
    let setting = format!("desk.base_url={}", house.site.hook().trim_end_matches("/hook"));
    let dry = [
        "poll",
        "run",
        "desk",
        "--dry",
        "--integration",
        folder,
        "--set",
        &setting,
        "--allow-private-upstreams",
    ];
    assert_eq!(house.json(&dry)[0]["ticket_id"], "T-1");

    let other = house.run(&["poll", "run", "other", "--dry", "--integration", folder]);
    assert_eq!(other.code, Some(2), "{other:?}");
    assert!(other.stderr.contains("is `desk`, not `other`"), "{other:?}");
}

#[test]
fn a_run_that_fails_says_why_and_status_shows_it() {
    let house = House::new();
    house.site.set_failing(true);
    let ended = house.run(&["poll", "run", "desk", "--allow-private-upstreams"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("the poll of `desk` failed: "), "{ended:?}");
    let failing = status(&house);
    assert_eq!(
        (&failing["state"], &failing["failures"]),
        (&json!("failing"), &json!(1)),
        "{failing}"
    );
    assert!(
        failing["last_error"].as_str().unwrap().contains("500"),
        "{failing}"
    );
}

#[test]
fn status_tells_of_rows_that_are_no_tickets() {
    let house = House::new();
    house.site.set("T-1", "Printer on fire");
    house.site.set_unusable("T-2");
    assert_eq!(house.poll()["published"], 1);
    let polled = status(&house);
    assert_eq!(
        (&polled["state"], &polled["unusable_rows"]),
        (&json!("ok"), &json!(1)),
        "{polled}"
    );
    let ended = house.run(&["poll", "status"]);
    assert!(ended.stdout.contains("UNUSABLE_ROWS"), "{ended:?}");
    assert!(
        ended.stderr.contains("a row cannot be made a ticket: "),
        "{ended:?}"
    );
}

#[test]
fn a_paused_stream_is_not_polled_until_it_is_resumed() {
    let house = House::new();
    house.site.set("T-1", "Printer on fire");
    assert_eq!(house.json(&["poll", "pause", "desk"])[0]["paused"], true);
    assert_eq!(house.poll()["outcome"], "paused");
    assert_eq!(status(&house)["state"], "paused");
    assert_eq!(status(&house)["next_run_at"], Value::Null);
    let resumed = house.run(&["poll", "resume", "desk"]);
    assert!(resumed.stderr.contains("is polled again"), "{resumed:?}");
    assert_eq!(house.poll()["outcome"], "caught_up");
}

#[test]
fn rewind_says_where_the_watermark_was_and_is() {
    let house = House::new();
    house.poll();
    let before = status(&house)["watermark"].clone();
    let rewound = house.json(&["poll", "rewind", "desk", "--to", "2h"])[0].clone();
    assert_eq!(rewound["before"], before);
    assert_eq!(status(&house)["watermark"], rewound["watermark"]);
    assert!(status(&house)["lag_seconds"].as_u64().unwrap() >= 7200);

    let ended = house.run(&["poll", "rewind", "desk", "--to", "2026-01-05T10:30:45Z"]);
    assert!(
        ended.stderr.contains("2026-01-05T10:30:45Z; it was "),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("remembered for 30 d"), "{ended:?}");
}

#[test]
fn a_watermark_is_put_forward_only_on_demand_and_never_into_the_future() {
    let house = House::new();
    house.json(&["poll", "rewind", "desk", "--to", "3h"]);
    let forward = ["poll", "rewind", "desk", "--to", "1h"];
    let ended = house.run(&forward);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("--forward"), "{ended:?}");
    house.json(&[&forward[..], &["--forward"]].concat());

    let future = house.run(&[
        "poll",
        "rewind",
        "desk",
        "--to",
        "2100-01-01T00:00:00Z",
        "--forward",
    ]);
    assert!(future.stderr.contains("is in the future"), "{future:?}");
    assert_eq!(
        house.run(&["poll", "rewind", "desk", "--to", "yesterday"]).code,
        Some(2)
    );
}

#[test]
fn a_name_or_destination_that_is_not_there_is_an_error_with_a_way_on() {
    let house = House::new();
    let mistyped = house.run(&["poll", "pause", "dsk"]);
    assert_eq!(mistyped.code, Some(1), "{mistyped:?}");
    assert!(mistyped.stderr.contains("did you mean `desk`?"), "{mistyped:?}");
    let destination = house.run(&["poll", "rewind", "desk", "--destination", "it", "--to", "1h"]);
    assert!(
        destination.stderr.contains("leave --destination away"),
        "{destination:?}"
    );
}

#[test]
fn replay_on_this_machine_is_for_webhooks_and_says_so_where_there_are_none() {
    let house = House::new();
    let ended = house.run(&["poll", "replay", "desk", "--all"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("on this machine they go to webhooks"),
        "{ended:?}"
    );
    // What is to be replayed is never guessed.
    assert_eq!(house.run(&["poll", "replay", "desk"]).code, Some(2));
}
