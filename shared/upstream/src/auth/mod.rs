//! Credentials: what a request carries to prove who sends it.

mod oauth;
mod session;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use mapping::Template;
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};
use storage::Secret;
use url::Url;

pub(crate) use self::oauth::TokenCache;
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{ApiKeyLocation, Auth, SecretHeader};
use crate::request::{Prepared, Root, UNRESERVED};
use crate::send::Session;

/// No request is sent with more credentials than this, so that a wrong secret does not lock an account.
pub(crate) const MOST_CREDENTIALS: usize = 3;

/// What is added to a request just before it is sent.
#[derive(Clone)]
pub(crate) enum Credentials {
    None,
    Header(HeaderName, HeaderValue),
    Query(String, Secret),
}

impl Credentials {
    /// Adds them to a request that holds none yet.
    pub(crate) fn apply(&self, request: &mut Prepared) {
        match self {
            Self::None => {}
            Self::Header(name, value) => {
                request.headers.insert(name.clone(), value.clone());
            }
            Self::Query(name, secret) => {
                let mut query = without_parameter(&request.url, name);
                if !query.is_empty() {
                    query.push('&');
                }
                query.extend(utf8_percent_encode(name, UNRESERVED));
                query.push('=');
                query.extend(utf8_percent_encode(secret.expose(), UNRESERVED));
                request.url.set_query(Some(&query));
            }
        }
    }

    /// Takes them out of a URL that the system gave: a link to the next page may repeat the key.
    pub(crate) fn strip(&self, url: &mut Url) {
        if let Self::Query(name, _) = self {
            let query = without_parameter(url, name);
            url.set_query((!query.is_empty()).then_some(query.as_str()));
        }
    }
}

/// Headers that hold secrets besides the credentials.
#[derive(Clone, Default)]
pub(crate) struct SecretHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecretHeaders {
    /// Adds them to a request. A header that it has already stays.
    pub(crate) fn apply(&self, request: &mut Prepared) {
        for (name, value) in &self.0 {
            request
                .headers
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
    }
}

/// The query of a URL without one parameter; the others stay exactly as they are written.
fn without_parameter(url: &Url, name: &str) -> String {
    let named = |pair: &&str| {
        let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
        decoded.is_none_or(|(key, _)| key != name)
    };
    url.query()
        .unwrap_or_default()
        .split('&')
        .filter(named)
        .collect::<Vec<_>>()
        .join("&")
}

/// The secret that the credentials of a call are made of.
#[derive(Clone)]
pub(crate) struct InUse {
    /// Its name.
    key: String,
    value: Secret,
    /// The store gave it in place of a value that was refused.
    replaces_another: bool,
}

impl Session<'_> {
    /// Reads the credentials of this call.
    pub(crate) async fn log_in(&mut self) -> Result<(), UpstreamError> {
        self.secret_headers = self.read_headers(&self.connector.secret_headers).await?;
        let key = match &self.connector.auth {
            Auth::None => return Ok(()),
            Auth::OAuth2ClientCredentials { .. } | Auth::OAuth2RefreshToken { .. } | Auth::Session(_) => {
                return self.take_token().await;
            }
            Auth::Basic { secret, .. } | Auth::BasicKey { secret, .. } | Auth::Bearer { secret } => secret,
            Auth::ApiKey {
                secret,
                fallback_secret,
                ..
            } => fallback_secret
                .as_ref()
                .filter(|_| self.client.prefers_fallback_secret(&self.connector.integration))
                .unwrap_or(secret),
        };
        let value = self.read_secret(key).await?;
        self.use_secret(key, value, false)
    }

    /// Reads the secrets of headers.
    async fn read_headers(&mut self, headers: &[SecretHeader]) -> Result<SecretHeaders, UpstreamError> {
        let mut read = Vec::with_capacity(headers.len());
        for header in headers {
            let value = self.read_secret(&header.secret).await?;
            read.push(filled_in(&header.name, &header.pattern, &value, &header.secret)?);
        }
        Ok(SecretHeaders(read))
    }

