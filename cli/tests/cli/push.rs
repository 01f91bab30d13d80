//! `push`, `versions`, `diff`, `rollback`, and `up --pushed`, which serves what they make active.

use std::io::Write as _;
use std::process::{Child, Command};

use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;
use storage::{IntegrationStore as _, NewVersion};
use tempfile::TempDir;

use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::process::{Ended, Server, argument, command, shell};

const TOKEN: &str = "TICKET_GATEWAY_SECRET_DESK_TOKEN";
/// `--set` for an address that nothing is asked at.
const ADDRESS: [&str; 2] = ["--set", "base_url=http://127.0.0.1:9"];

/// A gateway on this machine: its state file, and an integration to push to it.
struct Gateway {
    state: TempDir,
    folder: Folder,
}

impl Gateway {
    fn new() -> Self {
        Self {
            state: TempDir::new().unwrap(),
            folder: Folder::with(GOOD),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let state = self.state.path().join("state.redb");
        command(&[arguments, &["--state", argument(&state)]].concat())
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Pushes the folder as `desk`.
    fn push(&self, more: &[&str]) -> Ended {
        let fixed = ["push", argument(self.folder.path()), "--name", "desk"];
        self.run(&[&fixed[..], more].concat())
    }

    /// Changes the integration.
    fn edit(&self, from: &str, to: &str) {
        let file = self.folder.path().join("integration.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    }

    fn versions(&self) -> Vec<Value> {
        let listed = self.run(&["versions", "desk", "--json"]);
        listed
            .json()
            .as_array()
            .unwrap_or_else(|| panic!("{listed:?}"))
            .clone()
    }

    fn active(&self) -> u64 {
        let versions = self.versions();
        let active: Vec<&Value> = versions.iter().filter(|row| row["active"] == true).collect();
        assert_eq!(active.len(), 1, "{versions:?}");
        active[0]["version"].as_u64().unwrap()
    }

    /// Serves what was pushed; gives the address of the API.
    fn serve(&self, more: &[&str]) -> (Server, String) {
        let fixed = [
            "up",
            "--pushed",
            "--listen",
            "127.0.0.1:0",
            "--allow-private-upstreams",
            "--refresh-seconds",
            "0",
        ];
        let mut command = self.command(&[&fixed[..], more].concat());
        command.env(TOKEN, "token-1");
        let mut server = Server::start(command);
        let printed = server.printed_until(|line| line.contains("state "));
        let url = printed[0]
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        (server, url.unwrap().to_owned())
    }
}

fn succeeded(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[track_caller]
fn failed(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "no {word:?} in {}", ended.stderr);
    }
}

fn curl(arguments: &str) -> Value {
    shell(&format!("curl -sS {arguments}")).json()
}

#[test]
fn what_is_pushed_while_the_gateway_runs_is_served() {
    let (gateway, system) = (Gateway::new(), TicketSystem::start());
    let (server, url) = gateway.serve(&[]);
    assert_eq!(
        curl(&format!("{url}/desk/tickets/T-1"))["error"]["code"],
        "NOT_FOUND"
    );

    let address = system.setting().replace("desk.", "");
    succeeded(&gateway.push(&["--set", &address]));
    let ticket = curl(&format!("{url}/desk/tickets/T-1"));
    assert_eq!(ticket["raw_ticket"]["internal_state_code"], "NEW", "{ticket}");

    gateway.edit("Open: NEW", "Open: WIP");
    succeeded(&gateway.push(&[]));
    let ticket = curl(&format!("{url}/desk/tickets/T-1"));
    assert_eq!(ticket["raw_ticket"]["internal_state_code"], "WIP", "{ticket}");

    succeeded(&gateway.run(&["rollback", "desk"]));
    let ticket = curl(&format!("{url}/desk/tickets/T-1"));
    assert_eq!(ticket["raw_ticket"]["internal_state_code"], "NEW", "{ticket}");
    succeeded(&server.stop());
}

#[test]
fn what_was_pushed_before_is_served_from_the_start() {
    let (gateway, system) = (Gateway::new(), TicketSystem::start());
    succeeded(&gateway.push(&["--set", &system.setting().replace("desk.", "")]));
    let mut command = gateway.command(&["up", "--pushed", "--listen", "127.0.0.1:0"]);
    command.env(TOKEN, "token-1");
    let mut server = Server::start(command);
    let printed = server.printed_until(|line| line.contains("state ")).join("\n");
    assert!(printed.contains("integrations  desk"), "{printed}");
    succeeded(&server.stop());
}

#[test]
fn an_integration_is_known_by_the_name_it_is_pushed_as() {
    let (gateway, system) = (Gateway::new(), TicketSystem::start());
    let pushed = gateway.run(&[
        "push",
        argument(gateway.folder.path()),
        "--name",
        "second-desk",
        "--set",
        &system.setting().replace("desk.", ""),
    ]);
    succeeded(&pushed);
    assert!(
        pushed.stderr.contains("secret set second-desk token"),
        "{}",
        pushed.stderr
    );

    let mut command = gateway.command(&[
        "up",
        "--pushed",
        "--listen",
        "127.0.0.1:0",
        "--allow-private-upstreams",
    ]);
    command.env("TICKET_GATEWAY_SECRET_SECOND_DESK_TOKEN", "token-1");
    let mut server = Server::start(command);
    let printed = server.printed_until(|line| line.contains("state "));
    let url = printed[0]
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    assert_eq!(
        curl(&format!("{url}/second-desk/tickets/T-1"))["raw_ticket"]["id"],
        "T-1"
    );
    assert_eq!(
        curl(&format!("{url}/desk/tickets/T-1"))["error"]["code"],
        "NOT_FOUND"
    );
    succeeded(&server.stop());
}

#[test]
fn a_version_says_who_pushed_it_when_and_why() {
    let gateway = Gateway::new();
    let mut push = gateway.command(
        &[
            &[
                "push",
                argument(gateway.folder.path()),
                "--name",
                "desk",
                "--note",
                "first",
            ],
            &ADDRESS[..],
        ]
        .concat(),
    );
    let pushed: Ended = push.env("USER", "molly").output().unwrap().into();
    succeeded(&pushed);
    assert!(
        pushed.stderr.contains("version 1 of `desk` is active"),
        "{}",
        pushed.stderr
    );
    assert_eq!(pushed.stdout, "");

    let versions = gateway.versions();
    assert_eq!(versions[0]["note"], "first");
    assert!(
        versions[0]["created_by"].as_str().unwrap().starts_with("molly"),
        "{versions:?}"
    );
    assert!(
        versions[0]["created_at"].as_str().unwrap().ends_with('Z'),
        "{versions:?}"
    );
    let table = gateway.run(&["versions", "desk"]).stdout;
    assert!(table.contains("VERSION") && table.contains("first"), "{table}");
    let all = gateway.run(&["versions", "--json"]).json();
    assert_eq!(
        all,
        serde_json::json!([{"integration": "desk", "active_version": 1}])
    );
}

#[test]
fn pushing_the_same_again_does_nothing() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    let again = gateway.push(&["--note", "other words for the same"]);
    succeeded(&again);
    assert!(
        again.stderr.contains("nothing to do: version 1"),
        "{}",
        again.stderr
    );
    let again = gateway.push(&[&ADDRESS[..], &["--json"]].concat()).json();
    assert_eq!(
        (&again["changed"], &again["version"]),
        (&Value::from(false), &Value::from(1))
    );
    assert_eq!(gateway.versions().len(), 1);
}

#[test]
fn settings_stay_until_they_are_changed() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&[&ADDRESS[..], &["--set", "page_size=10"]].concat()));
    let pushed = gateway.push(&["--set", "page_size=20", "--json"]).json();
    assert_eq!(pushed["previous"], 1);
    let changes = pushed["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{pushed}");
    assert_eq!(changes[0]["file"], "settings");
    let diff = changes[0]["diff"].as_str().unwrap();
    assert!(diff.contains("-page_size: 10\n+page_size: 20"), "{diff}");

    let unset = gateway.push(&["--unset", "page_size", "--json"]).json();
    assert!(
        unset["changes"][0]["diff"]
            .as_str()
            .unwrap()
            .contains("-page_size: 20"),
        "{unset}"
    );
    let unknown = gateway.push(&["--unset", "page_sise"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");

    gateway.edit(
        "  page_size: {type: integer, default: 50}\n",
        "  limit: {type: integer, default: 50}\n",
    );
    gateway.edit("settings.page_size", "settings.limit");
    succeeded(&gateway.push(&["--set", "limit=5"]));
    gateway.edit("  limit: {type: integer, default: 50}\n", "");
    gateway.edit(", page_size: settings.limit", "");
    let dropped = gateway.push(&[]);
    succeeded(&dropped);
    assert!(
        dropped
            .stderr
            .contains("the setting `limit` of the active version is dropped"),
        "{}",
        dropped.stderr
    );
}

#[test]
fn a_dry_run_shows_the_difference_and_stores_nothing() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    gateway.edit("Open: NEW", "Open: WIP");
    let dry = gateway.push(&["--dry-run"]);
    succeeded(&dry);
    assert!(
        dry.stdout
            .contains("-  states: {Open: NEW}\n+  states: {Open: WIP}"),
        "{}",
        dry.stdout
    );
    assert!(dry.stderr.contains("nothing was stored"), "{}", dry.stderr);
    assert_eq!(gateway.versions().len(), 1);
}

