//! `query_tickets_by_time_range`: GET `/tickets`.

use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, context_of, schema_of};

/// Tickets to list by the time of their last change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryTicketsByTimeRange {
    /// Tickets last updated at this time or later. RFC 3339 with an offset.
    #[schemars(extend("format" = "date-time"))]
    updated_start_ts: String,
    /// Tickets last updated at this time or earlier.
    #[schemars(extend("format" = "date-time"))]
    updated_end_ts: String,
    /// The name of the destination. Without it, the integration's default.
    destination: Option<String>,
    /// The `next_page_token` of the page before; the other parameters must be the same as then.
    #[schemars(regex(pattern = r"\S"))]
    page_token: Option<String>,
}

impl Input for QueryTicketsByTimeRange {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.choose_destination(self.destination.as_deref(), None);
        context.set_range(Some(&self.updated_start_ts), Some(&self.updated_end_ts));
        context.set_page(self.page_token.as_deref(), None, self.destination.as_deref());
        Ok(())
    }
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::QueryTicketsByTimeRange,
        method: Method::GET,
        path: "/tickets",
        success: StatusCode::OK,
        description: "One page; `pagination_info.next_page_token` is null on the last one.",
        example: || json!({"updated_start_ts": "2026-01-05T10:00:00Z", "updated_end_ts": "2026-01-05T11:00:00Z"}),
        schema: schema_of::<QueryTicketsByTimeRange>,
        context: context_of::<QueryTicketsByTimeRange>,
    }
}
