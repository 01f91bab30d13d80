//! `webhooks`, on this machine, and their delivery by `up`.

use serde_json::{Value, json};

use crate::polled::House;
use crate::process::{Ended, Server};

/// Adds a webhook; its id and its secret.
fn add(house: &House) -> (String, String) {
    let hook = house.site.hook();
    let added = house.json(&[
        "webhooks",
        "add",
        "desk",
        "--url",
        &hook,
        "--allow-private-upstreams",
    ]);
    let text = |key: &str| added[key].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

fn listed(house: &House) -> Value {
    house.json(&["webhooks", "list", "desk"])[0].clone()
}

fn up(house: &House) -> Server {
    let mut server = Server::start(house.command(&[
        "up",
        "--pushed",
        "--listen",
        "127.0.0.1:0",
        "--allow-private-upstreams",
        "--poll-interval",
        "1",
    ]));
    server.printed_until(|line| line.contains("state "));
    server
}

#[test]
fn up_polls_and_delivers_what_changed_and_replay_brings_it_again() {
    let house = House::new();
    let (id, _) = add(&house);
    let server = up(&house);
    house.site.set("T-1", "Printer on fire");
    let post = house.site.next_post();
    assert_eq!(post.body["type"], "Ticket Created");
    assert_eq!(
        post.body["data"]["ticket"]["short_description"],
        "Printer on fire"
    );
    let header = |name: &str| {
        let line = post.head.iter().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} {:?}", post.head))
            .to_owned()
    };
    assert_eq!(
        header("webhook-id: "),
        post.body["data"]["event_id"].as_str().unwrap()
    );
    assert!(header("webhook-signature: ").starts_with("v1,"));

    let replayed = house.json(&["poll", "replay", "desk", "--all"]);
    assert_eq!(
        (&replayed["events"], &replayed["to"]),
        (&json!(1), &json!([id])),
        "{replayed}"
    );
    let again = house.site.next_post();
    assert_eq!(again.body, post.body);

    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("poll integration=\"desk\""),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_secret_is_shown_once_and_kept_among_the_integration_s_secrets() {
    let house = House::new();
    let hook = house.site.hook();
    let added = house.run(&[
        "webhooks",
        "add",
        "desk",
        "--url",
        &hook,
        "--allow-private-upstreams",
    ]);
    let secret = added.stdout.trim();
    assert!(
        secret.starts_with("whsec_") && added.stderr.contains("not shown again"),
        "{added:?}"
    );

    let webhook = listed(&house);
    let id = webhook["id"].as_str().unwrap();
    let all: Vec<Ended> = [
        &["webhooks", "list"][..],
        &["webhooks", "list", "--json"],
        &["webhooks", "test", "desk", id, "--allow-private-upstreams"],
        &["secret", "list", "desk"],
    ]
    .into_iter()
    .map(|arguments| house.run(arguments))
    .collect();
    for ended in &all {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            !ended.stdout.contains("whsec_") && !ended.stderr.contains("whsec_"),
            "{ended:?}"
        );
    }
    assert!(all[3].stdout.contains(&format!("webhook.{id}")), "{:?}", all[3]);
}

#[test]
fn rotate_prints_a_new_secret_and_until_when_the_old_one_signs() {
    let house = House::new();
    let (id, old) = add(&house);
    let rotated = house.json(&["webhooks", "rotate", "desk", &id]);
    assert_ne!(rotated["secret"], old.as_str());
    assert!(rotated["old_secret_signs_until"].is_string(), "{rotated}");
    let tested = house.run(&["webhooks", "test", "desk", &id, "--allow-private-upstreams"]);
    assert_eq!(tested.code, Some(0), "{tested:?}");
    let post = house.site.next_post();
    let signature = post
        .head
        .iter()
        .find(|line| line.starts_with("webhook-signature"))
        .unwrap();
    assert_eq!(signature.matches("v1,").count(), 2, "{signature}");
    assert_eq!(post.body["type"], "webhook.test");
}

#[test]
fn a_webhook_can_be_disabled_enabled_and_removed() {
    let house = House::new();
    let (id, _) = add(&house);
    house.json(&["webhooks", "disable", "desk", &id]);
    assert_eq!(listed(&house)["state"], "disabled");
    house.json(&["webhooks", "enable", "desk", &id]);
    assert_eq!(listed(&house)["state"], "ok");
    let skipped = house.json(&["webhooks", "enable", "desk", &id, "--skip-event"]);
    assert_eq!(skipped["skipped_event_id"], Value::Null);
    house.json(&["webhooks", "remove", "desk", &id]);
    assert_eq!(listed(&house), Value::Null);
    let again = house.run(&["webhooks", "remove", "desk", &id]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("has no webhook"), "{again:?}");
}

#[test]
fn an_address_that_may_not_be_called_is_refused_when_it_is_added() {
    let house = House::new();
    for (url, why) in [
        ("http://example.com/", "use https"),
        ("https://127.0.0.1/", "loopback"),
        ("https://a:b@example.com/", "password"),
    ] {
        let ended = house.run(&["webhooks", "add", "desk", "--url", url]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
    }
    assert_eq!(listed(&house), Value::Null);
}

#[test]
fn a_mistyped_integration_or_id_is_suggested() {
    let house = House::new();
    let (id, _) = add(&house);
    let added = house.run(&["webhooks", "add", "dsk", "--url", "https://example.com/"]);
    assert!(
        added.stderr.contains("is not polled here") && added.stderr.contains("did you mean `desk`?"),
        "{added:?}"
    );
    let mistyped = format!("{id}x");
    let ended = house.run(&["webhooks", "disable", "desk", &mistyped]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains(&format!("did you mean `{id}`?")),
        "{ended:?}"
    );
}