/// The first push has seen the active version once it opens the file, which is a pipe that the test holds up.
#[test]
fn a_push_that_was_overtaken_changes_nothing_and_says_who_won() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    let pipe = gateway.state.path().join("slow.yaml");
    succeeded(&shell(&format!("mkfifo '{}'", argument(&pipe))));
    let slow: Child = gateway
        .command(&["push", argument(&pipe), "--name", "desk"])
        .spawn()
        .unwrap();
    // Opening it for writing waits for the push to open it for reading.
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();

    gateway.edit("Open: NEW", "Open: WIP");
    succeeded(&gateway.push(&["--note", "the faster one"]));
    writer
        .write_all(GOOD.replace("Open: NEW", "Open: CLOSED").as_bytes())
        .unwrap();
    drop(writer);

    let lost: Ended = slow.wait_with_output().unwrap().into();
    failed(
        &lost,
        &[
            "version 2",
            "the faster one",
            "and not version 1",
            "ticket-gateway diff desk 1 2 --state",
        ],
    );
    assert_eq!(gateway.active(), 2);
    assert_eq!(gateway.versions().len(), 2);
}

#[test]
fn of_pushes_at_once_each_wins_or_is_told_that_it_lost() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    let pushes: Vec<(Folder, Child)> = (1..=4)
        .map(|index| {
            let folder = Folder::with(&GOOD.replace("default: 50", &format!("default: {index}")));
            let push = gateway
                .command(&["push", argument(folder.path()), "--name", "desk", "--expect", "1"])
                .spawn()
                .unwrap();
            (folder, push)
        })
        .collect();
    let ended: Vec<Ended> = pushes
        .into_iter()
        .map(|(_folder, push)| push.wait_with_output().unwrap().into())
        .collect();
    let (won, lost): (Vec<&Ended>, Vec<&Ended>) = ended.iter().partition(|ended| ended.code == Some(0));
    assert_eq!(won.len(), 1, "{ended:?}");
    for lost in lost {
        failed(lost, &["is active by now", "it is left as it is"]);
    }
    assert_ne!(gateway.active(), 1);
}

