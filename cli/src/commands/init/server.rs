//! Where the API is.

use serde_json::Value;

use super::document::Document;
use super::request::first_sentence;
use super::yaml::{Entry, Yaml, entry};

/// The connector's address and the setting that it reads.
pub(crate) struct Server {
    pub(crate) base_url: String,
    pub(crate) setting: Entry,
}

/// The first server of the document. One that is no real address (`your-domain`, a variable) is an example only.
pub(crate) fn propose(document: &Document) -> Server {
    let server = document.root.pointer("/servers/0");
    let url = server
        .and_then(|server| server.get("url"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut filled = url.to_owned();
    let variables = server
        .and_then(|server| server.get("variables"))
        .and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        let default = variable.get("default").and_then(Value::as_str).unwrap_or(name);
        filled = filled.replace(&format!("{{{name}}}"), default);
    }
    let filled = filled.trim_end_matches('/').to_owned();
    let absolute = filled.starts_with("https://") || filled.starts_with("http://");
    if !absolute {
        // The document does not say the host, at most what every path begins with.
        let path = filled.trim_matches('/');
        let plain = !path.is_empty()
            && path
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "/-_.~".contains(letter));
        let base_url = if plain {
            format!("{{{{settings.base_url}}}}/{path}")
        } else {
            "{{settings.base_url}}".to_owned()
        };
        return Server {
            base_url,
            setting: setting(
                "Address of the system, for example https://desk.example.com",
                None,
            ),
        };
    }
    let is_as_written = url.trim_end_matches('/') == filled;
    Server {
        base_url: "{{settings.base_url}}".to_owned(),
        setting: address(&filled, is_as_written),
    }
}

/// The setting for an address that the file names: its default, or an example where it cannot be a real one.
pub(crate) fn address(url: &str, is_as_written: bool) -> Entry {
    let host = url.split('/').nth(2).unwrap_or_default().to_lowercase();
    let invented = [
        "your",
        "example",
        "{",
        "localhost",
        "127.0.0.1",
        "subdomain",
        "mycompany",
        "acme",
    ];
    let is_real = is_as_written
        && host.contains('.')
        && !invented.iter().any(|part| host.contains(part))
        && !url.contains('{');
    if is_real {
        setting("Address of the API", Some(url))
    } else {
        setting(
            &format!("Address of the API, for example {}", first_sentence(url)),
            None,
        )
    }
}

/// The setting `base_url`.
fn setting(description: &str, default: Option<&str>) -> Entry {
    let mut keys = vec![entry("type", Yaml::text("url"))];
    match default {
        Some(default) => keys.push(entry("default", Yaml::text(default))),
        None => keys.push(entry("required", Yaml::Plain("true".to_owned()))),
    }
    keys.push(entry("description", Yaml::text(description)));
    entry("base_url", Yaml::Map(keys))
}
