//! Adapters for one machine: a transactional file, and secrets from the environment or a file.

mod caller_keys;
mod database;
mod event_log;
mod file;
mod idempotency;
mod integrations;
mod poll_state;
mod secrets;
mod webhooks;
mod write_journal;

pub use database::EmbeddedStore;
pub use secrets::{ChainSecrets, EnvironmentSecrets, FileSecrets, StaticSecrets};

#[cfg(test)]
mod contract {
    use super::EmbeddedStore;

    crate::integration_store_contract!(EmbeddedStore::in_memory().unwrap());
    crate::idempotency_store_contract!(EmbeddedStore::in_memory().unwrap());
    crate::caller_key_store_contract!(EmbeddedStore::in_memory().unwrap());
    crate::poll_state_contract!(EmbeddedStore::in_memory().unwrap());
    crate::event_log_contract!(EmbeddedStore::in_memory().unwrap());
    crate::write_journal_contract!(EmbeddedStore::in_memory().unwrap());
    crate::webhook_store_contract!(EmbeddedStore::in_memory().unwrap());
}
