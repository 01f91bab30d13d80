//! `up`

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::process::{Ended, Server, argument, command, run, shell};

const TOKEN: &str = "TICKET_GATEWAY_SECRET_DESK_TOKEN";

/// The demo on a free port, its state in `folder`; the three lines it prints.
fn demo(folder: &TempDir) -> (Server, Vec<String>) {
    let state = folder.path().join("state.redb");
    let mut server = Server::start(command(&[
        "up",
        "--listen",
        "127.0.0.1:0",
        "--state",
        argument(&state),
    ]));
    let mut curls = 0;
    let printed = server.printed_until(|line| {
        curls += usize::from(line.contains("curl -"));
        curls == 3
    });
    (
        server,
        printed
            .into_iter()
            .filter(|line| line.contains("curl -"))
            .collect(),
    )
}

/// The small integration in front of its ticketing system.
struct Desk {
    folder: Folder,
    system: TicketSystem,
    state: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: Folder::with(GOOD),
            system: TicketSystem::start(),
            state: TempDir::new().unwrap(),
        }
    }

    fn command(&self, more: &[&str]) -> Command {
        let (state, setting) = (self.state.path().join("state.redb"), self.system.setting());
        let fixed = [
            "up",
            "--listen",
            "127.0.0.1:0",
            "--integration",
            argument(self.folder.path()),
            "--set",
            &setting,
            "--allow-private-upstreams",
            "--state",
            argument(&state),
        ];
        let mut command = command(&[&fixed[..], more].concat());
        command.env(TOKEN, "token-1");
        command
    }

    /// Starts the server; gives the address of its API.
    fn start(&self, more: &[&str]) -> (Server, String) {
        let mut server = Server::start(self.command(more));
        let printed = server.printed_until(|line| line.contains("state "));
        let url = printed[0]
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap();
        (server, url.to_owned())
    }
}

fn curl(arguments: &str) -> Ended {
    shell(&format!("curl -sS {arguments}"))
}

#[test]
fn the_three_printed_lines_create_a_ticket_comment_on_it_and_read_it_back() {
    let folder = TempDir::new().unwrap();
    let (server, lines) = demo(&folder);
    assert_eq!(lines.len(), 3, "{lines:?}");

    // One after the other in one shell, as when they are pasted.
    let pasted = shell(&lines.join("\n"));
    let answers: Vec<Value> = pasted
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line.trim()).ok())
        .collect();
    let created: Value =
        serde_json::from_str(pasted.stderr.trim()).expect("the first answer is shown on stderr");
    let ticket = &answers.last().unwrap_or_else(|| panic!("{pasted:?}"))["raw_ticket"];
    assert_eq!(ticket["id"], created["raw_ticket"]["id"], "{pasted:?}");
    assert_eq!(
        ticket["comments"][0]["body"], "It worked before the update",
        "{pasted:?}"
    );
    assert_eq!(
        answers[0]["comment"]["body"], "It worked before the update",
        "{pasted:?}"
    );

    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stderr.matches("action=\"create_ticket\"").count(),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
