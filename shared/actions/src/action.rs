//! The twelve actions: one module each, with its input, its route and how it fills `data.context`.
//!
//! To add an action: a word in `integration::contract`, a module here with its line in [`ALL`], a
//! function crate.

mod add_attachment;
mod add_internal_comment;
mod add_public_comment;
mod create_ticket;
mod query_ticket_by_id;
mod query_tickets_by_requestor;
mod query_tickets_by_time_range;
mod reopen_ticket;
mod resolve_ticket;
mod update_ticket_assignment;
mod update_ticket_fields;
mod update_ticket_state;

pub(crate) use add_attachment::too_large;
pub use add_attachment::{AddAttachment, MAX_ATTACHMENT_BYTES};
pub use add_internal_comment::AddInternalComment;
pub use add_public_comment::AddPublicComment;
pub use create_ticket::{CreateTicket, NewTicket};
pub use query_ticket_by_id::QueryTicketById;
pub use query_tickets_by_requestor::QueryTicketsByRequestor;
pub use query_tickets_by_time_range::QueryTicketsByTimeRange;
pub use reopen_ticket::ReopenTicket;
pub use resolve_ticket::ResolveTicket;
pub use update_ticket_assignment::{Assignee, AssigneePerson, UpdateTicketAssignment};
pub use update_ticket_fields::{ChangedFields, UpdateTicketFields};
pub use update_ticket_state::UpdateTicketState;

use std::sync::{LazyLock, OnceLock};

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::check::Checker;
use crate::context::{Call, Context};
use crate::error::ApiError;

/// One action: its route, its input and how the input becomes the context of the mappings.
pub struct ActionDefinition {
    /// Which one.
    pub action: TasAction,
    /// The HTTP method of its route.
    pub method: Method,
    /// Its path below `/v1/{integration}`, with parameters in braces that are fields of the input.
    pub path: &'static str,
    /// The status of a success: 201 where something is made.
    pub success: StatusCode,
    /// More than [`TasAction::summary`] says, for the OpenAPI document.
    pub description: &'static str,
    /// An input, as it is sent, without the fields that stand in the path.
    pub example: fn() -> Value,
    schema: fn(&mut SchemaGenerator) -> Value,
    context: for<'c> fn(Value, Call<'c>) -> Result<Context<'c>, ApiError>,
}

/// Every action, in the order of the contract.
pub static ALL: LazyLock<[ActionDefinition; 12]> = LazyLock::new(|| {
    [
        create_ticket::definition(),
        query_ticket_by_id::definition(),
        query_tickets_by_requestor::definition(),
        query_tickets_by_time_range::definition(),
        update_ticket_fields::definition(),
        update_ticket_state::definition(),
        update_ticket_assignment::definition(),
        add_public_comment::definition(),
        add_internal_comment::definition(),
        add_attachment::definition(),
        resolve_ticket::definition(),
        reopen_ticket::definition(),
    ]
});

/// A ticket's id, as a path has it.
pub(crate) const MAX_ID_LENGTH: usize = 255;

impl ActionDefinition {
    /// The definition of an action.
    pub fn of(action: TasAction) -> Option<&'static ActionDefinition> {
        ALL.iter().find(|definition| definition.action == action)
    }

    /// The names of the fields that stand in the path.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The names of the query parameters of an action that takes no body.
    pub(crate) fn query_parameters(&self) -> Result<Vec<&'static str>, ApiError> {
        let fields = self.checker()?.schema().get("properties");
        let names = fields.and_then(Value::as_object).into_iter().flat_map(Map::keys);
        Ok(names
            .map(String::as_str)
            .filter(|name| self.path_parameters().all(|parameter| parameter != *name))
            .collect())
    }

    /// Whether the fields that are not in the path are query parameters; otherwise they are a JSON body.
    pub fn reads_query(&self) -> bool {
        self.method == Method::GET
    }

    /// The JSON Schema of the input. `generator` decides where shared parts go.
    pub fn input_schema(&self, generator: &mut SchemaGenerator) -> Value {
        (self.schema)(generator)
    }

    /// Checks an input and turns it into a context.
    pub(crate) fn context<'c>(&self, input: Value, call: Call<'c>) -> Result<Context<'c>, ApiError> {
        let problems = self.checker()?.problems(&input, "");
        if !problems.is_empty() {
            return Err(ApiError::invalid(&problems));
        }
        (self.context)(input, call)
    }

    /// Compiled at the first use, because a Lambda needs one of the twelve.
    fn checker(&self) -> Result<&'static Checker, ApiError> {
        static CHECKERS: [OnceLock<Result<Checker, String>>; 12] = [const { OnceLock::new() }; 12];
        let position = TasAction::ALL
            .iter()
            .position(|action| *action == self.action)
            .unwrap_or_default();
        let compiled = CHECKERS
            .get(position)
            .map(|cell| cell.get_or_init(|| Checker::new(self.input_schema(&mut inline_generator()))));
        match compiled {
            Some(Ok(checker)) => Ok(checker),
            Some(Err(message)) => Err(ApiError::internal(format!(
                "the input schema of {}: {message}",
                self.action
            ))),
            None => Err(ApiError::internal(format!(
                "{} is not in the table of actions",
                self.action
            ))),
        }
    }
}

fn inline_generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
}
