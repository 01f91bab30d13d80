//! The ticketing settings of a loaded integration: destinations, states, identity.

use std::fmt;

use mapping::Mapping;
use regex::Regex;
use serde_json::{Map, Value};

use crate::contract::{InternalState, TasAction};

/// Destinations, states and identity.
#[derive(Debug, Default)]
pub struct Ticketing {
    pub(crate) destinations: Vec<Destination>,
    pub(crate) states: Vec<ExternalState>,
    pub(crate) identity: Option<Mapping>,
    pub(crate) ids: Option<TicketIds>,
}

/// What the ids of tickets look like.
#[derive(Debug, Clone)]
pub struct TicketIds {
    /// What an id is searched for.
    pub pattern: Regex,
    /// The same in words.
    pub description: Option<String>,
}

impl fmt::Display for TicketIds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            Some(description) => formatter.write_str(description),
            None => write!(formatter, "text that matches `{}`", self.pattern),
        }
    }
}

/// A place in the ticketing system that tickets go to: a table, a project, a queue.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The name a caller chooses it by.
    pub name: String,
    /// Chosen where the caller names none and no ticket id tells.
    pub default: bool,
    /// The contract's domain, such as `IT` or `HR`.
    pub domain: Option<String>,
    /// What the ids of its tickets look like.
    pub id_pattern: Option<Regex>,
    /// Values that its HTTP actions need, such as a table name.
    pub attributes: Map<String, Value>,
}

/// One state of the ticketing system.
#[derive(Debug, Clone)]
pub struct ExternalState {
    /// Its name there, as written in the YAML.
    pub name: String,
    /// What it means.
    pub internal: InternalState,
    /// Never set by us; only understood when a ticket has it.
    pub read_only: bool,
    /// The actions that set this one rather than another with the same meaning.
    pub on: Vec<TasAction>,
}

impl Destination {
    /// The object that is `data.context.destination`: `name` and `domain`, then the attributes, which win.
    pub fn object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("name".into(), Value::String(self.name.clone()));
        if let Some(domain) = &self.domain {
            object.insert("domain".into(), Value::String(domain.clone()));
        }
        for (key, value) in &self.attributes {
            object.insert(key.clone(), value.clone());
        }
        object
    }
}

impl Ticketing {
    /// All destinations, in the order of the YAML.
    pub fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    /// The destination of this name.
    pub fn destination(&self, name: &str) -> Option<&Destination> {
        self.destinations
            .iter()
            .find(|destination| destination.name == name)
    }

    /// The first destination whose `id_pattern` matches the ticket id.
    pub fn destination_of_ticket(&self, ticket_id: &str) -> Option<&Destination> {
        self.destinations.iter().find(|destination| {
            destination
                .id_pattern
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(ticket_id))
        })
    }

    /// The destination marked `default`, or the only one.
    pub fn default_destination(&self) -> Option<&Destination> {
        match self.destinations.as_slice() {
            [only] => Some(only),
            several => several.iter().find(|destination| destination.default),
        }
    }

    /// All external states, in the order of the YAML.
    pub fn states(&self) -> &[ExternalState] {
        &self.states
    }

    /// What a state of the ticketing system means. Case and space around the name do not matter.
    pub fn internal_state(&self, external: &str) -> Option<InternalState> {
        self.find(external).map(|state| state.internal)
    }

    /// Whether the state map names this external state. Case and space around the name do not matter.
    pub fn knows_external(&self, external: &str) -> bool {
        self.find(external).is_some()
    }

    /// The external state that `action` sets for an internal one, none that is `read_only`: the first whose `on` names
    /// the action, otherwise the first without `on`, otherwise the first whose `on` only says where `resolve_ticket` or
    /// `reopen_ticket` lead that would set another internal state without it.
    pub fn external_state(&self, internal: InternalState, action: TasAction) -> Option<&str> {
        let of_meaning = |state: &&ExternalState| state.internal == internal && !state.read_only;
        let mut settable = self.states.iter().filter(of_meaning);
        let only_leads_here = |action: &TasAction| {
            sets_by_itself(*action).is_some_and(|own| own != internal) && action.ends_in().contains(&internal)
        };
        settable
            .clone()
            .find(|state| state.on.contains(&action))
            .or_else(|| settable.clone().find(|state| state.on.is_empty()))
            .or_else(|| settable.find(|state| state.on.iter().all(only_leads_here)))
            .map(|state| state.name.as_str())
    }

    /// The external state that `resolve_ticket` or `reopen_ticket` sets where the caller names none: one whose `on` names
    /// the action, whichever of the states it means that the action can end in; otherwise that for `RESOLVED` or `NEW`.
    pub fn state_set_by(&self, action: TasAction) -> Option<&ExternalState> {
        let named = |internal: &InternalState| {
            let mut states = self.states.iter();
            states.find(|state| state.internal == *internal && !state.read_only && state.on.contains(&action))
        };
        action.ends_in().iter().find_map(named).or_else(|| {
            let name = self.external_state(sets_by_itself(action)?, action)?;
            self.find(name)
        })
    }

    /// What the ids of tickets look like, where the integration says it.
    pub fn ids(&self) -> Option<&TicketIds> {
        self.ids.as_ref()
    }

    /// How the ticketing system knows the requestor: a mapping over `requestor_info` and `settings`.
    pub fn identity(&self) -> Option<&Mapping> {
        self.identity.as_ref()
    }

    fn find(&self, external: &str) -> Option<&ExternalState> {
        // Most are spelled as in the YAML, and every ticket of a list asks.
        let as_it_is = self.states.iter().find(|state| state.name == external);
        as_it_is.or_else(|| {
            let wanted = state_key(external);
            self.states.iter().find(|state| state_key(&state.name) == wanted)
        })
    }
}

/// The internal state that an action sets where neither its caller nor a state's `on` says another.
fn sets_by_itself(action: TasAction) -> Option<InternalState> {
    match action {
        TasAction::ResolveTicket | TasAction::ReopenTicket => action.ends_in().first().copied(),
        _ => None,
    }
}

/// The form in which two state names are compared.
pub(crate) fn state_key(name: &str) -> String {
    name.trim().to_lowercase()
}
