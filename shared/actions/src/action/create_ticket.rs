//! `create_ticket`: POST `/tickets`.

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, RequestorInfo, as_sent, context_of, schema_of};

/// A ticket to create.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTicket {
    /// The ticket's fields. Beyond the two named here, an integration reads what its system needs.
    #[schemars(with = "NewTicket")]
    payload: Value,
    /// The name of the destination. Without it, the integration's default.
    destination: Option<String>,
    /// Who the ticket is for.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

/// The fields of a new ticket.
#[derive(JsonSchema)]
pub struct NewTicket {
    /// One line that says what it is about.
    #[schemars(regex(pattern = r"\S"))]
    pub short_description: String,
    /// The details.
    pub description: Option<String>,
}

impl Input for CreateTicket {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.choose_destination(self.destination.as_deref(), None);
        context.set_requestor_info(self.requestor_info)?;
        context.set("payload", self.payload);
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::CreateTicket,
        method: Method::POST,
        path: "/tickets",
        success: StatusCode::CREATED,
        description: "Answers with the ticket as the ticketing system made it.",
        example: || {
            json!({
                "payload": {
                    "short_description": "Second monitor stays dark",
                    "description": "The dock was updated on Friday; HDMI-2 has had no signal since.",
                },
                "requestor_info": {"requestor": {"full_name": "Molly Agent", "email_addr": "molly@example.com"}},
            })
        },
        schema: schema_of::<CreateTicket>,
        context: context_of::<CreateTicket>,
    }
}
