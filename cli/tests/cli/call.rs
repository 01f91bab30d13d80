//! `call`

use serde_json::json;
use tempfile::TempDir;

use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::process::{Ended, argument, command, run};

const TOKEN: &str = "TICKET_GATEWAY_SECRET_DESK_TOKEN";

/// `call` on the small integration with a context on standard input.
fn call(action: &str, context: &str, more: &[&str]) -> Ended {
    let (folder, system) = (Folder::with(GOOD), TicketSystem::start());
    let files = TempDir::new().unwrap();
    let file = files.path().join("context.json");
    std::fs::write(&file, context).unwrap();
    let setting = system.setting();
    let fixed = [
        "call",
        argument(folder.path()),
        action,
        "--context",
        argument(&file),
        "--set",
        &setting,
    ];
    command(&[&fixed[..], more].concat())
        .env(TOKEN, "token-1")
        .output()
        .unwrap()
        .into()
}

#[test]
fn the_answer_of_the_api_is_alone_on_stdout() {
    let ended = call(
        "query_ticket_by_id",
        r#"{"ticket_id": "T-1"}"#,
        &["--allow-private-upstreams"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ticket = &ended.json()["raw_ticket"];
    assert_eq!(ticket["id"], "T-1");
    assert_eq!(ticket["internal_state_code"], "NEW");
    assert_eq!(ticket["updated_at"], "2026-01-05T10:30:45.000000Z");
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_context_can_be_yaml() {
    let ended = call(
        "create_ticket",
        "payload: {short_description: Printer on fire}",
        &["--allow-private-upstreams"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.json()["raw_ticket"]["short_description"], "Printer on fire");
}

#[test]
fn an_error_answer_is_on_stdout_and_ends_with_1() {
    let unknown = call(
        "query_ticket_by_id",
        r#"{"ticket_id": "T-9"}"#,
        &["--allow-private-upstreams"],
    );
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert_eq!(unknown.json()["error"]["code"], "NOT_FOUND");

    let invalid = call("create_ticket", "{}", &["--allow-private-upstreams"]);
    assert_eq!(invalid.code, Some(1));
    assert_eq!(invalid.json()["error"]["code"], "INPUT_VALIDATION_FAILED");

    let not_supported = call(
        "resolve_ticket",
        r#"{"ticket_id": "T-1"}"#,
        &["--allow-private-upstreams"],
    );
    assert_eq!(not_supported.code, Some(1));
    assert_eq!(not_supported.json()["error"]["code"], "ACTION_NOT_SUPPORTED");
}

#[test]
fn a_private_address_is_refused_unless_allowed() {
    let ended = call("query_ticket_by_id", r#"{"ticket_id": "T-1"}"#, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.json()["error"]["code"], "EXTERNAL_REST_ERROR");
}

#[test]
fn a_secrets_file_serves_too_if_only_its_owner_can_read_it() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, system) = (Folder::with(GOOD), TicketSystem::start());
    let files = TempDir::new().unwrap();
    let (secrets, context) = (
        files.path().join("secrets.json"),
        files.path().join("context.json"),
    );
    std::fs::write(&secrets, json!({"desk": {"token": "token-1"}}).to_string()).unwrap();
    std::fs::write(&context, r#"{"ticket_id": "T-1"}"#).unwrap();
    let setting = system.setting();
    let arguments = [
        "call",
        argument(folder.path()),
        "query_ticket_by_id",
        "--context",
        argument(&context),
        "--set",
        &setting,
        "--secrets",
        argument(&secrets),
        "--allow-private-upstreams",
    ];

    std::fs::set_permissions(&secrets, Permissions::from_mode(0o644)).unwrap();
    let open = run(&arguments);
    assert_eq!(open.code, Some(1));
    assert!(open.stderr.contains("chmod 600"), "{}", open.stderr);

    std::fs::set_permissions(&secrets, Permissions::from_mode(0o600)).unwrap();
    let closed = run(&arguments);
    assert_eq!(closed.code, Some(0), "{closed:?}");
}

#[test]
fn a_missing_secret_is_named_with_its_variable() {
    let folder = Folder::with(GOOD);
    let arguments = [
        "call",
        argument(folder.path()),
        "query_ticket_by_id",
        "--context",
        "/dev/null",
        "--set",
        "desk.base_url=http://localhost",
    ];
    let ended = run(&arguments);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(TOKEN), "{}", ended.stderr);
}

#[test]
fn a_mistyped_action_is_suggested() {
    let folder = Folder::with(GOOD);
    let ended = run(&["call", argument(folder.path()), "create_tikcet", "--context", "-"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("create_ticket"), "{}", ended.stderr);
}
