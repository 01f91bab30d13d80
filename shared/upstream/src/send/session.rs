//! What one call carries along.

use std::time::Duration;

use mapping::Environment;
use serde_json::Value;
use storage::Budget;
use tokio::time::Instant;

use super::exchange::Response;
use crate::auth::{Credentials, Which};
use crate::client::{CallContext, Client};
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{Connector, HttpAction};
use crate::redact::Redactor;
use crate::request::{Prepared, Root};

/// A budget that is used up is waited for, if it is free again within this time.
const LONGEST_BUDGET_WAIT: Duration = Duration::from_secs(2);

/// One call of an action: what it may use, and what it has learned.
pub(crate) struct Session<'a> {
    pub(crate) client: &'a Client,
    pub(crate) connector: &'a Connector,
    pub(crate) action: &'a HttpAction,
    pub(crate) scope: &'a Value,
    pub(crate) environment: Environment,
    pub(crate) context: &'a mut CallContext,
    pub(crate) redactor: Redactor,
    pub(crate) credentials: Credentials,
    pub(crate) which: Which,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        client: &'a Client,
        connector: &'a Connector,
        action: &'a HttpAction,
        scope: &'a Value,
        context: &'a mut CallContext,
    ) -> Self {
        Self {
            client,
            connector,
            action,
            scope,
            environment: Environment::now(),
            context,
            redactor: Redactor::default(),
            credentials: Credentials::None,
            which: Which::First,
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
    pub(super) fn left(&self) -> Duration {
        self.context.deadline.saturating_duration_since(Instant::now())
    }

    /// Sends the request of the action, with other credentials when the first are refused.
    pub(crate) async fn send(
        &mut self,
        prepared: &Prepared,
        repeatable: bool,
    ) -> Result<Response, UpstreamError> {
        let name = &self.action.name;
        let first = self.follow(name, prepared, repeatable).await?;
        if !matches!(first.status, 401 | 403) || !self.take_other_credentials(first.status).await? {
            return Ok(first);
        }
        let second = self.follow(name, prepared, repeatable).await?;
        if matches!(second.status, 401 | 403) {
            return Ok(first);
        }
        self.keep_credentials();
        Ok(second)
    }

    /// Takes one request from the rate budget, waiting a little for it.
    pub(super) async fn take_budget(&self) -> Result<(), UpstreamError> {
        let Some(limit) = self.connector.rate_limit else {
            return Ok(());
        };
        let integration = &self.connector.integration;
        loop {
            let taken = self.client.options.budget.take(integration, limit).await;
            match taken.map_err(|error| UpstreamError::storage("cannot read the rate budget", &error))? {
                Budget::Granted => return Ok(()),
                Budget::Exhausted { retry_after }
                    if retry_after <= LONGEST_BUDGET_WAIT && retry_after < self.left() =>
                {
                    tokio::time::sleep(retry_after).await;
                }
                Budget::Exhausted { retry_after } => {
                    let (requests, per) = (limit.requests, limit.per.as_secs_f64());
                    let message = format!(
                        "the rate budget of `{integration}`, {requests} requests in {per} s, is used up; \
                         try again in {} s",
                        retry_after.as_secs_f64().ceil()
                    );
                    let error = UpstreamError::new(ErrorKind::Budget, Outcome::NotSent, message);
                    return Err(error.with_retry_after(Some(retry_after)));
                }
            }
        }
    }
}
