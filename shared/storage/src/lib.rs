//! What the gateway keeps, as small ports, and their adapters.
//!
//! A port is a trait: [`SecretStore`], [`RateBudget`], [`IntegrationStore`], [`IdempotencyStore`]. The
//! adapters for one machine are in [`embedded`] and [`in_process`]; each passes the tests of
//! `contract` (feature `contract`) that belong to its port.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod embedded;
mod error;
mod idempotency;
pub mod in_process;
mod integrations;
mod rate;
mod secret;

pub use error::StorageError;
pub use idempotency::{Begin, IdempotencyStore};
pub use integrations::{IntegrationStore, IntegrationVersion, NewVersion};
pub use rate::{Budget, RateBudget, RateLimit};
pub use secret::{Secret, SecretStore};
