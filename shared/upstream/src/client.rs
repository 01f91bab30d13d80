//! The client: one per process.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use storage::{Lane, RateBudget, SecretStore};
use tokio::time::Instant;

use crate::auth::TokenCache;
use crate::cache::{AnswerCache, is_unfinished};
use crate::error::UpstreamError;
use crate::model::{Connector, HttpAction};
use crate::reads::BodyReads;
use crate::send::Session;
use crate::transport::{Network, Transport};

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
    /// What `$TIME()` answers in the templates and mappings of the HTTP actions: the time of [`CallContext::new`] unless
    /// it is set.
    pub now: Timestamp,
    /// Who asks: [`Lane::Action`] unless it is set.
    pub lane: Lane,
    /// Whether a list that can be gone on with (`paginate.start_from`) ends after one page of the system, so that no
    /// more than that is ever in memory.
    pub one_page: bool,
    /// Whether a list that may lack items is an error: one whose `items` are null, or one that `stop_on_repeat` would end
    /// because a page came again under another token. For who takes what is not listed for what did not happen.
    pub strict_lists: bool,
    /// How long the calls waited for the rate budget and, after a 429, for the system's own limit, in all.
    pub budget_wait: Duration,
    /// The HTTP action of the last list that ended before the system's did: after one page, or at a limit.
    pub unfinished: Option<String>,
    /// The `Date` header of the last answer of an HTTP action, as it came. None where the answer had none, or came out of
    /// a cache (`Age`): then it is not the system's time.
    pub date: Option<String>,
    /// One record per request that was sent, in order.
    pub calls: Vec<CallRecord>,
}

impl CallContext {
    /// A context that ends at `deadline`.
    pub fn new(deadline: Instant) -> Self {
        Self {
            deadline,
            now: Timestamp::now(),
            lane: Lane::Action,
            one_page: false,
            strict_lists: false,
            budget_wait: Duration::ZERO,
            unfinished: None,
            date: None,
            calls: Vec::new(),
        }
    }

    /// A context for a call that goes on beside others of this one: the same limits and nothing recorded. What it
    /// records goes into this one with [`CallContext::join`].
    pub fn beside(&self) -> Self {
        Self {
            now: self.now,
            lane: self.lane,
            strict_lists: self.strict_lists,
            ..Self::new(self.deadline)
        }
    }

    /// Adds what a context from [`CallContext::beside`] recorded.
    pub fn join(&mut self, other: Self) {
        self.budget_wait += other.budget_wait;
        self.date = other.date.or(self.date.take());
        self.unfinished = other.unfinished.or(self.unfinished.take());
        self.calls.extend(other.calls);
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
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) tokens: TokenCache,
    answers: AnswerCache,
    /// Integrations that refused their first secret and accepted the fallback.
    on_fallback_secret: Mutex<HashSet<String>>,
    /// (integration, action) that knew only the fallback's form.
    on_fallback_form: Mutex<HashSet<(String, String)>>,
}

impl Client {
    /// Builds the client, with the network as its way out.
    ///
    /// # Errors
    /// When the TLS or HTTP set-up fails.
    pub fn new(options: ClientOptions) -> Result<Self, UpstreamError> {
        let network = Network::new(&options.user_agent, options.allow_private_addresses)?;
        Ok(Self::over(Arc::new(network), options))
    }

    /// Builds the client with another way out, which does not name itself with the `user_agent`.
    pub fn over(transport: Arc<dyn Transport>, options: ClientOptions) -> Self {
        Self {
            options,
            transport,
            tokens: TokenCache::default(),
            answers: AnswerCache::default(),
            on_fallback_secret: Mutex::default(),
            on_fallback_form: Mutex::default(),
        }
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
        self.call_reading(connector, action, &BodyReads::everything(), scope, context)
            .await
    }

    /// The same as [`Client::call`], where the caller looks at no more of the result than `reads`, which are those of
    /// this action, was made for: the rest of the answers is skipped, not kept.
    ///
    /// # Errors
    /// As [`Client::call`]. Of what is skipped not every mistake is noticed: see [`Projection`](mapping::Projection).
    pub async fn call_reading(
        &self,
        connector: &Connector,
        action: &HttpAction,
        reads: &BodyReads,
        scope: &Value,
        context: &mut CallContext,
    ) -> Result<Answer, UpstreamError> {
        let mut session = Session::new(self, connector, action, reads, scope, context);
        let key = session.cache_key()?;
        if let Some(known) = key.as_ref().and_then(|key| self.answers.get(key)) {
            return Ok(known);
        }
        session.log_in().await?;
        let answer = session.perform().await?;
        if let (Some(key), Some(time)) = (key, action.cache)
            && !(action.paginate.is_some() && is_unfinished(&answer.result))
            // What is not there now may be there at the next call, made by it.
            && (200..300).contains(&answer.status)
            && !answer.result.is_null()
        {
            self.answers.put(key, &answer, time);
        }
        Ok(answer)
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