    /// After 401 or 403: takes other credentials, if there are any that are not among those `refused`. Another
    /// value of the same secret, which a rotation brought or has not taken away yet, goes before the fallback
    /// secret.
    ///
    /// A refusal was not carried out (RFC 9110 sections 15.5.2 and 15.5.4), so any method may be sent again.
    pub(crate) async fn take_other_credentials(
        &mut self,
        status: u16,
        refused: &mut Vec<Secret>,
    ) -> Result<bool, UpstreamError> {
        let Some(InUse { key, value, .. }) = self.in_use.take() else {
            return Ok(false);
        };
        refused.push(value);
        let auth = &self.connector.auth;
        // A second new token of the same client would be refused as well.
        match auth {
            Auth::OAuth2ClientCredentials { .. } | Auth::OAuth2RefreshToken { .. } => {
                if status != 401 || refused.len() > 1 {
                    return Ok(false);
                }
                self.forget_token(refused).await;
                return self.take_token().await.map(|()| true);
            }
            Auth::Session(_) => {
                if refused.len() > 1 {
                    return Ok(false);
                }
                self.forget_session(refused).await;
                return self.take_token().await.map(|()| true);
            }
            Auth::None
            | Auth::Basic { .. }
            | Auth::BasicKey { .. }
            | Auth::Bearer { .. }
            | Auth::ApiKey { .. } => {}
        }
        let other = match auth {
            Auth::ApiKey {
                secret,
                fallback_secret: Some(fallback),
                ..
            } if key == *secret => Some(fallback),
            Auth::ApiKey { secret, .. } if key != *secret => Some(secret),
            _ => None,
        };
        if self.take_another(&key, refused).await {
            return Ok(true);
        }
        match other {
            Some(other) => {
                Ok(self.take_known(other, refused).await || self.take_another(other, refused).await)
            }
            None => Ok(false),
        }
    }

    /// The credentials that were taken last worked: the next calls begin with them.
    pub(crate) fn keep_credentials(&self) {
        let Some(in_use) = &self.in_use else { return };
        let integration = &self.connector.integration;
        if in_use.replaces_another {
            let secrets = &self.client.options.secrets;
            secrets.accepted(integration, &in_use.key, &in_use.value);
        }
        if let Auth::ApiKey {
            fallback_secret: Some(fallback),
            ..
        } = &self.connector.auth
        {
            self.client
                .set_prefers_fallback_secret(integration, in_use.key == *fallback);
        }
    }

    /// Takes the value of a secret that the store knows, unless it was refused.
    async fn take_known(&mut self, key: &str, refused: &[Secret]) -> bool {
        match self.read_secret(key).await {
            Ok(value) if !is_among(&value, refused) => self.use_secret(key, value, false).is_ok(),
            // It is not set, or cannot be read: the refusal stands.
            Ok(_) | Err(_) => false,
        }
    }

    /// Takes another value of a secret, if there is one that was not refused.
    async fn take_another(&mut self, key: &str, refused: &[Secret]) -> bool {
        let Some(value) = self.another_secret(key, refused).await else {
            return false;
        };
        match self.use_secret(key, value, true) {
            Ok(()) => true,
            Err(error) => {
                let integration = &self.connector.integration;
                tracing::warn!(%integration, %error, "another value of the secret cannot be used");
                false
            }
        }
    }

    /// What the store has for a secret besides the values that were refused. That it cannot be read is no
    /// reason to hide the refusal.
    async fn another_secret(&mut self, key: &str, refused: &[Secret]) -> Option<Secret> {
        let integration = &self.connector.integration;
        let another = self.client.options.secrets.another(integration, key, refused);
        let found = match tokio::time::timeout(self.left(), another).await {
            Ok(Ok(found)) => found?,
            Ok(Err(error)) => {
                tracing::warn!(%integration, secret = key, %error, "cannot read the secret afresh");
                return None;
            }
            Err(_) => return None,
        };
        self.redactor.hide(found.expose());
        (!is_among(&found, refused)).then_some(found)
    }

    /// Uses the access token of the client, or its session.
    async fn take_token(&mut self) -> Result<(), UpstreamError> {
        let connector = self.connector;
        let token = match &connector.auth {
            Auth::Session(login) => self.session_token(login).await?,
            _ => self.access_token().await?,
        };
        self.use_secret("access token", token, false)
    }

    /// Makes credentials of a secret and uses them from now on.
    fn use_secret(&mut self, key: &str, value: Secret, replaces_another: bool) -> Result<(), UpstreamError> {
        self.credentials = self.credentials_from(key, &value)?;
        self.in_use = Some(InUse {
            key: key.to_owned(),
            value,
            replaces_another,
        });
        Ok(())
    }

