//! What the authorizer said of a caller, held against the request.
//!
//! API Gateway carries the authorizer's policy out before a function is called. That is a matter of how the API is set
//! up, and a mistake there must not open one integration to the callers of another: so each function looks itself.

use std::collections::HashMap;

use actions::{ApiError, ErrorCode};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;

/// The authorizer's context, as far as an event has it.
pub(crate) struct Caller {
    /// The names of the integrations, with spaces between them.
    integrations: Option<String>,
    access: Option<String>,
}

impl Caller {
    pub(crate) fn new(context: &HashMap<String, Value>) -> Self {
        let text = |key: &str| context.get(key).and_then(Value::as_str).map(str::to_owned);
        Caller {
            integrations: text("integration"),
            access: text("access"),
        }
    }

    /// Whether the caller may do this.
    ///
    /// # Errors
    /// 500 where no authorizer was asked, otherwise 403. The first is the operator's to mend: it is logged as an
    /// error.
    pub(crate) fn check(&self, request: &Request<Bytes>) -> Result<(), ApiError> {
        let request_id = request
            .headers()
            .get("x-request-id")
            .and_then(|id| id.to_str().ok());
        let (Some(integrations), Some(access)) = (&self.integrations, &self.access) else {
            tracing::error!(
                request_id,
                "the API has no authorizer: the event says nothing of the caller, so it is refused"
            );
            return Err(ApiError::new(
                ErrorCode::InternalServerError,
                "nothing was done: the gateway is not set up to know its callers",
            ));
        };
        // Still percent-encoded: a name needs no encoding, and the authorizer's policy has it without.
        let named = request.uri().path().split('/').nth(2).unwrap_or_default();
        let refusal = if named.is_empty() || !integrations.split(' ').any(|name| name == named) {
            "this key does not open that integration"
        } else {
            match (access.as_str(), request.method()) {
                ("read-write", _) | ("read-only", &Method::GET) => return Ok(()),
                _ => "this key may only read",
            }
        };
        // On AWS the authorizer's policy refuses before.
        tracing::warn!(
            request_id,
            refusal,
            "API Gateway let a call through that the authorizer did not allow"
        );
        Err(ApiError::new(ErrorCode::PermissionDenied, refusal))
    }
}
