//! `sandbox teamswork`

use serde_json::Value;

use crate::process::{Server, command, run, shell};

/// Starts it on a free port; gives its base URL.
pub(crate) fn start(arguments: &[&str]) -> (Server, String) {
    let fixed = ["sandbox", "teamswork", "--listen", "127.0.0.1:0"];
    let mut server = Server::start(command(&[&fixed[..], arguments].concat()));
    let printed = server.printed_until(|line| line.contains("read only"));
    let url = printed
        .iter()
        .find_map(|line| line.trim().strip_prefix("base URL"))
        .unwrap()
        .trim()
        .to_owned();
    (server, url)
}

fn get(url: &str) -> Value {
    let ended = shell(&format!("curl -sS '{url}'"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.json()
}

#[test]
fn it_serves_tickets_until_ctrl_c() {
    let (server, url) = start(&["--primary-key", "k1", "--secondary-key", "k2", "--tickets", "3"]);
    let tickets = get(&format!("{url}/tickets?key=k1"));
    assert_eq!(tickets["items"].as_array().unwrap().len(), 3, "{tickets}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_quirk_changes_what_it_does() {
    let (plain, url) = start(&["--tickets", "1"]);
    assert!(
        get(&format!("{url}/tickets?key=sandbox-primary-key"))
            .get("itemCount")
            .is_none()
    );
    assert_eq!(plain.stop().code, Some(0));

    let (quirky, url) = start(&["--tickets", "1", "--quirk", "item-count"]);
    assert_eq!(
        get(&format!("{url}/tickets?key=sandbox-primary-key"))["itemCount"],
        1
    );
    assert_eq!(quirky.stop().code, Some(0));
}

#[test]
fn a_mistyped_quirk_is_suggested() {
    let ended = run(&["sandbox", "teamswork", "--quirk", "item-cuont"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("item-count"), "{}", ended.stderr);
}

#[test]
fn the_quirks_can_be_listed() {
    let ended = run(&["sandbox", "teamswork", "--list-quirks"]);
    assert_eq!(ended.code, Some(0));
    assert!(
        ended
            .stdout
            .lines()
            .any(|line| line.starts_with("token-in-header  ")),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_hostile_one_changes_its_tickets_by_itself_and_tells_what_was_true() {
    let arguments = [
        "sandbox",
        "hostile",
        "--listen",
        "127.0.0.1:0",
        "--changes-per-second",
        "1000",
    ];
    let more = ["--changes", "50", "--fault-rate", "0", "--skew", "-30"];
    let mut server = Server::start(command(&[&arguments[..], &more].concat()));
    let printed = server.printed_until(|line| line.contains("what went wrong"));
    let address = |label: &str| {
        let line = printed.iter().find_map(|line| line.trim().strip_prefix(label));
        line.unwrap().trim().to_owned()
    };
    let tickets = format!("{}/tickets?limit=1", address("base URL"));
    let truth = address("what was true");
    // The changes come with the time, and the time is looked at when something is asked for.
    while get(&truth)["changes"] != 50 {
        assert_eq!(get(&tickets)["tickets"].as_array().unwrap().len(), 1);
    }
    assert_eq!(get(&truth)["skew_seconds"], -30);
    assert_eq!(get(&address("what went wrong")), serde_json::json!({}));
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn the_hostile_one_refuses_a_fault_rate_that_lets_nothing_through() {
    let ended = run(&[
        "sandbox",
        "hostile",
        "--listen",
        "127.0.0.1:0",
        "--fault-rate",
        "0.9",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("between 0 and 0.2"), "{}", ended.stderr);
}
