//! Keeps web pages out of a gateway that asks for no keys.
//!
//! What listens on this machine alone is still reached by every page that its user visits. A page can send a write
//! without asking first, and DNS rebinding, a name of the page's own that turns into the address of this machine, makes
//! the gateway a part of the page's site. The browser names the page in `Origin` and the site in `Host`.

use std::net::{Ipv4Addr, Ipv6Addr};

use actions::{ApiError, ErrorCode};
use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::{Authority, Uri};

/// The names under which the gateway may be called, beside IP addresses and `localhost`.
#[derive(Clone)]
pub(crate) struct Sites {
    allowed: Vec<String>,
}

impl Sites {
    /// With these names, in small letters.
    pub(crate) fn new(allowed: Vec<String>) -> Self {
        Self { allowed }
    }

    /// Lets a request pass, or says what the caller is told instead: 403 where `Host` is a name that is not ours, or
    /// a write comes from a page of another site.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), ApiError> {
        let Some(host) = host(request).filter(|host| self.is_ours(host.host())) else {
            return Err(forbidden(
                "the Host header is to be an IP address or localhost; start `ticket-gateway up` with --allow-host NAME \
                 for another name, or with --require-keys",
            ));
        };
        if !request.method.is_safe() && is_of_another_site(&request.headers, &host) {
            return Err(forbidden(
                "a web page of another site may not change anything here",
            ));
        }
        Ok(())
    }

    fn is_ours(&self, host: &str) -> bool {
        let ip_6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        // The owner of a domain decides where its names lead; an address and `localhost` lead where they say.
        ip_6.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
            || host.parse::<Ipv4Addr>().is_ok()
            || host.eq_ignore_ascii_case("localhost")
            || self.allowed.iter().any(|name| host.eq_ignore_ascii_case(name))
    }
}

/// A name for `--allow-host`, in small letters.
pub(crate) fn host_name(text: &str) -> Result<String, &'static str> {
    let is_name = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if is_name {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("expected a host name, without a scheme and without a port")
    }
}

/// Whom a request is for: of the request line where it is named there (RFC 9112 section 3.2.2), else the one `Host`.
fn host(request: &Parts) -> Option<Authority> {
    if let Some(authority) = request.uri.authority() {
        return Some(authority.clone());
    }
    let mut hosts = request.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return None;
    };
    Authority::try_from(host.as_bytes()).ok()
}

/// Whether a browser says that a page of another site sends this. Other clients say nothing.
fn is_of_another_site(headers: &HeaderMap, host: &Authority) -> bool {
    let relation = headers.get("sec-fetch-site");
    let foreign = relation.is_some_and(|relation| relation != "same-origin" && relation != "none");
    // `null`, as of a page in a file or in a sandboxed frame, is nobody's site.
    let is_host = |origin: &[u8]| {
        let origin = Uri::try_from(origin).ok();
        let origin = origin
            .as_ref()
            .and_then(|origin| origin.scheme().and(origin.authority()));
        origin.is_some_and(|origin| origin == host)
    };
    foreign
        || headers
            .get_all(ORIGIN)
            .iter()
            .any(|origin| !is_host(origin.as_bytes()))
}

fn forbidden(message: &str) -> ApiError {
    ApiError::new(ErrorCode::PermissionDenied, message)
}
