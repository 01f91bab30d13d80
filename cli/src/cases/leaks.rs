//! Looks for secrets in cases, which are committed and read by many.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use integration::{Installation, Integration};
use mapping::{Content, Diagnostic, Node, Place};
use regex::Regex;
use storage::Secret;
use upstream::{ApiKeyLocation, Auth};

use super::case::Case;
use super::shown::as_text;

/// A case that holds a secret, or what looks like one.
pub(crate) const LEAK: &str = "TG0502";

/// What stands for a secret: its name, or another word, in double braces.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\{\{[A-Za-z0-9_.-]+\}\}"));
/// Three parts in Base64, the first of which begins with `{"`: a JSON Web Token (RFC 7519).
static JWT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"));
/// A run of characters that keys and tokens are made of.
static RUN: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9_+=~-]{28,}"));
/// The same in hexadecimal. An UUID has dashes, and is none.
static HEXADECIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:[0-9a-f]{32,}|[0-9A-F]{32,})\b"));
/// A field of a query or a form that is named like a secret.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)\b(?:api_?key|key|access_token|token|secret|password|passwd|signature|sig)=([^&\s"'<>{]{6,})"#,
    )
});
/// The credentials of RFC 6750.
static BEARER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[Bb]earer\s+([A-Za-z0-9_+/=.~-]{8,})"));

#[allow(clippy::expect_used, reason = "constants that a test compiles")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is valid")
}

/// Last words of names whose values are secrets.
const SECRET_WORDS: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
];
/// Words that make a name one of a position in a list.
const PAGE_WORDS: [&str; 5] = ["page", "next", "continuation", "cursor", "sync"];
/// Shorter values of such names are no secrets.
pub(crate) const SHORTEST: usize = 6;
/// Shorter secrets would be found in everything.
const SHORTEST_KNOWN: usize = 4;
/// Shorter texts are not taken for Base64.
const SHORTEST_BASE64: usize = 16;
/// Base64 in Base64 is followed so far.
const NESTED: u32 = 3;

/// What must not be in a case.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Secrets by name.
    pub(crate) known: Vec<(String, Secret)>,
    /// The parameter of the query that carries the connector's key.
    pub(crate) query_parameter: Option<String>,
    /// What the integration itself writes into headers, for everybody to read.
    pub(crate) constants: Vec<String>,
}

impl Secrets {
    /// What is known to be secret in a case of this integration: no values, only where the key is.
    pub(crate) fn of_case(integration: &Arc<Integration>, case: &Case) -> Self {
        let installation = integration.install(case.settings.clone()).ok();
        Self {
            known: Vec::new(),
            query_parameter: installation
                .as_ref()
                .and_then(|installation| query_parameter(&installation.connector.auth)),
            constants: installation.as_ref().map(constants).unwrap_or_default(),
        }
    }
}

/// The headers that the integration writes out itself, such as `X-Atlassian-Token: no-check`. What they hold is in its
/// YAML, so it is no secret, whatever the header is called.
pub(crate) fn constants(installation: &Installation) -> Vec<String> {
    let actions = installation.integration.http_actions.values();
    let of_actions = actions.flat_map(|action| action.headers.iter().map(|(_, value)| value));
    let of_all = installation.connector.headers.iter().map(|(_, value)| value);
    of_actions
        .chain(of_all)
        .filter(|value| value.is_constant())
        .map(|value| value.source().to_owned())
        .collect()
}

/// The parameter of the query that carries the key of a connector, where one does.
pub(crate) fn query_parameter(auth: &Auth) -> Option<String> {
    match auth {
        Auth::ApiKey {
            location: ApiKeyLocation::Query { name },
            ..
        } => Some(name.clone()),
        _ => None,
    }
}

/// Every place of a case that holds a secret or looks like it.
pub(crate) fn find(case: &Node, secrets: &Secrets) -> Vec<Diagnostic> {
    let allowed = case.get("not_secret").map(Node::elements).unwrap_or_default();
    let mut search = Search {
        secrets,
        allowed: allowed.iter().filter_map(Node::as_text).collect(),
        found: Vec::new(),
    };
    search.node(case, "", false);
    search.found
}

/// The texts among `candidates` that a case has to name under `not_secret`: without that they would be found.
pub(crate) fn not_secret(case: &Node, secrets: &Secrets, candidates: &[String]) -> Vec<String> {
    let found = |allowed: &[&str]| {
        let mut search = Search {
            secrets,
            allowed: allowed.to_vec(),
            found: Vec::new(),
        };
        search.node(case, "", false);
        search.found.len()
    };
    let all = found(&[]);
    let needed = candidates.iter().filter(|text| found(&[text.as_str()]) < all);
    needed.cloned().collect()
}

