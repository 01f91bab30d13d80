//! The gateway: installed integrations, and one action of one of them from input to answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::StatusCode;
use integration::Installation;
use integration::contract::TasAction;
use mapping::Environment;
use serde_json::{Map, Value, json};
use storage::IdempotencyStore;
use upstream::{CallRecord, Client};
use uuid::Uuid;

use crate::SetupError;
use crate::action::ActionDefinition;
use crate::clock::{Clock, SystemClock};
use crate::context::Call;
use crate::engine::{Engine, reads_whole_ticket};
use crate::error::outcome::{Failure, Outcome};
use crate::error::{ApiError, ErrorCode};
use crate::idempotency::{self, Claimed};
use crate::output::Output;
use crate::page_token::Query;
use crate::ticket::TicketSchema;

/// Performs ticket actions on installed integrations. One per process; share it behind an `Arc`.
pub struct Gateway {
    client: Arc<Client>,
    integrations: BTreeMap<String, Arc<Installation>>,
    schema: TicketSchema,
    clock: Arc<dyn Clock>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    only: Option<TasAction>,
    /// The actions whose mappings read more of the ticket than its id.
    need_whole_ticket: BTreeSet<(String, TasAction)>,
}

/// Puts a [`Gateway`] together.
pub struct GatewayBuilder {
    client: Arc<Client>,
    integrations: Vec<Arc<Installation>>,
    schema: Option<TicketSchema>,
    clock: Arc<dyn Clock>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    only: Option<TasAction>,
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

impl GatewayBuilder {
    /// Adds an integration, known by its name.
    #[must_use]
    pub fn integration(mut self, installation: impl Into<Arc<Installation>>) -> Self {
        self.integrations.push(installation.into());
        self
    }

    /// Replaces the ticket schema.
    #[must_use]
    pub fn ticket_schema(mut self, schema: TicketSchema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Replaces the machine's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Keeps idempotency records here. Without a store a key is only passed on to the mappings.
    #[must_use]
    pub fn idempotency(mut self, store: Arc<dyn IdempotencyStore>) -> Self {
        self.idempotency = Some(store);
        self
    }

    /// Serves the route of one action alone; every other path answers 404.
    #[must_use]
    pub fn only(mut self, action: TasAction) -> Self {
        self.only = Some(action);
        self
    }

    /// The gateway.
    ///
    /// # Errors
    /// When two integrations have one name.
    pub fn build(self) -> Result<Gateway, SetupError> {
        let mut integrations: BTreeMap<String, Arc<Installation>> = BTreeMap::new();
        let mut need_whole_ticket = BTreeSet::new();
        for installation in self.integrations {
            let integration = &installation.integration;
            let name = integration.name.clone();
            for (action, compound) in &integration.actions {
                if action.own_context_fields().contains(&"ticket") && reads_whole_ticket(compound) {
                    need_whole_ticket.insert((name.clone(), *action));
                }
            }
            if integrations.insert(name.clone(), installation).is_some() {
                return Err(SetupError::new(format!(
                    "two integrations are named `{name}`; rename one"
                )));
            }
        }
        Ok(Gateway {
            client: self.client,
            integrations,
            schema: self.schema.map_or_else(TicketSchema::shipped, Ok)?,
            clock: self.clock,
            idempotency: self.idempotency,
            only: self.only,
            need_whole_ticket,
        })
    }
}

/// How one call went, for its log line.
#[derive(Default)]
struct Trace {
    calls: Vec<CallRecord>,
    outcome: Option<Outcome>,
    replayed: bool,
}

/// The end of a call.
pub(crate) struct Performed {
    pub(crate) end: Result<Value, ApiError>,
    pub(crate) replayed: bool,
}

impl Gateway {
    /// Begins a gateway that reaches ticketing systems through `client`.
    pub fn builder(client: impl Into<Arc<Client>>) -> GatewayBuilder {
        GatewayBuilder {
            client: client.into(),
            integrations: Vec::new(),
            schema: None,
            clock: Arc::new(SystemClock),
            idempotency: None,
            only: None,
        }
    }

    /// The names of the integrations, in order.
    pub fn integrations(&self) -> impl Iterator<Item = &str> {
        self.integrations.keys().map(String::as_str)
    }

    pub(crate) fn serves(&self, action: TasAction) -> bool {
        self.only.is_none_or(|only| only == action)
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.only.is_none()
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
        self.perform_logged(integration, action, Ok(input), request)
            .await
            .end
    }

