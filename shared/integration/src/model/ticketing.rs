//! `ticketing`.

use std::borrow::Cow;

use mapping::{Content, Node};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::compound::ticket_action;
use crate::contract::{InternalState, TasAction};
use crate::read::{
    Decode, DestinationForm, Entries, Expression, Flag, Literal, OneOrMany, Report, Required, Text, object,
};
use crate::rules;

object! {
    /// Destinations, states, identity and ids.
    struct Ticketing, "ticketing" {
        /// The places tickets go to, by name.
        destinations: Option<Entries<Destination, DestinationForm>>,
        /// The states of the ticketing system, and what they mean.
        states: Option<Entries<State>>,
        /// How the ticketing system knows people.
        identity: Option<Identity>,
        /// A regular expression that every ticket id matches; another id is no ticket, and nothing is sent for it.
        id_pattern: Option<Text>,
        /// The same in words, for callers: `a whole number`.
        id_description: Option<Text>,
    }
}

object! {
    /// A place tickets go to: a table, a project, a queue.
    struct Destination, "a destination" {
        /// Chosen where the caller names none and no ticket id tells.
        default: Option<Flag>,
        /// The domain, such as `IT`, `HR` or `FACILITIES`.
        domain: Option<Text>,
        /// A regular expression that its ticket ids match.
        id_pattern: Option<Text>,
        /// Values for `data.context.destination`.
        attributes: Option<Entries<Literal>>,
    }
}

object! {
    /// How the ticketing system knows people.
    struct Identity, "identity" {
        /// An expression over `requestor_info` and `settings` that gives the requestor.
        requestor: Required<Expression>,
    }
}

/// What an external state means: an internal state, or an object with more.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum State {
    /// The internal state.
    Internal(Internal),
    /// The internal state, and when the external one is set.
    Full(FullState),
}

impl Decode for State {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match node.content {
            Content::Object(_) => FullState::decode(node, report).map(Self::Full),
            _ => Internal::decode(node, report).map(Self::Internal),
        }
    }
}

object! {
    /// What an external state means, and when it is set.
    struct FullState, "a state" {
        /// The internal state.
        internal: Required<Internal>,
        /// Understood, but never set.
        read_only: Option<Flag>,
        /// The ticket actions that set it rather than another state of the same meaning; `reopen_ticket` and `resolve_ticket`
        /// set it although others mean `NEW` and `RESOLVED`.
        on: Option<OneOrMany<ActionKey>>,
    }
}

impl State {
    pub(crate) fn internal(&self) -> Option<InternalState> {
        match self {
            Self::Internal(internal) => Some(internal.0),
            Self::Full(full) => full.internal.get().map(|internal| internal.0),
        }
    }
}

/// An internal state.
pub(crate) struct Internal(pub(crate) InternalState);

impl Decode for Internal {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let known = InternalState::ALL.map(InternalState::code);
        let Some(code) = node.as_text() else {
            report.wrong_type(node, "an internal state, such as NEW");
            return None;
        };
        let state = InternalState::from_code(code);
        if state.is_none() {
            let message = format!("`{code}` is no internal state");
            report.unknown_word(&rules::UNKNOWN_STATE, &node.place, message, code, &known);
        }
        state.map(Self)
    }
}

impl JsonSchema for Internal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "InternalState".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": InternalState::ALL.map(InternalState::code)})
    }
}

/// The key of a ticket action.
pub(crate) struct ActionKey(pub(crate) TasAction);

impl Decode for ActionKey {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Some(key) = node.as_text() else {
            report.wrong_type(node, "text (a ticket action)");
            return None;
        };
        ticket_action(key, &node.place, report).map(Self)
    }
}

impl JsonSchema for ActionKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ActionKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": TasAction::ALL.map(TasAction::key)})
    }
}
