//! How requests are to be signed, by the document's security schemes.

mod session;

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::Document;
use super::operation::{Operation, security};
use super::words::snake;
use super::yaml::{Entry, Yaml, entry, remarked};

/// The connector's `auth` with what is said above it, and the settings that it reads.
pub(crate) struct Auth {
    pub(crate) entry: Entry,
    /// Headers of every request that hold secrets besides.
    pub(crate) headers: Vec<Entry>,
    pub(crate) settings: Vec<Entry>,
    /// In a few words, for the table.
    pub(crate) shown: String,
    /// The names of the secrets.
    pub(crate) secrets: Vec<String>,
}

/// The scheme that most of the `chosen` requests take, and of several the one that is simplest to install.
pub(crate) fn propose(document: &Document, operations: &[Operation], chosen: &[&Operation]) -> Auth {
    let schemes = document
        .root
        .pointer("/components/securitySchemes")
        .and_then(Value::as_object);
    let mut known: Vec<(&str, Auth, u32)> = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    for (name, scheme) in schemes.into_iter().flatten() {
        named.push(name);
        if let Ok((scheme, _)) = document.resolve(scheme)
            && let Some((auth, rank)) = of_scheme(scheme, name, &Schemes { document, operations })
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
        for name in own.iter().flatten() {
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
            let ways = chosen.iter().flat_map(|operation| &operation.security);
            let together = overall
                .iter()
                .chain(ways)
                .find(|way| way.iter().any(|it| it == name));
            for besides in together.into_iter().flatten().filter(|it| *it != name) {
                add_beside(document, besides, &mut auth);
            }
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

/// What a request needs besides: a key in another header becomes a header of the connector.
fn add_beside(document: &Document, name: &str, auth: &mut Auth) {
    let scheme = document
        .root
        .pointer("/components/securitySchemes")
        .and_then(|schemes| schemes.get(name))
        .and_then(|scheme| document.resolve(scheme).ok());
    let text = |key: &str| {
        scheme
            .and_then(|(scheme, _)| scheme.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if auth.headers.iter().any(|known| known.key == text("name")) {
        // It goes with the login, too.
    } else if (text("type"), text("in")) == ("apiKey", "header") {
        let (header, secret) = (text("name"), snake(text("name")));
        auth.headers
            .push(entry(header, Yaml::map([("secret", Yaml::text(&secret))])));
        auth.secrets.push(secret);
        auth.shown.push_str(&format!(" and {header}"));
    } else {
        auth.entry.above.push(format!(
            "TODO: the document needs `{name}` besides, which is not written here."
        ));
    }
}

fn bearer() -> Auth {
    auth("bearer", "token", &[("kind", "bearer"), ("secret", "token")])
}

fn auth(shown: &str, secret: &str, keys: &[(&str, &str)]) -> Auth {
    let keys = keys.iter().map(|(key, value)| (*key, Yaml::text(*value)));
    Auth {
        entry: entry("auth", Yaml::map(keys)),
        headers: Vec::new(),
        settings: Vec::new(),
        shown: shown.to_owned(),
        secrets: vec![secret.to_owned()],
    }
}

/// What a scheme is read beside.
struct Schemes<'a> {
    document: &'a Document,
    operations: &'a [Operation],
}

/// A smaller rank is simpler to install.
fn of_scheme(scheme: &Value, name: &str, all: &Schemes<'_>) -> Option<(Auth, u32)> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    if (text("type"), text("in")) == ("apiKey", "header")
        && let Some(auth) = session::of_header(text("name"), name, all)
    {
        return Some((auth, 2));
    }
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
            basic.entry.above.push(
                "Where the API wants a key for the user name: `{kind: basic, username_secret: api_key, password: X}`.".to_owned(),
            );
            basic.settings.push(required_text(
                "username",
                "User name or e-mail address of the API user; its password or API token is the secret password",
            ));
            Some((basic, 1))
        }
        ("apiKey", _, "cookie") => Some((session::of_cookie(text("name"), all.operations), 4)),
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

/// The flows in the order of what they ask of the installer.
fn oauth2(scheme: &Value) -> Option<(Auth, u32)> {
    let flows = scheme.get("flows")?.as_object()?;
    if let Some(flow) = flows.get("clientCredentials") {
        let auth = of_flow("oauth2_client_credentials", flow, &[("secret", "client_secret")]);
        return Some((auth, 3));
    }
    if let Some(flow) = flows.get("authorizationCode") {
        let secrets = [("secret", "client_secret"), ("refresh_secret", "refresh_token")];
        let mut auth = of_flow("oauth2_refresh_token", flow, &secrets);
        auth.entry.above.push(
            "TODO: a person consents once, outside of the gateway; the refresh token that comes of it is the secret `refresh_token`."
                .to_owned(),
        );
        return Some((auth, 3));
    }
    let names: Vec<&str> = flows.keys().map(String::as_str).collect();
    let mut auth = bearer();
    auth.entry.above.push(format!(
        "TODO: the document names OAuth2 ({}), which gives tokens that nothing here can renew. This takes an access token as \
         it is.",
        names.join(", ")
    ));
    auth.shown = "bearer (OAuth2, to be completed)".to_owned();
    Some((auth, 5))
}

/// A flow whose tokens the gateway fetches.
fn of_flow(kind: &str, flow: &Value, secrets: &[(&str, &str)]) -> Auth {
    let token_url = flow.get("tokenUrl").and_then(Value::as_str).unwrap_or_default();
    let absolute = token_url.starts_with("https://") || token_url.starts_with("http://");
    let mut keys = vec![
        entry("kind", Yaml::text(kind)),
        entry(
            "token_url",
            Yaml::text(if absolute {
                token_url
            } else {
                "{{settings.token_url}}"
            }),
        ),
        entry("client_id", Yaml::text("{{settings.client_id}}")),
    ];
    keys.extend(secrets.iter().map(|(key, name)| entry(*key, Yaml::text(*name))));
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
    let mut auth = auth(kind, "", &[]);
    auth.secrets = secrets.iter().map(|(_, name)| (*name).to_owned()).collect();
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
    auth
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
