//! `query_tickets_by_requestor`: GET `/requestors/{requestor_id}/tickets`.

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, context_of, schema_of};

/// A person's tickets to list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryTicketsByRequestor {
    /// The person: an e-mail address or the id in the ticketing system.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    requestor_id: String,
    /// Only tickets last updated at this time or later. RFC 3339 with an offset; both ends or neither.
    #[schemars(extend("format" = "date-time"))]
    updated_start_ts: Option<String>,
    /// Only tickets last updated at this time or earlier.
    #[schemars(extend("format" = "date-time"))]
    updated_end_ts: Option<String>,
    /// The name of the destination. Without it, the integration's default.
    destination: Option<String>,
    /// The `next_page_token` of the page before; the other parameters must be the same as then.
    #[schemars(regex(pattern = r"\S"))]
    page_token: Option<String>,
}

impl Input for QueryTicketsByRequestor {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.choose_destination(self.destination.as_deref(), None);
        context.set_requestor(&self.requestor_id)?;
        context.set_range(self.updated_start_ts.as_deref(), self.updated_end_ts.as_deref());
        context.set_page(
            self.page_token.as_deref(),
            Some(&self.requestor_id),
            self.destination.as_deref(),
        );
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::QueryTicketsByRequestor,
        method: Method::GET,
        path: "/requestors/{requestor_id}/tickets",
        success: StatusCode::OK,
        description: "One page; `pagination_info.next_page_token` is null on the last one.",
        example: || json!({}),
        schema: schema_of::<QueryTicketsByRequestor>,
        context: context_of::<QueryTicketsByRequestor>,
    }
}
