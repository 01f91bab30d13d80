//! What one call carries along.

use std::time::Duration;

use mapping::Environment;
use serde_json::Value;
use storage::{Budget, RateLimit};
use tokio::time::Instant;

use super::exchange::Response;
use crate::auth::{Credentials, InUse, MOST_CREDENTIALS, SecretHeaders};
use crate::client::{CallContext, Client};
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{Auth, Connector, HttpAction};
use crate::reads::BodyReads;
use crate::redact::Redactor;
use crate::request::{Prepared, Root};

/// A budget that is used up is waited for, if it is free again within this time.
const LONGEST_BUDGET_WAIT: Duration = Duration::from_secs(2);

/// When a caller is told to come back after the store of the budget did not answer in time.
const AFTER_A_SLOW_STORE: Duration = Duration::from_secs(1);

/// One call of an action: what it may use, and what it has learned.
pub(crate) struct Session<'a> {
    pub(crate) client: &'a Client,
    pub(crate) connector: &'a Connector,
    pub(crate) action: &'a HttpAction,
    pub(crate) reads: &'a BodyReads,
    pub(crate) scope: &'a Value,
    pub(crate) environment: Environment,
    pub(crate) context: &'a mut CallContext,
    pub(crate) redactor: Redactor,
    pub(crate) credentials: Credentials,
    pub(crate) secret_headers: SecretHeaders,
    pub(crate) in_use: Option<InUse>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        client: &'a Client,
        connector: &'a Connector,
        action: &'a HttpAction,
        reads: &'a BodyReads,
        scope: &'a Value,
        context: &'a mut CallContext,
    ) -> Self {
        Self {
            client,
            connector,
            action,
            reads,
            scope,
            environment: Environment::at(context.now),
            context,
            redactor: Redactor::default(),
            credentials: Credentials::None,
            secret_headers: SecretHeaders::default(),
            in_use: None,
        }
    }

    /// What the templates and mappings of the request see.
    pub(crate) fn root(&self) -> Root<'_> {
        Root {
            scope: self.scope,
            environment: &self.environment,
        }
    }

    /// The time left.
    pub(crate) fn left(&self) -> Duration {
        self.context.deadline.saturating_duration_since(Instant::now())
    }

    /// Sends the request of the action, with other credentials when the first are refused.
    pub(crate) async fn send(
        &mut self,
        prepared: &Prepared,
        repeatable: bool,
    ) -> Result<Response, UpstreamError> {
        let name = &self.action.name;
        let mut first = self.follow(name, prepared, repeatable).await?;
        if !self.is_refusal(&first)? {
            return Ok(first);
        }
        // Whether an attempt with credentials that were refused in the end may have been carried out before.
        let mut doubtful = first.doubtful;
        let began_with = (self.credentials.clone(), self.in_use.clone());
        let (mut status, mut refused) = (first.status, Vec::new());
        for _ in 1..MOST_CREDENTIALS {
            let other = self.take_other_credentials(status, &mut refused).await;
            if !other.map_err(|error| self.after_doubt(error, doubtful, &prepared.method))? {
                break;
            }
            let next = self.follow(name, prepared, repeatable).await;
            let next = next.map_err(|error| self.after_doubt(error, doubtful, &prepared.method))?;
            doubtful |= next.doubtful;
            if !self.is_refusal(&next)? {
                self.keep_credentials();
                return Ok(Response { doubtful, ..next });
            }
            status = next.status;
        }
        (self.credentials, self.in_use) = began_with;
        first.doubtful = doubtful;
        if matches!(self.connector.auth, Auth::Session(_)) && first.status != 401 {
            let message = format!(
                "`{name}`: the answer ({}) to a new session says that it died: look at `expired_when` of the \
                 connector's `auth`, and at what the account may do",
                first.status
            );
            let error = UpstreamError::new(ErrorKind::Credentials, Outcome::Refused, message);
            return Err(self.after_doubt(error.with_status(first.status), doubtful, &prepared.method));
        }
        Ok(first)
    }

    /// Whether the system did not take the credentials, or not for this.
    fn is_refusal(&self, response: &Response) -> Result<bool, UpstreamError> {
        match &self.connector.auth {
            Auth::Session(_) => self.says_session_died(response),
            _ => Ok(matches!(response.status, 401 | 403)),
        }
    }

    /// Takes one request from the rate budget, waiting a little for it.
    pub(super) async fn take_budget(&mut self) -> Result<(), UpstreamError> {
        let integration = &self.connector.integration;
        let limit = self.connector.rate_limit;
        loop {
            let budget = &self.client.options.budget;
            let take = budget.take(
                integration,
                limit.unwrap_or(RateLimit::UNLIMITED),
                self.context.lane,
            );
            let Ok(taken) = tokio::time::timeout(self.left(), take).await else {
                tracing::error!(integration, "the store of the rate budget did not answer in time");
                let message =
                    format!("the rate budget of `{integration}` could not be read in time; try again");
                let error = UpstreamError::new(ErrorKind::Budget, Outcome::NotSent, message);
                return Err(error.with_retry_after(Some(AFTER_A_SLOW_STORE)));
            };
            let taken = taken.map_err(|error| {
                UpstreamError::storage("cannot read the rate budget", integration, &error)
            })?;
            let (retry_after, why) = match (taken, limit) {
                (Budget::Granted, _) => return Ok(()),
                (Budget::Exhausted { retry_after }, Some(limit)) => {
                    let (requests, seconds) = (limit.of(self.context.lane), limit.per.as_secs_f64());
                    let why = format!(
                        "the rate budget of `{integration}`, {requests} requests in {seconds} s, is used up"
                    );
                    (retry_after, why)
                }
                (Budget::Exhausted { retry_after } | Budget::Blocked { retry_after }, _) => {
                    let why = format!(
                        "the ticketing system said that no request remains for `{integration}`, or that it wants none \
                         for now"
                    );
                    (retry_after, why)
                }
            };
            if retry_after > LONGEST_BUDGET_WAIT || retry_after >= self.left() {
                let seconds = retry_after.as_secs_f64().ceil();
                let message = format!("{why}; try again in {seconds} s");
                let error = UpstreamError::new(ErrorKind::Budget, Outcome::NotSent, message);
                return Err(error.with_retry_after(Some(retry_after)));
            }
            tokio::time::sleep(retry_after).await;
            self.context.budget_wait += retry_after;
        }
    }
}
