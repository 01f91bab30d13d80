//! Runs a compound action: its steps in order, each with what the earlier ones gave, then its answer.

use std::time::Duration;

use http::Method;
use integration::contract::TasAction;
use integration::{CompoundAction, Installation, Step};
use mapping::{Environment, Mapping, Segment, is_truthy};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use upstream::{CallContext, Client, FailWhen};

use crate::error::outcome::{Failure, Outcome};
use crate::error::{ApiError, ErrorCode, evaluation, upstream as upstream_error};

/// What the runs of one call have in common.
pub(crate) struct Engine<'e> {
    client: &'e Client,
    installation: &'e Installation,
    environment: &'e Environment,
    /// None outside the twelve actions.
    action: Option<TasAction>,
    meta_info: Value,
    /// The deadline of the call, and what was sent so far.
    pub(crate) calls: CallContext,
    /// How many steps that can change something were carried out.
    changes: u32,
    /// Whether every step was carried out and only the answer was still to be judged.
    at_return: bool,
}

impl<'e> Engine<'e> {
    pub(crate) fn new(
        client: &'e Client,
        installation: &'e Installation,
        environment: &'e Environment,
        action: Option<TasAction>,
        meta_info: Value,
        deadline: Instant,
    ) -> Self {
        Engine {
            client,
            installation,
            environment,
            action,
            meta_info,
            calls: CallContext::new(deadline),
            changes: 0,
            at_return: false,
        }
    }

    /// After a failure with an unknown outcome: whether it is the first change of the action that is in doubt, and
    /// not one that came after it.
    pub(crate) fn is_first_change_in_doubt(&self) -> bool {
        self.changes == 0 || self.at_return
    }

    /// Whether no change was confirmed by the ticketing system.
    pub(crate) fn has_changed_nothing_for_sure(&self) -> bool {
        self.changes == 0
    }

    /// Waits.
    ///
    /// # Errors
    /// At once, when the time of the call would be over before.
    pub(crate) async fn pause(&self, wait: Duration) -> Result<(), ApiError> {
        if Instant::now() + wait >= self.calls.deadline {
            let message = "the time of the action was over before the ticket could be looked for";
            return Err(ApiError::new(ErrorCode::ExternalTimeout, message));
        }
        sleep(wait).await;
        Ok(())
    }

    /// Runs a search beside the action: it counts as no change.
    pub(crate) async fn look(&mut self, search: &CompoundAction, context: Value) -> Result<Value, Failure> {
        let (changes, at_return) = (self.changes, self.at_return);
        let ended = self.run(search, context).await;
        (self.changes, self.at_return) = (changes, at_return);
        ended
    }

