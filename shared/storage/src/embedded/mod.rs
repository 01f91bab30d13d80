//! Adapters for one machine: a transactional file, and secrets from the environment or a file.

mod caller_keys;
mod database;
mod file;
mod idempotency;
mod integrations;
mod secrets;

pub use database::EmbeddedStore;
pub use secrets::{ChainSecrets, EnvironmentSecrets, FileSecrets, StaticSecrets};

#[cfg(test)]
mod contract {
    use super::EmbeddedStore;

    crate::integration_store_contract!(EmbeddedStore::in_memory().unwrap());
    crate::idempotency_store_contract!(EmbeddedStore::in_memory().unwrap());
    crate::caller_key_store_contract!(EmbeddedStore::in_memory().unwrap());
}
