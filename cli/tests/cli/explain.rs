//! `explain`, on the stand-in of TeamsWork.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::live::{KEY, System};
use crate::process::{Ended, argument};

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
        said.contains("> GET /ticketing/v1/tickets/") && said.contains("?timezone=&key="),
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
