//! The URL: the connector's base and the action's path. A value in the path is exactly one segment.

use mapping::Escape;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use url::Url;

use super::{Form, Root, UNRESERVED, mistaken, refused};
use crate::error::UpstreamError;

/// The URL without query. Scheme, host, port and the base path stay as they are.
pub(super) fn url(base: &Url, form: &Form<'_>, root: &Root<'_>) -> Result<Url, UpstreamError> {
    let source = form.path.source();
    let what = format!("the path of `{}`", form.action);
    let check = |holds: bool, why: &str| {
        if holds {
            Ok(())
        } else {
            Err(refused(&format!("{what}, `{source}`"), why))
        }
    };
    if let Some(name) = missing(source, root.scope) {
        let why = format!("`{name}` has no value: look at the `input_args` that give it");
        return Err(mistaken(&format!("{what}, `{source}`"), &why));
    }
    let path = root.render(form.path, &mut Segments, &what)?;
    check(path.starts_with('/'), "it does not start with `/`")?;
    check(!path.contains(['?', '#']), "it holds a query string; use `query`")?;
    check(
        source.contains("//") || !path.contains("//"),
        "a segment is empty because a value is missing",
    )?;
    check(
        source.ends_with('/') || !path.ends_with('/'),
        "it ends early because a value is missing",
    )?;
    check(!path.split('/').any(is_dots), "a segment is `.` or `..`")?;
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Whether URL parsers take the segment for `.` or `..`.
fn is_dots(segment: &str) -> bool {
    matches!(
        segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
        "." | ".."
    )
}

/// The first plain variable of a path without sections that has no value.
///
/// A template renders a missing value as nothing, and `/tickets/` is not `/tickets/{id}`.
fn missing<'a>(source: &'a str, scope: &Value) -> Option<&'a str> {
    if source.contains("{{#") || source.contains("{{^") {
        return None;
    }
    let tags = source
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next());
    tags.map(|tag| tag.trim_matches(['{', '}', '&', ' ', '\t']))
        .find(|name| {
            let plain = name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
            let value = scope.pointer(&format!("/{}", name.replace('.', "/")));
            plain && !name.is_empty() && value.is_none_or(Value::is_null)
        })
}

/// Encodes each value as one segment; the text of the template stays as it is written.
struct Segments;

impl Escape for Segments {
    fn literal(&mut self, text: &str, out: &mut String) {
        // URL parsers read a backslash as a slash.
        out.push_str(&text.replace('\\', "%5C"));
    }

    fn value(&mut self, value: &Value, _raw: bool, out: &mut String) -> Result<(), String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null => return Err("a value in a path must not be null".to_owned()),
            Value::Array(_) => return Err("a list cannot be put in a path".to_owned()),
            Value::Object(_) => return Err("an object cannot be put in a path".to_owned()),
        };
        match text.as_str() {
            "" => Err("a value in a path must not be empty".to_owned()),
            "." | ".." => Err("a value in a path must not be `.` or `..`".to_owned()),
            _ => {
                out.extend(utf8_percent_encode(&text, UNRESERVED));
                Ok(())
            }
        }
    }
}
