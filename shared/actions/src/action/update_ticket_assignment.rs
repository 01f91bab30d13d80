//! `update_ticket_assignment`: PUT `/tickets/{ticket_id}/assignment`.

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, RequestorInfo, as_sent, context_of, schema_of};

/// A group, a person or both to give a ticket to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTicketAssignment {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The group's name or id. This or `assignee` is required.
    #[schemars(regex(pattern = r"\S"))]
    assignment_group: Option<String>,
    /// The person.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<Assignee>")]
    assignee: Option<Value>,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
    /// Who makes the change.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

/// A person to give a ticket to.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Assignee {
    /// An e-mail address or the id in the ticketing system.
    Text(#[schemars(regex(pattern = r"\S"))] String),
    /// What is known of the person.
    Person(AssigneePerson),
}

/// What is known of a person; at least one of the three.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
pub struct AssigneePerson {
    /// The id in the ticketing system.
    pub id: Option<String>,
    /// The name as people write it.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

impl Input for UpdateTicketAssignment {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set_requestor_info(self.requestor_info)?;
        context.set_ticket(&self.ticket_id);
        if self.assignment_group.is_none() && self.assignee.is_none() {
            context.problem(
                "assignee",
                "expected an assignee or an assignment_group, found neither",
            );
        }
        context.set_optional("assignment_group", self.assignment_group);
        context.set_optional("assignee", self.assignee);
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::UpdateTicketAssignment,
        method: Method::PUT,
        path: "/tickets/{ticket_id}/assignment",
        success: StatusCode::OK,
        description: "What is left out stays as it is.",
        example: || json!({"assignee": {"name": "Ben Ito", "email": "ben@example.com"}}),
        schema: schema_of::<UpdateTicketAssignment>,
        context: context_of::<UpdateTicketAssignment>,
    }
}
