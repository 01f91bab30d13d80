//! The TAS contract (Ticket Action Service): twelve ticket actions over any integration.
//!
//! A [`Gateway`] holds installed integrations. [`Gateway::handle`] answers the HTTP API; [`Gateway::perform`]
//! does one action without HTTP. Either way an action's input is checked against its schema, turned into
//! `data.context`, run through the integration's compound action, and its answer checked against the
//! [`TicketSchema`].

mod action;
mod builder;
mod check;
mod clock;
mod context;
mod engine;
mod error;
mod events;
mod gateway;
mod http_api;
mod idempotency;
mod input;
mod installations;
mod journal;
mod observer;
mod openapi;
mod output;
mod page_token;
mod poll;
mod range;
mod safe_create;
mod state;
mod stopping;
mod ticket;
mod time;
mod witness;

pub use action::{
    ALL, ActionDefinition, AddAttachment, AddInternalComment, AddPublicComment, Assignee, AssigneePerson,
    ChangedFields, CreateTicket, MAX_ATTACHMENT_BYTES, NewTicket, QueryTicketById, QueryTicketsByRequestor,
    QueryTicketsByTimeRange, ReopenTicket, ResolveTicket, UpdateTicketAssignment, UpdateTicketFields,
    UpdateTicketState,
};
pub use builder::GatewayBuilder;
pub use clock::{Clock, SystemClock};
pub use error::{ApiError, ErrorCode, FieldProblem, FromUpstream, Outcome};
pub use gateway::{Gateway, RequestMeta};
pub use http_api::{MAX_BODY_BYTES, documents};
pub use input::{ItsmIdentity, Organisation, Requestor, RequestorInfo, UserIdInfo};
pub use installations::{Fixed, Installations, Installed, Stored};
pub use integration::contract::TasAction;
pub use observer::{Observer, Performed};
pub use openapi::document as openapi;
pub use poll::{PollWindow, PolledPage};
pub use safe_create::SafeCreate;
pub use ticket::TicketSchema;
pub use witness::{Point, Reached, Witness};

/// Why a [`Gateway`] or a [`TicketSchema`] cannot be built. Its text is for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(String);

impl SetupError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        SetupError(message.into())
    }
}
