//! `query_ticket_by_id`: GET `/tickets/{ticket_id}`.

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, context_of, schema_of};

/// A ticket to read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryTicketById {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
}

impl Input for QueryTicketById {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set("ticket_id", self.ticket_id);
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::QueryTicketById,
        method: Method::GET,
        path: "/tickets/{ticket_id}",
        success: StatusCode::OK,
        description: "The ticket with its comments and attachments, as far as the ticketing system tells them.",
        example: || json!({}),
        schema: schema_of::<QueryTicketById>,
        context: context_of::<QueryTicketById>,
    }
}
