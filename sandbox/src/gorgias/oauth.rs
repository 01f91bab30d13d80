//! `POST /oauth/token`: access tokens for a refresh token.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::gate::basic;
use super::moment::Moment;
use super::query::pairs;
use super::running::Sandbox;

/// How long an access token is good.
const LIFETIME_SECONDS: i64 = 24 * 60 * 60;

/// The access tokens that were given out, with their ends.
#[derive(Default)]
pub(super) struct Tokens(BTreeMap<String, Moment>);

impl Tokens {
    fn give(&mut self, now: Moment) -> String {
        let token = format!("gat-{}", uuid::Uuid::new_v4().simple());
        self.0.insert(token.clone(), now.plus_seconds(LIFETIME_SECONDS));
        token
    }

    /// Whether the token is good at this time; none for one that was never given out.
    pub(super) fn is_good(&self, token: &str, now: Moment) -> Option<bool> {
        self.0.get(token).map(|end| now < *end)
    }

    /// Ends every token that was given out.
    pub(super) fn expire(&mut self) {
        for end in self.0.values_mut() {
            *end = Moment::START;
        }
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}

/// The client's id and secret come by HTTP Basic or in the form. A refresh token does not end.
pub(super) async fn token(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = pairs(std::str::from_utf8(&body).ok());
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let client =
        basic(&headers).unwrap_or_else(|| (field("client_id").to_owned(), field("client_secret").to_owned()));
    let known = (sandbox.client_id.as_str(), sandbox.client_secret.as_str());
    if (client.0.as_str(), client.1.as_str()) != known {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if field("grant_type") != "refresh_token" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    if field("refresh_token") != sandbox.refresh_token {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let now = sandbox.now();
    let token = sandbox.tokens().give(now);
    Json(json!({
        "access_token": token,
        "refresh_token": sandbox.refresh_token,
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
        "scope": "openid email profile offline tickets:read tickets:write customers:read users:read",
    }))
    .into_response()
}
