//! Runs a compound action: its steps in order, each with what the earlier ones gave, then its answer.

mod dates;
mod for_each;
mod retry;

use std::time::Duration;

use integration::contract::TasAction;
use integration::{CompoundAction, Installation, Step};
use mapping::{Environment, Mapping, Segment, is_truthy};
use serde_json::{Map, Value, json};
use storage::Lane;
use tokio::time::{Instant, sleep};
use upstream::{BodyReads, CallContext, Client, FailWhen, UpstreamError};

use self::retry::Retries;
use crate::error::outcome::{Failure, Outcome};
use crate::error::{ApiError, ErrorCode, evaluation, upstream as upstream_error};
use crate::witness::{Point, Reached, Witness};

/// Names that an expression sees besides the data bank.
type Bindings<'b> = &'b [(&'b str, &'b Value)];

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
    /// Whether a list that goes on from the caller's page token is read one page at a time.
    by_page: bool,
    /// The status of the last request, where the ticketing system refused it and surely did nothing.
    refusal: Option<u16>,
    witness: Option<&'e dyn Witness>,
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
        let mut calls = CallContext::new(deadline);
        // One time for all mappings of an action.
        calls.now = environment.now;
        Engine {
            client,
            installation,
            environment,
            action,
            meta_info,
            calls,
            changes: 0,
            at_return: false,
            by_page: false,
            refusal: None,
            witness: None,
        }
    }

    /// Tells this of every point that is reached.
    pub(crate) fn watched_by(mut self, witness: Option<&'e dyn Witness>) -> Self {
        self.witness = witness;
        self
    }

    fn reached(&self, compound: &CompoundAction, point: Point, bank: &Value) {
        if let Some(witness) = self.witness {
            witness.reached(&Reached {
                compound,
                point,
                bank,
            });
        }
    }

    /// The same for the poller: its share of the rate budget, one page of the ticketing system at a time, and no list that
    /// may lack items.
    pub(crate) fn for_poller(mut self) -> Self {
        self.calls.lane = Lane::Poll;
        self.calls.strict_lists = true;
        self.by_page = true;
        self
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
        self.set_dates(&context).map_err(|error| self.stopped(error))?;
        let mut bank = json!({
            "data": {},
            "meta_info": self.meta_info,
            "settings": self.installation.settings,
        });
        put("context", &mut bank, context);
        self.reached(action, Point::Start, &bank);
        self.judge(&action.fail_when, &bank, &[], "the action", Outcome::NotSent)?;
        let mut retries = Retries::default();
        let mut index = 0;
        while let Some(step) = action.steps.get(index) {
            self.reached(action, Point::Step(index), &bank);
            index = match self.step(step, &mut bank).await {
                Ok(()) => index + 1,
                Err(failure) => self.begin_again(step, index, failure, &mut retries)?,
            };
        }
        self.at_return = true;
        self.reached(action, Point::Return, &bank);
        let outcome = if self.changes == 0 {
            Outcome::NotSent
        } else {
            Outcome::Unknown
        };
        self.judge(&action.ret.fail_when, &bank, &[], "return", outcome)?;
        action
            .ret
            .output_mapper
            .evaluate(&bank, self.environment)
            .map_err(|error| Failure {
                error: evaluation::failed(&error, "the output_mapper"),
                outcome: self.outcome(),
            })
    }

    /// Carries out one step and puts its result into the data bank: null where its `when` does not hold.
    async fn step(&mut self, step: &Step, bank: &mut Value) -> Result<(), Failure> {
        let name = &step.action_name;
        let check = format!("a `check` before {name}");
        self.judge(&step.fail_first, bank, &[], &check, Outcome::NotSent)?;
        if let Some(for_each) = &step.for_each {
            return self.each(step, for_each, bank).await;
        }
        let Some(scope) = self.scope(step, bank, &[])? else {
            put(&step.output_key, bank, Value::Null);
            return Ok(());
        };
        // Other lists, of people or of states, are read as a whole.
        self.calls.one_page = self.by_page && reads_page_token(step);
        self.refusal = None;
        let (connector, action) = (&self.installation.connector, &step.http_action);
        let called = self.client.call_reading(
            connector,
            action,
            reads(step, self.witness),
            &scope,
            &mut self.calls,
        );
        let answer = called.await;
        let answer = answer.map_err(|error| self.not_done(step, &error))?;
        put(&step.output_key, bank, answer.result);
        self.done(step, bank, &[])
    }

    /// What the HTTP action of a step sees, or none where the step's `when` does not hold.
    fn scope(&self, step: &Step, bank: &Value, bindings: Bindings<'_>) -> Result<Option<Value>, Failure> {
        let name = &step.action_name;
        let when = || format!("`when` of the step {name}");
        if let Some(condition) = &step.when
            && !is_truthy(&self.evaluate(condition, bank, bindings, when)?)
        {
            return Ok(None);
        }
        let mut scope = match self.input_args(step, bank, bindings)? {
            Value::Object(arguments) => arguments,
            Value::Null => Map::new(),
            _ => {
                let message = format!("`input_args` of the step {name} must give an object");
                return Err(self.stopped(ApiError::internal(message)));
            }
        };
        scope.insert("settings".to_owned(), self.installation.settings.clone());
        scope.insert("meta_info".to_owned(), self.meta_info.clone());
        Ok(Some(Value::Object(scope)))
    }

    fn input_args(&self, step: &Step, bank: &Value, bindings: Bindings<'_>) -> Result<Value, Failure> {
        let given = step.input_args.evaluate_with(bank, bindings, self.environment);
        given.map_err(|error| {
            let doing = format!("`input_args` of the step {}", step.action_name);
            // A 4xx tells a caller to send the request again: not after a change that was made.
            let of_caller = evaluation::of_callers_value(&error, &doing).filter(|_| self.changes == 0);
            self.stopped(of_caller.unwrap_or_else(|| evaluation::failed(&error, &doing)))
        })
    }

    /// After a good answer, with the result in the data bank.
    fn done(&mut self, step: &Step, bank: &Value, bindings: Bindings<'_>) -> Result<(), Failure> {
        // Judged before the step counts as carried out: such a rule says that the answer was a refusal.
        let name = &step.action_name;
        let changes = step.http_action.changes_something();
        let outcome = if changes {
            Outcome::Refused
        } else {
            Outcome::NotSent
        };
        self.judge(&step.fail_when, bank, bindings, name, outcome)?;
        self.changes += u32::from(changes);
        Ok(())
    }

    /// The failure of a call.
    fn not_done(&mut self, step: &Step, error: &UpstreamError) -> Failure {
        let refused = error.outcome() == upstream::Outcome::Refused;
        self.refusal = error.status().filter(|_| refused);
        let told = upstream_error::failed(error, &step.http_action, self.action, self.changes > 0);
        if step.http_action.changes_something() {
            self.failed_write(told, error.outcome().into())
        } else {
            self.stopped(told)
        }
    }

    fn evaluate(
        &self,
        mapping: &Mapping,
        bank: &Value,
        bindings: Bindings<'_>,
        doing: impl Fn() -> String,
    ) -> Result<Value, Failure> {
        mapping
            .evaluate_with(bank, bindings, self.environment)
            .map_err(|error| self.stopped(evaluation::failed(&error, &doing())))
    }

    /// Fails where one of the conditions holds. `outcome` is what that says of the last change.
    fn judge(
        &self,
        rules: &[FailWhen],
        bank: &Value,
        bindings: Bindings<'_>,
        name: &str,
        outcome: Outcome,
    ) -> Result<(), Failure> {
        for rule in rules {
            let condition = || format!("`fail_when` of {name}");
            if !is_truthy(&self.evaluate(&rule.condition, bank, bindings, condition)?) {
                continue;
            }
            let message = match &rule.message {
                Some(message) => self.evaluate(message, bank, bindings, || {
                    format!("the `fail_when` message of {name}")
                })?,
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

/// What of a step's answers is read: everything, where somebody watches.
fn reads<'s>(step: &'s Step, witness: Option<&dyn Witness>) -> &'s BodyReads {
    const EVERYTHING: &BodyReads = &BodyReads::everything();
    match witness {
        Some(_) => EVERYTHING,
        None => &step.reads,
    }
}

/// Puts a value into `data`, unless it is the result of a step that is thrown away.
fn put(key: &str, bank: &mut Value, value: Value) {
    if let Some(data) = bank.get_mut("data").and_then(Value::as_object_mut)
        && key != "_"
    {
        data.insert(key.to_owned(), value);
    }
}

/// Whether a compound action can read more of `data.context.ticket` than its id.
pub(crate) fn reads_whole_ticket(action: &CompoundAction) -> bool {
    let mut paths = action.mappings().flat_map(Mapping::reads);
    paths.any(|path| is_of_whole_ticket(&path.segments))
}

/// Whether a step passes on the page token that the caller came with.
fn reads_page_token(step: &Step) -> bool {
    let token = ["data", "context", "pagination_info", "next_page_token"];
    let reads = step.input_args.reads();
    reads.iter().any(|path| leads_to(&path.segments, &token))
}

/// Whether a path is that of `place`, leads below it, or reads everything above it.
fn leads_to(path: &[Segment], place: &[&str]) -> bool {
    path.iter().zip(place).all(|(segment, name)| match segment {
        Segment::Key(key) => key == name,
        Segment::Any => true,
        Segment::Index(_) => false,
    })
}

fn is_of_whole_ticket(path: &[Segment]) -> bool {
    let ticket = ["data", "context", "ticket"];
    // A shorter path reads everything below it, the ticket included.
    leads_to(path, &ticket)
        && path
            .get(ticket.len())
            .is_none_or(|segment| !matches!(segment, Segment::Key(key) if key == "id"))
}
