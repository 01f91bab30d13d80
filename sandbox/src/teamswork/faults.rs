//! Faults that a test asks for: the next matching calls go wrong in a given way.

use std::time::Duration;

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
    /// The gateway's 429, with `Retry-After` in seconds if given; nothing was done.
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
pub(super) struct Faults(Vec<(Calls, Fault, u32)>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault, calls: Calls, times: u32) {
        self.0.push((calls, fault, times));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for this call, if one is waiting for it; it then has one time less to go.
    pub(super) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let (_, fault, left) = self
            .0
            .iter_mut()
            .find(|(calls, _, left)| *left > 0 && calls.matches(method, path))?;
        *left -= 1;
        Some(fault.clone())
    }
}
