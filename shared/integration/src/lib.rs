//! What an integration is: its YAML with every mistake found before it runs, the JSON Schema for editors,
//! and the compiled form that the ticket actions run.
//!
//! ```
//! # let text = include_str!("../tests/fixtures/good/minimal.yaml");
//! let loaded = integration::load_text("integration.yaml", text);
//! assert!(loaded.diagnostics.is_empty(), "{}", loaded.render(false));
//! let integration = std::sync::Arc::new(loaded.integration.unwrap());
//! let settings = serde_json::json!({"base_url": "https://tickets.example.com"});
//! let installation = integration.install(settings.as_object().unwrap().clone()).unwrap();
//! assert_eq!(installation.connector.base_url.as_str(), "https://tickets.example.com/");
//! ```

mod adding;
mod check;
mod compile;
pub mod contract;
mod dates;
mod install;
mod integration;
mod load;
mod model;
mod polling;
mod read;
mod reads;
mod rules;
mod schema;
mod ticketing;

pub use contract::{InternalState, TasAction};
pub use dates::Dates;
pub use install::Installation;
pub use integration::{
    Capability, CompoundAction, ForEach, Integration, RetryFrom, Return, SafeCreate, SecretUse,
    SettingDeclaration, SettingKind, Step,
};
pub use load::{Loaded, load, load_files, load_text, read_files};
pub use polling::{PollBoundary, PollOrder, PollPaging, Polling};
pub use read::is_name;
pub use rules::{RULES, Rule, reference as lint_reference};
pub use schema::json_schema;
pub use ticketing::{Destination, ExternalState, TicketIds, Ticketing};
