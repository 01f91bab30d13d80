//! The gateway: installed integrations, and one action of one of them from input to answer.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::StatusCode;
use integration::contract::TasAction;
use mapping::Environment;
use serde_json::{Map, Value, json};
use storage::{EventLog, IdempotencyStore, WriteJournal};
use upstream::{CallRecord, Client};
use uuid::Uuid;

use crate::action::ActionDefinition;
use crate::builder::GatewayBuilder;
use crate::clock::Clock;
use crate::context::Call;
use crate::engine::Engine;
use crate::error::outcome::{Failure, Outcome};
use crate::error::{ApiError, ErrorCode};
use crate::idempotency::{self, Claim, Claimed};
use crate::installations::{Installations, Installed};
use crate::journal::Note;
use crate::observer::{Observer, Performed};
use crate::output::Output;
use crate::page_token::Query;
use crate::range::Range;
use crate::safe_create::{self, Creation, SafeCreate};
use crate::stopping::Stopping;
use crate::ticket::TicketSchema;
use crate::witness::Witness;

/// Performs ticket actions on installed integrations. One per process; share it behind an `Arc`.
pub struct Gateway {
    pub(crate) client: Arc<Client>,
    pub(crate) installations: Arc<dyn Installations>,
    pub(crate) schema: TicketSchema,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) idempotency: Option<Arc<dyn IdempotencyStore>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) events: Option<Arc<dyn EventLog>>,
    pub(crate) journal: Option<Arc<dyn WriteJournal>>,
    pub(crate) witness: Option<Arc<dyn Witness>>,
    pub(crate) serves: Serves,
    pub(crate) stopping: Stopping,
}

/// Which routes a gateway has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// All there are.
    All,
    /// That of one action.
    Action(TasAction),
    /// That of the events.
    Events,
}

/// What a call is known by.
#[derive(Clone, Debug)]
pub struct RequestMeta {
    /// In the log and in error answers.
    pub request_id: String,
    /// The caller's idempotency key: 1 to 255 visible ASCII characters. Mappings see it as
    /// `meta_info.action_instance_id`; without one they see a new UUID.
    pub action_instance_id: Option<String>,
}

impl RequestMeta {
    /// A new request id and no idempotency key.
    pub fn new() -> Self {
        RequestMeta {
            request_id: Uuid::new_v4().to_string(),
            action_instance_id: None,
        }
    }
}

impl Default for RequestMeta {
    fn default() -> Self {
        RequestMeta::new()
    }
}

/// How one call went, for its log line and the observer.
#[derive(Default)]
struct Trace {
    installed: Option<Arc<Installed>>,
    calls: Vec<CallRecord>,
    budget_wait: Duration,
    outcome: Option<Outcome>,
    replayed: bool,
    safe_create: Option<SafeCreate>,
    /// The id in the ticket that was read before the action, where it was.
    fetched_id: Option<Value>,
}

/// One action that is to be carried out.
#[derive(Clone, Copy)]
struct Run<'r> {
    installed: &'r Installed,
    call: Call<'r>,
    query: Option<&'r Query<'r>>,
    request: &'r RequestMeta,
    /// When everything must be over.
    deadline: tokio::time::Instant,
    /// What tells the request from another with the same idempotency key.
    fingerprint: Option<&'r str>,
    /// Whether an earlier request with the key ended without a result.
    resumed: bool,
}

/// The end of a call.
pub(crate) struct Ended {
    pub(crate) end: Result<Value, ApiError>,
    pub(crate) replayed: bool,
}

impl Gateway {
    /// Begins a gateway that reaches ticketing systems through `client`.
    pub fn builder(client: impl Into<Arc<Client>>) -> GatewayBuilder {
        GatewayBuilder::new(client.into())
    }

    /// The names of the integrations that are loaded now, in order.
    pub fn integrations(&self) -> Vec<String> {
        self.installations.known()
    }

