//! `add_public_comment`: POST `/tickets/{ticket_id}/comments`.

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, RequestorInfo, as_sent, context_of, schema_of};

/// A comment that the requestor sees.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPublicComment {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The text.
    #[schemars(regex(pattern = r"\S"))]
    comment: String,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
    /// Who writes it.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

impl Input for AddPublicComment {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set_requestor_info(self.requestor_info)?;
        context.set_ticket(&self.ticket_id);
        context.set("comment", self.comment);
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::AddPublicComment,
        method: Method::POST,
        path: "/tickets/{ticket_id}/comments",
        success: StatusCode::CREATED,
        description: "The requestor sees it.",
        example: || json!({"comment": "It works again since the update was rolled back."}),
        schema: schema_of::<AddPublicComment>,
        context: context_of::<AddPublicComment>,
    }
}
