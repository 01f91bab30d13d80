//! `keys`, and `up --require-keys`, which asks for them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::events::{event, publish};
use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::process::{Ended, Server, argument, command, shell};

/// The small integration, served to callers with keys.
struct Desk {
    state: TempDir,
    folder: Folder,
    system: TicketSystem,
}

impl Desk {
    fn new() -> Self {
        Self {
            state: TempDir::new().unwrap(),
            folder: Folder::with(GOOD),
            system: TicketSystem::start(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let state = self.state.path().join("state.redb");
        command(&[arguments, &["--state", argument(&state)]].concat())
    }

    fn keys(&self, arguments: &[&str]) -> Ended {
        let all = [&["keys"], arguments].concat();
        self.command(&all).output().unwrap().into()
    }

    /// The text of a new key.
    fn key(&self, arguments: &[&str]) -> String {
        let ended = self.keys(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout.trim().to_owned()
    }

    fn serve(&self) -> (Server, String) {
        let mut command = self.command(&[
            "up",
            "--require-keys",
            "--listen",
            "127.0.0.1:0",
            "--integration",
            argument(self.folder.path()),
            "--set",
            &self.system.setting(),
            "--allow-private-upstreams",
        ]);
        command.env("TICKET_GATEWAY_SECRET_DESK_TOKEN", "token-1");
        let mut server = Server::start(command);
        let printed = server.printed_until(|line| line.contains("state "));
        let url = printed[0]
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        (server, url.unwrap().to_owned())
    }
}

const CREATE: &str =
    "-H 'content-type: application/json' -d '{\"payload\": {\"short_description\": \"Dark\"}}'";

/// The status, and the code of an error.
fn call(url: &str, key: &str, more: &str) -> (String, String) {
    let answer = shell(&format!(
        "curl -sS -w '\\n%{{http_code}}' -H 'x-api-key: {key}' {more} {url}"
    ));
    let (body, status) = answer.stdout.rsplit_once('\n').unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let code = body["error"]["code"].as_str().unwrap_or_default().to_owned();
    (status.to_owned(), code)
}

fn refused(status: &str, code: &str) -> (String, String) {
    (status.to_owned(), code.to_owned())
}

#[test]
fn a_key_opens_its_integration_for_what_it_allows() {
    let desk = Desk::new();
    let (server, url) = desk.serve();
    let write = desk.key(&["create", "desk", "--label", "portal"]);
    let read = desk.key(&["create", "desk", "--label", "reports", "--read-only"]);
    let other = desk.key(&["create", "other-desk", "--label", "portal"]);
    let (ticket, tickets) = (format!("{url}/desk/tickets/T-1"), format!("{url}/desk/tickets"));

    assert_eq!(call(&ticket, &write, "").0, "200");
    assert_eq!(call(&tickets, &write, CREATE).0, "201");
    assert_eq!(call(&ticket, &read, "").0, "200");
    assert_eq!(call(&tickets, &read, CREATE), refused("403", "PERMISSION_DENIED"));
    assert_eq!(call(&ticket, &other, ""), refused("403", "PERMISSION_DENIED"));

    let unauthorized = refused("401", "AUTHENTICATION_FAILED");
    let wrong = format!("{}x", &write[..write.len() - 1]);
    for key in ["", "tgk_desk", "nonsense", &wrong] {
        assert_eq!(call(&ticket, key, ""), unauthorized, "{key}");
    }
    for open in ["healthz", "openapi.json"] {
        assert_eq!(call(&format!("{url}/{open}"), "", "").0, "200");
    }
    assert_eq!(call(&format!("{url}/%64esk/tickets/T-1"), &write, "").0, "403");
    let ended = server.stop();
    assert_eq!(ended.code, Some(0));
    assert!(
        !ended.stderr.contains(&write) && !ended.stderr.contains(&wrong),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_key_reads_the_events_of_its_integration_and_no_others() {
    let desk = Desk::new();
    let (_server, url) = desk.serve();
    let state = desk.state.path().join("state.redb");
    for integration in ["desk", "other-desk"] {
        publish(argument(&state), &[event(integration, 1)]);
    }
    let read = desk.key(&["create", "desk", "--label", "reports", "--read-only"]);
    let other = desk.key(&["create", "other-desk", "--label", "reports", "--read-only"]);
    let events = format!("{url}/desk/events");
    assert_eq!(call(&events, &read, "").0, "200");
    assert_eq!(call(&events, &other, ""), refused("403", "PERMISSION_DENIED"));
    assert_eq!(
        call(&format!("{url}/other-desk/events"), &read, ""),
        refused("403", "PERMISSION_DENIED")
    );
    assert_eq!(call(&events, "", ""), refused("401", "AUTHENTICATION_FAILED"));
}

#[test]
fn a_rotation_has_no_gap() {
    let desk = Desk::new();
    let (_server, url) = desk.serve();
    let ticket = format!("{url}/desk/tickets/T-1");
    let old = desk.key(&["create", "desk", "--label", "portal", "--read-only"]);
    let rotated = desk.keys(&["rotate", "desk", "portal"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let new = rotated.stdout.trim();
    assert_eq!(call(&ticket, &old, "").0, "200");
    assert_eq!(call(&ticket, new, "").0, "200");
    assert_eq!(
        call(&format!("{url}/desk/tickets"), new, CREATE).0,
        "403",
        "it may do what the old one may"
    );

    let twice = desk.keys(&["rotate", "desk", "portal"]);
    assert_eq!(twice.code, Some(1));
    assert!(twice.stderr.contains("has both its keys"), "{}", twice.stderr);

    let id = old.split('_').nth(2).unwrap();
    assert!(
        rotated.stderr.contains(&format!("keys revoke desk {id}")),
        "{}",
        rotated.stderr
    );
    assert_eq!(desk.keys(&["revoke", "desk", id]).code, Some(0));
    assert_eq!(call(&ticket, &old, "").0, "401");
    assert_eq!(call(&ticket, new, "").0, "200");
    assert_eq!(desk.keys(&["rotate", "desk", "portal"]).code, Some(0));
}

#[test]
fn keys_are_listed_without_their_texts() {
    let desk = Desk::new();
    let made = desk
        .keys(&["create", "desk", "--label", "portal", "--json"])
        .json();
    let text = made["key"].as_str().unwrap();
    assert!(text.starts_with("tgk_desk_"), "{made}");
    let listed = desk.keys(&["list", "desk", "--json"]);
    assert!(!listed.stdout.contains(text), "{}", listed.stdout);
    let listed = listed.json();
    assert_eq!(listed[0]["id"], made["id"]);
    assert_eq!(listed[0]["slot"], "primary");
    assert_eq!(listed[0]["access"], "read-write");
    assert_eq!(listed[0].get("hash"), None);
    assert!(desk.keys(&["list", "desk"]).stdout.contains("portal"));
    assert_eq!(desk.keys(&["list", "other"]).stdout, "  none\n");
}

/// A key in two headers: which of the two counts would depend on who looks.
#[test]
fn two_keys_in_one_call_are_refused() {
    let desk = Desk::new();
    let (_server, url) = desk.serve();
    let key = desk.key(&["create", "desk", "--label", "portal"]);
    let ticket = format!("{url}/desk/tickets/T-1");
    assert_eq!(call(&ticket, &key, "").0, "200");
    for second in ["nonsense", &key] {
        let more = format!("-H 'x-api-key: {second}'");
        assert_eq!(
            call(&ticket, &key, &more),
            refused("401", "AUTHENTICATION_FAILED")
        );
    }
}

#[test]
fn who_has_no_key_is_refused_before_a_body_is_read() {
    let desk = Desk::new();
    let (_server, url) = desk.serve();
    let address = url.trim_start_matches("http://").trim_end_matches("/v1");
    let mut stream = TcpStream::connect(address).unwrap();
    // A body is announced and never sent.
    write!(
        stream,
        "POST /v1/desk/tickets HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: 50000000\r\n\r\n"
    )
    .unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");
}

#[test]
fn a_key_lets_in_under_every_name() {
    let desk = Desk::new();
    let (_server, url) = desk.serve();
    let key = desk.key(&["create", "desk", "--label", "portal"]);
    let ticket = format!("{url}/desk/tickets/T-1");
    assert_eq!(call(&ticket, &key, "-H 'host: gateway.example.com'").0, "200");
    assert_eq!(call(&ticket, "", "-H 'host: gateway.example.com'").0, "401");
}

fn pushed(desk: &Desk) -> Ended {
    let folder = argument(desk.folder.path());
    let address = "base_url=http://127.0.0.1:9";
    let push = ["push", folder, "--name", "desk", "--set", address];
    desk.command(&push).output().unwrap().into()
}

#[test]
fn mistakes_are_said_with_the_fix() {
    let desk = Desk::new();
    let early = desk.keys(&["create", "desk", "--label", "portal"]);
    assert!(
        early
            .stderr
            .contains("warning: no version of `desk` was ever pushed to this gateway"),
        "{}",
        early.stderr
    );
    assert!(
        early.stdout.starts_with("tgk_desk_"),
        "the key is made all the same: {early:?}"
    );
    let pushed = self::pushed(&desk);
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    let mistyped = desk.keys(&["create", "deks", "--label", "portal"]);
    assert!(
        mistyped.stderr.contains("help: did you mean `desk`?"),
        "{}",
        mistyped.stderr
    );
    let known = desk.keys(&["create", "desk", "--label", "reports"]);
    assert!(!known.stderr.contains("warning"), "{}", known.stderr);
    let failures: [(&[&str], i32, &str); 6] = [
        (
            &["create", "desk", "--label", "portal"],
            1,
            "keys rotate desk portal",
        ),
        (&["create", "desk"], 2, "--label"),
        (&["rotate", "desk", "potral"], 1, "did you mean `portal`"),
        (
            &["rotate", "desk-two", "portal"],
            1,
            "keys create desk-two --label portal",
        ),
        (&["revoke", "desk", "00000000"], 1, "has no key `00000000`"),
        (&["revoke", "desk", "tgk_desk_00000000_x"], 2, "expected its id"),
    ];
    for (arguments, code, words) in failures {
        let ended = desk.keys(arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "no {words:?} in {}", ended.stderr);
    }
    let demo: Ended = desk.command(&["up", "--require-keys"]).output().unwrap().into();
    assert_eq!(demo.code, Some(2), "{demo:?}");
}
