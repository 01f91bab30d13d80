//! `reopen_ticket`: POST `/tickets/{ticket_id}/reopen`.

use http::{Method, StatusCode};
use integration::contract::{InternalState, TasAction};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, RequestorInfo, as_sent, context_of, schema_of};
use crate::state;

/// A ticket to open again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenTicket {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The state to be in, where it is not the integration's own choice, one for `NEW` unless it says otherwise: a
    /// word of the ticketing system, `NEW`, `WIP` or `WAITING_FOR_USER`.
    #[schemars(regex(pattern = r"\S"))]
    state: Option<String>,
    /// A comment to go with it.
    comment: Option<String>,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
    /// Who opens it again.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

impl Input for ReopenTicket {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set_requestor_info(self.requestor_info)?;
        context.set_ticket(&self.ticket_id);
        let chosen = match self.state.as_deref() {
            Some(state) => state::choose(context, Some(state), None)?,
            None => Some(state::by_itself(context.call, InternalState::New)?),
        };
        if let Some(chosen) = chosen {
            if matches!(
                chosen.internal,
                Some(InternalState::Resolved | InternalState::Closed)
            ) {
                context.problem(
                    "state",
                    "expected a state that means NEW, WIP or WAITING_FOR_USER, found another one",
                );
            }
            context.set("state", chosen.external);
        }
        context.set_optional("comment", self.comment);
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::ReopenTicket,
        method: Method::POST,
        path: "/tickets/{ticket_id}/reopen",
        success: StatusCode::OK,
        description: "The body may be left out.",
        example: || json!({"comment": "It is dark again this morning."}),
        schema: schema_of::<ReopenTicket>,
        context: context_of::<ReopenTicket>,
    }
}
