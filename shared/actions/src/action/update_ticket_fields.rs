//! `update_ticket_fields`: PATCH `/tickets/{ticket_id}`.

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, RequestorInfo, as_sent, context_of, schema_of};

/// Fields of a ticket to change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTicketFields {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The fields to change, with their new values; at least one. The integration says which it knows.
    #[schemars(with = "ChangedFields")]
    payload: Value,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
    /// Who makes the change.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

/// Fields to change, by name.
#[derive(JsonSchema)]
#[schemars(extend("minProperties" = 1))]
pub struct ChangedFields {
    /// One line that says what the ticket is about.
    pub short_description: Option<String>,
    /// The details.
    pub description: Option<String>,
}

impl Input for UpdateTicketFields {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set_requestor_info(self.requestor_info)?;
        context.set_ticket(&self.ticket_id);
        context.set("payload", self.payload);
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::UpdateTicketFields,
        method: Method::PATCH,
        path: "/tickets/{ticket_id}",
        success: StatusCode::OK,
        description: "Fields that are not in `payload` stay as they are.",
        example: || json!({"payload": {"priority": "High"}}),
        schema: schema_of::<UpdateTicketFields>,
        context: context_of::<UpdateTicketFields>,
    }
}