    /// What became of the change when every step was carried out.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.changes == 0 {
            Outcome::NotSent
        } else {
            Outcome::Done
        }
    }

    /// Runs the steps over `data.context` and gives what the `output_mapper` makes of the results.
    pub(crate) async fn run(&mut self, action: &CompoundAction, context: Value) -> Result<Value, Failure> {
        self.at_return = false;
        let mut bank = json!({
            "data": {"context": context},
            "meta_info": self.meta_info,
            "settings": self.installation.settings,
        });
        self.judge(&action.fail_when, &bank, "the action", Outcome::NotSent)?;
        for step in &action.steps {
            let result = self.step(step, &bank).await?;
            let was_sent = result.is_some();
            if let Some(data) = bank.get_mut("data").and_then(Value::as_object_mut)
                && step.output_key != "_"
            {
                data.insert(step.output_key.clone(), result.unwrap_or_default());
            }
            if was_sent {
                // Judged before the step counts as carried out: such a rule says that the answer was a refusal.
                self.judge(&step.fail_when, &bank, &step.action_name, Outcome::Refused)?;
                self.changes += u32::from(changes_something(&step.http_action.method));
            }
        }
        self.at_return = true;
        let outcome = if self.changes == 0 {
            Outcome::NotSent
        } else {
            Outcome::Unknown
        };
        self.judge(&action.ret.fail_when, &bank, "return", outcome)?;
        action
            .ret
            .output_mapper
            .evaluate(&bank, self.environment)
            .map_err(|error| Failure {
                error: evaluation::failed(&error, "the output_mapper"),
                outcome: self.outcome(),
            })
    }

    /// The result of one step, or none where its `when` does not hold.
    async fn step(&mut self, step: &Step, bank: &Value) -> Result<Option<Value>, Failure> {
        let name = &step.action_name;
        if let Some(when) = &step.when
            && !is_truthy(&self.evaluate(when, bank, || format!("`when` of the step {name}"))?)
        {
            return Ok(None);
        }
        let mut scope = match self.evaluate(&step.input_args, bank, || {
            format!("`input_args` of the step {name}")
        })? {
            Value::Object(arguments) => arguments,
            Value::Null => Map::new(),
            _ => {
                let message = format!("`input_args` of the step {name} must give an object");
                return Err(self.stopped(ApiError::internal(message)));
            }
        };
        scope.insert("settings".to_owned(), self.installation.settings.clone());
        scope.insert("meta_info".to_owned(), self.meta_info.clone());
        self.client
            .call(
                &self.installation.connector,
                &step.http_action,
                &Value::Object(scope),
                &mut self.calls,
            )
            .await
            .map(|answer| Some(answer.result))
            .map_err(|error| {
                let told = upstream_error::failed(&error, &step.http_action, self.action, self.changes > 0);
                if changes_something(&step.http_action.method) {
                    self.failed_write(told, error.outcome().into())
                } else {
                    self.stopped(told)
                }
            })
    }

    fn evaluate(
        &self,
        mapping: &Mapping,
        bank: &Value,
        doing: impl Fn() -> String,
    ) -> Result<Value, Failure> {
        mapping
            .evaluate(bank, self.environment)
            .map_err(|error| self.stopped(evaluation::failed(&error, &doing())))
    }

    /// Fails where one of the conditions holds. `outcome` is what that says of the last change.
    fn judge(&self, rules: &[FailWhen], bank: &Value, name: &str, outcome: Outcome) -> Result<(), Failure> {
        for rule in rules {
            if !is_truthy(&self.evaluate(&rule.condition, bank, || format!("`fail_when` of {name}"))?) {
                continue;
            }
            let message = match &rule.message {
                Some(message) => {
                    self.evaluate(message, bank, || format!("the `fail_when` message of {name}"))?
                }
                None => Value::Null,
            };
            let message = match message {
                Value::String(text) if !text.trim().is_empty() => text,
                _ => "the ticketing system answered in a way that the integration treats as a failure"
                    .to_owned(),
            };
            let code = rule.code.map_or(ErrorCode::ExternalRestError, ErrorCode::from);
            return Err(self.failed_write(ApiError::new(code, message).detail("step", name), outcome));
        }
        Ok(())
    }

    /// A failure between two changes.
    fn stopped(&self, error: ApiError) -> Failure {
        let outcome = if self.changes == 0 {
            Outcome::NotSent
        } else {
            Outcome::PartlyDone
        };
        Failure { error, outcome }
    }

    /// A failure of a step that can change something.
    fn failed_write(&self, error: ApiError, outcome: Outcome) -> Failure {
        let outcome = match outcome {
            harmless if harmless.is_harmless() && self.changes > 0 => Outcome::PartlyDone,
            outcome => outcome,
        };
        Failure { error, outcome }
    }
}

impl From<upstream::Outcome> for Outcome {
    fn from(outcome: upstream::Outcome) -> Self {
        match outcome {
            upstream::Outcome::NotSent => Outcome::NotSent,
            upstream::Outcome::Refused => Outcome::Refused,
            upstream::Outcome::Unknown => Outcome::Unknown,
        }
    }
}

/// RFC 9110 section 9.2.1: these methods are safe.
fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a compound action can read more of `data.context.ticket` than its id.
pub(crate) fn reads_whole_ticket(action: &CompoundAction) -> bool {
    let of_rule = |rule: &'_ FailWhen| -> Vec<Mapping> {
        std::iter::once(rule.condition.clone())
            .chain(rule.message.clone())
            .collect()
    };
    let of_step = |step: &'_ Step| -> Vec<Mapping> {
        std::iter::once(step.input_args.clone())
            .chain(step.when.clone())
            .chain(step.fail_when.iter().flat_map(of_rule))
            .collect()
    };
    let mappings = action
        .steps
        .iter()
        .flat_map(of_step)
        .chain(std::iter::once(action.ret.output_mapper.clone()))
        .chain(action.fail_when.iter().flat_map(of_rule))
        .chain(action.ret.fail_when.iter().flat_map(of_rule));
    mappings.into_iter().any(|mapping| {
        mapping
            .reads()
            .iter()
            .any(|path| is_of_whole_ticket(&path.segments))
    })
}

fn is_of_whole_ticket(path: &[Segment]) -> bool {
    let may_be = |segment: &Segment, name: &str| match segment {
        Segment::Key(key) => key == name,
        Segment::Any => true,
        Segment::Index(_) => false,
    };
    let ticket = ["data", "context", "ticket"];
    let leads_there = path
        .iter()
        .zip(ticket)
        .all(|(segment, name)| may_be(segment, name));
    // A shorter path reads everything below it, the ticket included.
    leads_there
        && path
            .get(ticket.len())
            .is_none_or(|segment| !matches!(segment, Segment::Key(key) if key == "id"))
}
