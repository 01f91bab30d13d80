//! How requests are to be signed, by the document's security schemes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::Document;
use super::operation::{Operation, security};
use super::yaml::{Entry, Yaml, entry, remarked};

/// The connector's `auth` with what is said above it, and the settings that it reads.
pub(crate) struct Auth {
    pub(crate) entry: Entry,
    pub(crate) settings: Vec<Entry>,
    /// In a few words, for the table.
    pub(crate) shown: String,
    /// The name of the secret.
    pub(crate) secret: Option<String>,
}

/// The scheme that most of the `chosen` requests take, and of several the one that is simplest to install.
pub(crate) fn propose(document: &Document, chosen: &[&Operation]) -> Auth {
    let schemes = document
        .root
        .pointer("/components/securitySchemes")
        .and_then(Value::as_object);
    let mut known: Vec<(&str, Auth, u32)> = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    for (name, scheme) in schemes.into_iter().flatten() {
        named.push(name);
        if let Ok((scheme, _)) = document.resolve(scheme)
            && let Some((auth, rank)) = of_scheme(scheme)
        {
            known.push((name, auth, rank));
        }
    }
    let overall = security(&document.root);
    let mut used: BTreeMap<&str, u32> = BTreeMap::new();
    for operation in chosen {
        let own = if operation.security.is_empty() {
            &overall
        } else {
            &operation.security
        };
        for name in own {
            *used.entry(name.as_str()).or_default() += 1;
        }
    }
    let most = used.values().max().copied().unwrap_or_default();
    // A scheme that few of the requests take is for something else.
    known.sort_by_key(|(name, _, rank)| {
        let takes = used.get(name).copied().unwrap_or_default();
        (u32::from(takes * 2 < most), *rank)
    });
    let others: Vec<String> = named.iter().map(|name| format!("`{name}`")).collect();
    let mut known = known.into_iter();
    match known.next() {
        Some((name, mut auth, _)) => {
            if others.len() > 1 {
                auth.entry.above.push(format!(
                    "The document names {}; this is `{name}`.",
                    others.join(", ")
                ));
            }
            auth
        }
        None => {
            let said = if others.is_empty() {
                "the document does not say how requests are signed. A bearer token is a guess".to_owned()
            } else {
                format!(
                    "the document names {}, of a kind that is not known here. A bearer token is a guess",
                    others.join(", ")
                )
            };
            let mut auth = bearer();
            auth.entry.above.push(format!("TODO: {said}."));
            auth.shown = "bearer (a guess)".to_owned();
            auth
        }
    }
}

fn bearer() -> Auth {
    auth("bearer", "token", &[("kind", "bearer"), ("secret", "token")])
}

fn auth(shown: &str, secret: &str, keys: &[(&str, &str)]) -> Auth {
    let keys = keys.iter().map(|(key, value)| (*key, Yaml::text(*value)));
    Auth {
        entry: entry("auth", Yaml::map(keys)),
        settings: Vec::new(),
        shown: shown.to_owned(),
        secret: Some(secret.to_owned()),
    }
}

/// A smaller rank is simpler to install.
fn of_scheme(scheme: &Value) -> Option<(Auth, u32)> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("type"), text("scheme").to_lowercase().as_str(), text("in")) {
        ("http", "bearer", _) => Some((bearer(), 0)),
        ("http", "basic", _) => {
            let mut basic = auth(
                "basic",
                "password",
                &[
                    ("kind", "basic"),
                    ("username", "{{settings.username}}"),
                    ("secret", "password"),
                ],
            );
            basic.settings.push(entry(
                "username",
                Yaml::map([
                    ("type", Yaml::text("text")),
                    ("required", Yaml::Plain("true".to_owned())),
                    ("description", Yaml::text("User name or e-mail address of the API user; its password or API token is the secret password")),
                ]),
            ));
            Some((basic, 1))
        }
        ("apiKey", _, "header") if text("name").eq_ignore_ascii_case("authorization") => {
            let mut key = auth(
                "api_key",
                "api_key",
                &[
                    ("kind", "api_key"),
                    ("in", "header"),
                    ("name", "Authorization"),
                    ("secret", "api_key"),
                ],
            );
            key.entry.above.push(
                "TODO: the key goes into `Authorization` as it is. Where a word stands before it, add `pattern: \"Token %s\"`."
                    .to_owned(),
            );
            Some((key, 2))
        }
        ("apiKey", _, place @ ("header" | "query")) => Some((
            auth(
                "api_key",
                "api_key",
                &[
                    ("kind", "api_key"),
                    ("in", place),
                    ("name", text("name")),
                    ("secret", "api_key"),
                ],
            ),
            2,
        )),
        ("oauth2", _, _) => oauth2(scheme),
        _ => None,
    }
}

fn oauth2(scheme: &Value) -> Option<(Auth, u32)> {
    let flows = scheme.get("flows")?.as_object()?;
    if let Some(flow) = flows.get("clientCredentials") {
        let token_url = flow.get("tokenUrl").and_then(Value::as_str).unwrap_or_default();
        let absolute = token_url.starts_with("https://") || token_url.starts_with("http://");
        let mut keys = vec![
            entry("kind", Yaml::text("oauth2_client_credentials")),
            entry(
                "token_url",
                Yaml::text(if absolute {
                    token_url
                } else {
                    "{{settings.token_url}}"
                }),
            ),
            entry("client_id", Yaml::text("{{settings.client_id}}")),
            entry("secret", Yaml::text("client_secret")),
        ];
        let scopes = flow.get("scopes").and_then(Value::as_object);
        let names: Vec<&str> = scopes
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let mut above = Vec::new();
        if !names.is_empty() && names.len() <= 4 {
            keys.push(entry("scope", Yaml::text(names.join(" "))));
        } else if !names.is_empty() {
            above.push(format!(
                "TODO: name the `scope` that is needed; the document has {}.",
                names.len()
            ));
        }
        let mut auth = auth("oauth2_client_credentials", "client_secret", &[]);
        auth.entry = remarked(above, "auth", Yaml::Map(keys));
        auth.settings.push(required_text("client_id", "OAuth2 client id"));
        if !absolute {
            auth.settings.push(entry(
                "token_url",
                Yaml::map([
                    ("type", Yaml::text("url")),
                    ("required", Yaml::Plain("true".to_owned())),
                    (
                        "description",
                        Yaml::text(format!(
                            "Where OAuth2 tokens are fetched; the document says {token_url}"
                        )),
                    ),
                ]),
            ));
        }
        return Some((auth, 3));
    }
    let names: Vec<&str> = flows.keys().map(String::as_str).collect();
    let mut auth = bearer();
    auth.entry.above.push(format!(
        "TODO: the document names OAuth2 ({}), in which a person signs in once. This takes an access token as it is; see \
         docs/integration.md for what renews one.",
        names.join(", ")
    ));
    auth.shown = "bearer (OAuth2, to be completed)".to_owned();
    Some((auth, 4))
}

fn required_text(name: &str, description: &str) -> Entry {
    entry(
        name,
        Yaml::map([
            ("type", Yaml::text("text")),
            ("required", Yaml::Plain("true".to_owned())),
            ("description", Yaml::text(description)),
        ]),
    )
}