#[test]
fn a_push_can_name_the_version_it_follows() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&[&ADDRESS[..], &["--expect", "0"]].concat()));
    gateway.edit("Open: NEW", "Open: WIP");
    succeeded(&gateway.push(&["--expect", "1"]));
    gateway.edit("Open: WIP", "Open: CLOSED");
    failed(
        &gateway.push(&["--expect", "1"]),
        &["version 2", "and not version 1"],
    );
    failed(
        &gateway.push(&["--expect", "9"]),
        &["version 2", "and not version 9"],
    );
    assert_eq!(gateway.active(), 2);
}

#[test]
fn a_rollback_is_a_version_of_its_own_and_can_be_rolled_back() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    failed(
        &gateway.run(&["rollback", "desk"]),
        &["no version of `desk` was active before version 1"],
    );
    gateway.edit("Open: NEW", "Open: WIP");
    succeeded(&gateway.push(&[]));

    let back = gateway.run(&["rollback", "desk", "--note", "wrong state"]);
    succeeded(&back);
    assert!(
        back.stderr
            .contains("version 3 of `desk` is active, with the content of version 1"),
        "{back:?}"
    );
    let versions = gateway.versions();
    assert_eq!(versions[2]["note"], "rollback to version 1: wrong state");
    assert_eq!(versions[2]["digest"], versions[0]["digest"]);
    assert_eq!(gateway.active(), 3);

    let again = gateway.run(&["rollback", "desk", "--to", "1"]);
    assert!(again.stderr.contains("nothing to do"), "{again:?}");
    let forward = gateway.run(&["rollback", "desk", "--to", "2", "--json"]).json();
    assert_eq!(forward["version"], 4, "{forward}");
    failed(
        &gateway.run(&["rollback", "desk", "--to", "9"]),
        &["no version 9", "versions 1 to 4"],
    );
}