fn a_restart_keeps_the_tickets_of_the_demo() {
    let folder = TempDir::new().unwrap();
    let (server, lines) = demo(&folder);
    let pasted = shell(&format!("{} 2>/dev/null; echo \"$ID\"", lines[0]));
    let id = pasted.stdout.trim();
    assert!(!id.is_empty(), "{pasted:?}");
    assert_eq!(server.stop().code, Some(0));

    let (server, lines) = demo(&folder);
    let read = shell(&format!("ID={id}; {}", lines[2])).json();
    assert_eq!(read["raw_ticket"]["id"], id, "{read}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn all_twelve_actions_are_on_in_the_demo() {
    let folder = TempDir::new().unwrap();
    let (server, lines) = demo(&folder);
    let json = "-H 'content-type: application/json' -d";
    let tickets = lines[2]
        .trim_start_matches("curl -sS ")
        .trim_end_matches("/$ID; echo");
    let script = format!(
        "{} 2>/dev/null >&2; curl -sS {tickets}/$ID/internal-comments {json} '{{\"comment\": \"Dock firmware 1.2\"}}'; echo; \
         curl -sS {tickets}/$ID/attachments {json} '{{\"file_name\": \"a.txt\", \"content\": \"YQ==\"}}'",
        lines[0]
    );
    let answers = shell(&script).stdout;
    let answers: Vec<Value> = answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers[0]["comment"]["is_public"], false, "{answers:?}");
    assert_eq!(answers[1]["attachment"]["file_name"], "a.txt", "{answers:?}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn an_integration_is_served_and_each_action_has_one_log_line() {
    let desk = Desk::new();
    let (server, url) = desk.start(&["--log-format", "json"]);
    let ticket = curl(&format!("{url}/desk/tickets/T-1")).json();
    assert_eq!(ticket["raw_ticket"]["id"], "T-1");
    assert_eq!(curl(&format!("{url}/healthz")).json()["status"], "ok");
    assert_eq!(
        curl(&format!("{url}/nobody/tickets/T-1")).json()["error"]["code"],
        "NOT_FOUND"
    );

    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let actions: Vec<&Value> = lines.iter().filter(|line| line["message"] == "action").collect();
    assert_eq!(actions.len(), 2, "{lines:?}");
    assert_eq!(actions[0]["status"], 200);
    assert_eq!(actions[0]["upstream_calls"], 1);
    assert!(
        actions[0]["request_id"].is_string() && actions[0]["duration_ms"].is_u64(),
        "{}",
        actions[0]
    );
    assert_eq!(actions[1]["status"], 404);
}

#[test]
fn an_idempotency_key_holds_over_a_restart() {
    let desk = Desk::new();
    let create = |url: &str| {
        curl(&format!(
            "-i {url}/desk/tickets -H 'idempotency-key: k-1' -H 'content-type: application/json' \
             -d '{{\"payload\": {{\"short_description\": \"Printer on fire\"}}}}'"
        ))
        .stdout
        .to_lowercase()
    };
    let (server, url) = desk.start(&[]);
    let first = create(&url);
    assert!(
        first.contains("201 created") && !first.contains("idempotency-replayed"),
        "{first}"
    );
    assert_eq!(server.stop().code, Some(0));

    let (server, url) = desk.start(&[]);
    let again = create(&url);
    assert!(again.contains("idempotency-replayed: true"), "{again}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_body_that_is_too_large_is_refused_with_a_readable_answer() {
    let desk = Desk::new();
    let (server, url) = desk.start(&[]);
    let body = desk.state.path().join("body.json");
    std::fs::write(&body, "x".repeat(8 * 1024 * 1024)).unwrap();
    let file = argument(&body);
    let answer = curl(&format!(
        "{url}/desk/tickets -H 'content-type: application/json' --data-binary @{file}"
    ));
    assert_eq!(
        answer.json()["error"]["code"],
        "INPUT_VALIDATION_FAILED",
        "{answer:?}"
    );
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn a_web_page_of_another_site_cannot_write() {
    let desk = Desk::new();
    let (_server, url) = desk.start(&[]);
    // What a browser sends for a page's `fetch` of a body without a type: it does not ask first.
    let create = |sender: &str| {
        let body = r#"{"payload": {"short_description": "Dark monitor"}}"#;
        curl(&format!(
            "-i {url}/desk/tickets -d '{body}' -H content-type: {sender}"
        ))
        .stdout
    };
    let foreign = create("-H 'sec-fetch-site: cross-site'");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    assert!(
        foreign.contains("PERMISSION_DENIED") && foreign.contains("x-request-id"),
        "{foreign}"
    );
    for own in ["", "-H 'sec-fetch-site: same-origin'"] {
        let answer = create(own);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
}

/// DNS rebinding: a page's own name leads to this machine, so that the gateway is its own site for the browser.
#[test]
fn a_call_under_a_foreign_name_is_refused() {
    let desk = Desk::new();
    let (server, url) = desk.start(&["--allow-host", "Gateway.internal"]);
    let port = url.trim_end_matches("/v1").rsplit(':').next().unwrap();
    let ticket = |host: &str| curl(&format!("-i {url}/desk/tickets/T-1 -H 'host: {host}'")).stdout;
    for host in [
        "rebound.example",
        "localhost.rebound.example",
        "127.0.0.1.rebound.example",
        "gateway.internal.rebound.example",
        "[rebound.example]",
        "::1",
    ] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let answer = ticket(&host);
            assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
            assert!(
                answer.contains("PERMISSION_DENIED") && answer.contains("--allow-host"),
                "{answer}"
            );
        }
    }
    let without = curl(&format!("-i {url}/desk/tickets/T-1 -H 'host;'")).stdout;
    assert!(without.starts_with("HTTP/1.1 403"), "{without}");
    for host in [
        "127.0.0.1",
        "10.0.0.7",
        "[::1]",
        "localhost",
        "LOCALHOST",
        "gateway.internal",
    ] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let answer = ticket(&host);
            assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
        }
    }
    assert_eq!(server.stop().code, Some(0));

    for wrong in ["http://gateway.internal", "gateway.internal:8080", ""] {
        let ended: Ended = desk.command(&["--allow-host", wrong]).output().unwrap().into();
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

#[test]
fn a_write_needs_an_origin_that_is_the_host_or_none() {
    let desk = Desk::new();
    let (_server, url) = desk.start(&[]);
    let host = url.trim_start_matches("http://").trim_end_matches("/v1");
    let port = host.rsplit(':').next().unwrap();
    let create = |origin: &str| {
        let body = r#"{"payload": {"short_description": "Dark monitor"}}"#;
        curl(&format!(
            "-i {url}/desk/tickets -d '{body}' -H content-type: -H 'origin: {origin}'"
        ))
        .stdout
    };
    let other_port = "http://127.0.0.1:1";
    let other_name = format!("http://localhost:{port}");
    for foreign in ["https://page.example", "null", other_port, &other_name, host] {
        let answer = create(foreign);
        assert!(answer.starts_with("HTTP/1.1 403"), "{foreign}: {answer}");
    }
    let own = create(&format!("http://{host}"));
    assert!(own.starts_with("HTTP/1.1 201"), "{own}");
    // A page cannot read what it is not allowed to by CORS, so that a query needs no more.
    let query = curl(&format!(
        "-i {url}/desk/tickets/T-1 -H 'origin: https://page.example'"
    ))
    .stdout;
    assert!(
        query.starts_with("HTTP/1.1 200") && !query.contains("access-control"),
        "{query}"
    );
}

#[test]
fn ctrl_c_lets_a_request_under_way_finish() {
    let desk = Desk::new();
    let (server, url) = desk.start(&[]);
    let slow = std::thread::spawn({
        let url = url.clone();
        move || curl(&format!("{url}/desk/tickets/slow"))
    });
    desk.system.wait_for_slow_request();
    let ended = server.stop();
    assert_eq!(slow.join().unwrap().json()["raw_ticket"]["id"], "slow");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_client_that_hangs_up_does_not_cut_an_action_off() {
    let desk = Desk::new();
    let (server, url) = desk.start(&[]);
    let hung_up = curl(&format!("--max-time 0.3 {url}/desk/tickets/slow"));
    assert_eq!(hung_up.code, Some(28), "curl's time is up: {hung_up:?}");
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("status=200"), "{}", ended.stderr);
}

#[test]
fn a_second_ctrl_c_stops_at_once() {
    let desk = Desk::new();
    let (mut server, url) = desk.start(&[]);
    let slow = std::thread::spawn({
        let url = url.clone();
        move || curl(&format!("{url}/desk/tickets/slow"))
    });
    desk.system.wait_for_slow_request();
    server.interrupt();
    server.said_until("second Ctrl-C");
    server.interrupt();
    let ended = server.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_ne!(slow.join().unwrap().code, Some(0));
}

#[test]
fn terminate_stops_it_too() {
    let desk = Desk::new();
    let (server, _) = desk.start(&[]);
    server.signal("-TERM");
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn an_address_in_use_is_said_with_the_fix() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let desk = Desk::new();
    let state = desk.state.path().join("other.redb");
    let ended = run(&["up", "--listen", &address, "--state", argument(&state)]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains(&format!("cannot listen on {address}")),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("--listen"), "{}", ended.stderr);
}

#[test]
fn two_servers_share_a_state_file() {
    let desk = Desk::new();
    let (first, first_url) = desk.start(&[]);
    let (second, second_url) = desk.start(&[]);
    let create = |url: &str| {
        curl(&format!(
            "-i {url}/desk/tickets -H 'idempotency-key: k-1' -H 'content-type: application/json' \
             -d '{{\"payload\": {{\"short_description\": \"Printer on fire\"}}}}'"
        ))
        .stdout
        .to_lowercase()
    };
    assert!(create(&first_url).contains("201 created"));
    let again = create(&second_url);
    assert!(again.contains("idempotency-replayed: true"), "{again}");
    assert_eq!(first.stop().code, Some(0));
    assert_eq!(second.stop().code, Some(0));
}

#[test]
fn a_missing_secret_names_the_environment_variable() {
    let desk = Desk::new();
    let ended: Ended = desk.command(&[]).env_remove(TOKEN).output().unwrap().into();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(TOKEN), "{}", ended.stderr);
}

#[test]
fn a_wrong_setting_is_suggested() {
    let desk = Desk::new();
    let misspelt: Ended = desk
        .command(&["--set", "desk.page_siz=5"])
        .output()
        .unwrap()
        .into();
    assert_eq!(misspelt.code, Some(2), "{misspelt:?}");
    assert!(
        misspelt.stderr.contains("did you mean `page_size`"),
        "{}",
        misspelt.stderr
    );

    let misnamed: Ended = desk
        .command(&["--set", "deks.page_size=5"])
        .output()
        .unwrap()
        .into();
    assert_eq!(misnamed.code, Some(2), "{misnamed:?}");
    assert!(
        misnamed.stderr.contains("did you mean `desk`"),
        "{}",
        misnamed.stderr
    );

    let wrong_type: Ended = desk
        .command(&["--set", "desk.page_size=many"])
        .output()
        .unwrap()
        .into();
    assert_eq!(wrong_type.code, Some(1), "{wrong_type:?}");
    assert!(wrong_type.stderr.contains("page_size"), "{}", wrong_type.stderr);

    let shapeless: Ended = desk.command(&["--set", "page_size"]).output().unwrap().into();
    assert_eq!(shapeless.code, Some(2), "{shapeless:?}");
}

#[test]
fn an_integration_with_a_mistake_does_not_start() {
    let mut desk = Desk::new();
    desk.folder = Folder::with(&GOOD.replace("action_name: get_ticket", "action_name: get_tickt"));
    let ended: Ended = desk.command(&[]).output().unwrap().into();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("did you mean `get_ticket`"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "");
}

#[test]
fn without_a_state_option_the_state_is_in_the_home_folder() {
    let desk = Desk::new();
    let home = TempDir::new().unwrap();
    let setting = desk.system.setting();
    let mut command = command(&[
        "up",
        "--listen",
        "127.0.0.1:0",
        "--integration",
        argument(desk.folder.path()),
        "--set",
        &setting,
    ]);
    command.env(TOKEN, "token-1").env("HOME", home.path());
    let mut server = Server::start(command);
    let state = home.path().join(".local/state/ticket-gateway/state.redb");
    server.printed_until(|line| line.contains(argument(&state)));
    assert!(state.exists());
    assert_eq!(server.stop().code, Some(0));
}

/// A reader of events may wait for 20 s, twice as long as the server gives to requests when it stops.
#[test]
fn ctrl_c_does_not_wait_for_those_who_wait_for_events() {
    let folder = TempDir::new().unwrap();
    let (server, curls) = demo(&folder);
    let tickets = curls[0]
        .split_whitespace()
        .find(|word| word.contains("http://"))
        .unwrap();
    let events = tickets.trim_matches(['\'', '"']).replace("/tickets", "/events");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-v", &format!("{events}?after=latest&wait=20")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut reader = Server::start(curl);
    reader.said_until("> GET");
    let begun = Instant::now();
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let answer = reader.wait().stdout;
    assert!(answer.starts_with("{\"events\":["), "{answer}");
}

/// What the issue of the poller asks to be shown: with the demo, a change that was made in the ticketing system itself is
/// an event, with its before and after, within the poll interval and the time that a change settles.
#[test]
fn an_edit_in_the_demo_s_ticketing_system_is_an_event_with_its_before_and_after() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state.redb");
    let options = ["--state", argument(&state)];
    let mut server = Server::start(command(
        &[
            &["up", "--listen", "127.0.0.1:0", "--poll-interval", "1"],
            &options[..],
        ]
        .concat(),
    ));
    let printed = server.printed_until(|line| line.starts_with("ticket-gateway events tail"));
    assert!(printed[2].contains("polling       every 1 s"), "{printed:?}");
    let line = |start: &str| printed.iter().find(|line| line.starts_with(start)).unwrap();
    let mut tail = Server::start(command(
        &[&["events", "tail", "teamswork", "--from-start"], &options[..]].concat(),
    ));
    let id = shell(&format!("{} 2>/dev/null; echo \"$ID\"", line("ID="))).stdout;
    let id = id.trim();
    tail.printed_until(|line| line.contains(id) && line.contains("created"));

    // Without waiting for a poll: there was one.
    let (_, edit) = line("sleep ").split_once(';').unwrap();
    let begun = Instant::now();
    let edited = shell(&format!("ID={id}; {edit}")).json();
    assert_eq!(edited["item"]["title"], "Both monitors stay dark", "{edited}");
    let changed = "short_description: Second monitor stays dark -> Both monitors stay dark";
    let shown = tail.printed_until(|line| line.contains(changed));
    assert!(shown[0].contains(id) && shown[0].contains("updated"), "{shown:?}");
    // 1 s to settle, 1 s until the next poll, and what a busy machine takes.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());

    tail.stop();
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("poll integration=\"teamswork\""),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_polling_nothing_is_asked_and_the_banner_says_so() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state.redb");
    let mut server = Server::start(command(&[
        "up",
        "--listen",
        "127.0.0.1:0",
        "--no-poll",
        "--state",
        argument(&state),
    ]));
    let printed = server.printed_until(|line| line.contains("state "));
    assert!(
        printed
            .iter()
            .any(|line| line.contains("polling       off (--no-poll)")),
        "{printed:?}"
    );
    assert_eq!(server.stop().code, Some(0));
    let both = run(&["up", "--no-poll", "--poll-interval", "5"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}
