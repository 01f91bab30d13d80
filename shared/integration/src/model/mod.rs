//! The YAML, key by key. These types are the single source of the reader and of the JSON Schema: a doc
//! comment here is what an editor shows.

pub(crate) mod compound;
pub(crate) mod connector;
pub(crate) mod http_action;
pub(crate) mod paginate;
pub(crate) mod polling;
pub(crate) mod settings;
pub(crate) mod ticketing;

use crate::read::{Entries, HttpActionForm, IntegrationForm, Name, Required, SettingForm, Text, object};
use compound::{ByAction, Capability, Compound};
use connector::Connector;
use http_action::HttpAction;
use polling::Polling;
use settings::Setting;
use ticketing::Ticketing;

object! {
    /// An integration: how the twelve ticket actions are done in one ticketing system.
    struct Document, "an integration" {
        /// The integration's name in paths, logs and secret names.
        name: Required<Name<IntegrationForm>>,
        /// One line for people.
        description: Option<Text>,
        /// What an installation fills in: `{{settings.x}}` in templates, `settings.x` in mappings.
        settings: Option<Entries<Setting, SettingForm>>,
        /// How the ticketing system is reached.
        connector: Required<Connector>,
        /// The requests, by name.
        http_actions: Required<Entries<HttpAction, HttpActionForm>>,
        /// How each ticket action is done. One that is missing answers 422 `ACTION_NOT_SUPPORTED`.
        actions: Required<ByAction<Compound>>,
        /// Conditions on ticket actions: one whose condition does not hold answers 422 with the reason.
        capabilities: Option<ByAction<Capability>>,
        /// What `ticket-gateway describe` shows: a compound action without context whose result is
        /// `{title: [{column: value}]}`.
        describe: Option<Compound>,
        /// Destinations, states and identity.
        ticketing: Option<Ticketing>,
        /// How the integration is polled.
        polling: Option<Polling>,
    }
}
