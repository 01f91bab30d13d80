//! `/tickets/{id}/activities`: what happened to a ticket, and new comments.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::answers::{Answer, Refusal, ok};
use super::input;
use super::model::{Person, Record};
use super::moment::Moment;
use super::paging::{activity_token, read_activity_token};
use super::query::Parameters;
use super::quirks::{Quirk, Quirks};
use super::running::Sandbox;
use super::tickets::{Logged, envelope, item, sent_token};
use super::view::View;

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let quirks = &sandbox.quirks;
    let parameters = Parameters::parse(query.as_deref());
    let view = View::new(quirks, 0, parameters.includes("comment_HTML"));
    let store = sandbox.store();
    let record = store.get(&id).ok_or_else(|| Refusal::no_ticket(&id))?;
    let items = view.activities(record, &sandbox.url);
    if !quirks.has(Quirk::ActivityPaging) {
        return ok(json!({"items": items}));
    }
    let limit = parameters.limit()?;
    let start = sent_token(&headers)?.map_or(Ok(0), |token| read_activity_token(&id, token))?;
    let end = start.saturating_add(limit).min(items.len());
    let token = (end < items.len()).then(|| activity_token(&id, end));
    envelope(items.get(start..end).unwrap_or_default().to_vec(), token, quirks)
}

pub(super) async fn comment(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let quirks = &sandbox.quirks;
    let mut store = sandbox.store();
    let mut record = store.get(&id).cloned().ok_or_else(|| Refusal::no_ticket(&id))?;
    let body = input::body(&bytes)?;
    let user = input::user(&body)?;
    let logged = comment_of(&body, quirks)?;
    if logged.comment.is_none() {
        return Err(Refusal::invalid("comment is required"));
    }
    let time = store.change_time();
    commented(&mut record, &user, time, quirks);
    let activity = record.log(logged, user, time);
    let shown = View::new(quirks, 0, false).comment(&record, &activity, &sandbox.url);
    store.save(record)?;
    ok(item(shown, quirks))
}

/// Moves the times that a comment moves.
pub(super) fn commented(record: &mut Record, user: &Person, time: Moment, quirks: &Quirks) {
    if quirks.has(Quirk::QuietComments) {
        record.interact(time, user);
    } else {
        record.touch(time, user);
    }
}

/// The comment of a request, if it has one that is not blank.
pub(super) fn comment_of(body: &Map<String, Value>, quirks: &Quirks) -> Result<Logged, Refusal> {
    let filled = |key| -> Result<Option<String>, Refusal> {
        Ok(input::optional_text(body, key)?.filter(|text| !text.trim().is_empty()))
    };
    let html = if quirks.has(Quirk::HtmlTexts) {
        filled("comment_HTML")?
    } else {
        None
    };
    let plain = filled("comment")?;
    let private = if quirks.has(Quirk::PrivateComments) {
        is_private(body)?
    } else {
        false
    };
    Ok(match (plain, html) {
        // The plain text wins.
        (Some(plain), _) => Logged {
            comment: Some(plain),
            private,
            ..Logged::default()
        },
        (None, Some(html)) => Logged {
            comment: Some(without_tags(&html)),
            comment_html: Some(html),
            private,
            ..Logged::default()
        },
        (None, None) => Logged {
            private,
            ..Logged::default()
        },
    })
}

fn is_private(body: &Map<String, Value>) -> Result<bool, Refusal> {
    match body.get("isPrivate") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(private)) => Ok(*private),
        Some(_) => Err(Refusal::invalid("isPrivate must be a boolean")),
    }
}

fn without_tags(html: &str) -> String {
    let mut in_tag = false;
    let visible = |character: &char| match character {
        '<' => {
            in_tag = true;
            false
        }
        '>' if in_tag => {
            in_tag = false;
            false
        }
        _ => !in_tag,
    };
    html.chars().filter(visible).collect()
}
