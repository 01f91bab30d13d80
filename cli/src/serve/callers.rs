//! `up --require-keys`: who may call what, as `authorize-caller` and API Gateway decide it for a deployed gateway.

use std::sync::Arc;

use actions::{ApiError, ErrorCode};
use http::Method;
use http::request::Parts;
use storage::CallerKeyStore;
use storage::caller_key::{self, Access};

/// The header with the key.
const KEY_HEADER: &str = "x-api-key";

/// Checks the keys that callers show.
#[derive(Clone)]
pub(crate) struct Callers {
    keys: Arc<dyn CallerKeyStore>,
}

impl Callers {
    /// Checks against these keys.
    pub(crate) fn new(keys: Arc<dyn CallerKeyStore>) -> Self {
        Self { keys }
    }

    /// Lets a request pass, or says what the caller is told instead: 401 without a key that is known, 403 where the
    /// key is for another integration or for queries only.
    pub(crate) async fn check(&self, request: &Parts) -> Result<(), ApiError> {
        let path = request.uri.path();
        if path == "/v1/healthz" || path == "/v1/openapi.json" {
            return Ok(());
        }
        let mut shown = request.headers.get_all(KEY_HEADER).iter();
        // Of two it would be open which one counts; a deployed gateway refuses them too.
        let (Some(shown), None) = (shown.next(), shown.next()) else {
            return Err(unauthorized());
        };
        let Ok(text) = shown.to_str() else {
            return Err(unauthorized());
        };
        let verified = caller_key::verify(self.keys.as_ref(), text).await;
        let key = verified.map_err(|error| {
            tracing::error!(%error, "a caller's key could not be checked");
            ApiError::new(
                ErrorCode::InternalServerError,
                "the key could not be checked; the gateway's log says why",
            )
        })?;
        let Some(key) = key else {
            return Err(unauthorized());
        };
        // Not decoded: an encoded name is nobody's, so it is refused.
        let integration = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
        if integration != Some(key.integration.as_str()) {
            return Err(forbidden("this key is for another integration"));
        }
        if key.access == Access::ReadOnly && request.method != Method::GET {
            return Err(forbidden("this key allows queries only"));
        }
        Ok(())
    }
}

fn unauthorized() -> ApiError {
    let message = format!("one valid key is needed in the header {KEY_HEADER}");
    ApiError::new(ErrorCode::AuthenticationFailed, message)
}

fn forbidden(message: &str) -> ApiError {
    ApiError::new(ErrorCode::PermissionDenied, message)
}
