//! Faults that a test asks for: the next matching calls go wrong in a given way.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status and body instead of doing anything. The body is sent as JSON if it is JSON, else as HTML.
    Status(u16, String),
    /// The connection closes and nothing was done.
    DropBeforeRequest,
    /// The connection closes after the call was carried out.
    DropBeforeAnswer,
    /// The call is carried out at once and answered this much later.
    Delay(Duration),
    /// A 200 with an HTML page, as from a proxy in between; nothing was done.
    Html,
    /// The call is carried out and the connection closes in the middle of the answer's body.
    HalfBody,
    /// A 302 to this address; nothing was done.
    Redirect(String),
    /// The system's 429, with `Retry-After` in seconds if given; nothing was done.
    TooManyRequests {
        /// The value of `Retry-After`.
        retry_after: Option<u32>,
    },
}

/// Which calls a fault is for.
#[derive(Debug, Clone)]
pub struct Calls {
    method: Option<String>,
    path: String,
    whole_path: bool,
}

impl Calls {
    /// Every call.
    #[must_use]
    pub fn any() -> Self {
        Self {
            method: None,
            path: String::new(),
            whole_path: false,
        }
    }

    /// Calls with this method whose path below the base URL starts with `path`, such as `/tickets`.
    #[must_use]
    pub fn below(method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            whole_path: false,
        }
    }

    /// Calls with this method and exactly this path below the base URL.
    #[must_use]
    pub fn to(method: &str, path: &str) -> Self {
        Self {
            whole_path: true,
            ..Self::below(method, path)
        }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let path_fits = if self.whole_path {
            path == self.path
        } else {
            path.starts_with(&self.path)
        };
        path_fits
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }
}

/// The faults still to come, in the order they were asked for.
#[derive(Default)]
pub(crate) struct Faults(Vec<(Calls, Fault, u32)>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault, calls: Calls, times: u32) {
        self.0.push((calls, fault, times));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for this call, if one is waiting for it; it then has one time less to go.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let (_, fault, left) = self
            .0
            .iter_mut()
            .find(|(calls, _, left)| *left > 0 && calls.matches(method, path))?;
        *left -= 1;
        Some(fault.clone())
    }
}

/// The answer of [`Fault::Status`].
pub(crate) fn status_answer(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = serde_json::from_str::<Value>(&body).is_ok();
    let content_type = if json {
        "application/json"
    } else {
        "text/html; charset=utf-8"
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// The answer of [`Fault::Redirect`].
pub(crate) fn redirect_answer(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => (StatusCode::FOUND, [(header::LOCATION, address)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer of [`Fault::Html`].
pub(crate) fn html_answer() -> Response {
    Html("<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>").into_response()
}
