//! Checks of what stands in headers: credentials belong in `auth`, or are secrets that are only named.

use mapping::{Place, Template};

use super::http_action::check_header_name;
use crate::model::connector::HeaderValue;
use crate::model::http_action::Cell;
use crate::read::{Entries, Report, Text};
use crate::rules;

/// Headers that carry nothing but credentials.
const OF_AUTH: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];
/// Headers with a name like that of a token whose value is a word that everybody knows: `no-check`, which Atlassian's
/// systems want with an upload.
const NO_SECRETS: [&str; 1] = ["x-atlassian-token"];
/// Words that end the name of a secret.
const SECRET_WORDS: [&str; 10] = [
    "key",
    "apikey",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "jwt",
    "credential",
    "credentials",
];

/// Checks the headers of a connector or a login. Gives what their templates are.
pub(super) fn check_headers<'m>(
    headers: Option<&'m Entries<HeaderValue>>,
    report: &mut Report,
) -> Vec<Cell<'m>> {
    let mut cells = Vec::new();
    for (name, value) in headers.into_iter().flat_map(Entries::read) {
        check_header_name(&name.name, &name.place, report);
        match value {
            HeaderValue::Text(text) => {
                check_credentials(&name.name, &name.place, &text.0, report);
                cells.push(Cell::Template(&text.0));
            }
            HeaderValue::Secret(secret) => {
                if let Some(pattern) = &secret.pattern {
                    check_pattern(pattern, "secret", report);
                }
            }
        }
    }
    cells
}

/// Whether a pattern has one place for the secret.
pub(super) fn check_pattern(pattern: &Text, what: &str, report: &mut Report) -> bool {
    let fits = pattern.value.matches("%s").count() == 1;
    if !fits {
        let message = format!("`pattern` holds `%s` once, where the {what} goes");
        report.add(&rules::BAD_PATTERN, &pattern.place, message);
    }
    fits
}

/// Warns of credentials that are written out in a header, or come from a setting.
pub(super) fn check_credentials(name: &str, place: &Place, value: &Template, report: &mut Report) {
    const HELP: &str = "name the secret: `{secret: ...}` as the value, under `connector.headers`";
    let lower = name.to_ascii_lowercase();
    // What the login sends as `secret` is one.
    let reads_secret = value
        .reads()
        .iter()
        .any(|path| path.keys().next() == Some("secret"));
    if OF_AUTH.contains(&lower.as_str()) && !reads_secret {
        let message = format!("`{name}` carries credentials, which belong in `connector.auth`");
        report.add(&rules::CREDENTIALS_IN_HEADER, place, message);
    } else if names_secret(name) && value.is_constant() && !value.source().trim().is_empty() {
        let message = format!("the value of `{name}` is written out, and looks like a key or a token");
        report.push(rules::CREDENTIALS_IN_HEADER.at(value.place(), message).help(HELP));
    }
    for path in value.reads() {
        let mut keys = path.keys();
        if keys.next() == Some("settings")
            && let Some(setting) = keys.next().filter(|setting| names_secret(setting))
        {
            let message =
                format!("the setting `{setting}` is named like a secret, and settings are shown to people");
            report.push(rules::CREDENTIALS_IN_HEADER.at(value.place(), message).help(HELP));
        }
    }
}

/// Whether a header or a setting of this name holds a secret: `X-Api-Key`, `PRIVATE-TOKEN`, `appToken`.
fn names_secret(name: &str) -> bool {
    if NO_SECRETS.contains(&name.to_ascii_lowercase().as_str()) {
        return false;
    }
    let words = words(name);
    let Some(last) = words.last() else { return false };
    // A header such as Idempotency-Key names a request, and a setting such as project_key a project.
    let names_thing = last == "key"
        && words.len() > 1
        && !words.iter().any(|word| {
            ["api", "app", "access", "auth", "private", "secret", "client"].contains(&word.as_str())
        });
    SECRET_WORDS.contains(&last.as_str()) && !names_thing
}

/// The words of a name in small letters: `appToken` and `App-Token` are `app` and `token`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut after_small = false;
    let mut open = false;
    for letter in name.chars() {
        let begins = !open || (letter.is_uppercase() && after_small);
        open = letter.is_alphanumeric();
        after_small = letter.is_lowercase();
        if !open {
            continue;
        }
        match words.last_mut() {
            Some(word) if !begins => word.extend(letter.to_lowercase()),
            _ => words.push(letter.to_lowercase().collect()),
        }
    }
    words
}
