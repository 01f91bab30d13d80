//! `describe`

use serde_json::json;

use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::process::{Ended, argument, command};

fn describe(more: &[&str]) -> Ended {
    let (folder, system) = (Folder::with(GOOD), TicketSystem::start());
    let setting = system.setting();
    let fixed = [
        "describe",
        argument(folder.path()),
        "--allow-private-upstreams",
        "--set",
        &setting,
    ];
    let mut command = command(&[&fixed[..], more].concat());
    command
        .env("TICKET_GATEWAY_SECRET_DESK_TOKEN", "token-1")
        .output()
        .unwrap()
        .into()
}

#[test]
fn it_shows_tables() {
    let ended = describe(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "Custom fields\n  ID  TITLE  TYPE  OPTIONS\n  f1  Site   text  Lisbon, Porto\n\nTags\n  none\n"
    );
}

#[test]
fn json_is_for_scripts() {
    let fields = json!([{"id": "f1", "title": "Site", "type": "text", "options": ["Lisbon", "Porto"]}]);
    assert_eq!(
        describe(&["--json"]).json(),
        json!({"custom_fields": fields, "tags": []})
    );
}

#[test]
fn teamswork_shows_its_custom_fields_people_and_tags() {
    let (server, base_url) = crate::sandbox::start(&[]);
    let teamswork = concat!(env!("CARGO_MANIFEST_DIR"), "/../connectors/teamswork");
    let base_url = format!("teamswork.base_url={base_url}");
    let mut command = command(&[
        "describe",
        teamswork,
        "--allow-private-upstreams",
        "--json",
        "--set",
        &base_url,
        "--set",
        "teamswork.service_user_id=00000000-0000-4000-8000-000000000001",
        "--set",
        "teamswork.service_user_name=Gateway",
        "--set",
        "teamswork.service_user_email=gateway@example.com",
    ]);
    command.env("TICKET_GATEWAY_SECRET_TEAMSWORK_API_KEY", "sandbox-primary-key");
    let ended: Ended = command.output().unwrap().into();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let description = ended.json();
    assert_eq!(
        description["custom_fields"][0]["id"].as_str().unwrap().len(),
        36,
        "{description}"
    );
    assert!(description["assignees"][0].is_object(), "{description}");
    assert!(description["tags"][0].is_object(), "{description}");
    assert_eq!(server.stop().code, Some(0));
}

#[test]
fn an_integration_without_it_says_so() {
    let without = &GOOD[..GOOD.find("describe:").unwrap()];
    let without = without.replace("  get_fields:\n    method: GET\n    path: /fields\n", "");
    let folder = Folder::with(&format!("{without}ticketing:\n  states: {{Open: NEW}}\n"));
    let mut command = command(&[
        "describe",
        argument(folder.path()),
        "--set",
        "desk.base_url=https://example.com",
    ]);
    let ended: Ended = command
        .env("TICKET_GATEWAY_SECRET_DESK_TOKEN", "token-1")
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("has no `describe`"), "{}", ended.stderr);
}
