//! `secret`

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::process::{Ended, Server, argument, command, run_with_input, shell};

struct Gateway {
    state: TempDir,
}

impl Gateway {
    fn new() -> Self {
        Self {
            state: TempDir::new().unwrap(),
        }
    }

    fn state(&self) -> String {
        argument(&self.state.path().join("state.redb")).to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        command(&[arguments, &["--state", &self.state()]].concat())
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    fn set(&self, key: &str, input: &str) -> Ended {
        run_with_input(&["secret", "set", "desk", key, "--state", &self.state()], input)
    }
}

#[test]
fn a_secret_that_is_set_is_used_and_never_shown() {
    let (gateway, folder, system) = (Gateway::new(), Folder::with(GOOD), TicketSystem::start());
    let serve = |gateway: &Gateway| {
        let mut server = Server::start(gateway.command(&[
            "up",
            "--pushed",
            "--listen",
            "127.0.0.1:0",
            "--allow-private-upstreams",
            "--log-format",
            "json",
        ]));
        let printed = server.printed_until(|line| line.contains("state "));
        let url = printed[0]
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        (server, url.unwrap().to_owned())
    };
    let address = system.setting().replace("desk.", "");
    let pushed = gateway.run(&[
        "push",
        argument(folder.path()),
        "--name",
        "desk",
        "--set",
        &address,
    ]);
    assert_eq!(pushed.code, Some(0), "{pushed:?}");

    // It is missing at first, and set while the gateway runs.
    let (mut server, url) = serve(&gateway);
    server.said_until("secret set desk token");
    let set = gateway.set("token", "token-1\n");
    assert_eq!(set.code, Some(0), "{set:?}");
    let answer = shell(&format!("curl -sS {url}/desk/tickets/T-1")).json();
    assert_eq!(answer["raw_ticket"]["id"], "T-1", "{answer}");
    let ended = server.stop();

    let file = gateway.state.path().join("state.secrets.json");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let listed = gateway.run(&["secret", "list", "desk", "--json"]);
    assert_eq!(
        listed.json(),
        json!([{"secret": "token", "set": true, "read_by_active_version": true}])
    );
    for said in [&set, &ended, &listed] {
        assert!(
            !said.stdout.contains("token-1") && !said.stderr.contains("token-1"),
            "{said:?}"
        );
    }
}

#[test]
fn call_reads_it_too() {
    let (gateway, folder, system) = (Gateway::new(), Folder::with(GOOD), TicketSystem::start());
    let call = [
        "call",
        argument(folder.path()),
        "query_ticket_by_id",
        "--context",
        "-",
        "--set",
        &system.setting(),
        "--allow-private-upstreams",
        "--state",
        &gateway.state(),
    ];
    let without = run_with_input(&call, r#"{"ticket_id": "T-1"}"#);
    assert_eq!(without.code, Some(1), "{without:?}");
    assert!(
        without
            .stderr
            .contains("ticket-gateway secret set desk token --state"),
        "{}",
        without.stderr
    );
    assert_eq!(gateway.set("token", "token-1").code, Some(0));
    let with = run_with_input(&call, r#"{"ticket_id": "T-1"}"#);
    assert_eq!(with.json()["raw_ticket"]["id"], "T-1", "{with:?}");
}

#[test]
fn a_secret_can_come_from_a_file() {
    let gateway = Gateway::new();
    let file = gateway.state.path().join("key.pem");
    std::fs::write(&file, "line 1\nline 2\n").unwrap();
    let set = gateway.run(&[
        "secret",
        "set",
        "desk",
        "pem",
        "--from-file",
        argument(&file),
        "--json",
    ]);
    assert_eq!(
        set.json(),
        json!({"integration": "desk", "key": "pem", "set": true})
    );
    let stored = std::fs::read_to_string(gateway.state.path().join("state.secrets.json")).unwrap();
    assert!(stored.contains(r#""pem": "line 1\nline 2""#), "{stored}");
}

#[test]
fn a_secret_is_never_an_argument() {
    let gateway = Gateway::new();
    assert_eq!(
        gateway.run(&["secret", "set", "desk", "token", "token-1"]).code,
        Some(2)
    );
}

#[test]
fn without_a_terminal_and_without_input_nothing_is_set() {
    let gateway = Gateway::new();
    assert_eq!(gateway.set("token", "token-1").code, Some(0));
    for empty in ["", "\n", "  \n"] {
        let ended = gateway.set("token", empty);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.contains("no terminal") && ended.stderr.contains("--from-file"),
            "{ended:?}"
        );
    }
    let stored = std::fs::read_to_string(gateway.state.path().join("state.secrets.json")).unwrap();
    assert!(stored.contains("token-1"), "{stored}");
}

#[test]
fn mistakes_are_said_with_the_fix() {
    let (gateway, folder) = (Gateway::new(), Folder::with(GOOD));
    let missing = gateway.run(&["secret", "set", "desk", "token", "--from-file", "/nowhere/token"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("/nowhere/token"), "{}", missing.stderr);
    assert_eq!(gateway.set("no-such-form", "x").code, Some(2));

    let push = [
        "push",
        argument(folder.path()),
        "--name",
        "desk",
        "--set",
        "base_url=http://127.0.0.1:9",
    ];
    assert_eq!(gateway.run(&push).code, Some(0));
    let misspelt = gateway.set("tokn", "x");
    assert_eq!(misspelt.code, Some(0), "{misspelt:?}");
    assert!(
        misspelt.stderr.contains("did you mean `token`"),
        "{}",
        misspelt.stderr
    );

    let file = gateway.state.path().join("state.secrets.json");
    std::fs::write(&file, "{not JSON").unwrap();
    let broken = gateway.set("token", "x");
    assert_eq!(broken.code, Some(1));
    assert!(
        broken.stderr.contains("is not a JSON object"),
        "{}",
        broken.stderr
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{not JSON");
}