/// A rollback goes back to what was active, and not to the next lower number.
#[test]
fn a_rollback_goes_by_what_was_active() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    gateway.edit("Open: NEW", "Open: WIP");
    succeeded(&gateway.push(&[]));
    succeeded(&gateway.run(&["rollback", "desk"]));
    gateway.edit("Open: WIP", "Open: CLOSED");
    succeeded(&gateway.push(&[]));
    let diff = gateway.run(&["diff", "desk"]).stdout;
    assert!(
        diff.contains("(version 3)") && diff.contains("(version 4)"),
        "{diff}"
    );
    let back = gateway.run(&["rollback", "desk", "--json"]).json();
    assert_eq!((&back["version"], &back["to"]), (&5.into(), &3.into()), "{back}");
}

/// An older program may have stored what this one does not take.
#[test]
fn a_rollback_to_content_that_does_not_load_is_refused() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    let state = gateway.state.path().join("state.redb");
    let outdated = [
        (
            GOOD.replace("action_name: get_ticket", "action_name: get_tickt"),
            json!({"base_url": "http://127.0.0.1:9"}),
        ),
        (GOOD.to_owned(), json!({"base_url": 5})),
    ];
    for (text, settings) in outdated {
        let content = NewVersion {
            files: [("integration.yaml".to_owned(), text)].into(),
            settings: settings.as_object().unwrap().clone(),
            created_at: "2026-01-05T10:30:45Z".to_owned(),
            ..NewVersion::default()
        };
        let store = EmbeddedStore::open(&state).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.add("desk", content)).unwrap();
    }

    failed(
        &gateway.run(&["rollback", "desk", "--to", "2"]),
        &[
            "integration.yaml:",
            "did you mean `get_ticket`",
            "version 2 cannot",
        ],
    );
    failed(
        &gateway.run(&["rollback", "desk", "--to", "3"]),
        &["base_url", "version 3 cannot"],
    );
    assert_eq!(gateway.active(), 1);
    assert_eq!(gateway.versions().len(), 3);
}

