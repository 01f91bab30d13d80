//! The authorizer of the REST API (type `REQUEST`): who may call which integration.
//!
//! A caller shows an API key (`x-api-key`) or, where the installation trusts an issuer, a JWT
//! (`Authorization: Bearer`). The answer is a policy for the whole of what the caller may do, because API Gateway
//! keeps it for a while and applies it to the caller's next requests too. Scope and throttling are enforced by API
//! Gateway, by the policy and by the usage plan's key.

mod jwks;
mod jwt;
mod key_cache;
mod policy;
mod ring_provider;

use std::sync::Arc;
use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest;
use http::HeaderMap;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use storage::CallerKeyStore;
use storage::aws::DynamoCallerKeys;
use storage::caller_key::{self, Access};

use crate::environment::{Environment, INTEGRATIONS_TABLE};
use crate::error::Error;
use crate::metrics::{Authorization, Metrics, Sink, to_standard_output};
use crate::ports::namespace;
use crate::runtime::{self, Refused};

use jwt::Tokens;
use key_cache::KeyCache;
use policy::Policy;

pub use jwt::JwtSettings;

/// What an operator can choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizerSettings {
    /// The CloudWatch namespace of the metrics.
    pub namespace: String,
    /// Whose tokens are taken; none where callers have keys only.
    pub jwt: Option<JwtSettings>,
}

impl AuthorizerSettings {
    /// Reads `TICKET_GATEWAY_METRICS_NAMESPACE` (`TicketGateway`) and what [`JwtSettings`] says. An empty variable
    /// counts as none.
    ///
    /// # Errors
    /// When one has a form that it cannot have, or only a part of the issuer's settings is there.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let environment = Environment::new(&variable);
        Ok(AuthorizerSettings {
            namespace: namespace(&environment)?,
            jwt: JwtSettings::from_environment(&environment)?,
        })
    }
}

/// Why a caller gets no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The caller shows nothing that opens anything: API Gateway answers 401.
    Unauthorized,
    /// It could not be found out who the caller is: API Gateway answers 500.
    Failed,
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        match denied {
            // API Gateway answers 401 to this very word and 500 to any other.
            Denied::Unauthorized => Refused("Unauthorized"),
            Denied::Failed => Refused("AuthorizerFailed"),
        }
    }
}

/// Runs the authorizer's function until Lambda stops it.
///
/// It needs `TICKET_GATEWAY_INTEGRATIONS_TABLE`, and takes what [`AuthorizerSettings::from_environment`] reads.
///
/// # Errors
/// When the environment is not complete, or the Lambda runtime cannot be reached. The message is for the operator;
/// it is in the log, and Lambda is told.
pub async fn run_authorizer() -> Result<(), Error> {
    let authorizer = runtime::start(async {
        let variable = |name: &str| std::env::var(name).ok();
        let environment = Environment::new(&variable);
        let table = environment.required(
            INTEGRATIONS_TABLE,
            "names the DynamoDB table that holds the callers' keys",
        )?;
        let connection = environment.connection()?;
        let keys = Arc::new(DynamoCallerKeys::new(&connection, table));
        let settings = AuthorizerSettings::from_environment(variable)?;
        let authorizer = Authorizer::new(keys, &settings)?;
        authorizer.warm().await;
        Ok(Arc::new(authorizer))
    })
    .await?;
    runtime::serve(
        move |event: LambdaEvent<ApiGatewayCustomAuthorizerRequestTypeRequest>, is_cold| {
            let authorizer = Arc::clone(&authorizer);
            async move {
                authorizer.metrics.begin(is_cold);
                authorizer.authorize(event.payload).await.map_err(Refused::from)
            }
        },
    )
    .await
}

/// Who a caller is, and what they may do.
struct Identity {
    principal: String,
    integrations: Vec<String>,
    access: Access,
    /// The id of the key; none for a token.
    key_id: Option<String>,
    /// The value of an API key of the usage plan, by which API Gateway counts the caller's requests.
    usage_key: Option<String>,
}

/// Why there is no identity.
enum Rejection {
    /// The reason is for the log alone.
    Refused(&'static str),
    Failed(String),
}

/// Decides about callers. One per process.
pub struct Authorizer {
    keys: Arc<dyn CallerKeyStore>,
    known: KeyCache,
    tokens: Option<Tokens>,
    metrics: Metrics,
}

impl Authorizer {
    /// An authorizer over this store of keys, that writes its metrics to standard output.
    ///
    /// # Errors
    /// When the address of the issuer's keys is not HTTPS, or the HTTP client cannot be set up.
    pub fn new(keys: Arc<dyn CallerKeyStore>, settings: &AuthorizerSettings) -> Result<Self, Error> {
        Self::with_sink(keys, settings, to_standard_output())
    }

