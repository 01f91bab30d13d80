//! `test` and `record`: an integration is proved by cases.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::process::{Ended, argument, run};
use crate::sandbox;

/// A case of [`GOOD`] that passes.
const PASSES: &str = r#"name: A ticket is read
action: query_ticket_by_id
context: {ticket_id: T-1}
settings: {base_url: "https://desk.example.com/api"}
exchanges:
  - request:
      method: GET
      path: /tickets/T-1
      headers: {Authorization: "Bearer {{token}}"}
    response:
      status: 200
      body: {id: T-1, title: Printer on fire}
expect:
  output:
    raw_ticket:
      id: T-1
      state: Open
      internal_state_code: NEW
      short_description: Printer on fire
      updated_at: "2026-01-05T10:30:45.000000Z"
"#;

/// An integration with cases.
struct Desk {
    folder: Folder,
}

impl Desk {
    fn with(cases: &[(&str, &str)]) -> Self {
        let folder = Folder::with(GOOD);
        std::fs::create_dir(folder.path().join("tests")).unwrap();
        for (name, text) in cases {
            std::fs::write(folder.path().join("tests").join(name), text).unwrap();
        }
        Self { folder }
    }

    fn case(&self, name: &str) -> PathBuf {
        self.folder.path().join("tests").join(name)
    }

    fn test(&self, options: &[&str]) -> Ended {
        run(&[&["test", argument(self.folder.path())], options].concat())
    }
}

/// Plays one case with a change to [`PASSES`].
fn with(from: &str, to: &str) -> Ended {
    assert!(PASSES.contains(from), "{from}");
    Desk::with(&[("a.yaml", &PASSES.replacen(from, to, 1))]).test(&[])
}

#[test]
fn a_case_that_comes_true_passes() {
    let desk = Desk::with(&[("a.yaml", PASSES)]);
    let ended = desk.test(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("a.yaml: A ticket is read\n"), "{ended:?}");
    assert!(ended.stdout.contains("desk: 1 passed of 1 case\n"), "{ended:?}");
    assert!(
        ended.stdout.contains("desk: no case for create_ticket\n"),
        "{ended:?}"
    );
}

