//! What the gateway keeps, as small ports, and their adapters.
//!
//! A port is a trait: [`SecretStore`], [`RateBudget`], [`IntegrationStore`], [`IdempotencyStore`],
//! [`CallerKeyStore`]; for polling [`PollState`], [`EventSink`], [`EventLog`], [`WriteJournal`], [`PollQueue`] and
//! [`WebhookStore`]. The adapters for one machine are in `embedded` and [`in_process`], those for AWS in `aws`; each
//! passes the tests of `contract` (feature `contract`) that belong to its port.

#[cfg(feature = "aws")]
pub mod aws;
pub mod caller_key;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod event_log;
mod event_sink;
mod hash;
mod idempotency;
pub mod in_process;
mod integrations;
mod poll_queue;
mod poll_state;
mod rate;
mod secret;
mod webhooks;
mod write_journal;

pub use caller_key::{CallerKey, CallerKeyStore};
pub use error::StorageError;
pub use event_log::{EVENTS_KEPT, EventCursor, EventLog, LoggedEvent};
pub use event_sink::{Acceptance, Change, Event, EventKind, EventSink, EventWindow};
pub use hash::hexadecimal;
pub use idempotency::{Begin, IdempotencyStore};
pub use integrations::{IntegrationStore, IntegrationVersion, NewVersion, ScheduledStream, VersionInfo};
pub use poll_queue::{PollMessage, PollQueue};
pub use poll_state::{Lease, Pending, PollState, SeenTicket, StreamKey, StreamRecord, Swap, TicketVersion};
pub use rate::{Budget, Lane, Observation, RateBudget, RateLimit};
pub use secret::{Secret, SecretStore, SecretWriter};
pub use webhooks::{Webhook, WebhookStore};
pub use write_journal::{JournalledWrite, WRITES_KEPT, WRITES_KEPT_OF_A_TICKET, WriteJournal};
