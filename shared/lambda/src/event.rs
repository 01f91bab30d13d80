//! From an API Gateway event to the gateway's request, and back.

use bytes::Bytes;
use http::Uri;
use http::uri::PathAndQuery;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};

/// The event's request with the path as the API has it: without the stage and without the base path of a
/// custom domain.
pub(crate) fn to_http(request: Request) -> http::Request<Bytes> {
    let path = path(&request);
    let (mut parts, body) = request.into_parts();
    let target = match parts.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    // What cannot be a path at all is no path of the API either: `/` is answered with 404.
    parts.uri = target
        .parse::<PathAndQuery>()
        .map_or_else(|_| Uri::default(), Uri::from);
    let body = match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    http::Request::from_parts(parts, body)
}

/// The answer's body; it is JSON, so it always is text.
pub(crate) fn body(bytes: Bytes) -> Body {
    match String::from_utf8(bytes.into()) {
        Ok(text) => Body::Text(text),
        Err(error) => Body::Binary(error.into_bytes()),
    }
}

/// The resource's template with its parameters put in; the event's `path` where they do not fit. API Gateway
/// gives both still percent-encoded, but only the first never carries a base path.
fn path(request: &Request) -> String {
    let RequestContext::ApiGatewayV1(context) = request.request_context() else {
        return escaped(request.raw_http_path());
    };
    let parameters = request.path_parameters();
    let template = context.resource_path.unwrap_or_default();
    let mut path = String::new();
    for segment in template.split('/').skip(1) {
        path.push('/');
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            None => path.push_str(segment),
            Some(name) => match parameters.first(name) {
                Some(value) => path.push_str(&escaped(value).replace('/', "%2F")),
                // A greedy `{proxy+}` is no template of the API's.
                None => return escaped(request.raw_http_path()),
            },
        }
    }
    if path.is_empty() {
        escaped(request.raw_http_path())
    } else {
        path
    }
}

/// A path in which every character may stand in a URL. What is percent-encoded already stays as it is.
fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let bytes = path.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let is_escape = *byte == b'%'
            && bytes
                .get(index + 1..index + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        // The characters of `pchar` (RFC 3986 section 3.3) and the slash between segments.
        if is_escape || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
