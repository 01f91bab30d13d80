//! One answer of an action: the request in its right form, and what the answer means.

use mapping::is_truthy;
use serde_json::{Map, Value};

use crate::client::Answer;
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{ErrorCode, Fallback, ResponseFormat};
use crate::reads::BodyReads;
use crate::request::{Form, PageRequest, prepare};
use crate::response;
use crate::send::{Response, Session};

/// A good answer.
pub(crate) struct Reply {
    pub(crate) response: Response,
    /// How its body is read.
    pub(crate) format: ResponseFormat,
    /// What mappings see as `response`: `{status, headers, body}`.
    pub(crate) value: Value,
    /// It says that there is nothing, whatever its status: a list is over, or the result is null.
    pub(crate) is_nothing: bool,
}

impl Reply {
    /// Takes a part of what mappings see out of it.
    pub(crate) fn take(&mut self, part: &str) -> Value {
        self.value.get_mut(part).map(Value::take).unwrap_or_default()
    }

    /// Takes a list out of the body, if it is there.
    pub(crate) fn take_list(&mut self, keys: &[String]) -> Option<Vec<Value>> {
        let body = self.value.get_mut("body")?;
        let found = keys.iter().try_fold(body, |value, key| value.get_mut(key))?;
        found.as_array_mut().map(std::mem::take)
    }
}

/// An answer that has not been judged yet.
struct Received {
    response: Response,
    value: Value,
    /// Why a 2xx answer cannot be read.
    unreadable: Option<UpstreamError>,
}

/// A `fail_when` that holds.
struct Failed {
    code: Option<ErrorCode>,
    /// What its message gives, unless that is null or blank.
    said: Option<String>,
}

impl Session<'_> {
    /// Performs the action: all pages of one with pagination.
    pub(crate) async fn perform(&mut self) -> Result<Answer, UpstreamError> {
        if let Some(paginate) = &self.action.paginate {
            return self.pages(paginate).await;
        }
        let mut reply = self.answer(None).await?;
        let result = match &self.action.result {
            _ if reply.is_nothing => Value::Null,
            Some(result) => self.result(result, &reply)?,
            None => reply.take("body"),
        };
        Ok(Answer {
            result,
            status: reply.response.status,
            headers: reply.take("headers"),
        })
    }

    /// What the action makes of a good answer.
    fn result(&self, result: &mapping::Mapping, reply: &Reply) -> Result<Value, UpstreamError> {
        let name = &self.action.name;
        let what = format!("`result` of `{name}`");
        let evaluated = self.evaluate_after(result, &[("response", &reply.value)], &what);
        evaluated.map_err(|error| error.of_answer(&self.had(reply)))
    }

    /// What an answer had, by its names alone: `the answer had status 201, the headers location and no body`.
    fn had(&self, reply: &Reply) -> String {
        const TOLD: usize = 20;
        let names = |fields: &Map<String, Value>| {
            let names: Vec<&str> = fields.keys().map(String::as_str).take(TOLD).collect();
            names.join(", ")
        };
        // What was skipped too: a name that was looked for elsewhere may be among it.
        let all = BodyReads::everything();
        let body = match response::body(&reply.response, reply.format, &all, &self.redactor) {
            Err(_) | Ok(Value::Null) => "no body".to_owned(),
            Ok(Value::Object(fields)) => format!("a body with {}", names(&fields)),
            Ok(Value::Array(items)) => format!("a list of {} as its body", items.len()),
            Ok(_) => "a body that is no object".to_owned(),
        };
        let headers = reply.value.get("headers").and_then(Value::as_object).map(names);
        format!(
            "the answer had status {}, the headers {}, and {body}",
            reply.response.status,
            headers.unwrap_or_default()
        )
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
        let mut prepared = prepare(self.connector, form, &self.root(), page)?;
        self.secret_headers.apply(&mut prepared);
        let response = self.send(&prepared, form.repeatable).await?;
        self.context.date = response::date(&response.headers);
        let (body, unreadable) = match response::body(&response, form.response, self.reads, &self.redactor) {
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
        if unreadable.is_none() && self.says_nothing(form, response.status, &value)? {
            return Ok(Reply {
                response,
                format: form.response,
                value,
                is_nothing: true,
            });
        }
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
                let code = rule.as_ref().and_then(|rule| rule.code);
                let said = rule.and_then(|rule| rule.said);
                let by_rule = said.is_some();
                let message = said.unwrap_or_else(|| format!("`{name}`: the system answered {status}"));
                return error(
                    code.map_or(ErrorKind::Status(status), ErrorKind::FailWhen),
                    outcome,
                    message,
                )
                .map_err(|error| {
                    error
                        .with_retry_after(response.retry_after)
                        .worded_by_rule(by_rule)
                });
            }
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        if let Some(rule) = self.failed_rule(form, &value)? {
            let code = rule.code.unwrap_or(ErrorCode::ExternalRestError);
            let by_rule = rule.said.is_some();
            let message = rule
                .said
                .unwrap_or_else(|| format!("`{name}`: the answer says that it failed"));
            // A code that names the caller's mistake is a refusal; otherwise nothing is known.
            let outcome = if code == ErrorCode::ExternalRestError {
                self.once_sent(form.method)
            } else {
                refused
            };
            return error(ErrorKind::FailWhen(code), outcome, message)
                .map_err(|error| error.worded_by_rule(by_rule));
        }
        Ok(Reply {
            response,
            format: form.response,
            value,
            is_nothing: false,
        })
    }

    /// Whether an answer means that what was asked for is not there: the page lies behind the end of the list, or
    /// there is no such thing.
    fn says_nothing(&self, form: &Form<'_>, status: u16, response: &Value) -> Result<bool, UpstreamError> {
        let (key, condition) = match &self.action.paginate {
            Some(paginate) => ("paginate.end_when", &paginate.end_when),
            None => ("null_when", &self.action.null_when),
        };
        // These say something of the caller, or of the system, and not of what was asked for: that a body of theirs lacks
        // what a condition looks for must not end a list.
        let says_other = matches!(status, 401 | 403 | 408 | 425 | 429 | 500..);
        let Some(condition) = condition.as_ref().filter(|_| !says_other) else {
            return Ok(false);
        };
        let what = format!("`{key}` of `{}`", form.action);
        match self.evaluate_after(condition, &[("response", response)], &what) {
            Ok(holds) => Ok(is_truthy(&holds)),
            // The status says more than a condition that was not written for such a body.
            Err(_) if !response::is_good(status) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The first `fail_when` that holds for an answer.
    fn failed_rule(&self, form: &Form<'_>, response: &Value) -> Result<Option<Failed>, UpstreamError> {
        let what = format!("`fail_when` of `{}`", form.action);
        let bindings = [("response", response)];
        for rule in &self.action.fail_when {
            if !is_truthy(&self.evaluate_after(&rule.condition, &bindings, &what)?) {
                continue;
            }
            let said = match &rule.message {
                Some(message) => self.evaluate_after(message, &bindings, &what)?,
                None => Value::Null,
            };
            let said = match said {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => other.to_string(),
            };
            return Ok(Some(Failed {
                code: rule.code,
                said: (!said.trim().is_empty()).then(|| self.redactor.text(&said)),
            }));
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
