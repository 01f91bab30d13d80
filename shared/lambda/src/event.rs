//! From an API Gateway event to the gateway's request.

use std::time::SystemTime;

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use url::form_urlencoded;

use crate::caller::Caller;
use crate::deadline;

/// The version prefix of every path. It is the stage's name, so that no path of the deployed API has it.
const PREFIX: &str = "/v1";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One request that came through API Gateway.
pub(crate) struct Event {
    /// As the API has it: without the base path of a custom domain, with the version prefix. It carries an
    /// `x-request-id`: the caller's, otherwise API Gateway's.
    pub(crate) request: http::Request<Bytes>,
    /// API Gateway's id of the request.
    pub(crate) id: Option<String>,
    /// When API Gateway got the request, as far as it says.
    pub(crate) received: Option<SystemTime>,
    /// What the authorizer said of the caller.
    pub(crate) caller: Caller,
}

impl Event {
    pub(crate) fn new(event: ApiGatewayProxyRequest) -> Self {
        let path = path(&event);
        let target = match query(&event) {
            query if query.is_empty() => path,
            query => format!("{path}?{query}"),
        };
        let context = event.request_context;
        let caller = Caller::new(&context.authorizer.fields);
        let body = event.body.unwrap_or_default();
        // What is said to be Base64 and is not gets the answer of a body that is not JSON.
        let body = if event.is_base64_encoded {
            STANDARD.decode(&body).unwrap_or_else(|_| body.into_bytes())
        } else {
            body.into_bytes()
        };
        let mut request = http::Request::new(Bytes::from(body));
        *request.method_mut() = event.http_method;
        // What cannot be a path at all is no path of the API either: `/` is answered with 404.
        *request.uri_mut() = target
            .parse::<PathAndQuery>()
            .map_or_else(|_| Uri::default(), Uri::from);
        // Each header as often as it was sent; an event written by hand may have the other form alone.
        *request.headers_mut() = if event.multi_value_headers.is_empty() {
            event.headers
        } else {
            event.multi_value_headers
        };
        if let Some(id) = context.request_id.as_deref()
            && let Ok(id) = HeaderValue::try_from(id)
        {
            request.headers_mut().entry(REQUEST_ID).or_insert(id);
        }
        Event {
            request,
            id: context.request_id,
            received: deadline::from_epoch(context.request_time_epoch),
            caller,
        }
    }
}

/// The query, encoded; API Gateway gives it decoded.
fn query(event: &ApiGatewayProxyRequest) -> String {
    let parameters = if event.multi_value_query_string_parameters.is_empty() {
        &event.query_string_parameters
    } else {
        &event.multi_value_query_string_parameters
    };
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters.iter())
        .finish()
}

/// The resource's template with its parameters put in, the event's `path` where they do not fit. API Gateway gives
/// both still percent-encoded, but only the first never carries the base path of a custom domain or the prefix.
fn path(event: &ApiGatewayProxyRequest) -> String {
    if let Some(path) = filled(event) {
        return format!("{PREFIX}{path}");
    }
    let path = escaped(event.path.as_deref().unwrap_or_default());
    match path.strip_prefix(PREFIX) {
        Some(rest) if rest.starts_with('/') => path,
        _ => format!("{PREFIX}{path}"),
    }
}

fn filled(event: &ApiGatewayProxyRequest) -> Option<String> {
    let template = event
        .request_context
        .resource_path
        .as_deref()
        .or(event.resource.as_deref())?;
    let mut path = String::new();
    for segment in template.split('/').skip(1) {
        path.push('/');
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            None => path.push_str(segment),
            // A greedy `{proxy+}` is no template of the API's.
            Some(name) => {
                let value = event.path_parameters.get(name)?;
                path.push_str(&escaped(value).replace('/', "%2F"));
            }
        }
    }
    (!path.is_empty()).then_some(path)
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
