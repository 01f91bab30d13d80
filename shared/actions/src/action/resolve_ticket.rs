//! `resolve_ticket`: POST `/tickets/{ticket_id}/resolve`.

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

/// A ticket to resolve.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveTicket {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The state to end in, where it is not the integration's own choice, one for `RESOLVED` unless it says otherwise:
    /// a word of the ticketing system, `RESOLVED` or `CLOSED`.
    #[schemars(regex(pattern = r"\S"))]
    state: Option<String>,
    /// How it was resolved.
    resolution: Option<String>,
    /// A comment to go with it.
    comment: Option<String>,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
    /// Who resolves it.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

impl Input for ResolveTicket {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set_requestor_info(self.requestor_info)?;
        context.set_ticket(&self.ticket_id);
        let chosen = match self.state.as_deref() {
            Some(state) => state::choose(context, Some(state), None)?,
            None => Some(state::by_itself(context.call, InternalState::Resolved)?),
        };
        if let Some(chosen) = chosen {
            if !matches!(
                chosen.internal,
                None | Some(InternalState::Resolved | InternalState::Closed)
            ) {
                context.problem(
                    "state",
                    "expected a state that means RESOLVED or CLOSED, found another one",
                );
            }
            context.set("state", chosen.external);
        }
        context.set_optional("resolution", self.resolution);
        context.set_optional("comment", self.comment);
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::ResolveTicket,
        method: Method::POST,
        path: "/tickets/{ticket_id}/resolve",
        success: StatusCode::OK,
        description: "The body may be left out.",
        example: || json!({"resolution": "fixed", "comment": "The firmware update was rolled back."}),
        schema: schema_of::<ResolveTicket>,
        context: context_of::<ResolveTicket>,
    }
}
