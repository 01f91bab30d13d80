//! OAuth 2.0: client credentials (RFC 6749 section 4.4) and refresh tokens (section 6).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use serde_json::Value;
use storage::Secret;
use tokio::time::Instant;
use url::Url;

use super::{Credentials, MOST_CREDENTIALS, is_among, unusable};
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{Auth, ClientAuthentication};
use crate::request::{Prepared, PreparedBody, Root, UNRESERVED};
use crate::send::{Response, Session};

/// Lifetime of a token whose answer names none.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// No token is kept longer; also, no clock can add what a server may write here.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// A token is not used in its last minute, or last tenth if that is shorter.
const MARGIN: Duration = Duration::from_secs(60);
/// How the token request is called in records and errors.
const ACTION: &str = "oauth2 token";

/// The access tokens and sessions of a process, one per integration, token endpoint and client.
#[derive(Default)]
pub(crate) struct TokenCache {
    slots: Mutex<HashMap<String, Slot>>,
}

/// Its lock is held while a token is fetched, so that one fetch serves everybody who waits.
pub(super) type Slot = Arc<tokio::sync::Mutex<Kept>>;

/// What is kept of one client.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) token: Option<Token>,
    /// The refresh token that the system gave in place of the one in the secret store.
    refresh: Option<Secret>,
}

pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) usable_until: Instant,
}

impl Token {
    pub(super) fn is_usable(&self) -> bool {
        self.usable_until > Instant::now()
    }
}

impl TokenCache {
    pub(super) fn slot(&self, key: String) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }
}

/// A good answer of a token endpoint.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds; some servers write the number as text.
    expires_in: Option<Value>,
    /// Of a system that gives a new one each time; then the one before is worth nothing.
    refresh_token: Option<String>,
}

/// What a token request is made of, its templates rendered.
struct TokenRequest {
    url: Url,
    client_id: String,
    fields: Vec<(String, String)>,
    authentication: ClientAuthentication,
}

