//! `doctor`, on the stand-ins with every quirk on.

use serde_json::Value;

use crate::live::{KEY, System};

fn check<'c>(report: &'c Value, name: &str) -> &'c Value {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {report}"))
}

/// What is told of a check, findings and causes, as one text.
fn told(check: &Value) -> String {
    check["findings"].to_string()
}

/// The causes of a check that name this line.
fn names_line(check: &Value, line: usize) -> bool {
    let findings = check["findings"].as_array().unwrap().iter();
    let mut causes = findings.flat_map(|finding| finding["causes"].as_array().unwrap());
    causes.any(|cause| {
        cause["place"]
            .as_str()
            .is_some_and(|place| place.ends_with(&format!("integration.yaml:{line}")))
    })
}

#[test]
fn every_action_of_teamswork_works_and_each_change_is_an_event() {
    let system = System::teamswork();
    let ended = system.run("doctor", &system.connector(), &["--yes", "--json"], KEY);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = ended.json();
    for check in report["checks"].as_array().unwrap() {
        let expected = match check["name"].as_str().unwrap() {
            // Nobody was named.
            "update_ticket_assignment" => "not_tried",
            _ => "works",
        };
        assert_eq!(check["result"], expected, "{check}");
    }
    assert_eq!(report["checks"].as_array().unwrap().len(), 13);
    let seen = check(&report, "poll")["notes"].as_array().unwrap().len();
    assert_eq!(seen, 8, "the ticket and seven changes: {report}");
    let left = report["left"][0].as_str().unwrap();
    assert!(
        left.contains(report["ticket"].as_str().unwrap()) && left.contains("closed"),
        "{left}"
    );
}

#[test]
fn every_action_of_gorgias_works_too() {
    let system = System::gorgias();
    let ended = system.run(
        "doctor",
        &system.connector(),
        &["--yes", "--assignee", "support@example.com"],
        KEY,
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rows = ended.stdout.lines().filter(|line| line.ends_with("  works"));
    assert_eq!(rows.count(), 13, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("left behind: the ticket `"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_wrong_path_is_told_with_the_request_the_answer_and_its_line() {
    let system = System::teamswork();
    let (folder, line) = system.broken("path: /tickets/{{{ticket_id}}}", "path: /tickts/{{{ticket_id}}}");
    let after = ["--read-only", "--ticket", &system.a_ticket(), "--json"];
    let ended = system.run("doctor", folder.path(), &after, KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let failed = check(&report, "query_ticket_by_id");
    assert_eq!(failed["result"], "failed");
    assert!(names_line(failed, line), "line {line}: {failed}");
    let (request, answer) = (&failed["exchange"]["request"], &failed["exchange"]["answer"]);
    assert!(request["path"].as_str().unwrap().contains("/tickts/"), "{failed}");
    assert!(
        request["query"].as_array().unwrap().contains(&"key".into()),
        "{failed}"
    );
    assert_eq!(answer["status"], 404);
    assert_eq!(check(&report, "query_tickets_by_time_range")["result"], "works");
}

#[test]
fn a_wrong_mapping_is_told_with_the_line_of_the_field_and_where_its_path_ends() {
    let system = System::teamswork();
    let (folder, line) = system.broken("short_description: item.title", "short_description: item.titel");
    let after = ["--read-only", "--ticket", &system.a_ticket(), "--json"];
    let ended = system.run("doctor", folder.path(), &after, KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let failed = check(&report, "query_ticket_by_id");
    assert!(names_line(failed, line), "line {line}: {failed}");
    let told = told(failed);
    assert!(
        told.contains("raw_ticket.short_description") && told.contains("`item` has no `titel`"),
        "{told}"
    );
    assert!(told.contains("did you mean `title`?"), "{told}");
}

#[test]
fn a_wrong_secret_is_told_with_the_line_of_the_authentication() {
    let system = System::teamswork();
    let text = std::fs::read_to_string(system.connector().join("integration.yaml")).unwrap();
    let line = text.lines().position(|line| line.starts_with("  auth:")).unwrap() + 1;
    let after = ["--read-only", "--ticket", &system.a_ticket(), "--json"];
    let ended = system.run("doctor", &system.connector(), &after, "another key of no use");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let failed = check(&report, "query_ticket_by_id");
    assert!(names_line(failed, line), "line {line}: {failed}");
    assert!(told(failed).contains("credentials"), "{failed}");
    assert!(!ended.stdout.contains("of no use"), "{ended:?}");
}

#[test]
fn what_is_read_back_otherwise_than_it_was_sent_is_told() {
    let system = System::teamswork();
    // What is sent is not what the caller said.
    let (folder, _) = system.broken(
        "title: data.context.payload.short_description",
        "title: '\"Something else\"'",
    );
    let ended = system.run("doctor", folder.path(), &["--yes", "--json", "--wait", "3"], KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let not_as_told = check(&report, "query_ticket_by_id");
    assert_eq!(not_as_told["result"], "not_as_told", "{not_as_told}");
    assert!(
        told(not_as_told).contains("`short_description`: sent"),
        "{not_as_told}"
    );
    assert!(told(not_as_told).contains("Something else"), "{not_as_told}");
}

#[test]
fn a_change_that_empties_another_field_is_told() {
    let system = System::teamswork();
    let (folder, _) = system.broken(
        "description: data.context.payload.description",
        "description: 'data.context.payload.description OR \"\"'",
    );
    let ended = system.run("doctor", folder.path(), &["--yes", "--json", "--wait", "3"], KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let not_as_told = check(&report, "update_ticket_fields");
    assert_eq!(not_as_told["result"], "not_as_told", "{not_as_told}");
    assert!(
        told(not_as_told).contains("`description` was emptied"),
        "{not_as_told}"
    );
}

#[test]
fn nothing_is_written_without_being_asked_to() {
    let system = System::teamswork();
    let before = system.tickets();
    let ended = system.run("doctor", &system.connector(), &[], KEY);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    let looked = system.run("doctor", &system.connector(), &["--read-only"], KEY);
    assert_eq!(looked.code, Some(0), "{looked:?}");
    assert!(
        looked.stdout.contains("name a ticket with --ticket ID"),
        "{looked:?}"
    );
    assert_eq!(system.tickets(), before);
}
