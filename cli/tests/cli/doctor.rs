//! `doctor`, on the stand-ins with every quirk on.

mod late;

use std::time::Duration;

use serde_json::Value;

use crate::fixtures::{Folder, GOOD, TicketSystem};
use crate::live::{KEY, System};
use crate::process::{Ended, Server, argument, command};

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
    assert_eq!(
        (&request["query"]["key"], &request["query"]["timezone"]),
        (&"***".into(), &"0".into())
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
fn a_time_that_moves_a_moment_later_is_a_note_and_no_fault() {
    let ended = late::examined(Duration::from_millis(300), false, &["--yes"]);
    let report = ended.json();
    let commented = check(&report, "add_public_comment");
    assert_eq!(commented["result"], "works", "{report}");
    let notes = commented["notes"].to_string();
    assert!(notes.contains("`updated_at` moved only within"), "{notes}");
}

#[test]
fn a_time_that_stands_still_is_a_fault() {
    let ended = late::examined(Duration::from_secs(3600), false, &["--yes", "--wait", "1"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let commented = check(&report, "add_public_comment");
    assert_eq!(commented["result"], "not_as_told", "{report}");
    assert!(told(commented).contains("does not move"), "{commented}");
}

#[test]
fn a_list_of_two_pages_is_not_said_to_have_one() {
    let ended = late::examined(Duration::ZERO, true, &["--read-only"]);
    let report = ended.json();
    let listed = check(&report, "query_tickets_by_time_range");
    let notes = listed["notes"].to_string();
    assert!(notes.contains("3 tickets on 2 pages"), "{report}");
    assert!(!notes.contains("one page"), "{notes}");
}

/// The doctor's whole trip with one line of the connector changed: what it found, and the number of that line.
fn broken(line: &str, instead: &str) -> (Value, usize) {
    let system = System::teamswork();
    let (folder, number) = system.broken(line, instead);
    let ended = system.run("doctor", folder.path(), &["--yes", "--json", "--wait", "3"], KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    (ended.json(), number)
}

#[test]
fn a_text_that_is_escaped_for_a_system_that_takes_it_as_it_is_is_told() {
    let (report, line) = broken(
        "title: data.context.payload.short_description",
        "title: {RENDER(): {template: \"{{t}}\", args: {t: data.context.payload.short_description}}}",
    );
    let read = check(&report, "query_ticket_by_id");
    assert!(
        told(read).contains("`short_description` is read as HTML: sent"),
        "{read}"
    );
    assert!(
        told(read).contains("STRIP_HTML() is missing: once more"),
        "{read}"
    );
    // Where the arguments are that the title is sent with.
    let sent = (line - 20..=line).any(|line| names_line(read, line));
    assert!(sent, "near line {line}: {read}");
}

#[test]
fn a_comment_that_a_resolution_drops_is_told() {
    let (report, _) = broken("comment: data.context.comment", "comment: '\"Done\"'");
    let resolved = check(&report, "resolve_ticket");
    assert_eq!(resolved["result"], "not_as_told", "{resolved}");
    assert!(told(resolved).contains("a comment, which is lost"), "{resolved}");
    assert_eq!(check(&report, "reopen_ticket")["result"], "works");
}

#[test]
fn a_time_of_another_zone_is_told_of_the_new_ticket() {
    let (report, line) = broken(
        "created_at: item.createdOn OR item.createdDateTime",
        "created_at: '(item.createdOn OR item.createdDateTime).$REPLACE(\"Z$\", \"-01:00\")'",
    );
    let read = check(&report, "query_ticket_by_id");
    assert!(told(read).contains("1 h after the ticket was made"), "{read}");
    assert!(names_line(read, line), "line {line}: {read}");
}

#[test]
fn an_order_that_the_list_does_not_have_is_told() {
    let (report, line) = broken("order: feed", "order: asc");
    let listed = check(&report, "query_tickets_by_time_range");
    assert!(
        told(listed).contains("stands in front of one changed"),
        "{listed}"
    );
    assert!(names_line(listed, line), "line {line}: {listed}");
}

#[test]
fn a_list_without_a_ticket_proves_nothing() {
    let system = System::teamswork();
    let look = |more: &[&str]| {
        let mut after = vec!["--read-only", "--requestor", "nobody@example.com"];
        after.extend(more);
        system.run("doctor", &system.connector(), &after, KEY)
    };
    let ended = look(&[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stdout
            .ends_with("\nnot proved: query_tickets_by_requestor\n"),
        "{}",
        ended.stdout
    );
    assert_eq!(look(&["--strict"]).code, Some(1));
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
fn a_mapping_of_all_rows_is_told_once_and_a_ticket_without_an_id_is_said_to_be_left() {
    let system = System::teamswork();
    let (folder, line) = system.broken("short_description: item.title", "short_description: item.titel");
    let ended = system.run("doctor", folder.path(), &["--yes", "--json", "--wait", "3"], KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let listed = check(&report, "query_tickets_by_time_range");
    assert_eq!(
        listed["findings"][0]["causes"].as_array().unwrap().len(),
        1,
        "{listed}"
    );
    assert!(names_line(listed, line), "{listed}");
    // The ticket was made, and what the system answered could not be read.
    assert_eq!(report["ticket"], Value::Null);
    assert!(
        report["left"][0]
            .as_str()
            .unwrap()
            .contains("perhaps a ticket `Ticket Gateway doctor"),
        "{report}"
    );
}

#[test]
fn a_step_that_failed_by_its_own_rule_is_told_with_the_line_of_the_rule() {
    let text = GOOD.replace(
        "output_key: ticket}",
        "output_key: ticket,\n          fail_when: [{condition: data.ticket.id, message: \"'it is there'\"}]}",
    );
    let line = text.lines().position(|line| line.contains("fail_when")).unwrap() + 1;
    let folder = Folder::with(&text);
    let desk = TicketSystem::start();
    let mut command = command(&[
        "doctor",
        argument(folder.path()),
        "--read-only",
        "--ticket",
        "T-1",
        "--json",
    ]);
    command.args(["--allow-private-upstreams", "--set", &desk.setting()]);
    let ended: Ended = command
        .env("TICKET_GATEWAY_SECRET_DESK_TOKEN", "token-1")
        .output()
        .unwrap()
        .into();
    let report = ended.json();
    let failed = check(&report, "query_ticket_by_id");
    assert!(
        told(failed).contains("it stopped at the step `get_ticket`"),
        "{failed}"
    );
    assert!(names_line(failed, line), "line {line}: {failed}");
}

#[test]
fn ctrl_c_closes_the_ticket_or_says_that_it_is_left() {
    let system = System::teamswork();
    let before = system.tickets();
    let server = Server::start(system.command("doctor", &system.connector(), &["--yes", "--json"], KEY));
    while system.tickets() == before {
        std::thread::yield_now();
    }
    server.interrupt();
    let ended = server.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("Stopped."), "{ended:?}");
    let report = ended.json();
    let left = report["left"][0].as_str().unwrap();
    assert!(left.contains("ticket `"), "{left}");
    assert_eq!(check(&report, "reopen_ticket")["reason"], "stopped before");
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

#[test]
fn a_list_that_takes_no_start_is_told_with_the_number_and_comes_to_an_end() {
    let system = System::teamswork();
    let text = std::fs::read_to_string(system.connector().join("integration.yaml")).unwrap();
    let text = text
        .replace(
            "(since == NULL OR (changed != NULL AND changed >= since.$PARSE_TIME()))",
            "TRUE",
        )
        .replace("since != NULL AND rows.$LENGTH() > 0", "FALSE");
    let folder = Folder::with(&text);
    let ended = system.run("doctor", folder.path(), &["--read-only", "--json"], KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let listed = ended.json();
    let listed = check(&listed, "query_tickets_by_time_range");
    assert!(
        told(listed).contains("tickets from before the start that was asked for"),
        "{listed}"
    );
}

#[test]
fn tickets_of_other_people_are_told() {
    let (report, _) = broken(
        "OR (item.requestor.id OR item.requestorId) == requestor)",
        "OR TRUE)",
    );
    let listed = check(&report, "query_tickets_by_requestor");
    assert!(told(listed).contains("of somebody else"), "{listed}");
}

#[test]
fn an_assignment_that_goes_to_somebody_else_is_told() {
    let system = System::gorgias();
    let (folder, _) = system.broken(
        "assigned_to_user: item.assignee_user.email OR item.assignee_user.name OR $TEXT(item.assignee_user_id) OR NULL",
        "assigned_to_user: '\"bot@example.com\"'",
    );
    let after = [
        "--yes",
        "--json",
        "--wait",
        "3",
        "--assignee",
        "support@example.com",
    ];
    let ended = system.run("doctor", folder.path(), &after, KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let assigned = check(&report, "update_ticket_assignment");
    assert!(
        told(assigned).contains("assigned to support@example.com, and the ticket shows"),
        "{assigned}"
    );
}

#[test]
fn a_comment_with_another_id_or_a_time_of_another_zone_is_told() {
    let (report, line) = broken(
        "created_at: item.createdDateTime",
        "created_at: 'item.createdDateTime.$REPLACE(\"Z$\", \"-01:00\")'",
    );
    let commented = check(&report, "add_public_comment");
    assert!(
        told(commented).contains("1 h after the comment was made"),
        "{commented}"
    );
    assert!(names_line(commented, line), "line {line}: {commented}");
    let (report, line) = broken(
        "id: $TEXT(item.id OR item.activityId)",
        "id: '$CONCAT([\"c-\", item.id OR item.activityId])'",
    );
    let commented = check(&report, "add_public_comment");
    assert!(told(commented).contains("and the ticket calls it"), "{commented}");
    assert!(names_line(commented, line), "line {line}: {commented}");
}

#[test]
fn a_file_that_is_not_what_was_sent_is_told() {
    let system = System::gorgias();
    let (folder, line) = system.broken("size: item.size.$INTEGER()", "size: item.size.$INTEGER() + 5");
    let ended = system.run("doctor", folder.path(), &["--yes", "--json", "--wait", "3"], KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let attached = check(&report, "add_attachment");
    assert!(
        told(attached).contains("the file has 38 bytes, and the ticket says 43"),
        "{attached}"
    );
    assert!(names_line(attached, line), "line {line}: {attached}");
}

#[test]
fn a_field_of_the_payload_that_is_lost_or_changed_by_something_else_is_told() {
    let system = System::teamswork();
    let folder = Folder::with("");
    let payload = folder.path().join("payload.json");
    std::fs::write(&payload, r#"{"priority": "high", "tags": ["hardware"]}"#).unwrap();
    let after = ["--yes", "--json", "--wait", "3", "--payload", argument(&payload)];
    let ended = system.run("doctor", &system.connector(), &after, KEY);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (broken, line) = system.broken("priority: item.priority", "priority: item.title");
    let ended = system.run("doctor", broken.path(), &after, KEY);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = ended.json();
    let read = check(&report, "query_ticket_by_id");
    assert!(told(read).contains("`priority`: sent"), "{read}");
    assert!(names_line(read, line), "line {line}: {read}");
    let changed = check(&report, "update_ticket_fields");
    assert!(
        told(changed).contains("`priority` was changed by a change of something else"),
        "{changed}"
    );
}
