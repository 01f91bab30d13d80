//! `explain`, on the stand-in of TeamsWork.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::{Folder, GOOD};
use crate::live::{KEY, System};
use crate::process::{Ended, argument, command};

fn explain(system: &System, action: &str, context: &Value, more: &[&str]) -> Ended {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("context.json");
    std::fs::write(&file, context.to_string()).unwrap();
    let after = [&[action, "--context", argument(&file)], more].concat();
    system.run("explain", &system.connector(), &after, KEY)
}

/// The part of an explanation that makes a field, wherever it is.
fn field<'e>(explanation: &'e Value, name: &str) -> Option<&'e Value> {
    let parts = explanation["parts"].as_array()?;
    parts.iter().find_map(|part| match part["field"] == name {
        true => Some(part),
        false => field(part, name),
    })
}

#[test]
fn each_step_each_request_and_each_field_is_shown() {
    let system = System::teamswork();
    let id = system.a_ticket();
    let ended = explain(&system, "query_ticket_by_id", &json!({"ticket_id": id}), &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = &ended.stdout;
    assert!(said.contains("left out: its `when` does not hold"), "{said}");
    assert!(
        said.contains("get_ticket (") && said.contains("-> data.ticket"),
        "{said}"
    );
    assert!(said.contains(&format!("ticket_id: \"{id}\"")), "{said}");
    assert!(
        said.contains("> GET /ticketing/v1/tickets/") && said.contains("?timezone=0&key=***"),
        "{said}"
    );
    assert!(said.contains("< 200 in "), "{said}");
    assert!(
        said.contains("= item.title (") && said.contains("integration.yaml:"),
        "{said}"
    );
}

#[test]
fn a_field_that_is_null_says_which_part_of_its_path_is_missing() {
    let system = System::teamswork();
    let context = json!({"ticket_id": system.a_ticket()});
    let ended = explain(&system, "query_ticket_by_id", &context, &["--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let all = ended.json();
    let run = &all["runs"][0];
    assert!(run["steps"][0]["skipped_by"]["written"].is_string(), "{run}");
    assert_eq!(run["steps"][1]["exchanges"][0]["answer"]["status"], 200);
    let title = field(&run["output"], "short_description").unwrap();
    assert_eq!(
        (&title["kind"], &title["written"]),
        (&json!("expression"), &json!("item.title"))
    );
    assert_eq!(title["paths"][0]["path"], "item.title");
    let none = field(&run["output"], "close_code").unwrap();
    assert_eq!(none["value"], Value::Null);
    let missing = none["paths"][0]["missing"].as_str().unwrap();
    assert!(
        missing.contains("`item.resolution` is null") || missing.contains("has no `resolution`"),
        "{missing}"
    );
}

#[test]
fn an_action_that_fails_is_explained_as_far_as_it_came() {
    let system = System::teamswork();
    let context = json!({"ticket_id": "00000000-0000-4000-8000-0000000000ff"});
    let ended = explain(&system, "query_ticket_by_id", &context, &["--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let all = ended.json();
    assert_eq!(all["error"]["code"], "NOT_FOUND", "{all}");
    assert_eq!(all["runs"][0]["output"], Value::Null);
    assert_eq!(
        all["runs"][0]["steps"][1]["exchanges"][0]["answer"]["status"],
        404
    );
}

#[test]
fn an_action_that_writes_is_asked_for() {
    let system = System::teamswork();
    let context = json!({"payload": {"short_description": "Printer on fire"}});
    let before = system.tickets();
    let ended = explain(&system, "create_ticket", &context, &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    assert_eq!(system.tickets(), before);
}

/// `explain` of a case of the connector to TeamsWork, as `instead` makes it of its text.
fn of_case(name: &str, instead: impl Fn(String) -> String, more: &[&str]) -> Ended {
    let connector = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/teamswork");
    let text = std::fs::read_to_string(connector.join("tests").join(name)).unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("case.yaml");
    std::fs::write(&file, instead(text)).unwrap();
    let mut command = command(&["explain", argument(&connector), "--case", argument(&file)]);
    command.args(more).output().unwrap().into()
}

#[test]
fn a_case_is_explained_without_a_ticketing_system() {
    let ended = of_case("query_ticket_by_id.yaml", |text| text, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = &ended.stdout;
    assert!(
        said.contains("> GET /ticketing/v1/tickets?") && said.contains("&search=1004"),
        "{said}"
    );
    assert!(said.contains("key=***"), "{said}");
    // How long a recorded answer took says nothing.
    assert!(said.contains("     < 200\n"), "{said}");
    assert!(said.contains("= item.title ("), "{said}");
}

#[test]
fn a_case_that_writes_is_explained_without_asking() {
    let ended = of_case("create_ticket.yaml", |text| text, &["--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let steps = ended.json()["runs"][0]["steps"].clone();
    let exchange = &steps[0]["exchanges"][0];
    assert_eq!(exchange["milliseconds"], Value::Null, "{steps}");
    assert_eq!(exchange["request"]["query"]["key"], "***", "{steps}");
}

#[test]
fn a_request_that_the_case_does_not_have_is_shown_beside_the_one_it_has() {
    let other = |text: String| text.replacen("search: \"1004\"", "search: \"1005\"", 1);
    let ended = of_case("query_ticket_by_id.yaml", other, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("case.yaml:") && ended.stderr.contains("search: \"1004\", timezone"),
        "{ended:?}"
    );
}

#[test]
fn a_case_with_a_secret_in_it_is_not_explained() {
    let with_key = |text: String| text.replace("{{api_key}}", "9f86d081884c7d659a2feaa0c55ad015");
    let ended = of_case("query_ticket_by_id.yaml", with_key, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("TG0502"), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_list_that_is_empty_says_what_it_was_made_of() {
    let folder = Folder::with(&GOOD.replace(
        "short_description: data.ticket.title",
        "short_description: data.ticket.title\n              tags: data.ticket.marks.$FILTER(mark => mark.shown)",
    ));
    let file = folder.path().join("case.yaml.txt");
    std::fs::write(
        &file,
        "name: a\naction: query_ticket_by_id\ncontext: {ticket_id: T-1}\nsettings: {base_url: 'https://desk.example.com'}\n\
         now: '2026-01-05T10:30:45Z'\nexchanges:\n  - request: {method: GET, path: /tickets/T-1}\n    response: {status: 200, \
         headers: {content-type: application/json}, body: {id: T-1, title: Screen, marks: [{name: red}]}}\n",
    )
    .unwrap();
    let ended: Ended = command(&["explain", argument(folder.path()), "--case", argument(&file)])
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = &ended.stdout;
    assert!(
        said.contains("data.ticket.marks is [{\"name\":\"red\"}]"),
        "{said}"
    );
    assert!(said.contains("behind `=>` is read of each element"), "{said}");
}
