//! Whether what was sent is what is read back.

use integration::InternalState;
use serde_json::Value;

use crate::commands::doctor::fields::at;
use crate::live::shown;

/// Characters of a value in a message.
const WIDTH: usize = 80;

/// What differs between a text that was sent and what was read back. Markup and a mark at the end are no difference.
pub(super) fn difference(name: &str, sent: &Value, read: &Value) -> Option<String> {
    let sent_text = sent.as_str()?;
    if read.as_str().is_some_and(|read| read.contains(sent_text)) {
        return None;
    }
    let shown = |value: &Value| shown::cut(&value.to_string(), WIDTH);
    Some(format!("`{name}`: sent {}, read {}", shown(sent), shown(read)))
}

/// The field in which a comment cannot be seen as it was sent.
pub(super) fn comment_seen(
    before: &Value,
    after: &Value,
    text: &str,
    is_public: bool,
) -> Option<(String, String)> {
    let comments = at(after, "comments")
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let found = comments.iter().position(|comment| {
        at(comment, "body")
            .as_str()
            .is_some_and(|body| body.contains(text))
    });
    let Some(index) = found else {
        let earlier = at(before, "comments").as_array().map_or(0, Vec::len);
        let said = match comments.len() > earlier {
            true => "the ticket has a new comment with another text",
            false => "the comment is not visible in the ticket",
        };
        return Some(("comments".into(), said.into()));
    };
    let shown = comments
        .get(index)
        .and_then(|comment| at(comment, "is_public").as_bool());
    match (is_public, shown) {
        (false, Some(true)) => Some((
            format!("comments[{index}].is_public"),
            "the internal comment is PUBLIC: the requestor sees it".into(),
        )),
        (true, Some(false)) => Some((
            format!("comments[{index}].is_public"),
            "the public comment is internal: the requestor does not see it".into(),
        )),
        (_, None) => Some((
            format!("comments[{index}].is_public"),
            "the ticket does not say whether the comment is public".into(),
        )),
        _ => None,
    }
}

pub(super) fn state_is(ticket: &Value, wanted: &[InternalState]) -> Option<(String, String)> {
    let code = at(ticket, "internal_state_code").as_str();
    if wanted.iter().any(|state| Some(state.code()) == code) {
        return None;
    }
    let words: Vec<&str> = wanted.iter().map(|state| state.code()).collect();
    let found = code.unwrap_or("no internal state");
    Some((
        "state".into(),
        format!(
            "asked for {}, the ticket is in {} ({found})",
            words.join(" or "),
            at(ticket, "state")
        ),
    ))
}
