//! Query strings and form bodies: pairs of templates.

use mapping::Template;
use percent_encoding::utf8_percent_encode;

use serde_json::Value;

use super::render::{is_optional, text_or_json};
use super::{Root, UNRESERVED, refused};
use crate::error::UpstreamError;
use crate::model::Parameter;

/// No server takes an address with as many parameters.
const MOST_ELEMENTS: usize = 1000;

/// Names and values, not encoded.
pub(super) type Pairs = Vec<(String, String)>;

/// Renders pairs. A pair is left out when its key is empty, or its value is a section that is empty.
pub(super) fn pairs(
    templates: &[(Template, Parameter)],
    action: &str,
    root: &Root<'_>,
) -> Result<Pairs, UpstreamError> {
    let mut pairs = Pairs::new();
    for (key, value) in templates {
        let rendered_key = root.plain(key, &format!("a parameter name of `{action}`"))?;
        if rendered_key.trim().is_empty() {
            continue;
        }
        let what = format!("the parameter `{rendered_key}` of `{action}`");
        match value {
            Parameter::One(template) => {
                let rendered = root.plain(template, &what)?;
                if !(rendered.is_empty() && is_optional(template)) {
                    pairs.push((rendered_key, rendered));
                }
            }
            Parameter::Each(mapping) => match root.evaluate(mapping, &what)? {
                Value::Null => {}
                Value::Array(elements) if elements.len() <= MOST_ELEMENTS => {
                    let elements = elements.iter().filter(|element| !element.is_null());
                    pairs.extend(elements.map(|element| (rendered_key.clone(), text_or_json(element))));
                }
                Value::Array(elements) => {
                    let why = format!(
                        "its list has {} elements; {MOST_ELEMENTS} can be sent",
                        elements.len()
                    );
                    return Err(refused(&what, &why));
                }
                _ => return Err(refused(&what, "`each` must give a list")),
            },
        }
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
