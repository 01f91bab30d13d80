//! Builds the request of an HTTP action from its templates and the caller's values.

mod body;
mod headers;
mod json;
mod path;
mod query;
mod render;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value;
use url::Url;

pub use self::body::{PreparedBody, PreparedPart};
pub(crate) use self::render::{Root, show_path, text_or_json};
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{Body, Connector, HttpAction, Parameter, ResponseFormat, SendTo};

/// Everything but the characters that RFC 3986 section 2.3 calls unreserved.
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One form of an action's request: the action itself or its fallback.
pub(crate) struct Form<'a> {
    pub(crate) action: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a mapping::Template,
    pub(crate) query: &'a [(mapping::Template, Parameter)],
    pub(crate) headers: &'a [(mapping::Template, mapping::Template)],
    pub(crate) body: &'a Body,
    pub(crate) response: ResponseFormat,
    pub(crate) repeatable: bool,
}

impl<'a> Form<'a> {
    /// The action as it is written.
    pub(crate) fn of(action: &'a HttpAction) -> Self {
        Self {
            action: &action.name,
            method: &action.method,
            path: &action.path,
            query: &action.query,
            headers: &action.headers,
            body: &action.body,
            response: action.response,
            repeatable: action.repeatable,
        }
    }

    /// The action with what its fallback replaces. A method that may not be repeated makes the form one.
    pub(crate) fn fallback_of(action: &'a HttpAction) -> Option<Self> {
        let fallback = action.fallback.as_deref()?;
        let method = fallback.method.as_ref().unwrap_or(&action.method);
        let same_method = *method == action.method;
        Some(Self {
            action: &action.name,
            method,
            path: fallback.path.as_ref().unwrap_or(&action.path),
            query: fallback.query.as_deref().unwrap_or(&action.query),
            headers: fallback.headers.as_deref().unwrap_or(&action.headers),
            body: fallback.body.as_ref().unwrap_or(&action.body),
            response: action.response,
            repeatable: action.repeatable && (same_method || HttpAction::repeatable_by_default(method)),
        })
    }
}

/// Which page the request asks for.
pub(crate) enum PageRequest<'a> {
    /// A position that is put into the request: text or a number.
    Send(&'a SendTo, Value),
    /// The whole URL of the page; its origin has been checked.
    Url(&'a Url),
}

/// A request; a [`Transport`](crate::Transport) sees it with its credentials. Cloning is cheap, so that it can be sent
/// again.
#[derive(Clone)]
pub struct Prepared {
    /// The method.
    pub method: Method,
    /// The whole URL. Its query may hold a secret.
    pub url: Url,
    /// The headers, without those of the connection and of a multipart body.
    pub headers: HeaderMap,
    /// The body.
    pub body: PreparedBody,
}

/// Builds a request.
pub(crate) fn prepare(
    connector: &Connector,
    form: &Form<'_>,
    root: &Root<'_>,
    page: Option<&PageRequest<'_>>,
) -> Result<Prepared, UpstreamError> {
    let mut url = path::url(&connector.base_url, form, root)?;
    let mut pairs = query::pairs(form.query, form.action, root)?;
    let mut headers = headers::headers(connector, form, root)?;
    let (mut body, content_type) = body::body(form, root)?;
    match page {
        Some(PageRequest::Url(whole)) => {
            url = (*whole).clone();
            pairs.clear();
        }
        Some(PageRequest::Send(SendTo::Query(name), value)) => {
            query::replace(&mut pairs, name, text_or_json(value));
        }
        Some(PageRequest::Send(SendTo::Header(name), value)) => {
            let value = headers::value(&text_or_json(value), name, form.action)?;
            headers.insert(headers::name(name, form.action)?, value);
        }
        Some(PageRequest::Send(SendTo::Body(key), value)) => body.set(key, value, form.action)?,
        None => {}
    }
    if !pairs.is_empty() {
        url.set_query(Some(&query::encode(&pairs)));
    }
    if let Some(content_type) = content_type {
        let value = headers::value(&content_type, "content-type", form.action)?;
        headers.entry(CONTENT_TYPE).or_insert(value);
    }
    if form.response == ResponseFormat::Json {
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
    }
    Ok(Prepared {
        method: form.method.clone(),
        url,
        headers,
        body: body.finish(),
    })
}

/// The URL of an action without its query.
pub(crate) fn path_of(connector: &Connector, form: &Form<'_>, root: &Root<'_>) -> Result<Url, UpstreamError> {
    path::url(&connector.base_url, form, root)
}

/// The integration is wrong, whatever value came.
fn mistaken(what: &str, why: &str) -> UpstreamError {
    UpstreamError::new(ErrorKind::Mapping, Outcome::NotSent, format!("{what}: {why}"))
}

/// A value cannot be put where the request needs it.
fn refused(what: &str, why: &str) -> UpstreamError {
    UpstreamError::new(ErrorKind::Input, Outcome::NotSent, format!("{what}: {why}"))
}

/// Headers that belong to the connection or name the host; no integration may set them.
const RESERVED_HEADERS: [HeaderName; 8] = [
    http::header::HOST,
    http::header::CONTENT_LENGTH,
    http::header::TRANSFER_ENCODING,
    http::header::CONNECTION,
    http::header::TE,
    http::header::TRAILER,
    http::header::UPGRADE,
    http::header::EXPECT,
];
