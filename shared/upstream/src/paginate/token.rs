//! Page tokens: our own opaque text for a position, given to callers and taken back from them.
//!
//! A token comes back from outside, so it is checked like any input. It can only name a page of the action it
//! was made for: a token, a number, or a query string at the action's own path.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Start;
use super::position::{Position, Track};
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{PageKind, Paginate};
use crate::request::{Form, path_of, show_path};
use crate::send::Session;

/// Longest token of a system that is carried on.
const LONGEST: usize = 4096;
/// Longest page token that is looked at.
const LONGEST_OURS: usize = 2 * LONGEST;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// The action it belongs to.
    action: String,
    /// By `otherwise`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    otherwise: bool,
    /// Fingerprint of the page before, where the walk stops after each: a page that comes again is known by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page_before: Option<u64>,
    #[serde(flatten)]
    at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum At {
    Token(Value),
    Offset(u64),
    Page(u64),
    Query(String),
}

/// Makes a page token. `page` is the fingerprint of the page that it follows, if that is to be carried on.
pub(super) fn encode(
    session: &Session<'_>,
    track: Track,
    next: &Position,
    page: Option<u64>,
) -> Result<String, UpstreamError> {
    let at = match next {
        Position::Token(token) => At::Token(token.clone()),
        Position::Offset(offset) => At::Offset(*offset),
        Position::Page(page) => At::Page(*page),
        Position::First => At::Offset(0),
        Position::Url(url) => {
            let own = path_of(session.connector, &Form::of(session.action), &session.root())?;
            if url.path() != own.path() {
                return Err(session.bad_answer(&format!(
                    "`{}`: the next page is at another path, which a page token cannot carry; raise `max_pages`",
                    session.action.name
                )));
            }
            At::Query(url.query().unwrap_or_default().to_owned())
        }
    };
    let content = Content {
        action: session.action.name.clone(),
        otherwise: track == Track::Otherwise,
        page_before: page,
        at,
    };
    let json = serde_json::to_vec(&content).map_err(|error| session.bad_answer(&error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// Reads a page token that a caller gave.
pub(super) fn decode(
    session: &Session<'_>,
    paginate: &Paginate,
    given: &Value,
) -> Result<Start, UpstreamError> {
    let argument = match paginate.start_from.as_ref().map(mapping::Mapping::reads) {
        Some([only]) => show_path(only),
        _ => "the page token".to_owned(),
    };
    let wrong = || {
        let message = format!("`{argument}` is not a page token of `{}`", session.action.name);
        UpstreamError::new(ErrorKind::Input, Outcome::NotSent, message)
    };
    let text = given
        .as_str()
        .filter(|text| text.len() <= LONGEST_OURS)
        .ok_or_else(wrong)?;
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let content: Content = serde_json::from_slice(&json).map_err(|_| wrong())?;
    let track = if content.otherwise {
        Track::Otherwise
    } else {
        Track::Main
    };
    if content.action != session.action.name || (content.otherwise && paginate.otherwise.is_none()) {
        return Err(wrong());
    }
    let position = match (track.kind(paginate), content.at) {
        (PageKind::Token { .. }, At::Token(token)) if is_sendable(&token) => Position::Token(token),
        (PageKind::Offset { .. }, At::Offset(offset)) => Position::Offset(offset),
        (PageKind::Page { .. }, At::Page(page)) => Position::Page(page),
        (PageKind::LinkHeader { .. } | PageKind::NextUrl { .. }, At::Query(query)) => {
            let mut url = path_of(session.connector, &Form::of(session.action), &session.root())?;
            url.set_query((!query.is_empty()).then_some(query.as_str()));
            session.credentials.strip(&mut url);
            Position::Url(url)
        }
        _ => return Err(wrong()),
    };
    Ok(Start {
        track,
        position,
        page_before: content.page_before,
    })
}

/// Whether a system's token may go into a request: a number, or visible ASCII of a sane length.
pub(super) fn is_sendable(token: &Value) -> bool {
    match token {
        Value::String(text) => {
            !text.is_empty() && text.len() <= LONGEST && text.chars().all(|c| matches!(c, ' '..='~'))
        }
        Value::Number(_) => true,
        _ => false,
    }
}