#[test]
fn another_output_is_shown_as_a_diff_in_the_words_of_the_case() {
    let ended = with(
        "short_description: Printer on fire",
        "short_description: Printer on ice",
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let diff = "     internal_state_code: NEW\n\
                -    short_description: Printer on ice\n\
                +    short_description: Printer on fire\n";
    assert!(ended.stdout.contains(diff), "{}", ended.stdout);
    // The place of what is expected.
    assert!(
        ended.stdout.contains("a.yaml:14:3: the output is another\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("desk: 0 passed, 1 failed of 1 case\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn an_answer_that_changed_its_shape_names_the_field_what_came_and_the_line_that_reads_it() {
    let ended = with("title: Printer on fire}", "name: Printer on fire}");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = &ended.stdout;
    assert!(
        said.contains("raw_ticket.short_description: expected text, found nothing"),
        "{said}"
    );
    assert!(
        said.contains("makes `raw_ticket.short_description`: data.ticket.title: `data.ticket` has no `title`; it has id, name"),
        "{said}"
    );
    // The error is not buried under what was expected instead of it.
    assert!(!said.contains("-output:"), "{said}");
}

#[test]
fn a_wrong_mapping_is_traced_to_its_line() {
    let desk = Desk::with(&[("a.yaml", PASSES)]);
    let file = desk.folder.path().join("integration.yaml");
    let broken = GOOD.replace(
        "short_description: data.ticket.title",
        "short_description: data.ticket.id",
    );
    std::fs::write(&file, &broken).unwrap();
    let line = broken
        .lines()
        .position(|line| line.contains("data.ticket.id") && line.contains("short"))
        .unwrap()
        + 1;
    let ended = desk.test(&["--json"]);
    let finding = ended.json()[0]["cases"][0]["findings"][0].clone();
    let place = finding["causes"][0]["place"].as_str().unwrap().to_owned();
    assert!(
        place.ends_with(&format!("integration.yaml:{line}")),
        "line {line}: {finding}"
    );
}

#[test]
fn another_request_is_shown_as_a_diff() {
    let ended = with("path: /tickets/T-1", "path: /tickets/T-2");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let diff = "-path: /tickets/T-2\n+path: /tickets/T-1\n";
    assert!(ended.stdout.contains(diff), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("a.yaml:7:7: request 1 of 1 is another\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn credentials_are_compared_by_the_name_of_the_secret() {
    let ended = with("Bearer {{token}}", "Bearer {{other}}");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let diff =
        "-headers: {authorization: \"Bearer {{other}}\"}\n+headers: {authorization: \"Bearer {{token}}\"}\n";
    assert!(ended.stdout.contains(diff), "{}", ended.stdout);
}

#[test]
fn a_request_too_many_and_one_too_few_fail_the_case() {
    let ended = with("    response:", "    repeat: 2\n    response:");
    assert!(
        ended
            .stdout
            .contains("this request was not sent 2 times: GET /tickets/T-1\n"),
        "{}",
        ended.stdout
    );
    let without = PASSES.split("exchanges:").next().unwrap();
    let case = format!("{without}expect: {{output: {{}}}}\n");
    let ended = Desk::with(&[("a.yaml", &case)]).test(&[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("the case expects no request\n"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("+path: /tickets/T-1\n"), "{}", ended.stdout);
}

#[test]
fn an_error_is_compared_as_far_as_it_is_named() {
    let error = PASSES
        .split("expect:")
        .next()
        .unwrap()
        .replace("status: 200", "status: 404");
    let case =
        format!("{error}expect:\n  error: {{code: NOT_FOUND, status: 404, message: no such ticket}}\n");
    let ended = Desk::with(&[("a.yaml", &case)]).test(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let case = format!("{error}expect:\n  error: {{code: CONFLICT}}\n");
    let ended = Desk::with(&[("a.yaml", &case)]).test(&[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("CONFLICT"), "{}", ended.stdout);
    assert!(ended.stdout.contains("NOT_FOUND"), "{}", ended.stdout);
}

#[test]
fn waits_take_no_time() {
    let again = "  - request: {method: GET, path: /tickets/T-1}\n    \
                   response: {status: 429, headers: {Retry-After: \"8\"}}\n";
    let case = PASSES.replace("exchanges:\n", &format!("exchanges:\n{again}"));
    let began = std::time::Instant::now();
    let ended = Desk::with(&[("a.yaml", &case)]).test(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
}

#[test]
fn a_lost_answer_is_a_case_too() {
    let case = r#"name: Nobody knows whether it was created
action: create_ticket
context: {payload: {short_description: Printer, description: It burns}}
settings: {base_url: "https://desk.example.com"}
exchanges:
  - request: {method: POST, path: /tickets, body: {page_size: 50, title: Printer}}
    response: {failure: timeout}
expect:
  error: {code: EXTERNAL_TIMEOUT, outcome: unknown}
"#;
    let ended = Desk::with(&[("a.yaml", case)]).test(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_broken_case_names_the_place_and_what_was_meant() {
    for (from, to, message, help) in [
        (
            "context:",
            "contxt:",
            "a case has no key `contxt`",
            "did you mean `context`?",
        ),
        (
            "method: GET",
            "methd: GET",
            "a request has no key `methd`",
            "did you mean `method`?",
        ),
        (
            "      path: /tickets/T-1\n",
            "",
            "a request needs the key `path`",
            "",
        ),
        (
            "path: /tickets/T-1",
            "path: tickets/T-1",
            "begins with `/`",
            "has the whole URL",
        ),
        (
            "path: /tickets/T-1",
            "path: /tickets?a=1",
            "`path` holds no query",
            "under `query`",
        ),
        (
            "query_ticket_by_id",
            "query_ticket_by_di",
            "there is no ticket action",
            "did you mean `query_ticket_by_id`?",
        ),
        ("status: 200", "status: 2000", "from 100 to 599", ""),
        (
            "status: 200",
            "failure: gone",
            "nothing stands beside it",
            "no_connection, timeout, lost",
        ),
        ("exchanges:", "exchanges: {", "TG0100", ""),
        (
            "exchanges:",
            "now: yesterday\nexchanges:",
            "expected a time such as",
            "",
        ),
    ] {
        let ended = with(from, to);
        assert_eq!(ended.code, Some(1), "{to}: {ended:?}");
        assert!(ended.stderr.contains(message), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains(help), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains("a.yaml:"), "{to}: {}", ended.stderr);
    }
    let ended = with("base_url: ", "base_ul: ");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("a.yaml:4:11: "), "{}", ended.stdout);
}

#[test]
fn a_case_that_holds_a_secret_is_refused() {
    for (from, to) in [
        ("Bearer {{token}}", "Bearer s3cret-of-somebody"),
        (
            "title: Printer on fire",
            "title: x, access_token: s3cret-of-somebody",
        ),
        (
            "title: Printer on fire",
            "title: x, key: 3b1f9cd27e1f58d0a46c3b1f9cd27e1f",
        ),
    ] {
        let ended = with(from, to);
        assert_eq!(ended.code, Some(1), "{to}: {ended:?}");
        assert!(ended.stderr.contains("TG0502"), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains("a.yaml:"), "{to}: {}", ended.stderr);
    }
}

#[test]
fn update_writes_what_came_and_nothing_else() {
    let old = PASSES.replace("    raw_ticket:\n", "    # Old.\n    raw_ticket:\n");
    let desk = Desk::with(&[("a.yaml", &old.replace("Open", "Closed")), ("b.yaml", PASSES)]);
    let ended = desk.test(&["--update"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("-    state: Closed\n+    state: Open\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("desk: 1 passed, 1 updated of 2 cases\n"),
        "{}",
        ended.stdout
    );
    let written = std::fs::read_to_string(desk.case("a.yaml")).unwrap();
    assert!(
        written.starts_with(PASSES.split("expect:").next().unwrap()),
        "{written}"
    );
    assert_eq!(std::fs::read_to_string(desk.case("b.yaml")).unwrap(), PASSES);
    assert_eq!(desk.test(&[]).code, Some(0), "{written}");
    // A case whose requests differ is not mended by another expectation.
    let desk = Desk::with(&[(
        "a.yaml",
        &PASSES.replace("path: /tickets/T-1", "path: /tickets/T-2"),
    )]);
    assert_eq!(desk.test(&["--update"]).code, Some(1));
}

#[test]
fn some_cases_can_be_chosen_and_counted_by_a_program() {
    let other = PASSES
        .replace("A ticket is read", "Another")
        .replace("state: Open", "state: Gone");
    let desk = Desk::with(&[("a.yaml", PASSES), ("b.yaml", &other)]);
    assert_eq!(desk.test(&[]).code, Some(1));
    assert_eq!(desk.test(&["--filter", "is read"]).code, Some(0));
    let ended = desk.test(&["--filter", "nothing"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("`nothing`"), "{ended:?}");
    let ended = desk.test(&["--json"]);
    assert_eq!(ended.code, Some(1));
    let suites = ended.json();
    assert_eq!(suites[0]["passed"], json!(1), "{suites}");
    assert_eq!(suites[0]["failed"], json!(1), "{suites}");
    assert_eq!(
        suites[0]["actions_without_case"],
        json!(["create_ticket"]),
        "{suites}"
    );
    assert_eq!(
        suites[0]["cases"][1]["findings"][0]["line"],
        json!(14),
        "{suites}"
    );
}

#[test]
fn an_integration_without_cases_is_told_how_to_make_one() {
    let folder = Folder::with(GOOD);
    let ended = run(&["test", argument(folder.path())]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("ticket-gateway record"), "{}", ended.stderr);
}

#[test]
fn every_shipped_integration_comes_true() {
    let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(connectors)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let mut arguments = vec!["test", "--json"];
    arguments.extend(folders.iter().map(|folder| argument(folder)));
    let ended = run(&arguments);
    let suites = ended.json();
    for suite in suites.as_array().unwrap() {
        let failed: Vec<&Value> = suite["cases"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|case| case["result"] != "passed")
            .collect();
        assert!(failed.is_empty(), "{:#}", json!(failed));
        assert_eq!(
            suite["actions_without_case"],
            json!([]),
            "{}",
            suite["integration"]
        );
    }
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn the_published_schema_of_a_case_is_the_one_that_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/case.schema.json");
    let printed = run(&["schema", "--case"]).stdout;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == printed,
        "docs/case.schema.json is out of step; renew it with UPDATE_DOCS=1 cargo test -p ticket-gateway"
    );
}

/// Records against a system that knows the ticket T-1.
fn record(desk: &Desk, system: &TicketSystem, options: &[&str]) -> Ended {
    record_with(desk, system, "token-1", options)
}

fn record_with(desk: &Desk, system: &TicketSystem, token: &str, options: &[&str]) -> Ended {
    let folder = desk.folder.path();
    let secrets = folder.join("secrets.json");
    std::fs::write(&secrets, format!(r#"{{"desk": {{"token": "{token}"}}}}"#)).unwrap();
    private(&secrets);
    let context = folder.join("context.json");
    std::fs::write(&context, r#"{"ticket_id": "T-1"}"#).unwrap();
    let setting = system.setting();
    let output = desk.case("recorded.yaml");
    let usual = [
        "record",
        argument(folder),
        "query_ticket_by_id",
        "--context",
        argument(&context),
        "--secrets",
        argument(&secrets),
        "--set",
        &setting,
        "--allow-private-upstreams",
        "--output",
        argument(&output),
    ];
    run(&[&usual[..], options].concat())
}

fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_recorded_case_holds_no_secret_and_no_host_and_comes_true() {
    let (desk, system) = (Desk::with(&[]), TicketSystem::start());
    let ended = record(&desk, &system, &["--name", "A ticket is read"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let written = std::fs::read_to_string(desk.case("recorded.yaml")).unwrap();
    for gone in ["token-1", "127.0.0.1"] {
        assert!(!written.contains(gone), "{written}");
    }
    for there in [
        "name: A ticket is read\n",
        "settings: {base_url: \"https://desk.example.com\"}\n",
        "authorization: \"Bearer {{token}}\"",
        "path: /tickets/T-1",
    ] {
        assert!(written.contains(there), "{there} in {written}");
    }
    assert_eq!(desk.test(&[]).code, Some(0), "{written}");

    let again = record(&desk, &system, &[]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(record(&desk, &system, &["--force"]).code, Some(0));
}

#[test]
fn a_key_that_is_sent_as_basic_credentials_is_shown_nowhere() {
    for (auth, secret, expected) in [
        (
            // Base64 of freshkey123:X
            "{kind: api_key, in: header, name: Authorization, secret: token, pattern: \"Basic %s\"}",
            "ZnJlc2hrZXkxMjM6WA==",
            "authorization: \"Basic {{token}}\"",
        ),
        (
            "{kind: basic, username_secret: token, password: X}",
            "freshkey123",
            "authorization: \"Basic {{token}}:X\"",
        ),
    ] {
        let (desk, system) = (Desk::with(&[]), TicketSystem::start());
        let yaml = desk.folder.path().join("integration.yaml");
        let text = std::fs::read_to_string(&yaml).unwrap();
        let text = text.replace("{kind: bearer, secret: token}", auth);
        assert!(text.contains(auth));
        std::fs::write(&yaml, text).unwrap();
        let ended = record_with(&desk, &system, secret, &[]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let written = std::fs::read_to_string(desk.case("recorded.yaml")).unwrap();
        for gone in ["freshkey123", "ZnJlc2hrZXkxMjM6WA"] {
            assert!(!written.contains(gone), "{written}");
            assert!(!format!("{ended:?}").contains(gone), "{ended:?}");
        }
        assert!(written.contains(expected), "{written}");
        assert_eq!(desk.test(&[]).code, Some(0), "{written}");
    }
}

#[test]
fn a_header_that_the_integration_writes_out_is_no_secret() {
    let (desk, system) = (Desk::with(&[]), TicketSystem::start());
    let yaml = desk.folder.path().join("integration.yaml");
    let text = std::fs::read_to_string(&yaml).unwrap();
    let auth = "auth: {kind: bearer, secret: token}";
    let with_header = text.replace(
        auth,
        &format!("{auth}\n  headers: {{X-Atlassian-Token: no-check}}"),
    );
    assert_ne!(with_header, text);
    std::fs::write(&yaml, with_header).unwrap();
    let ended = record(&desk, &system, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let written = std::fs::read_to_string(desk.case("recorded.yaml")).unwrap();
    assert!(written.contains("x-atlassian-token: no-check"), "{written}");
    assert_eq!(desk.test(&[]).code, Some(0), "{written}");
}

#[test]
fn what_is_kept_although_it_looks_like_a_token_is_said_to_be_no_secret() {
    let (desk, system) = (Desk::with(&[]), TicketSystem::start());
    let hash = "3b1f9cd27e1f58d0a46c3b1f9cd27e1f";
    let name = format!("Of the commit {hash}");
    let ended = record(
        &desk,
        &system,
        &["--name", &name, "--keep", hash, "--keep", "Desk"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let written = std::fs::read_to_string(desk.case("recorded.yaml")).unwrap();
    assert!(
        written.contains(&format!("not_secret: [\"{hash}\"]")),
        "{written}"
    );
    assert_eq!(desk.test(&[]).code, Some(0), "{written}");
}

/// A desk with one setting more, on one line.
fn with_setting(declared: &str) -> Desk {
    let desk = Desk::with(&[]);
    let yaml = desk.folder.path().join("integration.yaml");
    let text = std::fs::read_to_string(&yaml).unwrap();
    let text = text.replace("settings:\n", &format!("settings:\n  {declared}\n"));
    std::fs::write(&yaml, text).unwrap();
    desk
}

#[test]
fn the_words_of_a_setting_are_nobodys_name() {
    let desk = with_setting("login: {type: enum, values: [private_app, oauth], required: true}");
    let ended = record(
        &desk,
        &TicketSystem::start(),
        &["--set", "desk.login=private_app"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let written = std::fs::read_to_string(desk.case("recorded.yaml")).unwrap();
    assert!(written.contains("login: private_app"), "{written}");
    assert_eq!(desk.test(&[]).code, Some(0), "{written}");
}

#[test]
fn a_change_of_which_no_case_can_be_written_is_said_to_be_made() {
    let desk = with_setting("login: {type: text, pattern: \"private_[a-z]+\"}");
    let system = TicketSystem::start();
    let folder = desk.folder.path();
    let (context, secrets) = (folder.join("new.json"), folder.join("secrets.json"));
    let new = r#"{"payload": {"short_description": "Dark"}, "requestor_info": {"requestor": {"email_addr": "a@example.com"}}}"#;
    std::fs::write(&context, new).unwrap();
    std::fs::write(&secrets, r#"{"desk": {"token": "token-1"}}"#).unwrap();
    private(&secrets);
    let ended = run(&[
        "record",
        argument(folder),
        "create_ticket",
        "--context",
        argument(&context),
        "--secrets",
        argument(&secrets),
        "--set",
        &system.setting(),
        "--set",
        "desk.login=private_app",
        "--allow-private-upstreams",
        "--yes",
        "--output",
        argument(&desk.case("made.yaml")),
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in ["create_ticket was carried out", "--keep"] {
        assert!(ended.stderr.contains(said), "{said} in {}", ended.stderr);
    }
    assert!(!desk.case("made.yaml").exists());
}

#[test]
fn an_action_that_changes_something_wants_a_yes() {
    let desk = Desk::with(&[]);
    let ended = run(&[
        "record",
        argument(desk.folder.path()),
        "create_ticket",
        "--context",
        "-",
        "--output",
        argument(&desk.case("a.yaml")),
    ]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--yes"), "{}", ended.stderr);
}

#[test]
fn people_addresses_keys_and_hosts_have_stand_ins_in_a_recorded_case() {
    let (sandbox, base_url) = sandbox::start(&["--tickets", "1"]);
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        private(&path);
        path
    };
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/teamswork/integration.yaml");
    let integration = file("integration.yaml", &std::fs::read_to_string(shipped).unwrap());
    let secrets = file(
        "secrets.json",
        r#"{"teamswork": {"api_key": "sandbox-primary-key"}}"#,
    );
    let settings = json!({"base_url": base_url, "service_user_id": "00000000-0000-4000-8000-000000000001",
                          "service_user_name": "Gateway Robot", "service_user_email": "robot@corp.test"});
    let settings = file("settings.json", &settings.to_string());
    let context = json!({
        "payload": {"short_description": "Dark", "description": "Molly (molly@corp.test, +49 171 5550199) sees nothing"},
        "requestor_info": {"requestor": {"full_name": "Molly Miller", "email_addr": "Molly@corp.test"}},
    });
    let context = file("context.json", &context.to_string());
    let case = folder.path().join("tests").join("create_ticket.yaml");
    let ended = run(&[
        "record",
        argument(&integration),
        "create_ticket",
        "--context",
        argument(&context),
        "--settings",
        argument(&settings),
        "--secrets",
        argument(&secrets),
        "--allow-private-upstreams",
        "--yes",
        "--output",
        argument(&case),
    ]);
    sandbox.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let written = std::fs::read_to_string(&case).unwrap();
    let small = written.to_lowercase();
    for gone in [
        "molly",
        "miller",
        "corp.test",
        "5550199",
        "sandbox-primary-key",
        "127.0.0.1",
        "robot",
    ] {
        assert!(!small.contains(gone), "{gone} in {written}");
    }
    for there in [
        "base_url: \"https://teamswork.example.com/ticketing/v1\"",
        "query: {key: \"{{api_key}}\", timezone: \"0\"}",
        "requestor: {full_name: Name1 Name2, email_addr: person1@example.com}",
        "(person1@example.com, +1 202 555 0100) sees nothing",
        "requested_for: person1@example.com",
    ] {
        assert!(written.contains(there), "{there} in {written}");
    }
    // The ticket's id is the sandbox's own.
    let id = written
        .split("path: /tickets/")
        .nth(1)
        .unwrap()
        .split('\n')
        .next()
        .unwrap();
    assert_eq!(id.len(), 36, "{id}");
    let ended = run(&["test", argument(&integration)]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