/// Whether a field of this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_key = matches!(
        words.as_slice(),
        [.., "api" | "access" | "private" | "auth", "key"]
    );
    let last = words.last().is_some_and(|last| SECRET_WORDS.contains(last));
    (last || is_key) && !words.iter().any(|word| PAGE_WORDS.contains(word))
}

/// The first part of a text that looks like a key or a token.
pub(crate) fn token_like(text: &str) -> Option<&str> {
    let found = |pattern: &Regex| pattern.find(text).map(|found| found.as_str());
    let group = |pattern: &Regex| {
        let captures = pattern.captures(text)?;
        captures.get(1).map(|found| found.as_str())
    };
    let hexadecimal = || found(&HEXADECIMAL).filter(|run| run.contains(|c: char| c.is_ascii_alphabetic()));
    let run = || {
        RUN.find_iter(text)
            .map(|run| run.as_str())
            .find(|run| is_random(run))
    };
    found(&JWT)
        .or_else(|| group(&BEARER))
        .or_else(|| group(&NAMED))
        .or_else(hexadecimal)
        .or_else(run)
}

/// A text in Base64 that a person can read once it is decoded.
pub(crate) fn readable_base64(text: &str) -> Option<String> {
    let packed: String = text.split_ascii_whitespace().collect();
    if packed.len() < SHORTEST_BASE64 {
        return None;
    }
    let unpadded = packed.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD
        .decode(unpadded)
        .or_else(|_| URL_SAFE_NO_PAD.decode(unpadded))
        .ok()?;
    as_text(&bytes).map(str::to_owned)
}

/// In what people write, letters and digits stand in groups; in a random text every other character is of another kind
/// than the one before it. That a word goes on in small letters after a large one counts for nothing.
fn is_random(run: &str) -> bool {
    const OTHER: u8 = 0;
    const SMALL: u8 = 1;
    const LARGE: u8 = 2;
    const DIGIT: u8 = 3;
    let kind = |c: char| match c {
        'a'..='z' => SMALL,
        'A'..='Z' => LARGE,
        '0'..='9' => DIGIT,
        _ => OTHER,
    };
    let (mut changes, mut before) = (0, [OTHER, OTHER]);
    for kind in run.chars().map(kind) {
        let [earlier, last] = before;
        let word_begins = last == LARGE && kind == SMALL && earlier != LARGE;
        let is_change = kind != last && kind != OTHER && last != OTHER;
        changes += usize::from(is_change && !word_begins);
        before = [last, kind];
    }
    let has = |wanted: u8| run.chars().any(|c| kind(c) == wanted);
    has(SMALL) && has(LARGE) && has(DIGIT) && changes * 3 > run.len()
}

/// The words of `camelCase`, `snake_case` and `kebab-case` names, in small letters.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = c.is_uppercase() && before.is_lowercase();
        if !c.is_alphanumeric() || begins {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

struct Search<'s> {
    secrets: &'s Secrets,
    allowed: Vec<&'s str>,
    found: Vec<Diagnostic>,
}