#[test]
fn a_file_outside_of_the_folder_is_neither_pushed_nor_shown() {
    let gateway = Gateway::new();
    let private = gateway.state.path().join("private.txt");
    std::fs::write(&private, "password: [918273645").unwrap();
    std::os::unix::fs::symlink(&private, gateway.folder.path().join("more.yaml")).unwrap();
    let push = gateway.push(&ADDRESS);
    failed(&push, &["more.yaml is a link that leads out of"]);
    assert!(!push.stderr.contains("918273645"), "{}", push.stderr);
    failed(&gateway.run(&["versions", "desk"]), &["no version"]);
}

#[test]
fn diff_shows_files_and_settings() {
    let gateway = Gateway::new();
    succeeded(&gateway.push(&ADDRESS));
    gateway.edit("Open: NEW", "Open: WIP");
    succeeded(&gateway.push(&["--set", "page_size=7"]));

    let diff = gateway.run(&["diff", "desk"]);
    succeeded(&diff);
    for line in [
        "--- integration.yaml (version 1)",
        "+++ integration.yaml (version 2)",
        "-  states: {Open: NEW}",
        "+  states: {Open: WIP}",
        "+page_size: 7",
    ] {
        assert!(
            diff.stdout.lines().any(|shown| shown == line),
            "no {line:?} in {}",
            diff.stdout
        );
    }
    let back = gateway.run(&["diff", "desk", "2", "1"]).stdout;
    assert!(back.contains("+  states: {Open: NEW}"), "{back}");

    let same = gateway.run(&["diff", "desk", "--dir", argument(gateway.folder.path())]);
    succeeded(&same);
    assert_eq!(same.stdout, "");
    assert!(same.stderr.contains("the same content"), "{}", same.stderr);
    std::fs::write(gateway.folder.path().join("more.yaml"), "description: A desk\n").unwrap();
    let folder = gateway
        .run(&["diff", "desk", "--json", "--dir", argument(gateway.folder.path())])
        .json();
    assert_eq!(folder["changes"][0]["file"], "more.yaml", "{folder}");
    assert_eq!(folder["changes"][0]["change"], "added");
}

#[test]
fn an_integration_with_a_mistake_is_not_pushed() {
    let gateway = Gateway::new();
    gateway.edit("action_name: get_ticket", "action_name: get_tickt");
    failed(
        &gateway.push(&ADDRESS),
        &["integration.yaml:", "did you mean `get_ticket`"],
    );
    failed(
        &gateway.run(&["versions", "desk"]),
        &["no version of `desk` was ever pushed"],
    );
}

#[test]
fn a_file_that_is_too_large_is_not_pushed() {
    let gateway = Gateway::new();
    let comment = format!("# {}\n", "x".repeat(1024 * 1024));
    std::fs::write(gateway.folder.path().join("large.yaml"), comment).unwrap();
    failed(
        &gateway.push(&ADDRESS),
        &["large.yaml", "at most 1048576 are read"],
    );
    failed(
        &gateway.run(&["push", "/nowhere", "--name", "desk"]),
        &["/nowhere"],
    );
}

#[test]
fn settings_are_checked_before_anything_is_stored() {
    let gateway = Gateway::new();
    failed(
        &gateway.push(&[]),
        &["setting `base_url` is missing", "--set KEY=VALUE"],
    );
    failed(
        &gateway.push(&[&ADDRESS[..], &["--set", "page_size=many"]].concat()),
        &["page_size", "whole number"],
    );
    let unknown = gateway.push(&[&ADDRESS[..], &["--set", "page_siz=5"]].concat());
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(
        unknown.stderr.contains("did you mean `page_size`"),
        "{}",
        unknown.stderr
    );
    failed(&gateway.run(&["versions", "desk"]), &["no version"]);
}