    fn credentials_from(&mut self, key: &str, value: &Secret) -> Result<Credentials, UpstreamError> {
        match &self.connector.auth {
            Auth::None => Ok(Credentials::None),
            Auth::Basic { username, .. } => {
                const WHAT: &str = "the user name of the connector";
                let user = self.of_settings(username, WHAT)?;
                self.basic(&user, WHAT, value.expose(), key)
            }
            Auth::BasicKey { password, .. } => {
                let password = password.as_ref();
                let password = password
                    .map(|password| self.of_settings(password, "the password of the connector"))
                    .transpose()?
                    .unwrap_or_default();
                self.basic(value.expose(), &format!("the secret `{key}`"), &password, key)
            }
            Auth::Session(login) => Self::session_credentials(login, value),
            Auth::Bearer { .. } | Auth::OAuth2ClientCredentials { .. } | Auth::OAuth2RefreshToken { .. } => {
                let text = Secret::new(format!("Bearer {}", value.expose()));
                header(AUTHORIZATION, &text, key)
            }
            Auth::ApiKey { location, .. } => match location {
                ApiKeyLocation::Query { name } => Ok(Credentials::Query(name.clone(), value.clone())),
                ApiKeyLocation::Header { name, pattern } => {
                    let (name, value) = filled_in(name, pattern, value, key)?;
                    Ok(Credentials::Header(name, value))
                }
            },
        }
    }

    /// The credentials of RFC 7617; `whose` is the user name in an error.
    fn basic(
        &mut self,
        user: &str,
        whose: &str,
        password: &str,
        key: &str,
    ) -> Result<Credentials, UpstreamError> {
        if user.contains(':') {
            return Err(unusable(whose, "holds a colon"));
        }
        let pair = Secret::new(format!("{user}:{password}"));
        let encoded = Secret::new(STANDARD.encode(pair.expose()));
        self.redactor.hide(encoded.expose());
        let text = Secret::new(format!("Basic {}", encoded.expose()));
        header(AUTHORIZATION, &text, key)
    }

    fn of_settings(&self, template: &Template, what: &str) -> Result<String, UpstreamError> {
        let settings = self.settings();
        let root = Root {
            scope: &settings,
            environment: &self.environment,
        };
        root.plain(template, what)
    }

    /// What templates of credentials see: the settings, and nothing that a caller gave.
    fn settings(&self) -> Value {
        json!({"settings": self.scope.get("settings")})
    }

    /// Reads a secret and hides it in everything that this call says from now on.
    async fn read_secret(&mut self, key: &str) -> Result<Secret, UpstreamError> {
        let integration = &self.connector.integration;
        let secrets = &self.client.options.secrets;
        let found = secrets.secret(integration, key).await;
        match found.map_err(|error| UpstreamError::storage("cannot read a secret", integration, &error))? {
            Some(secret) => {
                self.redactor.hide(secret.expose());
                Ok(secret)
            }
            None => {
                let how = secrets
                    .how_to_set(integration, key)
                    .map(|how| format!("; {how}"))
                    .unwrap_or_default();
                let message = format!("the secret `{key}` of `{integration}` is not set{how}");
                tracing::error!(%integration, "{message}");
                Err(UpstreamError::new(
                    ErrorKind::Credentials,
                    Outcome::NotSent,
                    message,
                ))
            }
        }
    }
}

fn is_among(value: &Secret, others: &[Secret]) -> bool {
    others.iter().any(|other| other.is_same(value))
}

/// A header with a secret where its pattern has `%s`.
fn filled_in(
    name: &str,
    pattern: &str,
    value: &Secret,
    secret: &str,
) -> Result<(HeaderName, HeaderValue), UpstreamError> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| unusable(&format!("the header name `{name}`"), "is not one"))?;
    let text = Secret::new(pattern.replace("%s", value.expose()));
    Ok((name, sensitive(&text, secret)?))
}

fn header(name: HeaderName, value: &Secret, secret: &str) -> Result<Credentials, UpstreamError> {
    Ok(Credentials::Header(name, sensitive(value, secret)?))
}

/// A header value that HTTP libraries do not show.
fn sensitive(value: &Secret, secret: &str) -> Result<HeaderValue, UpstreamError> {
    let text = value.expose();
    let made = text
        .chars()
        .all(|c| matches!(c, ' '..='~'))
        .then(|| HeaderValue::from_str(text).ok())
        .flatten();
    let Some(mut value) = made else {
        let why = "holds a character that cannot be in a header; is there a line break at its end?";
        return Err(unusable(&format!("the secret `{secret}`"), why));
    };
    value.set_sensitive(true);
    Ok(value)
}

fn unusable(what: &str, why: &str) -> UpstreamError {
    UpstreamError::new(ErrorKind::Credentials, Outcome::NotSent, format!("{what} {why}"))
}
