//! `init`

use std::path::Path;

use tempfile::TempDir;

use crate::process::{Ended, argument, run};

const DESK: &str = include_str!("init/desk.yaml");
const CURL: &str = include_str!("init/requests.sh");

/// Writes `document` to a file and runs `init desk` on it; gives what was written, too.
fn init(option: &str, file_name: &str, document: &str, more: &[&str]) -> (Ended, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(file_name);
    std::fs::write(&file, document).unwrap();
    let to = folder.path().join("desk");
    let arguments = ["init", "desk", option, argument(&file), "--output", argument(&to)];
    let ended = run(&[&arguments, more].concat());
    let written = std::fs::read_to_string(to.join("integration.yaml")).unwrap_or_default();
    (ended, written)
}

fn openapi(document: &str) -> (Ended, String) {
    let name = if document.starts_with('{') {
        "api.json"
    } else {
        "api.yaml"
    };
    init("--openapi", name, document, &[])
}

fn lints(text: &str) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("integration.yaml");
    std::fs::write(&file, text).unwrap();
    let ended = run(&["lint", argument(&file)]);
    assert_eq!(ended.code, Some(0), "{}\n{text}", ended.stderr);
}

/// A refusal that names the place, and writes nothing.
fn refused(document: &str, wanted: &[&str]) {
    let (ended, written) = openapi(document);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for text in wanted {
        assert!(ended.stderr.contains(text), "{text} is not in:\n{}", ended.stderr);
    }
    assert_eq!(written, "");
}

