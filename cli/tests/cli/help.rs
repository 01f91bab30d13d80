//! `--help`, `--version`, `schema`, `completions`, and `docs/cli.md`.

use std::path::Path;

use crate::process::{argument, run, shell};

/// Every command, in the order of the help.
const COMMANDS: [&[&str]; 46] = [
    &["up"],
    &["call"],
    &["describe"],
    &["lint"],
    &["init"],
    &["doctor"],
    &["explain"],
    &["map"],
    &["test"],
    &["record"],
    &["push"],
    &["versions"],
    &["diff"],
    &["rollback"],
    &["keys"],
    &["keys", "create"],
    &["keys", "list"],
    &["keys", "rotate"],
    &["keys", "revoke"],
    &["events"],
    &["events", "tail"],
    &["poll"],
    &["poll", "status"],
    &["poll", "run"],
    &["poll", "rewind"],
    &["poll", "pause"],
    &["poll", "resume"],
    &["poll", "replay"],
    &["webhooks"],
    &["webhooks", "add"],
    &["webhooks", "list"],
    &["webhooks", "test"],
    &["webhooks", "rotate"],
    &["webhooks", "enable"],
    &["webhooks", "disable"],
    &["webhooks", "remove"],
    &["secret"],
    &["secret", "set"],
    &["secret", "list"],
    &["sandbox"],
    &["sandbox", "teamswork"],
    &["sandbox", "gorgias"],
    &["sandbox", "hostile"],
    &["schema"],
    &["openapi"],
    &["completions"],
];

fn help_of(command: &[&str]) -> String {
    let ended = run(&[command, &["--help"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

fn reference() -> String {
    let mut page = String::from(
        "# The command line\n\n\
         <!-- Generated from the help texts. To renew: UPDATE_DOCS=1 cargo test -p ticket-gateway --test cli help -->\n\n",
    );
    page.push_str(&format!("```text\n{}\n```\n", help_of(&[])));
    for command in COMMANDS {
        let name = command.join(" ");
        page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help_of(command)));
    }
    page
}

#[test]
fn the_reference_page_says_what_the_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let page = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/cli.md is out of step; renew it with UPDATE_DOCS=1 cargo test -p ticket-gateway"
    );
}

#[test]
fn every_command_is_on_the_reference_page_and_has_an_example() {
    let help = help_of(&[]);
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    for line in listed {
        let name = line.split_whitespace().next().unwrap();
        // A description that goes on in the next line is indented further.
        if line.starts_with("   ") || name == "help" {
            continue;
        }
        assert!(COMMANDS.contains(&&[name][..]), "{name} is not in COMMANDS");
        let help = help_of(&[name]);
        assert!(
            help.contains("Example") || help.contains("Commands:"),
            "{name} has no example:\n{help}"
        );
    }
}

#[test]
fn the_version_is_the_package_s() {
    assert_eq!(
        run(&["--version"]).stdout,
        format!("ticket-gateway {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_mistyped_command_or_option_is_suggested() {
    let ended = run(&["lnt"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("lint"), "{}", ended.stderr);
    let ended = run(&["up", "--integraton", "x"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--integration"), "{}", ended.stderr);
}

#[test]
fn schema_prints_a_json_schema() {
    let ended = run(&["schema"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.json()["properties"]["http_actions"].is_object(),
        "{}",
        ended.stdout
    );
}

#[test]
fn openapi_prints_a_3_1_document() {
    let document = run(&["openapi"]).json();
    assert!(
        document["openapi"].as_str().unwrap().starts_with("3.1."),
        "{document}"
    );
    assert!(
        document["paths"]["/v1/{integration}/tickets"]["post"].is_object(),
        "{document}"
    );
}

#[test]
fn each_shell_gets_a_completion_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = run(&["completions", shell]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended.stdout.contains("ticket-gateway") && ended.stdout.contains("sandbox"),
            "{shell}"
        );
    }
    assert_eq!(run(&["completions", "cmd"]).code, Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let binary = argument(Path::new(env!("CARGO_BIN_EXE_ticket-gateway")));
    // The schema is larger than a pipe holds, so the writer does meet the closed end.
    let ended = shell(&format!(
        "{{ '{binary}' schema; echo \"code $?\" >&2; }} | head -c 1"
    ));
    assert_eq!(ended.stdout, "{");
    assert_eq!(ended.stderr, "code 0\n");
}
