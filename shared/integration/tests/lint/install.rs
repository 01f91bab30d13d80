use std::sync::Arc;
use std::time::Duration;

use integration::{Installation, Integration, SecretUse, TasAction};
use serde_json::{Value, json};

use crate::good;

const EVERYTHING: &str = include_str!("../fixtures/good/everything.yaml");

fn everything() -> Arc<Integration> {
    good(EVERYTHING)
}

fn install(settings: &Value) -> Result<Installation, Vec<String>> {
    everything().install(settings.as_object().unwrap().clone())
}

#[test]
fn defaults_are_filled_in_and_the_address_is_rendered() {
    let installation = install(&json!({"base_url": "https://desk.example.com/v2"})).unwrap();
    assert_eq!(installation.settings["page_size"], 100);
    assert_eq!(installation.settings["queues"], json!(["it", "hr"]));
    assert_eq!(
        installation.connector.base_url.as_str(),
        "https://desk.example.com/v2/api"
    );
    assert_eq!(installation.connector.integration, "everything-2");
    assert_eq!(installation.connector.timeout, Duration::from_secs(10));
    assert_eq!(
        installation.connector.retry.initial_delay,
        Duration::from_millis(500)
    );
    assert!(installation.warnings.is_empty());
}

fn rate_limit(yaml: &str) -> integration::Loaded {
    let text = EVERYTHING.split_once("  rate_limit:\n").unwrap();
    let after = text.1.split_once("  timeout_seconds").unwrap().1;
    let text = format!("{}  rate_limit: {yaml}\n  timeout_seconds{after}", text.0);
    integration::load_text("integration.yaml", text)
}

fn reserved(yaml: &str) -> Option<u32> {
    let integration = Arc::new(rate_limit(yaml).integration.unwrap());
    let settings = json!({"base_url": "https://desk.example.com"});
    let installation = integration
        .install(settings.as_object().unwrap().clone())
        .unwrap();
    installation.connector.rate_limit.map(|limit| limit.reserved)
}

#[test]
fn part_of_the_budget_is_reserved_for_ticket_actions() {
    assert_eq!(reserved("{requests: 100, per_seconds: 60}"), Some(20));
    assert_eq!(reserved("{requests: 3, per_seconds: 60}"), Some(0));
    assert_eq!(
        reserved("{requests: 100, per_seconds: 60, reserved_for_actions: 0.5}"),
        Some(50)
    );
    assert_eq!(
        reserved("{requests: 100, per_seconds: 60, reserved_for_actions: 99}"),
        Some(99)
    );
    assert_eq!(reserved("{remaining: 'response.headers[\"x-left\"]'}"), None);
    let all = rate_limit("{requests: 10, per_seconds: 60, reserved_for_actions: 10}");
    assert!(
        all.render(false).contains("leaves none to polling"),
        "{}",
        all.render(false)
    );
}

#[test]
fn text_from_a_command_line_is_read_as_the_type_of_the_setting() {
    let installation = install(&json!({
        "base_url": "https://desk.example.com",
        "page_size": "50",
        "ratio": "0.25",
        "internal_comments": "true",
        "queues": "[\"it\"]",
        "custom_fields": "{\"a\": 1}",
        "email": 5,
    }))
    .unwrap();
    let settings = &installation.settings;
    assert_eq!(settings["page_size"], 50);
    assert_eq!(settings["ratio"], 0.25);
    assert_eq!(settings["internal_comments"], true);
    assert_eq!(settings["queues"], json!(["it"]));
    assert_eq!(settings["custom_fields"], json!({"a": 1}));
    assert_eq!(settings["email"], "5");
}