    pub(crate) fn serves(&self, action: TasAction) -> bool {
        matches!(self.serves, Serves::All) || self.serves == Serves::Action(action)
    }

    pub(crate) fn serves_events(&self) -> bool {
        matches!(self.serves, Serves::All | Serves::Events)
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.serves == Serves::All
    }

    /// Ends the waiting of those who read events, with what there is, now and from now on: for a process that is about
    /// to stop.
    pub fn stop_waiting(&self) {
        self.stopping.set();
    }

    /// Performs one action. `input` has the fields of the HTTP request: those of its body or query and those
    /// of its path (`ticket_id`). Writes one line to the log.
    ///
    /// # Errors
    /// Whatever the API would answer instead; see [`ErrorCode`].
    pub async fn perform(
        &self,
        integration: &str,
        action: TasAction,
        input: Value,
        request: &RequestMeta,
    ) -> Result<Value, ApiError> {
        self.perform_logged(integration, action, Ok(input), request, None)
            .await
            .end
    }

    /// Runs the integration's `describe`: what a person can use, as tables
    /// (`{"table": [{"column": value}]}`).
    ///
    /// # Errors
    /// 404 for an unknown integration, 422 where it describes nothing, otherwise as for an action.
    pub async fn describe(&self, integration: &str, request: &RequestMeta) -> Result<Value, ApiError> {
        let installed = self.installed(integration).await?;
        let installation = &installed.installation;
        let describe = installation.integration.describe.as_ref().ok_or_else(|| {
            let message = format!("the integration {integration} has no `describe`");
            ApiError::new(ErrorCode::ActionNotSupported, message)
        })?;
        let environment = self.environment();
        let instance = Uuid::new_v4().to_string();
        let marker = safe_create::marker(integration, &instance, None);
        let mut engine = Engine::new(
            &self.client,
            installation,
            &environment,
            None,
            meta_info(request, &instance, &marker),
            tokio::time::Instant::now() + installation.connector.action_timeout,
        )
        .watched_by(self.witness.as_deref());
        engine
            .run(describe, json!({}))
            .await
            .map_err(|failure| failure.error)
    }

    /// [`Gateway::perform`] with an input that may have been refused already, so that it is logged too.
    pub(crate) async fn perform_logged(
        &self,
        integration: &str,
        action: TasAction,
        input: Result<Value, ApiError>,
        request: &RequestMeta,
        until: Option<tokio::time::Instant>,
    ) -> Ended {
        let started = Instant::now();
        let mut trace = Trace::default();
        let end = self
            .perform_traced(integration, action, input, request, until, &mut trace)
            .await;
        let status = match &end {
            Ok(_) => ActionDefinition::of(action).map_or(StatusCode::OK, |definition| definition.success),
            Err(error) => error.status(),
        };
        let performed = Performed {
            request_id: &request.request_id,
            integration: trace.installed.as_deref().map(Installed::name),
            version: trace.installed.as_deref().and_then(|installed| installed.version),
            action,
            status: status.as_u16(),
            code: end.as_ref().err().map(ApiError::code),
            outcome: trace.outcome,
            duration: started.elapsed(),
            upstream: &trace.calls,
            budget_wait: trace.budget_wait,
            replayed: trace.replayed,
            safe_create: trace.safe_create,
        };
        performed.log(integration);
        if let Some(observer) = &self.observer {
            observer.performed(&performed);
        }
        Ended {
            end,
            replayed: trace.replayed,
        }
    }

