//! `update_ticket_state`: PUT `/tickets/{ticket_id}/state`.

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

/// A state to move a ticket to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTicketState {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The new state: the ticketing system's word for it, or an internal one (`NEW`, `WIP`,
    /// `WAITING_FOR_USER`, `RESOLVED`, `CLOSED`). This or `internal_state_code` is required.
    #[schemars(regex(pattern = r"\S"))]
    state: Option<String>,
    /// The new state as an internal one.
    #[schemars(regex(pattern = r"\S"))]
    internal_state_code: Option<String>,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
    /// Who makes the change.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

impl Input for UpdateTicketState {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set_requestor_info(self.requestor_info)?;
        context.set_ticket(&self.ticket_id);
        if self.state.is_none() && self.internal_state_code.is_none() {
            context.problem(
                "state",
                "expected a state of the ticketing system or an internal one, found nothing",
            );
        }
        let chosen = state::choose(
            context,
            self.state.as_deref(),
            self.internal_state_code.as_deref(),
        )?;
        if let Some(chosen) = chosen {
            context.set("state", chosen.external);
            context.set_optional("internal_state_code", chosen.internal.map(InternalState::code));
        }
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::UpdateTicketState,
        method: Method::PUT,
        path: "/tickets/{ticket_id}/state",
        success: StatusCode::OK,
        description: "Either vocabulary will do: the integration's state map fills in the other one.",
        example: || json!({"state": "WIP"}),
        schema: schema_of::<UpdateTicketState>,
        context: context_of::<UpdateTicketState>,
    }
}
