//! Credentials: what a request carries to prove who sends it.

mod oauth;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};
use storage::Secret;
use url::Url;

pub(crate) use self::oauth::TokenCache;
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{ApiKeyLocation, Auth};
use crate::request::{Root, UNRESERVED};
use crate::send::Session;

/// What is added to a request just before it is sent.
#[derive(Clone)]
pub(crate) enum Credentials {
    None,
    Header(HeaderName, HeaderValue),
    Query(String, Secret),
}

impl Credentials {
    /// Adds them to a request that holds none yet.
    pub(crate) fn apply(&self, request: &mut reqwest::Request) {
        match self {
            Self::None => {}
            Self::Header(name, value) => {
                request.headers_mut().insert(name.clone(), value.clone());
            }
            Self::Query(name, secret) => {
                let mut query = without_parameter(request.url(), name);
                if !query.is_empty() {
                    query.push('&');
                }
                query.extend(utf8_percent_encode(name, UNRESERVED));
                query.push('=');
                query.extend(utf8_percent_encode(secret.expose(), UNRESERVED));
                request.url_mut().set_query(Some(&query));
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

/// Which of a connector's credentials are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The secret.
    First,
    /// The fallback secret.
    Fallback,
}

impl Which {
    fn other(self) -> Self {
        match self {
            Self::First => Self::Fallback,
            Self::Fallback => Self::First,
        }
    }
}

impl Session<'_> {
    /// Reads the credentials of this call.
    pub(crate) async fn log_in(&mut self) -> Result<(), UpstreamError> {
        self.which = self.client.remembered_secret(&self.connector.integration);
        self.credentials = self.read_credentials().await?;
        Ok(())
    }

    /// After 401 or 403: takes other credentials, if there are any that were not tried.
    ///
    /// A refusal was not carried out (RFC 9110 sections 15.5.2 and 15.5.4), so any method may be sent again.
    pub(crate) async fn take_other_credentials(&mut self, status: u16) -> Result<bool, UpstreamError> {
        match &self.connector.auth {
            Auth::ApiKey {
                fallback_secret: Some(_),
                ..
            } => {
                self.which = self.which.other();
                match self.read_credentials().await {
                    Ok(credentials) => self.credentials = credentials,
                    // The other secret is not set, or not usable: the refusal stands.
                    Err(error) if error.kind() == ErrorKind::Credentials => {
                        self.which = self.which.other();
                        return Ok(false);
                    }
                    Err(error) => return Err(error),
                }
                Ok(true)
            }
            Auth::OAuth2ClientCredentials { .. } if status == 401 => {
                self.forget_token().await;
                self.credentials = self.read_credentials().await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The credentials that were taken last worked: the next calls begin with them.
    pub(crate) fn keep_credentials(&self) {
        self.client
            .remember_secret(&self.connector.integration, self.which);
    }

    async fn read_credentials(&mut self) -> Result<Credentials, UpstreamError> {
        match &self.connector.auth {
            Auth::None => Ok(Credentials::None),
            Auth::Basic { username, secret } => {
                let settings = self.settings();
                let root = Root {
                    scope: &settings,
                    environment: &self.environment,
                };
                let user = root.plain(username, "the user name of the connector")?;
                if user.contains(':') {
                    return Err(unusable("the user name of the connector", "holds a colon"));
                }
                let password = self.read_secret(secret).await?;
                let pair = Secret::new(format!("{user}:{}", password.expose()));
                let encoded = Secret::new(STANDARD.encode(pair.expose()));
                self.redactor.hide(encoded.expose());
                let text = Secret::new(format!("Basic {}", encoded.expose()));
                header(AUTHORIZATION, &text, secret)
            }
            Auth::Bearer { secret } => {
                let token = self.read_secret(secret).await?;
                header(
                    AUTHORIZATION,
                    &Secret::new(format!("Bearer {}", token.expose())),
                    secret,
                )
            }
            Auth::ApiKey {
                location,
                secret,
                fallback_secret,
            } => {
                let name = match (self.which, fallback_secret) {
                    (Which::Fallback, Some(fallback)) => fallback,
                    _ => secret,
                };
                let key = self.read_secret(name).await?;
                match location {
                    ApiKeyLocation::Query { name } => Ok(Credentials::Query(name.clone(), key)),
                    ApiKeyLocation::Header {
                        name: header_name,
                        pattern,
                    } => {
                        let header_name = HeaderName::from_bytes(header_name.as_bytes()).map_err(|_| {
                            unusable(&format!("the header name `{header_name}`"), "is not one")
                        })?;
                        header(
                            header_name,
                            &Secret::new(pattern.replace("%s", key.expose())),
                            name,
                        )
                    }
                }
            }
            Auth::OAuth2ClientCredentials { .. } => {
                let token = self.access_token().await?;
                let text = Secret::new(format!("Bearer {}", token.expose()));
                header(AUTHORIZATION, &text, "access token")
            }
        }
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
        match found.map_err(|error| UpstreamError::storage("cannot read a secret", &error))? {
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
                Err(UpstreamError::new(
                    ErrorKind::Credentials,
                    Outcome::NotSent,
                    message,
                ))
            }
        }
    }
}

fn header(name: HeaderName, value: &Secret, secret: &str) -> Result<Credentials, UpstreamError> {
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
    Ok(Credentials::Header(name, value))
}

fn unusable(what: &str, why: &str) -> UpstreamError {
    UpstreamError::new(ErrorKind::Credentials, Outcome::NotSent, format!("{what} {why}"))
}