impl Session<'_> {
    /// The access token: the cached one, or a new one.
    pub(super) async fn access_token(&mut self) -> Result<Secret, UpstreamError> {
        let request = self.token_request()?;
        let slot = self.slot(&request);
        let waited = tokio::time::timeout_at(self.context.deadline, slot.lock()).await;
        let mut slot = waited.map_err(|_| {
            let message = "no access token was there before the time was over";
            UpstreamError::new(ErrorKind::Timeout, Outcome::NotSent, message)
        })?;
        if let Some(token) = slot.token.as_ref().filter(|token| token.is_usable()) {
            self.redactor.hide(token.secret.expose());
            return Ok(token.secret.clone());
        }
        let granted = if let Auth::OAuth2RefreshToken {
            secret,
            refresh_secret,
            ..
        } = &self.connector.auth
        {
            self.refresh_token(&request, &mut slot, secret, refresh_secret)
                .await?
        } else {
            self.fetch_token(&request).await?
        };
        let lifetime = granted
            .expires_in
            .as_ref()
            .and_then(seconds)
            .unwrap_or(DEFAULT_LIFETIME)
            .min(LONGEST_LIFETIME);
        let secret = Secret::new(granted.access_token);
        self.redactor.hide(secret.expose());
        let usable_until = Instant::now() + lifetime.saturating_sub(MARGIN.min(lifetime / 10));
        slot.token = Some(Token {
            secret: secret.clone(),
            usable_until,
        });
        Ok(secret)
    }

    /// The system refused these tokens: the next one who asks fetches another, unless somebody already did.
    pub(super) async fn forget_token(&mut self, refused: &[Secret]) {
        let Ok(request) = self.token_request() else { return };
        let slot = self.slot(&request);
        let Ok(mut slot) = tokio::time::timeout_at(self.context.deadline, slot.lock()).await else {
            return;
        };
        if slot
            .token
            .as_ref()
            .is_some_and(|token| is_among(&token.secret, refused))
        {
            slot.token = None;
        }
    }

    fn slot(&self, request: &TokenRequest) -> Slot {
        let key = format!(
            "{}\n{}\n{}",
            self.connector.integration, request.url, request.client_id
        );
        self.client.tokens.slot(key)
    }

    fn token_request(&self) -> Result<TokenRequest, UpstreamError> {
        let (Auth::OAuth2ClientCredentials {
            token_url,
            client_id,
            scope,
            client_authentication,
            extra,
            ..
        }
        | Auth::OAuth2RefreshToken {
            token_url,
            client_id,
            scope,
            client_authentication,
            extra,
            ..
        }) = &self.connector.auth
        else {
            return Err(unusable("the connector", "has no token endpoint"));
        };
        let grant = match &self.connector.auth {
            Auth::OAuth2RefreshToken { .. } => "refresh_token",
            _ => "client_credentials",
        };
        let settings = self.settings();
        let root = Root {
            scope: &settings,
            environment: &self.environment,
        };
        let url = Url::parse(&root.plain(token_url, "the token URL of the connector")?)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| unusable("the token URL of the connector", "is not an http or https URL"))?;
        let mut fields = vec![("grant_type".to_owned(), grant.to_owned())];
        let scope = scope
            .as_ref()
            .map(|scope| root.plain(scope, "the scope of the connector"))
            .transpose()?;
        fields.extend(
            scope
                .filter(|scope| !scope.is_empty())
                .map(|scope| ("scope".to_owned(), scope)),
        );
        for (name, template) in extra {
            fields.push((
                name.clone(),
                root.plain(template, &format!("the token field `{name}`"))?,
            ));
        }
        Ok(TokenRequest {
            url,
            client_id: root.plain(client_id, "the client id of the connector")?,
            fields,
            authentication: *client_authentication,
        })
    }

    /// Fetches a token with a refresh token: the one that the system gave last, else that of the secret store, else
    /// another value of that.
    async fn refresh_token(
        &mut self,
        request: &TokenRequest,
        kept: &mut Kept,
        client_secret: &str,
        refresh_secret: &str,
    ) -> Result<Granted, UpstreamError> {
        let mut secret = self.read_secret(client_secret).await?;
        let stored = self.read_secret(refresh_secret).await?;
        let mut refresh = kept.refresh.clone().unwrap_or_else(|| stored.clone());
        let (mut refused, mut refused_secrets) = (Vec::new(), Vec::new());
        loop {
            self.redactor.hide(refresh.expose());
            let refusal = match self.ask_for_token(request, &secret, Some(&refresh)).await? {
                Ok(granted) => {
                    self.keep_refresh_token(kept, &refresh, &stored, &granted);
                    if !refused.is_empty() && !refresh.is_same(&stored) {
                        let secrets = &self.client.options.secrets;
                        secrets.accepted(&self.connector.integration, refresh_secret, &refresh);
                    }
                    return Ok(granted);
                }
                Err(refusal) => refusal,
            };
            if refused.len() + refused_secrets.len() + 1 >= MOST_CREDENTIALS {
                return Err(refusal);
            }
            // RFC 6749 section 5.2: 401 is about the client, 400 about the refresh token.
            if refusal.status() == Some(401) {
                refused_secrets.push(secret);
                match self.another_secret(client_secret, &refused_secrets).await {
                    Some(another) => secret = another,
                    None => return Err(refusal),
                }
                continue;
            }
            kept.refresh = None;
            refused.push(refresh);
            let next = if is_among(&stored, &refused) {
                self.another_secret(refresh_secret, &refused).await
            } else {
                Some(stored.clone())
            };
            match next {
                Some(next) => refresh = next,
                None => return Err(refusal),
            }
        }
    }

    fn keep_refresh_token(&mut self, kept: &mut Kept, used: &Secret, stored: &Secret, granted: &Granted) {
        let Some(new) = granted.refresh_token.as_deref().filter(|new| !new.is_empty()) else {
            kept.refresh = (!used.is_same(stored)).then(|| used.clone());
            return;
        };
        self.redactor.hide(new);
        let new = Secret::new(new.to_owned());
        if new.is_same(stored) {
            kept.refresh = None;
            return;
        }
        if !new.is_same(used) {
            let integration = &self.connector.integration;
            tracing::warn!(
                integration,
                "the system replaces refresh tokens: it gave a new one, which this process alone knows and nothing \
                 stores. Another process, and this one after a restart, asks with the one in the secret store, which \
                 the system may refuse, or take for stolen and end the grant. Have it keep refresh tokens valid, or use \
                 another kind of `auth`"
            );
        }
        kept.refresh = Some(new);
    }

    /// Fetches a token, with another value of the client secret when the first is refused.
    async fn fetch_token(&mut self, request: &TokenRequest) -> Result<Granted, UpstreamError> {
        let Auth::OAuth2ClientCredentials { secret: key, .. } = &self.connector.auth else {
            return Err(unusable("the connector", "has no client secret"));
        };
        let secret = self.read_secret(key).await?;
        let refusal = match self.ask_for_token(request, &secret, None).await? {
            Ok(granted) => return Ok(granted),
            Err(refusal) => refusal,
        };
        let mut refused = vec![secret];
        while refused.len() < MOST_CREDENTIALS
            && let Some(another) = self.another_secret(key, &refused).await
        {
            if let Ok(granted) = self.ask_for_token(request, &another, None).await? {
                let secrets = &self.client.options.secrets;
                secrets.accepted(&self.connector.integration, key, &another);
                return Ok(granted);
            }
            refused.push(another);
        }
        Err(refusal)
    }

    /// Asks for a token with one client secret, and one refresh token where that is the grant. Gives a token, or how
    /// the client was refused.
    async fn ask_for_token(
        &mut self,
        request: &TokenRequest,
        secret: &Secret,
        refresh: Option<&Secret>,
    ) -> Result<Result<Granted, UpstreamError>, UpstreamError> {
        let ways: &[bool] = match request.authentication {
            ClientAuthentication::Auto => &[true, false],
            ClientAuthentication::Basic => &[true],
            ClientAuthentication::Body => &[false],
        };
        let mut refused = None;
        for in_header in ways {
            let prepared = self.prepare_token_request(request, secret, refresh, *in_header)?;
            let answer = self
                .send_with_retries(ACTION, &prepared, &Credentials::None, true)
                .await;
            let response = answer.map_err(UpstreamError::before_sending)?;
            match response.status {
                200..=299 => return granted(&response).map(Ok),
                // RFC 6749 section 5.2: 401 or 400 with `invalid_client`.
                400 | 401 => refused = Some(self.refusal(&response)),
                _ => return Err(self.refusal(&response)),
            }
        }
        Ok(Err(refused.unwrap_or_else(|| {
            unusable("the connector", "has no way to ask for a token")
        })))
    }

    fn prepare_token_request(
        &mut self,
        request: &TokenRequest,
        secret: &Secret,
        refresh: Option<&Secret>,
        in_header: bool,
    ) -> Result<Prepared, UpstreamError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let mut fields: Vec<String> = request
            .fields
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        if let Some(refresh) = refresh {
            fields.push(format!("refresh_token={}", encode(refresh.expose())));
        }
        if in_header {
            // Both are form-encoded first: RFC 6749 section 2.3.1.
            let pair = Secret::new(format!(
                "{}:{}",
                encode(&request.client_id),
                encode(secret.expose())
            ));
            let encoded = Secret::new(STANDARD.encode(pair.expose()));
            self.redactor.hide(encoded.expose());
            let value = HeaderValue::from_str(&format!("Basic {}", encoded.expose()));
            let mut value = value.map_err(|_| unusable("the client secret", "cannot be sent"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        } else {
            fields.push(format!("client_id={}", encode(&request.client_id)));
            fields.push(format!("client_secret={}", encode(secret.expose())));
        }
        Ok(Prepared {
            method: Method::POST,
            url: request.url.clone(),
            headers,
            body: PreparedBody::Bytes(Bytes::from(fields.join("&"))),
        })
    }

    /// How the token endpoint refused: the error word of RFC 6749 section 5.2 in the message, its answer as the excerpt.
    fn refusal(&self, response: &Response) -> UpstreamError {
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let word = answer.get("error").and_then(Value::as_str);
        let word =
            word.filter(|word| word.len() <= 64 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        let check = match word {
            Some("invalid_grant") => {
                "the refresh token: it is unknown, over, or was replaced by one that another process got; grant access anew \
                 and set the secret"
            }
            Some("invalid_client") => "the client id and its secret",
            _ => "the client id, the secrets and the scope",
        };
        let word = word.map(|word| format!(" ({word})")).unwrap_or_default();
        let status = response.status;
        let kind = if status >= 500 {
            ErrorKind::Status(status)
        } else {
            ErrorKind::Credentials
        };
        let message = format!("the token endpoint answered {status}{word}; check {check}");
        UpstreamError::new(kind, Outcome::NotSent, message)
            .with_status(status)
            .with_excerpt(self.redactor.refusal(&response.body))
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(number).ok()
}

fn granted(response: &Response) -> Result<Granted, UpstreamError> {
    // The parser's own message may quote the token.
    serde_json::from_slice(&response.body).map_err(|_| {
        let message = "the token endpoint's answer is not JSON with an `access_token`";
        UpstreamError::new(ErrorKind::Credentials, Outcome::NotSent, message).with_status(response.status)
    })
}