impl Search<'_> {
    fn node(&mut self, node: &Node, key: &str, in_query: bool) {
        match &node.content {
            Content::Text(text) => self.text(text, key, in_query, &node.place),
            Content::Number(number) => self.text(&number.to_string(), key, in_query, &node.place),
            Content::List(items) => {
                for item in items {
                    self.node(item, key, in_query);
                }
            }
            Content::Object(entries) => {
                for (name, value) in entries {
                    self.known(&name.name, &name.place);
                    if key.is_empty() && name.name == "not_secret" {
                        continue;
                    }
                    self.node(value, &name.name, key == "query");
                }
            }
            Content::Null | Content::Bool(_) => {}
        }
    }

    fn text(&mut self, text: &str, key: &str, in_query: bool, place: &Place) {
        self.known(text, place);
        if text.is_empty() || self.allowed.contains(&text) {
            return;
        }
        // The bytes of a file; only what is known to be secret can be told from them.
        if matches!(key, "base64" | "content") {
            if let Ok(bytes) = STANDARD.decode(text.split_ascii_whitespace().collect::<String>()) {
                self.known(&String::from_utf8_lossy(&bytes), place);
            }
            return;
        }
        let is_placed = PLACEHOLDER.is_match(text);
        let carries_key = in_query && self.secrets.query_parameter.as_deref() == Some(key);
        if carries_key && !is_placed {
            self.tell(
                place,
                format!("`{key}` carries the connector's secret in the clear"),
            );
            return;
        }
        let is_constant = self.secrets.constants.iter().any(|constant| constant == text);
        if is_secret_name(key) && !is_placed && !is_constant && text.len() >= SHORTEST {
            self.tell(
                place,
                format!("`{key}` is named like a secret, and holds one in the clear"),
            );
            return;
        }
        self.looks(text, place, NESTED);
    }

    fn looks(&mut self, text: &str, place: &Place, nested: u32) {
        if nested > 0
            && let Some(decoded) = readable_base64(text)
        {
            self.known(&decoded, place);
            return self.looks(&decoded, place, nested - 1);
        }
        let rest = PLACEHOLDER.replace_all(text, " ");
        let looks = token_like(&rest).filter(|token| !self.allowed.contains(token));
        if let Some(token) = looks {
            let begin: String = token.chars().take(4).collect();
            self.tell(place, format!("`{begin}...` looks like a key or a token"));
        }
    }

    fn known(&mut self, text: &str, place: &Place) {
        for (name, secret) in &self.secrets.known {
            let secret = secret.expose();
            if secret.len() < SHORTEST_KNOWN {
                continue;
            }
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let forms = [
                secret.to_owned(),
                encoded.replace('+', "%20"),
                encoded,
                STANDARD_NO_PAD.encode(secret),
                URL_SAFE_NO_PAD.encode(secret),
            ];
            if forms.iter().any(|form| text.contains(form.as_str())) {
                self.found.push(
                    Diagnostic::error(LEAK, format!("it holds the secret `{name}`"))
                        .at(place)
                        .help(format!("write {{{{{name}}}}} instead")),
                );
                return;
            }
        }
    }

    fn tell(&mut self, place: &Place, message: String) {
        if self.found.iter().any(|found| {
            found
                .place
                .as_ref()
                .is_some_and(|known| known.start == place.start && known.end == place.end)
        }) {
            return;
        }
        self.found.push(
            Diagnostic::error(LEAK, message)
                .at(place)
                .help("write a word in double braces instead, such as {{token_1}}; the text, if it is no secret, under `not_secret`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(yaml: &str) -> Vec<String> {
        let node = mapping::parse("case.yaml", yaml).unwrap();
        let secrets = Secrets {
            known: vec![("api_key".to_owned(), Secret::new("hunter2 & co".to_owned()))],
            query_parameter: Some("key".to_owned()),
            constants: vec!["no-check".to_owned()],
        };
        find(&node, &secrets)
            .iter()
            .map(|leak| leak.message.clone())
            .collect()
    }

    #[test]
    fn a_known_secret_is_found_in_every_form() {
        for text in [
            "a: we say hunter2 & co",
            "a: https://desk.example.com/?next=hunter2%20%26%20co",
            "a: https://desk.example.com/?next=hunter2+%26+co",
            "a: [{b: x aHVudGVyMiAmIGNv x}]",
            "hunter2 & co: 1",
            // {"token":"hunter2 & co"}
            "context: {page_token: eyJ0b2tlbiI6Imh1bnRlcjIgJiBjbyJ9}",
        ] {
            assert_eq!(found(text), ["it holds the secret `api_key`"], "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_found() {
        for text in [
            "query: {key: 4711}",
            "headers: {Authorization: Bearer abc}",
            "headers: {authorization: 'Basic agent:secret'}",
            "headers: {Set-Cookie: session=1}",
            "body: {access_token: abcdef}",
            "body: {clientSecret: abcdef}",
            "body: {X-Api-Key: abcdef}",
            "text: 'api_key=abcdefgh'",
            "text: 'try Bearer abcdefgh'",
            "a: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
            "a: 1-14-3b1f9cd27e1f58d0a46c3b1f9cd27e1f",
            "a: the key Xk29fLq0aZ7rT4mBv8YcN1wEe5Hs is new",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn ids_times_and_names_are_no_secrets() {
        for text in [
            "query: {key: '{{api_key}}'}",
            "query: {status: key}",
            "headers: {Authorization: 'Bearer {{access_token}}'}",
            "headers: {authorization: 'Basic ticket-gateway-service:{{password}}'}",
            "headers: {x-atlassian-token: no-check}",
            "body: {continuationToken: '{{token_1}}', next_page_token: abcdef, token: ''}",
            "id: 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "id: 64b7f0c2a1d3e4f5a6b7c8d9",
            "marker: '[tg-0123456789abcdef0123]'",
            "time: 2026-01-05T12:00:00.000000Z",
            "name: aFieldWithTheLongCamelCaseNameOfSomebody42",
            "slug: /tickets/2026-01-05-the-printer-of-room-42-is-on-Fire-again",
            "content: Xk29fLq0aZ7rT4mBv8YcN1wEe5HsXk29fLq0aZ7rT4mBv8YcN1wEe5Hs",
            // "It is only a printer, and it is on fire."
            "text: SXQgaXMgb25seSBhIHByaW50ZXIsIGFuZCBpdCBpcyBvbiBmaXJlLg==",
            "{not_secret: [3b1f9cd27e1f58d0a46c3b1f9cd27e1f], hash: 3b1f9cd27e1f58d0a46c3b1f9cd27e1f}",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
