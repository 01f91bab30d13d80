//! Query strings and form bodies: pairs of templates.

use mapping::Template;
use percent_encoding::utf8_percent_encode;

use super::render::is_optional;
use super::{Root, UNRESERVED};
use crate::error::UpstreamError;

/// Names and values, not encoded.
pub(super) type Pairs = Vec<(String, String)>;

/// Renders pairs. A pair is left out when its key is empty, or its value is a section that is empty.
pub(super) fn pairs(
    templates: &[(Template, Template)],
    action: &str,
    root: &Root<'_>,
) -> Result<Pairs, UpstreamError> {
    let mut pairs = Pairs::new();
    for (key, value) in templates {
        let rendered_key = root.plain(key, &format!("a parameter name of `{action}`"))?;
        if rendered_key.trim().is_empty() {
            continue;
        }
        let rendered = root.plain(value, &format!("the parameter `{rendered_key}` of `{action}`"))?;
        if rendered.is_empty() && is_optional(value) {
            continue;
        }
        pairs.push((rendered_key, rendered));
    }
    Ok(pairs)
}

/// Gives a parameter one value, at the end.
pub(super) fn replace(pairs: &mut Pairs, name: &str, value: String) {
    pairs.retain(|(existing, _)| existing != name);
    pairs.push((name.to_owned(), value));
}

/// The pairs as a query string. A space becomes `%20`, which every reader understands.
pub(super) fn encode(pairs: &Pairs) -> String {
    let one = |(name, value): &(String, String)| {
        format!(
            "{}={}",
            utf8_percent_encode(name, UNRESERVED),
            utf8_percent_encode(value, UNRESERVED)
        )
    };
    pairs.iter().map(one).collect::<Vec<_>>().join("&")
}