    async fn perform_traced(
        &self,
        integration: &str,
        action: TasAction,
        input: Result<Value, ApiError>,
        request: &RequestMeta,
        until: Option<tokio::time::Instant>,
        trace: &mut Trace,
    ) -> Result<Value, ApiError> {
        let installed = Arc::clone(trace.installed.insert(self.installed(integration).await?));
        let installation = &installed.installation;
        let environment = self.environment();
        let call = Call {
            action,
            installation,
            environment: &environment,
        };
        if let Some(reason) = installation.refusal(action) {
            return Err(ApiError::new(ErrorCode::ActionNotSupported, reason));
        }
        let input = input?;
        let Some(definition) = ActionDefinition::of(action) else {
            return Err(ApiError::internal(format!(
                "{action} is not in the table of actions"
            )));
        };
        if request
            .action_instance_id
            .as_deref()
            .is_some_and(|key| !idempotency::is_key(key))
        {
            return Err(ApiError::invalid(&[crate::error::FieldProblem::new(
                "Idempotency-Key",
                "expected 1 to 255 visible ASCII characters without spaces",
            )]));
        }
        let store = self.idempotency.as_deref().filter(|_| action.is_write());
        let guard = store
            .zip(request.action_instance_id.as_deref())
            .map(|(store, key)| (store, idempotency::Write::new(integration, action, key, &input)));
        // A wrong input is told before a key is claimed for it.
        let (context, query) = definition.context(input, call)?.into_parts();
        let begun = tokio::time::Instant::now();
        let deadline = begun + installation.connector.action_timeout;
        let deadline = until.map_or(deadline, |until| until.min(deadline));
        let time = deadline.duration_since(begun);
        let claim = match &guard {
            None => None,
            Some((store, write)) => match idempotency::claim(*store, write, time, self.now()).await? {
                Claimed::Ours(claim) => Some(claim),
                Claimed::Before(end) => {
                    trace.replayed = true;
                    return end;
                }
            },
        };
        let run = Run {
            installed: &installed,
            call,
            query: query.as_ref(),
            request,
            deadline,
            fingerprint: guard.as_ref().map(|(_, write)| write.fingerprint()),
            resumed: claim.as_ref().is_some_and(Claim::is_resumed),
        };
        let journal = self
            .journal
            .as_deref()
            .filter(|_| action.is_write() && installed.is_polled());
        let mut note = journal.map(|journal| {
            Note::new(journal, integration, &request.request_id, self.clock.now()).of_context(&context)
        });
        let ran = self.run(run, context, trace).await;
        let outcome = ran
            .as_ref()
            .map_or_else(|failure| failure.outcome, |_| Outcome::Done);
        if action.is_write() {
            trace.outcome = Some(outcome);
        }
        if let Some(note) = &mut note {
            note.add_ticket(trace.fetched_id.as_ref());
            note.add_answer(&ran);
        }
        let end = ran.map_err(|failure| {
            if action.is_write() {
                failure.of_write()
            } else {
                failure.error
            }
        });
        let looks_first = action == TasAction::CreateTicket && installation.safe_create().is_some();
        let settling = async {
            match (claim, end) {
                (Some(claim), Err(error)) if looks_first && outcome == Outcome::Unknown => {
                    Err(claim.leave(error))
                }
                (Some(claim), end) => {
                    claim.settle(&end, outcome).await;
                    end
                }
                (None, end) => end,
            }
        };
        let noting = async {
            if let Some(note) = note {
                note.write(outcome, self.clock.now(), until).await;
            }
        };
        let (end, ()) = tokio::join!(settling, noting);
        end
    }