#[test]
fn a_missing_secret_is_a_warning_with_the_way_to_set_it() {
    let gateway = Gateway::new();
    let without = gateway.push(&ADDRESS);
    succeeded(&without);
    assert!(
        without
            .stderr
            .contains("warning: `desk` needs the secret `token`; run: ticket-gateway secret set desk token"),
        "{}",
        without.stderr
    );
    gateway.edit("Open: NEW", "Open: WIP");
    let mut push = gateway.command(&["push", argument(gateway.folder.path()), "--name", "desk"]);
    let with: Ended = push.env(TOKEN, "token-1").output().unwrap().into();
    assert!(!with.stderr.contains("warning"), "{}", with.stderr);
}

#[test]
fn only_the_secrets_of_the_chosen_authentication_are_asked_for() {
    let gateway = Gateway::new();
    gateway.edit(
        "{kind: bearer, secret: token}",
        "{kind: by_setting, setting: login, of: {token: {kind: bearer, secret: token}, \
         key: {kind: basic, username_secret: api_key, password: X}}}",
    );
    gateway.edit(
        "settings:\n",
        "settings:\n  login: {type: enum, values: [token, key], default: token}\n",
    );
    for (login, asked, other) in [("token", "token", "api_key"), ("key", "api_key", "token")] {
        let choice = format!("login={login}");
        let pushed = gateway.push(&[&ADDRESS[..], &["--set", &choice]].concat());
        succeeded(&pushed);
        let warning = |key: &str| format!("`desk` needs the secret `{key}`");
        assert!(
            pushed.stderr.contains(&warning(asked)) && !pushed.stderr.contains(&warning(other)),
            "{}",
            pushed.stderr
        );
        let listed = gateway.run(&["secret", "list", "desk", "--json"]).json();
        assert_eq!(
            listed,
            json!([{"secret": asked, "set": false, "read_by_active_version": true}])
        );
    }
    failed(
        &gateway.push(&[&ADDRESS[..], &["--set", "login=password"]].concat()),
        &["setting `login`", "one of token, key"],
    );
}

#[test]
fn an_unknown_name_is_suggested() {
    let gateway = Gateway::new();
    failed(
        &gateway.run(&["rollback", "desk"]),
        &["no version of `desk`", "ticket-gateway push DIR --name desk"],
    );
    succeeded(&gateway.push(&ADDRESS));
    for command in [
        &["versions", "deks"][..],
        &["diff", "deks"],
        &["rollback", "deks", "--to", "1"],
    ] {
        failed(&gateway.run(command), &["did you mean `desk`"]);
    }
    let misnamed = gateway.run(&["push", argument(gateway.folder.path()), "--name", "My Desk"]);
    assert_eq!(misnamed.code, Some(2), "{misnamed:?}");
    assert!(misnamed.stderr.contains("small letters"), "{}", misnamed.stderr);
}

#[test]
fn a_stack_without_a_region_or_credentials_is_said_with_the_fix() {
    let gateway = Gateway::new();
    let push = ["push", argument(gateway.folder.path()), "--name", "desk"];
    let on_stack = |set: &[(&str, &str)]| -> Ended {
        let mut command = command(&push);
        command.env("TICKET_GATEWAY_STACK", "prod");
        // Neither a file of this machine nor the network may give a region or credentials.
        let nothing = gateway.state.path().join("none");
        command
            .env("AWS_CONFIG_FILE", &nothing)
            .env("AWS_SHARED_CREDENTIALS_FILE", &nothing);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(set.iter().copied()).output().unwrap().into()
    };
    failed(&on_stack(&[]), &["AWS_REGION"]);
    failed(
        &on_stack(&[("AWS_REGION", "eu-west-1")]),
        &["`prod`", "credentials", "AWS_PROFILE"],
    );

    let both = gateway.run(&[&push[..], &["--stack", "prod"]].concat());
    assert_eq!(both.code, Some(2), "{both:?}");
}
