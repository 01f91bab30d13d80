//! `lint`

use crate::fixtures::{Folder, GOOD};
use crate::process::{argument, run};

#[test]
fn a_good_integration_ends_with_0() {
    let folder = Folder::with(GOOD);
    let ended = run(&["lint", argument(folder.path())]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("no problems found"), "{}", ended.stderr);
}

#[test]
fn the_integrations_that_ship_have_no_problems() {
    let teamswork = concat!(env!("CARGO_MANIFEST_DIR"), "/../connectors/teamswork");
    let ended = run(&["lint", "--deny-warnings", teamswork]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn an_error_ends_with_1_and_is_shown_at_its_place() {
    let folder = Folder::with(&GOOD.replace("action_name: get_ticket", "action_name: get_tickt"));
    let ended = run(&["lint", argument(folder.path())]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("integration.yaml:"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("did you mean `get_ticket`"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.lines().last().unwrap().contains("error"),
        "{}",
        ended.stderr
    );
}

#[test]
fn json_is_an_array_of_what_was_found() {
    let folder = Folder::with(&GOOD.replace("action_name: get_ticket", "action_name: get_tickt"));
    let ended = run(&["lint", "--json", argument(folder.path())]);
    assert_eq!(ended.code, Some(1));
    let found = ended.json();
    let first = found
        .as_array()
        .unwrap()
        .iter()
        .find(|found| found["severity"] == "error")
        .unwrap();
    assert!(first["code"].as_str().unwrap().starts_with("TG02"), "{first}");
    assert!(
        first["file"].as_str().unwrap().ends_with("integration.yaml"),
        "{first}"
    );
    assert!(first["line"].as_u64().unwrap() > 1, "{first}");
    assert_eq!(ended.stderr, "");

    let folder = Folder::with(GOOD);
    assert_eq!(run(&["lint", "--json", argument(folder.path())]).stdout, "[]\n");
}

#[test]
fn a_warning_ends_with_1_only_when_asked() {
    // An HTTP action that nothing uses.
    let unused = "http_actions:\n  unused:\n    method: GET\n    path: /unused\n";
    let folder = Folder::with(&GOOD.replace("http_actions:\n", unused));
    let ended = run(&["lint", argument(folder.path())]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("1 warning"), "{}", ended.stderr);
    assert_eq!(
        run(&["lint", "--deny-warnings", argument(folder.path())]).code,
        Some(1)
    );
}

#[test]
fn several_integrations_are_checked_in_one_run() {
    let good = Folder::with(GOOD);
    let ended = run(&["lint", argument(good.path()), "/nowhere/integration"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("no problems found"), "{}", ended.stderr);
    assert!(ended.stderr.contains("/nowhere/integration"), "{}", ended.stderr);
}