#[test]
fn a_document_becomes_all_twelve_actions() {
    let (ended, written) = openapi(DESK);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lints(&written);
    for expected in [
        "default: \"https://api.desk-service.net/v2\"",
        "auth: {kind: bearer, secret: token}",
        "subject: title",
        "queue_id: settings.queue_id",
        "short_description: data.found.subject",
        "\"{{#since}}updated_since{{/since}}\"",
        "items: response.body.tickets",
        "send: {query: page}",
        "status: all",
        "on_hold: WAITING_FOR_USER",
        "visible: \"FALSE\"",
        "# sure: 0.97 because GET /tickets/{ticket_id}",
        "# TODO:",
    ] {
        assert!(written.contains(expected), "{expected} is not in:\n{written}");
    }
    assert!(!written.contains("capabilities"), "{written}");
    assert!(ended.stderr.contains("add_attachment"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("TICKET_GATEWAY_SECRET_DESK_TOKEN"),
        "{}",
        ended.stderr
    );
}

#[test]
fn json_says_how_sure_each_is_and_why() {
    let (ended, _) = init("--openapi", "api.yaml", DESK, &["--json"]);
    let report = ended.json();
    assert_eq!(report["ticket"], "/tickets/{ticket_id}");
    let create = &report["actions"]["create_ticket"];
    assert_eq!(create["request"], "POST /tickets");
    assert_eq!(create["operation_id"], "createTicket");
    assert!(create["sure"].as_f64().unwrap() > 0.9, "{create}");
    assert!(!create["because"].as_array().unwrap().is_empty(), "{create}");
    assert_eq!(report["actions"].as_object().unwrap().len(), 12);
}

#[test]
fn json_and_yaml_are_the_same_document() {
    let value = mapping::parse("desk.yaml", DESK).unwrap().to_value();
    assert_eq!(openapi(&value.to_string()).1, openapi(DESK).1);
}

#[test]
fn an_action_without_a_request_is_unsupported_until_it_is_written() {
    let document = DESK.replace("/tickets/{ticket_id}/attachments:", "/exports:");
    let (ended, written) = openapi(&document);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lints(&written);
    let (_, capabilities) = written.split_once("\ncapabilities:\n").unwrap();
    assert!(
        capabilities.contains("add_attachment: {reason:"),
        "{capabilities}"
    );
    assert!(
        capabilities.contains("# TODO: the document shows no request for it"),
        "{capabilities}"
    );
    assert!(ended.stderr.contains("unsupported:"), "{}", ended.stderr);
}

#[test]
fn each_kind_of_signing_becomes_auth() {
    let scheme = "bearerAuth: {type: http, scheme: bearer}";
    for (given, expected) in [
        (
            "{type: http, scheme: basic}",
            "auth: {kind: basic, username: \"{{settings.username}}\", secret: password}",
        ),
        (
            "{type: apiKey, in: header, name: X-Key}",
            "auth: {kind: api_key, in: header, name: X-Key, secret: api_key}",
        ),
        (
            "{type: apiKey, in: query, name: key}",
            "auth: {kind: api_key, in: query, name: key, secret: api_key}",
        ),
        (
            "{type: oauth2, flows: {clientCredentials: {tokenUrl: \"https://id.desk-service.net/token\", scopes: {read: x}}}}",
            "kind: oauth2_client_credentials",
        ),
        (
            "{type: mutualTLS}",
            "TODO: the document names `bearerAuth`, of a kind that is not known here",
        ),
    ] {
        let (ended, written) = openapi(&DESK.replace(scheme, &format!("bearerAuth: {given}")));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(written.contains(expected), "{expected} is not in:\n{written}");
        lints(&written);
    }
}

#[test]
fn an_address_that_is_only_an_example_is_no_default() {
    let (_, written) = openapi(&DESK.replace("api.desk-service.net", "your-domain.desk-service.net"));
    assert!(written.contains("required: true"), "{written}");
    assert!(
        written.contains("\"Address of the API, for example https://your-domain.desk-service.net/v2\""),
        "{written}"
    );
    assert!(!written.contains("default:"), "{written}");
}

#[test]
fn a_broken_document_is_refused_at_its_place() {
    refused(
        "{\"openapi\": \"3.0.3\",\n \"paths\": {",
        &["not valid JSON", "line 2", "ends too early"],
    );
    refused(
        "openapi: 3.0.3\npaths:\n\t/tickets: {}\n",
        &["not valid YAML", "api.yaml:3"],
    );
    refused(
        "{\"openapi\": \"3.0.3\", \"paths\": []}",
        &["#/paths: expected an object"],
    );
    refused("{\"openapi\": 3, \"paths\": {}}", &["#/openapi"]);
    refused("{\"name\": \"x\"}", &["no OpenAPI document", "`openapi`"]);
    refused(
        "openapi: 3.0.3\npaths: {/tickets: 1}\n",
        &["#/paths/~1tickets: expected an object"],
    );
    refused(
        &DESK.replacen("{name: page, in: query,", "{naem: page, in: query,", 1),
        &["#/paths/~1tickets/get/parameters/0", "`name` and an `in`"],
    );
}

#[test]
fn swagger_2_is_refused_with_how_to_convert_it() {
    refused(
        "{\"swagger\": \"2.0\", \"paths\": {}}",
        &["Swagger 2.0", "convert it"],
    );
}

#[test]
fn a_reference_that_leads_nowhere_or_away_is_named_with_its_request() {
    let ticket = "responses:\n        \"200\": {description: One, content: {application/json: {schema: {$ref: \"#/components/schemas/Ticket\"}}}}";
    assert!(DESK.contains(ticket));
    for (reference, wanted) in [
        ("#/components/schemas/Tciket", "leads nowhere"),
        ("other.yaml#/Ticket", "leads to another file"),
    ] {
        let document = DESK.replace(ticket, &ticket.replace("#/components/schemas/Ticket", reference));
        refused(
            &document,
            &["#/paths/~1tickets~1{ticket_id}/get", reference, wanted],
        );
    }
    let circle = format!(
        "{DESK}    A: {{$ref: \"#/components/schemas/B\"}}\n    B: {{$ref: \"#/components/schemas/A\"}}\n"
    );
    let document = circle.replace(ticket, &ticket.replace("schemas/Ticket", "schemas/A"));
    refused(&document, &["leads back to itself"]);
}

#[test]
fn a_schema_that_holds_itself_ends() {
    // The ticket of the document has a ticket as its parent; this one multiplies, too.
    let bomb = "    Ticket:\n      allOf:\n        - $ref: \"#/components/schemas/Ticket\"\n        - $ref: \"#/components/schemas/Ticket\"\n      type: object";
    let (ended, written) = openapi(&DESK.replace("    Ticket:\n      type: object", bomb));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lints(&written);
}

#[test]
fn a_document_that_is_too_deep_is_refused() {
    let deep = format!(
        "{{\"openapi\": \"3.0.3\", \"paths\": {{}}, \"x\": {}1{}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    refused(&deep, &["not valid JSON", "128"]);
    refused(
        &format!(
            "openapi: 3.0.3\npaths: {{}}\nx: {}1{}\n",
            "[".repeat(200),
            "]".repeat(200)
        ),
        &["128"],
    );
}

#[test]
fn without_tickets_it_says_what_there_is() {
    let document = DESK.replace("/tickets", "/orders");
    refused(&document, &["no path such as /tickets/{id}", "--noun", "orders"]);
    let (ended, written) = init("--openapi", "api.yaml", &document, &["--noun", "order"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(written.contains("path: /orders/{{{ticket_id}}}"), "{written}");
    lints(&written);
}

#[test]
fn what_a_document_says_cannot_leave_its_place() {
    let document = DESK
        .replace("title: Example Desk", "title: \"Desk\\nactions: {}\"")
        .replace("summary: List tickets", "summary: \"{{settings.x}} # y: [\"")
        .replacen(
            "                subject: {type: string}\n",
            "                subject: {type: string}\n                \"a: b\\n#\": {type: string}\n",
            1,
        );
    let (ended, written) = openapi(&document);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lints(&written);
}

#[test]
fn without_a_document_a_skeleton_is_written_that_lints() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("new");
    let ended = run(&["init", "my-desk", "--output", argument(&to)]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let written = std::fs::read_to_string(to.join("integration.yaml")).unwrap();
    assert!(
        written.contains("name: my-desk") && written.contains("# TODO:"),
        "{written}"
    );
    assert_eq!(run(&["lint", "--deny-warnings", argument(&to)]).code, Some(0));
}

#[test]
fn nothing_that_is_there_is_written_over_without_force() {
    let folder = TempDir::new().unwrap();
    let to = argument(folder.path());
    assert_eq!(run(&["init", "desk", "--output", to]).code, Some(0));
    let again = run(&["init", "desk", "--output", to]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(run(&["init", "desk", "--output", to, "--force"]).code, Some(0));

    std::fs::write(folder.path().join("more.yaml"), "settings: {}\n").unwrap();
    let beside = run(&["init", "desk", "--output", to, "--force"]);
    assert_eq!(beside.code, Some(1));
    assert!(beside.stderr.contains("more.yaml"), "{}", beside.stderr);
    assert_eq!(run(&["init", "My Desk"]).code, Some(2));
    assert!(!Path::new("My Desk").exists());
}

#[test]
fn curl_lines_become_http_actions() {
    let (ended, written) = init("--curl", "requests.sh", CURL, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lints(&written);
    for expected in [
        "default: \"https://desk.acme.test\"",
        "path: /api/tickets/{{{ticket_id}}}",
        "include: notes",
        "X-Trace: abc",
        "title: title",
        "requester: {email: email}",
        "urgent: \"TRUE\"",
        "put_tickets_state:",
        "\"{{state}}\"",
        "q: \"{{q}}\"",
        "page: \"2\"",
        "file: {file: content, file_name: \"{{{file_name}}}\", content_type: \"{{{content_type}}}\"}",
        "post_multi:",
    ] {
        assert!(written.contains(expected), "{expected} is not in:\n{written}");
    }
    assert!(ended.stderr.contains("another host"), "{}", ended.stderr);
}

#[test]
fn a_curl_line_may_go_on_after_any_word() {
    let lines = "curl -X POST \\\n  -d '{\"title\": \"x\"}' \\\n  https://desk.acme.test/api/tickets\n";
    let (ended, written) = init("--curl", "requests.sh", lines, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for expected in ["path: /api/tickets", "title: title"] {
        assert!(written.contains(expected), "{expected} is not in:\n{written}");
    }
}

#[test]
fn a_secret_of_a_curl_line_is_nowhere() {
    let (ended, written) = init("--curl", "requests.sh", CURL, &[]);
    let (json, _) = init("--curl", "requests.sh", CURL, &["--json"]);
    let all = format!("{written}{}{}{}", ended.stderr, json.stdout, json.stderr);
    for secret in [
        "SECRETKEY0",
        "supersecret",
        "eyJ",
        "hunter2pass",
        "ana",
        "3f2504e0",
    ] {
        assert!(!all.contains(secret), "{secret} is in:\n{all}");
    }
    assert!(
        ended.stderr.contains("was not written; it becomes the secret"),
        "{}",
        ended.stderr
    );
    assert!(written.contains("kind: api_key"), "{written}");

    for (line, auth) in [
        (
            "curl -H 'Authorization: Bearer s3cr3tvalue' https://a.test/x",
            "{kind: bearer, secret: token}",
        ),
        ("curl -us3cr3tvalue:s3cr3tvalue https://a.test/x", "kind: basic"),
        ("curl https://s3cr3tvalue:s3cr3tvalue@a.test/x", "kind: basic"),
        (
            "curl -H 'X-Api-Key: s3cr3tvalue' https://a.test/x",
            "name: X-Api-Key",
        ),
        (
            "curl -H 'Authorization: Token s3cr3tvalue' https://a.test/x",
            "pattern: \"Token %s\"",
        ),
        (
            "curl -H 'Authorization: s3cr3tvalue' https://a.test/x",
            "name: Authorization",
        ),
        (
            "curl 'https://a.test/x?access_token=s3cr3tvalue'",
            "name: access_token",
        ),
        (
            "curl -H 'Cookie: session=s3cr3tvalue' https://a.test/x",
            "kind: none",
        ),
        ("curl -b session=s3cr3tvalue https://a.test/x", "kind: none"),
        (
            "curl -d 'password=s3cr3tvalue' https://a.test/login",
            "{{password}}",
        ),
    ] {
        let (ended, written) = init("--curl", "one.sh", line, &[]);
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
        assert!(written.contains(auth), "{line}: {auth} is not in:\n{written}");
        assert!(
            !format!("{written}{ended:?}").contains("s3cr3tvalue"),
            "{line}:\n{written}\n{ended:?}"
        );
        lints(&written);
    }
}

#[test]
fn a_broken_curl_line_is_named() {
    for (lines, wanted) in [
        ("# none\n", "no curl line"),
        (
            "\ncurl 'https://a.test/x\n",
            "line 2: a quote is opened and not closed",
        ),
        ("curl -X POST -d a=b\n", "line 1: there is no URL"),
        ("curl -X BREW https://a.test/x\n", "BREW"),
    ] {
        let (ended, written) = init("--curl", "one.sh", lines, &[]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.contains(wanted),
            "{wanted} is not in:\n{}",
            ended.stderr
        );
        assert_eq!(written, "");
    }
    let both = run(&["init", "desk", "--openapi", "a", "--curl", "b"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}
