//! Whether what was sent is what is read back.

use integration::InternalState;
use serde_json::Value;

use super::texts::Amiss;
use crate::commands::doctor::fields::at;

/// What is amiss with a comment, which is found by a word in it.
pub(super) fn comment_amiss(
    before: &Value,
    after: &Value,
    text: &str,
    mark: &str,
    is_public: bool,
) -> Vec<Amiss> {
    let Some(index) = comment_with(after, mark) else {
        let count = |ticket: &Value| at(ticket, "comments").as_array().map_or(0, Vec::len);
        let said = match count(after) > count(before) {
            true => "the ticket has a new comment with another text",
            false => "the comment is not visible in the ticket",
        };
        return vec![Amiss::new("comments", said)];
    };
    let comments = at(after, "comments").as_array();
    let comment = comments
        .and_then(|comments| comments.get(index))
        .unwrap_or(&Value::Null);
    let name = match is_public {
        true => "the public comment",
        false => "the internal comment",
    };
    let body = Amiss::of_text(format!("comments[{index}].body"), name, text, at(comment, "body"));
    let said = match (is_public, at(comment, "is_public").as_bool()) {
        (false, Some(true)) => Some("the internal comment is PUBLIC: the requestor sees it"),
        (true, Some(false)) => Some("the public comment is internal: the requestor does not see it"),
        (_, None) => Some("the ticket does not say whether the comment is public"),
        _ => None,
    };
    let flag = said.map(|said| Amiss::new(format!("comments[{index}].is_public"), said));
    body.into_iter().chain(flag).collect()
}

/// Which comment has this word in it.
fn comment_with(ticket: &Value, mark: &str) -> Option<usize> {
    let comments = at(ticket, "comments").as_array()?;
    comments.iter().position(|comment| {
        let body = at(comment, "body").as_str();
        body.is_some_and(|body| body.contains(mark))
    })
}

pub(super) fn state_amiss(ticket: &Value, wanted: &[InternalState]) -> Option<Amiss> {
    let code = at(ticket, "internal_state_code").as_str();
    if wanted.iter().any(|state| Some(state.code()) == code) {
        return None;
    }
    let words: Vec<&str> = wanted.iter().map(|state| state.code()).collect();
    let found = code.unwrap_or("no internal state");
    let said = format!(
        "asked for {}, the ticket is in {} ({found})",
        words.join(" or "),
        at(ticket, "state")
    );
    Some(Amiss::new("state", said))
}
