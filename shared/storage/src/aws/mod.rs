//! Adapters on DynamoDB and Secrets Manager, and with the feature `poll` on EventBridge and SQS.
//!
//! A [`Connection`] is made once per process; the adapters share it. Two tables hold everything: one for what
//! operators put there (versions of integrations, callers' keys), one for what the gateway notes while it runs.
//! Each adapter's module says how its items look.
//!
//! No DynamoDB item is trusted to have been deleted when its time (`expires_at`) was over, and none to look as it
//! was written: one that does not is an error that names it.

mod budget;
mod caller_keys;
mod chunks;
mod connection;
#[cfg(feature = "poll")]
mod event_bridge;
mod event_log;
mod failure;
mod idempotency;
mod integrations;
#[cfg(feature = "operate")]
pub mod operate;
mod pause;
#[cfg(feature = "poll")]
mod poll_queue;
mod poll_state;
mod retries;
mod secrets;
mod swap;
mod table;
mod transaction;
mod transport;
mod webhooks;
mod write_journal;

pub use budget::DynamoBudget;
pub use caller_keys::DynamoCallerKeys;
pub use connection::Connection;
#[cfg(feature = "poll")]
pub use event_bridge::EventBridgeSink;
pub use event_log::DynamoEventLog;
pub use idempotency::DynamoIdempotency;
pub use integrations::DynamoIntegrations;
#[cfg(feature = "poll")]
pub use poll_queue::SqsPollQueue;
pub use poll_state::DynamoPollState;
pub use secrets::SecretsManager;
pub use webhooks::DynamoWebhooks;
pub use write_journal::DynamoWriteJournal;
