//! The words of states that mappings give or expect, against the state map.

use mapping::{Content, Key, Node};

use super::World;
use crate::contract::{REQUIRED_TICKET_FIELDS, TasAction};
use crate::model::compound::{ByAction, Compound};
use crate::model::http_action::all;
use crate::model::ticketing::State;
use crate::read::{Entries, Report, is_set, suggestion};
use crate::rules;
use crate::ticketing::state_key;

/// What a caller's state becomes: a name of the state map, as it is written there.
const STATE: &str = "data.context.state";

pub(crate) fn check(world: &World<'_>, report: &mut Report) {
    let ticketing = world.document.ticketing.as_ref();
    let Some(states) = ticketing.and_then(|ticketing| ticketing.states.as_ref()) else {
        return;
    };
    let actions = world.document.actions.get().into_iter().flat_map(ByAction::read);
    for (action, _, compound) in actions {
        for compound in compound.with_search() {
            for mapping in mappings(compound) {
                check_mapping(mapping, action, states, report);
            }
        }
    }
}

/// The mappings of a compound action.
fn mappings(compound: &Compound) -> impl Iterator<Item = &Node> {
    let of_steps = compound.calls().flat_map(|step| {
        let conditions = all(&step.fail_when).iter().filter_map(|rule| rule.condition());
        step.input_args.iter().chain(&step.when).chain(conditions)
    });
    let answer = compound.answer().and_then(|answer| answer.output_mapper.get());
    of_steps.chain(answer).map(|expression| &expression.node)
}

fn check_mapping(node: &Node, action: TasAction, states: &Entries<State>, report: &mut Report) {
    match &node.content {
        Content::List(items) => {
            for item in items {
                check_mapping(item, action, states, report);
            }
        }
        Content::Object(entries) => {
            if let Some(state) = node.get("state").filter(|_| is_ticket(node)) {
                check_given(state, states, report);
            }
            if let Some(lookup) = lookup(node) {
                check_expected(lookup, action, states, report);
            }
            for (_, value) in entries {
                check_mapping(value, action, states, report);
            }
        }
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => {}
    }
}

fn is_ticket(node: &Node) -> bool {
    REQUIRED_TICKET_FIELDS
        .iter()
        .all(|field| node.get(field).is_some())
}

/// The arguments of `LOOKUP()`, where a node is one.
fn lookup(node: &Node) -> Option<&Node> {
    match node.entries() {
        [(operator, arguments)] if operator.name == "LOOKUP()" => Some(arguments),
        _ => None,
    }
}

/// The keys of a `LOOKUP()`, where they are written there.
fn table(lookup: &Node) -> Option<&[(Key, Node)]> {
    let entries = lookup.get("mapping")?.entries();
    let is_operator = entries.iter().any(|(key, _)| key.name.ends_with("()"));
    (!entries.is_empty() && !is_operator).then_some(entries)
}

/// The state of a ticket, as far as it is written out: every word of it has a meaning in the state map.
fn check_given(state: &Node, states: &Entries<State>, report: &mut Report) {
    let words = match lookup(state) {
        Some(lookup) => {
            let table = table(lookup).unwrap_or_default();
            let results = table.iter().map(|(_, result)| result);
            results.chain(lookup.get("default")).collect()
        }
        None => vec![state],
    };
    let names: Vec<&str> = states.entries.iter().map(|(key, _)| key.name.as_str()).collect();
    for (node, word) in words.into_iter().filter_map(|node| Some((node, constant(node)?))) {
        if !names.iter().any(|name| state_key(name) == state_key(word)) {
            let message =
                format!("`ticketing.states` has no `{word}`, so such a ticket has no `internal_state_code`");
            let diagnostic = rules::STATE_WORDS.at(&node.place, message);
            report.push(diagnostic.help(suggestion(word, &names)));
        }
    }
}

/// A `LOOKUP()` by the state that is to be set.
fn check_expected(lookup: &Node, action: TasAction, states: &Entries<State>, report: &mut Report) {
    let key = lookup.get("key").and_then(Node::as_text);
    let Some(table) = table(lookup).filter(|_| key.is_some_and(|key| key.trim() == STATE)) else {
        return;
    };
    let names: Vec<&str> = states.entries.iter().map(|(key, _)| key.name.as_str()).collect();
    for (key, _) in table {
        if !names.contains(&key.name.as_str()) {
            let message = format!(
                "`{STATE}` is a name of `ticketing.states`, and never `{}`",
                key.name
            );
            let diagnostic = rules::STATE_WORDS.at(&key.place, message);
            report.push(diagnostic.help(suggestion(&key.name, &names)));
        }
    }
    // The other actions set one state, and what they send for the rest makes no difference.
    if action != TasAction::UpdateTicketState || lookup.get("default").is_some() {
        return;
    }
    for (name, state) in states.read() {
        let settable = !matches!(state, State::Full(state) if is_set(state.read_only));
        if settable && !table.iter().any(|(key, _)| key.name == name.name) {
            let message = format!(
                "nothing stands here for the state `{}`, so it becomes null",
                name.name
            );
            let help =
                "add it, or a `default`; a state that cannot be set is `read_only` in `ticketing.states`";
            report.push(rules::STATE_WORDS.at(&lookup.place, message).help(help));
        }
    }
}

/// The text of an expression that is nothing but a quoted text.
fn constant(node: &Node) -> Option<&str> {
    let text = node.as_text()?.trim();
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\'])).then_some(inner)
}