    /// Runs the integration's `describe`: what a person can use, as tables
    /// (`{"table": [{"column": value}]}`).
    ///
    /// # Errors
    /// 404 for an unknown integration, 422 where it describes nothing, otherwise as for an action.
    pub async fn describe(&self, integration: &str, request: &RequestMeta) -> Result<Value, ApiError> {
        let installation = self.installation(integration)?;
        let describe = installation.integration.describe.as_ref().ok_or_else(|| {
            let message = format!("the integration {integration} has no `describe`");
            ApiError::new(ErrorCode::ActionNotSupported, message)
        })?;
        let environment = self.environment();
        let meta_info = meta_info(request, &Uuid::new_v4().to_string());
        let mut engine = Engine::new(&self.client, installation, &environment, None, meta_info);
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
    ) -> Performed {
        let started = Instant::now();
        let mut trace = Trace::default();
        let end = self
            .perform_traced(integration, action, input, request, &mut trace)
            .await;
        let upstream: std::time::Duration = trace.calls.iter().map(|call| call.duration).sum();
        tracing::info!(
            request_id = request.request_id,
            integration,
            action = action.key(),
            status = match &end {
                Ok(_) => ActionDefinition::of(action).map_or(StatusCode::OK, |definition| definition.success),
                Err(error) => error.status(),
            }
            .as_u16(),
            code = end.as_ref().err().map(|error| error.code().as_str()),
            outcome = trace.outcome.map(Outcome::as_str),
            duration_ms = milliseconds(started.elapsed()),
            upstream_calls = trace.calls.len(),
            upstream_ms = milliseconds(upstream),
            replayed = trace.replayed,
            "action"
        );
        Performed {
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
        trace: &mut Trace,
    ) -> Result<Value, ApiError> {
        let installation = self.installation(integration)?;
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
        let claim = match guard {
            None => None,
            Some((store, write)) => {
                match idempotency::claim(store, write, installation.connector.action_timeout, self.now())
                    .await?
                {
                    Claimed::Ours(claim) => Some(claim),
                    Claimed::Before(end) => {
                        trace.replayed = true;
                        return end;
                    }
                }
            }
        };
        let ran = self.run(call, context, query, request, trace).await;
        let outcome = ran
            .as_ref()
            .map_or_else(|failure| failure.outcome, |_| Outcome::Done);
        if action.is_write() {
            trace.outcome = Some(outcome);
        }
        let end = ran.map_err(|failure| {
            if action.is_write() {
                failure.of_write()
            } else {
                failure.error
            }
        });
        if let Some(claim) = claim {
            claim.settle(&end, outcome).await;
        }
        end
    }

    async fn run(
        &self,
        call: Call<'_>,
        mut context: Map<String, Value>,
        query: Option<Query<'_>>,
        request: &RequestMeta,
        trace: &mut Trace,
    ) -> Result<Value, Failure> {
        let compound = self.compound(call)?;
        let instance = request
            .action_instance_id
            .clone()
            .unwrap_or_else(|| Uuid::new_v4().to_string());
        let mut engine = Engine::new(
            &self.client,
            call.installation,
            call.environment,
            Some(call.action),
            meta_info(request, &instance),
        );
        let name = &call.installation.integration.name;
        let ran = async {
            if self.need_whole_ticket.contains(&(name.clone(), call.action)) {
                self.fetch_ticket(&mut engine, call, &mut context).await?;
            }
            let given: Map<String, Value> = ["comment", "file_name", "content_type"]
                .into_iter()
                .filter_map(|key| Some((key.to_owned(), context.get(key)?.clone())))
                .collect();
            let mapped = engine.run(compound, Value::Object(context)).await?;
            let output = Output {
                action: call.action,
                installation: call.installation,
                schema: &self.schema,
                given: &given,
                query: query.as_ref(),
            };
            output.answer(mapped).map_err(|error| Failure {
                error,
                outcome: engine.outcome(),
            })
        }
        .await;
        trace.calls = engine.calls.calls;
        ran
    }

    /// Puts the whole ticket into the context, as `query_ticket_by_id` gives it. The id stays the caller's,
    /// because that is the one this ticketing system is asked by.
    async fn fetch_ticket(
        &self,
        engine: &mut Engine<'_>,
        call: Call<'_>,
        context: &mut Map<String, Value>,
    ) -> Result<(), Failure> {
        let by_id = Call {
            action: TasAction::QueryTicketById,
            ..call
        };
        if call.installation.refusal(by_id.action).is_some() {
            return Ok(());
        }
        let compound = self.compound(by_id)?;
        let Some(id) = context.get("ticket").and_then(|ticket| ticket.get("id")).cloned() else {
            return Ok(());
        };
        let mut query = Map::new();
        for key in ["requestor_info", "destination", "integration"] {
            query.insert(key.to_owned(), context.get(key).cloned().unwrap_or_default());
        }
        query.insert("ticket_id".to_owned(), id.clone());
        let mapped = engine.run(compound, Value::Object(query)).await?;
        let output = Output {
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
        if let Some(ticket) = answer.get_mut("raw_ticket") {
            if let Some(fields) = ticket.as_object_mut() {
                fields.insert("id".to_owned(), id);
            }
            context.insert("ticket".to_owned(), ticket.take());
        }
        Ok(())
    }

    fn installation(&self, name: &str) -> Result<&Installation, ApiError> {
        self.integrations.get(name).map(Arc::as_ref).ok_or_else(|| {
            ApiError::new(
                ErrorCode::NotFound,
                format!("there is no integration named `{name}`"),
            )
        })
    }

    fn compound<'c>(&self, call: Call<'c>) -> Result<&'c integration::CompoundAction, ApiError> {
        call.installation.integration.action(call.action).ok_or_else(|| {
            let name = &call.installation.integration.name;
            ApiError::new(
                ErrorCode::ActionNotSupported,
                format!("the integration {name} cannot do {}", call.action),
            )
        })
    }

    fn environment(&self) -> Environment {
        Environment::at(self.clock.now())
    }

    fn now(&self) -> SystemTime {
        self.clock.now().into()
    }
}

fn meta_info(request: &RequestMeta, instance: &str) -> Value {
    json!({"action_instance_id": instance, "request_id": request.request_id})
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
