//! Adapters on DynamoDB and Secrets Manager.
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
mod failure;
mod idempotency;
mod integrations;
#[cfg(feature = "operate")]
pub mod operate;
mod pause;
mod retries;
mod secrets;
mod table;
mod transport;

pub use budget::DynamoBudget;
pub use caller_keys::DynamoCallerKeys;
pub use connection::Connection;
pub use idempotency::DynamoIdempotency;
pub use integrations::DynamoIntegrations;
pub use secrets::SecretsManager;
