//! The TAS contract (Ticket Action Service): twelve ticket actions over any integration.
//!
//! A [`Gateway`] holds installed integrations. [`Gateway::handle`] answers the HTTP API; [`Gateway::perform`]
//! does one action without HTTP. Either way an action's input is checked against its schema, turned into
//! `data.context`, run through the integration's compound action, and its answer checked against the
//! [`TicketSchema`].

mod action;
mod check;
mod clock;
mod context;
mod engine;
mod error;
mod gateway;
mod http_api;
mod idempotency;
mod input;
mod openapi;
mod output;
mod page_token;
mod state;
mod ticket;
mod time;

pub use action::{
    ALL, ActionDefinition, AddAttachment, AddInternalComment, AddPublicComment, Assignee, AssigneePerson,
    ChangedFields, CreateTicket, MAX_ATTACHMENT_BYTES, NewTicket, QueryTicketById, QueryTicketsByRequestor,
    QueryTicketsByTimeRange, ReopenTicket, ResolveTicket, UpdateTicketAssignment, UpdateTicketFields,
    UpdateTicketState,
};
pub use clock::{Clock, SystemClock};
pub use error::{ApiError, ErrorCode, FieldProblem, Outcome};
pub use gateway::{Gateway, GatewayBuilder, RequestMeta};
pub use http_api::MAX_BODY_BYTES;
pub use input::{ItsmIdentity, Organisation, Requestor, RequestorInfo, UserIdInfo};
pub use integration::contract::TasAction;
pub use openapi::document as openapi;
pub use ticket::TicketSchema;

/// Why a [`Gateway`] or a [`TicketSchema`] cannot be built. Its text is for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(String);

impl SetupError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        SetupError(message.into())
    }
}
