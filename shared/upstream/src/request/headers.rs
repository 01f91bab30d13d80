//! Request headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use mapping::Template;

use super::render::is_optional;
use super::{Form, RESERVED_HEADERS, Root, refused};
use crate::error::UpstreamError;
use crate::model::Connector;

/// The connector's headers, then the action's, which win.
pub(super) fn headers(
    connector: &Connector,
    form: &Form<'_>,
    root: &Root<'_>,
) -> Result<HeaderMap, UpstreamError> {
    let mut headers = HeaderMap::new();
    for (header, template) in &connector.headers {
        add(&mut headers, header, template, form.action, root)?;
    }
    for (header, template) in form.headers {
        let header = root.plain(header, &format!("a header name of `{}`", form.action))?;
        if !header.trim().is_empty() {
            add(&mut headers, header.trim(), template, form.action, root)?;
        }
    }
    Ok(headers)
}

fn add(
    headers: &mut HeaderMap,
    header: &str,
    template: &Template,
    action: &str,
    root: &Root<'_>,
) -> Result<(), UpstreamError> {
    let rendered = root.plain(template, &format!("the header `{header}` of `{action}`"))?;
    if rendered.is_empty() && is_optional(template) {
        return Ok(());
    }
    headers.insert(name(header, action)?, value(&rendered, header, action)?);
    Ok(())
}

/// A header name that an integration may use.
pub(super) fn name(text: &str, action: &str) -> Result<HeaderName, UpstreamError> {
    let what = format!("the header name {text:?} of `{action}`");
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| refused(&what, "it may hold letters, digits and `-` only"))?;
    if RESERVED_HEADERS.contains(&name) || name.as_str().starts_with("proxy-") {
        return Err(refused(&what, "it belongs to the connection and cannot be set"));
    }
    Ok(name)
}

/// A header value: visible ASCII and spaces. The value itself is not shown in the error.
pub(super) fn value(text: &str, header: &str, action: &str) -> Result<HeaderValue, UpstreamError> {
    let what = format!("the header `{header}` of `{action}`");
    if let Some(wrong) = text.chars().find(|c| !matches!(c, ' '..='~')) {
        let code = u32::from(wrong);
        let why =
            format!("its value holds the character U+{code:04X}; only visible ASCII and spaces are allowed");
        return Err(refused(&what, &why));
    }
    HeaderValue::from_str(text).map_err(|_| refused(&what, "its value is not a header value"))
}
