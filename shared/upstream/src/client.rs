//! The client: one per process.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use storage::{Lane, RateBudget, SecretStore};
use tokio::time::Instant;

use crate::answer::Reply;
use crate::auth::TokenCache;
use crate::error::UpstreamError;
use crate::model::{Connector, HttpAction};
use crate::send::Session;
use crate::tls::http_client;

/// What a [`Client`] is built from.
pub struct ClientOptions {
    /// Where secrets are read.
    pub secrets: Arc<dyn SecretStore>,
    /// The rate budget that every request is taken from.
    pub budget: Arc<dyn RateBudget>,
    /// Allow loopback, private and other addresses that are not public.
    pub allow_private_addresses: bool,
    /// `User-Agent` of every request.
    pub user_agent: String,
}

/// The limits of a series of calls, and the record of what they did.
#[derive(Debug)]
pub struct CallContext {
    /// When everything must be over.
    pub deadline: Instant,
    /// Who asks: [`Lane::Action`] unless it is set.
    pub lane: Lane,
    /// How long the calls waited for the rate budget, in all.
    pub budget_wait: Duration,
    /// One record per request that was sent, in order.
    pub calls: Vec<CallRecord>,
}

impl CallContext {
    /// A context that ends at `deadline`.
    pub fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            lane: Lane::Action,
            budget_wait: Duration::ZERO,
            calls: Vec::new(),
        }
    }

    /// A context that ends after `time` from now.
    pub fn within(time: Duration) -> Self {
        Self::new(Instant::now() + time)
    }
}

/// One request to the system, for the log line of a ticket action.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// Name of the HTTP action; `oauth2 token` for a token request.
    pub action: String,
    /// Method.
    pub method: String,
    /// Path without query string.
    pub path: String,
    /// Status of the answer, when there was one.
    pub status: Option<u16>,
    /// From sending to the end of the answer.
    pub duration: Duration,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// A good answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The body, or `{items, next_page_token, pages}` of an action with pagination.
    pub result: Value,
    /// Status of the last page.
    pub status: u16,
    /// Headers of the last page: an object, names in lower case.
    pub headers: Value,
}

/// Performs HTTP actions. Holds the connections, the OAuth tokens, and what it learned about systems: which
/// form of a request they know and which of two keys they accept.
pub struct Client {
    pub(crate) options: ClientOptions,
    pub(crate) http: reqwest::Client,
    pub(crate) tokens: TokenCache,
    /// Integrations that refused their first secret and accepted the fallback.
    on_fallback_secret: Mutex<HashSet<String>>,
    /// (integration, action) that knew only the fallback's form.
    on_fallback_form: Mutex<HashSet<(String, String)>>,
}

impl Client {
    /// Builds the client.
    ///
    /// # Errors
    /// When the TLS or HTTP set-up fails.
    pub fn new(options: ClientOptions) -> Result<Self, UpstreamError> {
        let http = http_client(&options.user_agent, options.allow_private_addresses)?;
        Ok(Self {
            options,
            http,
            tokens: TokenCache::default(),
            on_fallback_secret: Mutex::default(),
            on_fallback_form: Mutex::default(),
        })
    }

    /// Performs `action`. `scope` is an object: the input arguments, `settings` and `meta_info`.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn call(
        &self,
        connector: &Connector,
        action: &HttpAction,
        scope: &Value,
        context: &mut CallContext,
    ) -> Result<Answer, UpstreamError> {
        let mut session = Session::new(self, connector, action, scope, context);
        session.log_in().await?;
        if let Some(paginate) = &action.paginate {
            return session.pages(paginate).await;
        }
        let Reply { status, mut value } = session.answer(None).await?;
        let mut take = |key| value.get_mut(key).map(Value::take).unwrap_or_default();
        Ok(Answer {
            result: take("body"),
            status,
            headers: take("headers"),
        })
    }

    pub(crate) fn prefers_fallback_secret(&self, integration: &str) -> bool {
        self.on_fallback_secret
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(integration)
    }

    pub(crate) fn set_prefers_fallback_secret(&self, integration: &str, prefers: bool) {
        let mut known = self
            .on_fallback_secret
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if prefers {
            known.insert(integration.to_owned())
        } else {
            known.remove(integration)
        };
    }

    pub(crate) fn prefers_fallback(&self, action: &(String, String)) -> bool {
        self.on_fallback_form
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(action)
    }

    pub(crate) fn set_prefers_fallback(&self, action: (String, String), prefers: bool) {
        let mut known = self
            .on_fallback_form
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if prefers {
            known.insert(action)
        } else {
            known.remove(&action)
        };
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}
