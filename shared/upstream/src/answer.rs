//! One answer of an action: the request in its right form, and what the answer means.

use mapping::is_truthy;
use serde_json::Value;

use crate::client::Answer;
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{ErrorCode, Fallback};
use crate::request::{Form, PageRequest, prepare};
use crate::response;
use crate::send::{Response, Session};

/// A good answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// What mappings see as `response`: `{status, headers, body}`.
    pub(crate) value: Value,
}

/// An answer that has not been judged yet.
struct Received {
    response: Response,
    value: Value,
    /// Why a 2xx answer cannot be read.
    unreadable: Option<UpstreamError>,
}

impl Session<'_> {
    /// Performs the action: all pages of one with pagination.
    pub(crate) async fn perform(&mut self) -> Result<Answer, UpstreamError> {
        if let Some(paginate) = &self.action.paginate {
            return self.pages(paginate).await;
        }
        let Reply { status, mut value } = self.answer(None).await?;
        let result = match &self.action.result {
            Some(result) => self.result(result, &value)?,
            None => value.get_mut("body").map(Value::take).unwrap_or_default(),
        };
        Ok(Answer {
            result,
            status,
            headers: value.get_mut("headers").map(Value::take).unwrap_or_default(),
        })
    }

    /// What the action makes of a good answer.
    fn result(&self, result: &mapping::Mapping, response: &Value) -> Result<Value, UpstreamError> {
        let name = &self.action.name;
        let what = format!("`result` of `{name}`");
        let evaluated = self.evaluate_after(result, &[("response", response)], &what);
        evaluated.map_err(|error| error.of_answer(&had(response)))
    }

    /// Sends the action's request, or its fallback, and gives the answer if it is good.
    pub(crate) async fn answer(&mut self, page: Option<&PageRequest<'_>>) -> Result<Reply, UpstreamError> {
        let main = Form::of(self.action);
        let (Some(fallback), Some(other)) = (&self.action.fallback, Form::fallback_of(self.action)) else {
            let received = self.receive(&main, page).await?;
            return self.judge(&main, received);
        };
        let memory = (self.connector.integration.clone(), self.action.name.clone());
        let remembered = self.client.prefers_fallback(&memory);
        let (first, second) = if remembered { (other, main) } else { (main, other) };
        let mut received = self.receive(&first, page).await?;
        if !self.asks_for_other(fallback, &first, &received)? {
            return self.judge(&first, received);
        }
        let doubtful = received.response.doubtful || received.response.status >= 500;
        let second_received = self.receive(&second, page).await;
        let mut second_received =
            second_received.map_err(|error| self.after_doubt(error, doubtful, first.method))?;
        // That one form is refused says nothing of the other.
        received.response.doubtful |= second_received.response.doubtful;
        second_received.response.doubtful |= doubtful;
        if response::is_good(second_received.response.status) {
            // A status says which form the system knows; a condition only speaks of this one answer.
            if fallback.when.is_none() {
                self.client.set_prefers_fallback(memory, !remembered);
            }
            return self.judge(&second, second_received);
        }
        let unknown_form = |status| matches!(status, 405 | 501);
        let second_status = second_received.response.status;
        if (unknown_form(second_status) || second_status == 404) && !unknown_form(received.response.status) {
            self.judge(&first, received)
        } else {
            self.judge(&second, second_received)
        }
    }

    async fn receive(
        &mut self,
        form: &Form<'_>,
        page: Option<&PageRequest<'_>>,
    ) -> Result<Received, UpstreamError> {
        let prepared = prepare(self.connector, form, &self.root(), page)?;
        let response = self.send(&prepared, form.repeatable).await?;
        self.context.date = response::date(&response.headers);
        let (body, unreadable) = match response::body(&response, form.response, &self.redactor) {
            Ok(body) => (body, None),
            Err(why) => {
                let message = format!("`{}`: {why}", form.action);
                let error = UpstreamError::new(ErrorKind::BadAnswer, self.once_sent(form.method), message)
                    .with_status(response.status)
                    .with_excerpt(self.redactor.excerpt(&response.body));
                (Value::Null, Some(error))
            }
        };
        let value = response::object(&response, body, self.action, &self.redactor);
        Ok(Received {
            response,
            value,
            unreadable,
        })
    }

    fn asks_for_other(
        &self,
        fallback: &Fallback,
        form: &Form<'_>,
        received: &Received,
    ) -> Result<bool, UpstreamError> {
        let status = received.response.status;
        let listed = fallback.on_status.contains(&status);
        if status == 429 || (status >= 500 && !(listed && form.repeatable)) {
            return Ok(false);
        }
        if !listed && !fallback.on_status.is_empty() {
            return Ok(false);
        }
        let Some(when) = &fallback.when else {
            return Ok(listed);
        };
        let what = format!("`fallback.when` of `{}`", form.action);
        match self.evaluate_after(when, &[("response", &received.value)], &what) {
            Ok(value) => Ok(is_truthy(&value)),
            // The status says more than a condition that was not written for such a body.
            Err(_) if !response::is_good(status) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn judge(&self, form: &Form<'_>, received: Received) -> Result<Reply, UpstreamError> {
        let Received {
            response,
            value,
            unreadable,
        } = received;
        let (name, status) = (form.action, response.status);
        let excerpt = || self.redactor.excerpt(&response.body);
        let refused = if response.doubtful {
            self.once_sent(form.method)
        } else {
            Outcome::Refused
        };
        let error = |kind, outcome, message: String| {
            Err(UpstreamError::new(kind, outcome, message)
                .with_status(status)
                .with_excerpt(excerpt()))
        };
        match status {
            200..=299 => {}
            401 => {
                let message = format!("`{name}`: the system refused the credentials of the connector (401)");
                return error(ErrorKind::Credentials, refused, message);
            }
            429 => {
                let message = format!("`{name}`: the system's rate limit is reached (429)");
                return error(ErrorKind::RateLimited, refused, message)
                    .map_err(|error| error.with_retry_after(response.retry_after));
            }
            _ => {
                let outcome = if status >= 500 {
                    self.once_sent(form.method)
                } else {
                    refused
                };
                // A rule that was not written for such a body is not what the caller should hear of.
                let rule = self.failed_rule(form, &value).unwrap_or_default();
                let (kind, message) = match rule {
                    Some((Some(code), message)) => (ErrorKind::FailWhen(code), message),
                    Some((None, message)) => (ErrorKind::Status(status), message),
                    None => (
                        ErrorKind::Status(status),
                        format!("`{name}`: the system answered {status}"),
                    ),
                };
                return error(kind, outcome, message)
                    .map_err(|error| error.with_retry_after(response.retry_after));
            }
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        if let Some((code, message)) = self.failed_rule(form, &value)? {
            let code = code.unwrap_or(ErrorCode::ExternalRestError);
            // A code that names the caller's mistake is a refusal; otherwise nothing is known.
            let outcome = if code == ErrorCode::ExternalRestError {
                self.once_sent(form.method)
            } else {
                refused
            };
            return error(ErrorKind::FailWhen(code), outcome, message);
        }
        Ok(Reply { status, value })
    }

    /// The first `fail_when` that holds for an answer: its code, if it has one, and what to say.
    fn failed_rule(
        &self,
        form: &Form<'_>,
        response: &Value,
    ) -> Result<Option<(Option<ErrorCode>, String)>, UpstreamError> {
        let name = form.action;
        let what = format!("`fail_when` of `{name}`");
        let bindings = [("response", response)];
        for rule in &self.action.fail_when {
            if !is_truthy(&self.evaluate_after(&rule.condition, &bindings, &what)?) {
                continue;
            }
            let message = match &rule.message {
                Some(message) => match self.evaluate_after(message, &bindings, &what)? {
                    Value::String(text) => self.redactor.text(&text),
                    other => self.redactor.text(&other.to_string()),
                },
                None => format!("`{name}`: the answer says that it failed"),
            };
            return Ok(Some((rule.code, message)));
        }
        Ok(None)
    }

    /// Evaluates a mapping over the scope and what an answer adds to it.
    pub(crate) fn evaluate_after(
        &self,
        mapping: &mapping::Mapping,
        bindings: &[(&str, &Value)],
        what: &str,
    ) -> Result<Value, UpstreamError> {
        mapping
            .evaluate_with(self.scope, bindings, &self.environment)
            .map_err(|error| UpstreamError::mapping(what, error, self.once_sent(&self.action.method)))
    }
}

/// What an answer had, by its names alone: `the answer had status 201, the headers location and no body`.
fn had(response: &Value) -> String {
    const TOLD: usize = 20;
    let names = |fields: &serde_json::Map<String, Value>| {
        let names: Vec<&str> = fields.keys().map(String::as_str).take(TOLD).collect();
        names.join(", ")
    };
    let status = response.get("status").and_then(Value::as_u64).unwrap_or_default();
    let headers = response.get("headers").and_then(Value::as_object).map(names);
    let body = match response.get("body") {
        None | Some(Value::Null) => "no body".to_owned(),
        Some(Value::Object(fields)) => format!("a body with {}", names(fields)),
        Some(Value::Array(items)) => format!("a list of {} as its body", items.len()),
        Some(_) => "a body that is no object".to_owned(),
    };
    format!(
        "the answer had status {status}, the headers {}, and {body}",
        headers.unwrap_or_default()
    )
}