#[test]
fn every_problem_is_said_at_once() {
    let problems = install(&json!({
        "page_sise": 5,
        "page_size": "many",
        "ratio": true,
        "internal_comments": "perhaps",
        "mode": "slow",
        "queues": "it",
    }))
    .unwrap_err();
    let expected = [
        "everything-2: setting `base_url` is missing (an address that begins with http:// or https://): Where the system is",
        "everything-2: setting `page_size`: expected a whole number, found `\"many\"`",
        "everything-2: setting `ratio`: expected a number, found `true`",
        "everything-2: setting `internal_comments`: expected true or false, found `\"perhaps\"`",
        "everything-2: setting `mode`: expected one of fast, careful, found `\"slow\"`",
        "everything-2: setting `queues`: expected a list, found `\"it\"`",
        "everything-2: there is no setting `page_sise`; did you mean `page_size`?",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn an_address_that_cannot_be_used_is_refused() {
    for (address, says) in [
        ("desk.example.com", "expected an address"),
        ("ftp://desk.example.com", "expected an address"),
        ("https://", "expected an address"),
        (
            "https://me:secret@desk.example.com",
            "carries a user or a password",
        ),
        ("https://desk.example.com?x=", "a query string"),
        ("https://desk.example.com#", "a query string or a fragment"),
    ] {
        let problems = install(&json!({"base_url": address})).unwrap_err();
        assert!(
            problems.len() == 1 && problems[0].contains(says),
            "{address}: {problems:?}"
        );
    }
}

#[test]
fn keys_over_plain_http_are_warned_of_unless_they_stay_on_the_machine() {
    let warnings = |address: &str| install(&json!({"base_url": address})).unwrap().warnings;
    assert!(warnings("http://desk.example.com")[0].contains("use https"));
    assert!(warnings("http://127.0.0.1:8081").is_empty());
    assert!(warnings("http://localhost:8081").is_empty());
}

#[test]
fn capabilities_are_decided_by_the_settings() {
    let without = install(&json!({"base_url": "https://desk.example.com"})).unwrap();
    let refusal = without.refusal(TasAction::AddInternalComment).unwrap();
    assert!(refusal.starts_with("This system's notes are public"), "{refusal}");
    assert_eq!(
        without.refusal(TasAction::UpdateTicketAssignment),
        Some("This system has no assignment")
    );
    assert_eq!(without.refusal(TasAction::QueryTicketById), None);
    let missing = without.refusal(TasAction::AddPublicComment).unwrap();
    assert_eq!(
        missing,
        "the integration `everything-2` does not do add_public_comment"
    );

    let with = install(&json!({"base_url": "https://desk.example.com", "internal_comments": true})).unwrap();
    assert_eq!(with.refusal(TasAction::AddInternalComment), None);
}

#[test]
fn the_secrets_are_named() {
    let secret = |name: &str, optional| SecretUse {
        name: name.to_owned(),
        optional,
    };
    let installation = install(&json!({"base_url": "https://desk.example.com"})).unwrap();
    assert_eq!(
        installation.required_secrets(),
        [secret("api_key", false), secret("api_key_secondary", true)]
    );
}

#[test]
fn the_secrets_of_headers_are_named_too_each_once() {
    let text = "
name: desk
connector:
  base_url: https://desk.example.com
  headers: {App-Token: {secret: app_token}, X-Again: {secret: user_token}}
  auth:
    kind: session
    secret: user_token
    login:
      path: /login
      headers: {Authorization: \"user_token {{secret}}\", X-Once: {secret: once, pattern: \"Once %s\"}}
    token: response.body.session_token
    in: header
    name: Session-Token
http_actions: {get: {method: GET, path: /t}}
actions:
  query_ticket_by_id:
    steps:
      - action: {action_name: get, output_key: found}
      - return: {output_mapper: {raw_ticket: data.found}}
";
    let installation = good(text).install(Default::default()).unwrap();
    let names: Vec<String> = installation
        .required_secrets()
        .into_iter()
        .map(|secret| secret.name)
        .collect();
    assert_eq!(names, ["user_token", "once", "app_token"]);
}

const CHOICE: &str = include_str!("../fixtures/good/auth.yaml");

#[test]
fn a_text_has_to_match_the_pattern_of_its_setting_as_a_whole() {
    assert!(choose(&json!({"host": "a.example.com"})).is_ok());
    for wrong in ["https://a.example.com", "a.example.com\n", ""] {
        let problems = choose(&json!({"host": wrong})).unwrap_err();
        let expected = format!(
            "desk: setting `host`: expected text that matches `[a-z0-9-]+|[a-z0-9.-]+`, found `{}`: Such as \
             desk.example.com",
            json!(wrong)
        );
        assert_eq!(problems, [expected]);
    }
}

fn choose(settings: &Value) -> Result<Installation, Vec<String>> {
    good(CHOICE).install(settings.as_object().unwrap().clone())
}

#[test]
fn a_setting_chooses_how_requests_are_authenticated_and_which_secrets_are_needed() {
    let secrets = |settings: &Value| {
        let secrets = choose(settings).unwrap().required_secrets();
        secrets.into_iter().map(|secret| secret.name).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&json!({"host": "a.example.com"})), ["api_key"]);
    let oauth2 = json!({"host": "a.example.com", "login": "oauth2", "client_id": "me"});
    assert_eq!(secrets(&oauth2), ["client_secret", "refresh_token"]);
    let auth = choose(&oauth2).unwrap().connector.auth;
    assert!(
        matches!(auth, upstream::Auth::OAuth2RefreshToken { .. }),
        "{auth:?}"
    );
}

#[test]
fn what_the_chosen_authentication_reads_has_to_be_set() {
    assert!(choose(&json!({"host": "a.example.com"})).is_ok());
    let problems = choose(&json!({"host": "a.example.com", "login": "oauth2"})).unwrap_err();
    assert_eq!(
        problems,
        ["desk: setting `client_id` is missing (text): Id of the OAuth app; `login: oauth2` reads it"]
    );
}

#[test]
fn what_is_empty_by_default_may_be_empty_in_the_chosen_authentication_too() {
    let or_else = "{{#settings.token_url}}{{{settings.token_url}}}{{/settings.token_url}}\
                   {{^settings.token_url}}https://{{settings.host}}/oauth/token{{/settings.token_url}}";
    let text = CHOICE
        .replace(
            "connector:\n",
            "  token_url: {type: text, default: \"\"}\nconnector:\n",
        )
        .replace(
            "token_url: https://{{settings.host}}/oauth/token",
            &format!("token_url: \"{or_else}\""),
        );
    let install = |settings: Value| good(&text).install(settings.as_object().unwrap().clone());
    assert!(install(json!({"host": "a.example.com", "login": "oauth2", "client_id": "me"})).is_ok());
    assert!(install(json!({"host": "a.example.com", "login": "oauth2", "client_id": ""})).is_err());
}

#[test]
fn an_integration_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&everything());
}
