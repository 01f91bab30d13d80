//! Attempts: which failures are worth another one, and which may have one.
//!
//! A connection that was never made and a 429 were not carried out, so any request may be sent again. A 500,
//! 502, 503, 504, a timeout and an answer cut short leave it open, so only a repeatable request may be sent
//! again; a 500 at most once more. Everything else is final.

use std::time::Duration;

use http::Method;
use tokio::time::Instant;

use super::backoff;
use super::exchange::{self, Response};
use super::session::Session;
use crate::auth::Credentials;
use crate::client::CallRecord;
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::guard;
use crate::request::Prepared;
use crate::transport::{Lost, Progress};

/// What an attempt that failed allows.
enum Next {
    /// It is final.
    Stop,
    /// Another attempt, after at least this time when the system said so.
    Again(Option<Duration>),
}

impl Session<'_> {
    /// Sends a request until it has an answer that is worth reading, or attempts or time are used up.
    ///
    /// `name` is the action in records and errors.
    pub(crate) async fn send_with_retries(
        &mut self,
        name: &str,
        prepared: &Prepared,
        credentials: &Credentials,
        repeatable: bool,
    ) -> Result<Response, UpstreamError> {
        guard::check_literal(&prepared.url, self.client.options.allow_private_addresses)?;
        let policy = self.action.retry.unwrap_or(self.connector.retry);
        let mut attempt = 1;
        let mut internal_errors = 0;
        // Whether an earlier attempt may have been carried out.
        let mut doubtful = false;
        loop {
            let budget = self.take_budget().await;
            budget.map_err(|error| self.after_doubt(error, doubtful, &prepared.method))?;
            let mut result = self.attempt(name, prepared, credentials, attempt).await;
            if let Ok(response) = &mut result {
                self.heed(prepared, response).await;
            }
            let next = match &result {
                _ if attempt >= policy.max_attempts => Next::Stop,
                Ok(response) if response.status == 500 && internal_errors > 0 => Next::Stop,
                Ok(response) => after_answer(response, repeatable),
                Err(failure) => after_failure(failure, repeatable),
            };
            let wait = match next {
                Next::Stop => None,
                // Whoever waits for the answer is told to come back instead.
                Next::Again(Some(asked)) if asked > policy.max_delay => None,
                Next::Again(asked) => Some(asked.unwrap_or_else(|| backoff::jitter(&policy, attempt))),
            };
            let Some(wait) = wait.filter(|wait| *wait < self.left()) else {
                return match result {
                    Ok(response) => Ok(Response { doubtful, ..response }),
                    Err(failure) => Err(self.describe(name, prepared, &failure, doubtful)),
                };
            };
            match &result {
                Ok(response) => {
                    doubtful |= response.status >= 500;
                    internal_errors += u32::from(response.status == 500);
                }
                Err(failure) => doubtful |= failure.progress == Progress::Sent,
            }
            tokio::time::sleep(wait).await;
            if matches!(&result, Ok(response) if response.status == 429) {
                self.context.budget_wait += wait;
            }
            attempt += 1;
        }
    }

    async fn attempt(
        &mut self,
        name: &str,
        prepared: &Prepared,
        credentials: &Credentials,
        attempt: u32,
    ) -> Result<Response, Lost> {
        let left = self.left();
        if left.is_zero() {
            return Err(Lost {
                kind: ErrorKind::Timeout,
                message: "the time for the whole action is over".to_owned(),
                status: None,
                progress: Progress::Refused,
            });
        }
        let time = self.action.timeout.unwrap_or(self.connector.timeout).min(left);
        let limit = self.connector.max_response_bytes;
        let started = Instant::now();
        let result =
            exchange::exchange(self.client.transport.as_ref(), prepared, credentials, time, limit).await;
        let record = CallRecord {
            action: name.to_owned(),
            method: prepared.method.to_string(),
            path: self.redactor.text(prepared.url.path()),
            status: match &result {
                Ok(response) => Some(response.status),
                Err(failure) => failure.status,
            },
            duration: started.elapsed(),
            attempt,
        };
        tracing::debug!(
            integration = %self.connector.integration,
            action = %record.action,
            method = %record.method,
            path = %record.path,
            status = record.status,
            duration_ms = record.duration.as_millis() as u64,
            attempt,
            failure = result.as_ref().err().map(|failure| self.redactor.text(&failure.message)),
            "upstream request"
        );
        self.context.calls.push(record);
        result
    }

    /// The error of a request of which an earlier attempt may have been carried out, where `doubtful` says so.
    pub(crate) fn after_doubt(&self, error: UpstreamError, doubtful: bool, method: &Method) -> UpstreamError {
        if doubtful {
            error.with_outcome(self.once_sent(method))
        } else {
            error
        }
    }

    /// What is known about a request that was sent and whose answer does not say: a read changes nothing.
    pub(crate) fn once_sent(&self, method: &Method) -> Outcome {
        if method.is_safe() || self.action.read_only {
            Outcome::Refused
        } else {
            Outcome::Unknown
        }
    }

    fn describe(&self, name: &str, prepared: &Prepared, failure: &Lost, doubtful: bool) -> UpstreamError {
        let outcome = match failure.progress {
            Progress::NotConnected | Progress::Refused if !doubtful => Outcome::NotSent,
            _ => self.once_sent(&prepared.method),
        };
        let message = format!("`{name}`: {}", self.redactor.text(&failure.message));
        let error = UpstreamError::new(failure.kind, outcome, message);
        match failure.status {
            Some(status) => error.with_status(status),
            None => error,
        }
    }
}

fn after_answer(response: &Response, repeatable: bool) -> Next {
    match response.status {
        429 => Next::Again(response.retry_after),
        500 if repeatable => Next::Again(None),
        502..=504 if repeatable => Next::Again(response.retry_after),
        _ => Next::Stop,
    }
}

fn after_failure(failure: &Lost, repeatable: bool) -> Next {
    match failure.progress {
        Progress::NotConnected => Next::Again(None),
        Progress::Sent if repeatable => Next::Again(None),
        Progress::Sent | Progress::Refused | Progress::Answered => Next::Stop,
    }
}
