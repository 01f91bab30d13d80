//! Whether what was sent is what is read back.

use integration::InternalState;
use serde_json::Value;

use super::alike;
use super::texts::Amiss;
use crate::commands::doctor::fields::at;

/// What systems say of a file that they know nothing of (RFC 2046 section 4.5.1).
const UNKNOWN_TYPE: &str = "application/octet-stream";

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

/// What is amiss with a file among those of the ticket: that it is not there, or that what the ticket says of it is not
/// what was sent. `size` is in bytes.
pub(super) fn attachment_amiss(
    before: &Value,
    after: &Value,
    file_name: &str,
    content_type: &str,
    size: usize,
) -> Vec<Amiss> {
    let files = |ticket: &Value| at(ticket, "attachments").as_array().cloned().unwrap_or_default();
    let (before, after) = (files(before), files(after));
    let Some(index) = after.iter().position(|file| at(file, "file_name") == file_name) else {
        let is_new = |file: &&Value| !before.contains(file);
        let other = after.iter().find(is_new).map(|file| at(file, "file_name"));
        let said = match other {
            Some(name) => format!("the file was sent as `{file_name}`, and the new one is called {name}"),
            None => "the file is not among the ticket's attachments".to_owned(),
        };
        return vec![Amiss::new("attachments", said)];
    };
    let file = after.get(index).unwrap_or(&Value::Null);
    let mut amiss = Vec::new();
    if let Some(read) = at(file, "size")
        .as_u64()
        .filter(|read| usize::try_from(*read) != Ok(size))
    {
        amiss.push(Amiss::new(
            format!("attachments[{index}].size"),
            format!("the file has {size} bytes, and the ticket says {read}: is it still in Base64, or is its size mapped wrong?"),
        ));
    }
    if let Some(read) = at(file, "content_type").as_str() {
        let media_type = read.split(';').next().unwrap_or_default().trim();
        let field = format!("attachments[{index}].content_type");
        let said = format!("the file was sent as `{content_type}`, and the ticket says `{read}`");
        if media_type.eq_ignore_ascii_case(UNKNOWN_TYPE) {
            amiss.push(Amiss::note(field, said));
        } else if !media_type.eq_ignore_ascii_case(content_type) {
            amiss.push(Amiss::new(field, said));
        }
    }
    amiss
}

/// What is amiss with whom the ticket is assigned to, after it was assigned to `wanted`.
pub(super) fn assignee_amiss(after: &Value, wanted: &str) -> Option<Amiss> {
    let name = "assigned_to_user";
    let shown = at(after, name);
    if shown.is_null() {
        let said = format!("assigned to {wanted}, and the ticket shows nobody");
        return Some(Amiss::new(name, said));
    }
    if alike::names(shown, wanted) {
        return None;
    }
    let said = format!("assigned to {wanted}, and the ticket shows {shown}");
    if wanted.contains('@') && alike::has_address(shown) {
        return Some(Amiss::new(name, said));
    }
    let login = wanted.split('@').next().unwrap_or_default();
    if alike::has_word(shown, login) {
        return None;
    }
    Some(Amiss::note(
        name,
        format!("{said}: whether that is the same cannot be seen"),
    ))
}

/// The comment with this word in it, and where in the ticket it is.
pub(super) fn comment_of<'t>(ticket: &'t Value, mark: &str) -> Option<(usize, &'t Value)> {
    let index = comment_with(ticket, mark)?;
    let comment = at(ticket, "comments").as_array()?.get(index)?;
    Some((index, comment))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::texts::Kind;
    use super::*;

    #[test]
    fn whom_a_ticket_is_assigned_to_is_compared_as_far_as_it_is_shown() {
        let kind = |shown: Value| {
            let amiss = assignee_amiss(&json!({"assigned_to_user": shown}), "alice@example.com");
            amiss.map(|amiss| amiss.unlike.kind)
        };
        assert_eq!(kind(json!("Alice@example.com")), None);
        assert_eq!(kind(json!({"id": "7", "name": "Alice Smith"})), None);
        assert_eq!(kind(json!("bot@example.com")), Some(Kind::Otherwise));
        assert_eq!(kind(json!(null)), Some(Kind::Otherwise));
        assert_eq!(kind(json!("7")), Some(Kind::Harmless));
    }

    #[test]
    fn a_file_is_compared_by_what_the_ticket_says_of_it() {
        let said = |file: Value| {
            let after = json!({"attachments": [file]});
            let amiss = attachment_amiss(&json!({}), &after, "a.txt", "text/plain", 38);
            amiss
                .into_iter()
                .map(|amiss| amiss.unlike.said)
                .collect::<Vec<_>>()
        };
        let whole = json!({"file_name": "a.txt", "size": 38, "content_type": "text/plain; charset=utf-8"});
        assert!(said(whole).is_empty());
        assert!(said(json!({"file_name": "a.txt"})).is_empty());
        assert!(said(json!({"file_name": "a.txt", "size": 52}))[0].contains("still in Base64"));
        assert!(said(json!({"file_name": "a.txt", "content_type": "text/html"}))[0].contains("`text/html`"));
        assert!(said(json!({"file_name": "file"}))[0].contains("the new one is called \"file\""));
    }
}