    async fn run(
        &self,
        run: Run<'_>,
        mut context: Map<String, Value>,
        trace: &mut Trace,
    ) -> Result<Value, Failure> {
        let call = run.call;
        let compound = self.compound(call)?;
        let name = &call.installation.integration.name;
        let instance = match &run.request.action_instance_id {
            Some(key) => key.clone(),
            None => Uuid::new_v4().to_string(),
        };
        let marker = safe_create::marker(name, &instance, run.fingerprint);
        let mut engine = Engine::new(
            &self.client,
            call.installation,
            call.environment,
            Some(call.action),
            meta_info(run.request, &instance, &marker),
            run.deadline,
        )
        .watched_by(self.witness.as_deref());
        let ran = async {
            if run.installed.needs_whole_ticket(call.action) {
                trace.fetched_id = self.fetch_ticket(&mut engine, call, &mut context).await?;
            }
            let given: Map<String, Value> = ["comment", "file_name", "content_type"]
                .into_iter()
                .filter_map(|key| Some((key.to_owned(), context.get(key)?.clone())))
                .collect();
            let context = Value::Object(context);
            let range = Range::of(compound, &context, call.installation);
            let output = Output {
                range: range.as_ref(),
                action: call.action,
                installation: call.installation,
                schema: &self.schema,
                given: &given,
                query: run.query,
            };
            if call.action == TasAction::CreateTicket
                && let Some(plan) = call.installation.safe_create()
            {
                let creation = Creation {
                    compound,
                    plan,
                    context,
                    output,
                    resumed: run.resumed,
                };
                return creation.run(&mut engine, &mut trace.safe_create).await;
            }
            if run.resumed {
                tracing::warn!(
                    request_id = run.request.request_id,
                    "an earlier request with this Idempotency-Key ended without a result and may have been carried out"
                );
            }
            let mapped = engine.run(compound, context).await?;
            output.answer(mapped).map_err(|error| Failure {
                error,
                outcome: engine.outcome(),
            })
        }
        .await;
        trace.budget_wait = engine.calls.budget_wait;
        trace.calls = engine.calls.calls;
        ran
    }

    /// Puts the whole ticket into the context, as `query_ticket_by_id` gives it. The id stays the caller's,
    /// because that is the one this ticketing system is asked by. Gives the ticket's own.
    async fn fetch_ticket(
        &self,
        engine: &mut Engine<'_>,
        call: Call<'_>,
        context: &mut Map<String, Value>,
    ) -> Result<Option<Value>, Failure> {
        let by_id = Call {
            action: TasAction::QueryTicketById,
            ..call
        };
        if call.installation.refusal(by_id.action).is_some() {
            return Ok(None);
        }
        let compound = self.compound(by_id)?;
        let Some(id) = context.get("ticket").and_then(|ticket| ticket.get("id")).cloned() else {
            return Ok(None);
        };
        let mut query = Map::new();
        for key in ["requestor_info", "destination", "integration"] {
            query.insert(key.to_owned(), context.get(key).cloned().unwrap_or_default());
        }
        query.insert("ticket_id".to_owned(), id.clone());
        let mapped = engine.run(compound, Value::Object(query)).await?;
        let output = Output {
            range: None,
            action: by_id.action,
            installation: call.installation,
            schema: &self.schema,
            given: &Map::new(),
            query: None,
        };
        let mut answer = output.answer(mapped).map_err(|error| Failure {
            error,
            outcome: engine.outcome(),
        })?;
        let mut own_id = None;
        if let Some(ticket) = answer.get_mut("raw_ticket") {
            if let Some(fields) = ticket.as_object_mut() {
                own_id = fields.insert("id".to_owned(), id);
            }
            context.insert("ticket".to_owned(), ticket.take());
        }
        Ok(own_id)
    }

    pub(crate) async fn installed(&self, name: &str) -> Result<Arc<Installed>, ApiError> {
        self.installations.find(name).await?.ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("there is no integration named `{name}`"),
            )
        })
    }

    pub(crate) fn compound<'c>(&self, call: Call<'c>) -> Result<&'c integration::CompoundAction, ApiError> {
        call.installation.integration.action(call.action).ok_or_else(|| {
            let name = &call.installation.integration.name;
            ApiError::new(
                ErrorCode::ActionNotSupported,
                format!("the integration {name} cannot do {}", call.action),
            )
        })
    }

    pub(crate) fn environment(&self) -> Environment {
        Environment::at(self.clock.now())
    }

    fn now(&self) -> SystemTime {
        self.clock.now().into()
    }
}

pub(crate) fn meta_info(request: &RequestMeta, instance: &str, marker: &str) -> Value {
    json!({"action_instance_id": instance, "marker": marker, "request_id": request.request_id})
}