    /// As [`Authorizer::new`], with another place for the metrics.
    ///
    /// # Errors
    /// When the address of the issuer's keys is not HTTPS, or the HTTP client cannot be set up.
    pub fn with_sink(
        keys: Arc<dyn CallerKeyStore>,
        settings: &AuthorizerSettings,
        sink: Sink,
    ) -> Result<Self, Error> {
        Ok(Authorizer {
            keys,
            known: KeyCache::default(),
            tokens: settings.jwt.clone().map(Tokens::new).transpose()?,
            metrics: Metrics::new(settings.namespace.clone(), sink),
        })
    }

    /// Opens the connection to the store, and reads the issuer's keys. What fails is a warning: the first call
    /// tries again.
    pub async fn warm(&self) {
        // No key has this id: it is too long for one.
        if let Err(error) = self.keys.key("warm-up", "000000000").await {
            tracing::warn!(%error, "the store of keys could not be reached ahead of the first call");
        }
        if let Some(tokens) = &self.tokens {
            tokens.warm().await;
        }
    }

    /// The policy for a caller, as API Gateway takes it from an authorizer: `principalId`, `policyDocument`,
    /// `context` (`integration`, `key_id`, `access`) and `usageIdentifierKey`.
    ///
    /// # Errors
    /// See [`Denied`]. The log says why.
    pub async fn authorize(
        &self,
        event: ApiGatewayCustomAuthorizerRequestTypeRequest,
    ) -> Result<Value, Denied> {
        let started = Instant::now();
        let found = self.identify(&event).await.and_then(|identity| {
            let arn = event.method_arn.as_deref().unwrap_or_default();
            let policy = Policy::of(&identity, arn).ok_or_else(|| {
                Rejection::Failed(format!("`{arn}` is not the ARN of a method of a REST API"))
            })?;
            Ok((identity, policy))
        });
        let request_id = event.request_context.request_id.unwrap_or_default();
        let (end, result) = match found {
            Ok((identity, policy)) => {
                let Identity {
                    principal, access, ..
                } = identity;
                tracing::info!(request_id, principal, %access, "allowed");
                (Authorization::Allowed, Ok(policy.into_json()))
            }
            Err(Rejection::Refused(reason)) => {
                tracing::info!(request_id, reason, "refused");
                (Authorization::Refused, Err(Denied::Unauthorized))
            }
            Err(Rejection::Failed(error)) => {
                tracing::error!(request_id, error, "the caller could not be identified");
                (Authorization::Failed, Err(Denied::Failed))
            }
        };
        self.metrics.authorized(end, started.elapsed());
        result
    }

    async fn identify(
        &self,
        event: &ApiGatewayCustomAuthorizerRequestTypeRequest,
    ) -> Result<Identity, Rejection> {
        let headers = if event.multi_value_headers.is_empty() {
            &event.headers
        } else {
            &event.multi_value_headers
        };
        if let Some(key) = one(headers, "x-api-key")? {
            return self.by_key(key).await;
        }
        let Some(authorization) = one(headers, "authorization")? else {
            return Err(Rejection::Refused("neither an API key nor a token"));
        };
        match (&self.tokens, bearer(authorization)) {
            (Some(tokens), Some(token)) => tokens.identify(token).await,
            (None, _) => Err(Rejection::Refused(
                "a token, and this installation names no issuer",
            )),
            (_, None) => Err(Rejection::Refused(
                "an Authorization header of another scheme than Bearer",
            )),
        }
    }

    async fn by_key(&self, text: &str) -> Result<Identity, Rejection> {
        let key = match self.known.get(text) {
            Some(key) => key,
            None => {
                let found = caller_key::verify(self.keys.as_ref(), text)
                    .await
                    .map_err(|error| Rejection::Failed(error.to_string()))?;
                let key = found.ok_or(Rejection::Refused("an unknown, revoked or malformed API key"))?;
                self.known.keep(text, key)
            }
        };
        Ok(Identity {
            principal: format!("{}/{}", key.integration, key.id),
            integrations: vec![key.integration.clone()],
            access: key.access,
            key_id: Some(key.id.clone()),
            usage_key: Some(format!("ticket-gateway-{}-{}", key.integration, key.id)),
        })
    }
}

/// The value of a header that must not come twice: which of them counts would be a matter of luck.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Rejection::Refused("credentials that are given twice"));
    }
    first
        .map(|value| value.to_str().map(str::trim))
        .transpose()
        .map(|value| value.filter(|value| !value.is_empty()))
        .map_err(|_| Rejection::Refused("credentials that are not ASCII"))
}

/// The token of `Authorization: Bearer …` (RFC 6750 section 2.1; the scheme's case does not matter).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The methods of the routes that a caller may use.
fn methods(access: Access) -> impl Iterator<Item = &'static str> {
    let mut methods: Vec<&'static str> = actions::ALL
        .iter()
        .filter(|definition| access == Access::ReadWrite || !definition.action.is_write())
        .map(|definition| definition.method.as_str())
        .collect();
    methods.sort_unstable();
    methods.dedup();
    methods.into_iter()
}
