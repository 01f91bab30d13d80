//! Checks of `ticketing`.

use mapping::Key;

use super::World;
use super::reads::{Scope, check_reads};
use crate::compile;
use crate::contract::{InternalState, TasAction};
use crate::model::http_action::{Cell, all};
use crate::model::ticketing::{State, Ticketing};
use crate::read::{Report, Text, is_set};
use crate::rules;
use crate::ticketing::state_key;

pub(crate) fn check(world: &World<'_>, report: &mut Report) {
    let document = world.document;
    let ticketing = document.ticketing.as_ref();
    if let Some(ticketing) = ticketing {
        check_id_pattern(ticketing.id_pattern.as_ref(), report);
        if let (Some(place), None) = (ticketing.keys.place("id_description"), &ticketing.id_pattern) {
            let message = "`id_description` says nothing without `id_pattern`";
            report.add(&rules::MISSING_KEY, place, message);
        }
        check_destinations(ticketing, report);
        check_states(ticketing, report);
        if let Some(requestor) = ticketing
            .identity
            .as_ref()
            .and_then(|identity| identity.requestor.get())
        {
            let scope = Scope {
                what: "the identity",
                requestor_info: true,
                ..Scope::default()
            };
            check_reads(Cell::Mapping(requestor), &scope, world, report);
        }
    }
    check_settable(world, ticketing, report);
}

fn check_destinations(ticketing: &Ticketing, report: &mut Report) {
    let Some(destinations) = &ticketing.destinations else {
        return;
    };
    for (_, destination) in destinations.read() {
        check_id_pattern(destination.id_pattern.as_ref(), report);
    }
    let defaults: Vec<&Key> = destinations
        .read()
        .filter(|(_, it)| is_set(it.default))
        .map(|(key, _)| key)
        .collect();
    for key in defaults.iter().skip(1) {
        report.add(
            &rules::DEFAULT_DESTINATION,
            &key.place,
            "another destination is the default already",
        );
    }
    if let ([], [_, (second, _), ..]) = (defaults.as_slice(), destinations.entries.as_slice()) {
        let message = "there are several destinations, and none is the default";
        report.push(
            rules::DEFAULT_DESTINATION
                .at(&second.place, message)
                .help("put `default: true` on one"),
        );
    }
}

fn check_id_pattern(pattern: Option<&Text>, report: &mut Report) {
    if let Some(pattern) = pattern
        && let Err(reason) = compile::pattern(&pattern.value)
    {
        let message = format!("this is no regular expression: {reason}");
        report.add(&rules::BAD_ID_PATTERN, &pattern.place, message);
    }
}

fn check_states(ticketing: &Ticketing, report: &mut Report) {
    let mut seen: Vec<String> = Vec::new();
    for (key, _) in ticketing.states.iter().flat_map(|states| &states.entries) {
        let folded = state_key(&key.name);
        if seen.contains(&folded) {
            let message = format!("`{}` is mapped already; case does not matter", key.name);
            report.add(&rules::STATE_TWICE, &key.place, message);
        }
        seen.push(folded);
    }
}

/// The actions that set a state have one to set.
fn check_settable(world: &World<'_>, ticketing: Option<&Ticketing>, report: &mut Report) {
    let Some(actions) = world.document.actions.get() else {
        return;
    };
    let states = ticketing.and_then(|ticketing| ticketing.states.as_ref());
    for (action, key, _) in &actions.entries {
        let [internal, ..] = action.ends_in() else {
            continue;
        };
        let Some(states) = states else {
            let message =
                format!("`{action}` without a state map sends the contract's own words, such as `RESOLVED`");
            report.push(
                rules::NO_STATES
                    .at(&key.place, message)
                    .help("add `ticketing: {states: {...}}`"),
            );
            continue;
        };
        if *action == TasAction::UpdateTicketState {
            continue;
        }
        // A state that could not be read may have been the one.
        let unread = states.entries.iter().any(|(_, state)| state.is_none());
        if !unread
            && !states
                .read()
                .any(|(_, state)| state.is_set_by(*action, *internal))
        {
            let message =
                format!("`{action}` sets the external state of {internal}, and there is none to set");
            let help = format!(
                "add `\"...\": {internal}` to `ticketing.states`, or `on: [{action}]` to the state that it leads to there"
            );
            report.push(rules::STATE_NOT_REACHABLE.at(&key.place, message).help(help));
        }
    }
}

impl State {
    /// Whether the action may set it where its caller names no state; `own` is what the action means by itself.
    fn is_set_by(&self, action: TasAction, own: InternalState) -> bool {
        let Some(internal) = self
            .internal()
            .filter(|internal| action.ends_in().contains(internal))
        else {
            return false;
        };
        match self {
            Self::Internal(_) => internal == own,
            Self::Full(state) => {
                let on = all(&state.on);
                let chosen = on.iter().any(|key| key.0 == action);
                !is_set(state.read_only) && (chosen || (on.is_empty() && internal == own))
            }
        }
    }
}
