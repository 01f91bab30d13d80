use integration::{InternalState, TasAction};
use serde_json::json;

use crate::good;

const EVERYTHING: &str = include_str!("../fixtures/good/everything.yaml");

#[test]
fn states_are_understood_without_regard_to_case_and_outer_space() {
    let integration = good(EVERYTHING);
    let ticketing = &integration.ticketing;
    assert_eq!(
        ticketing.internal_state(" in PROGRESS "),
        Some(InternalState::Wip)
    );
    assert_eq!(ticketing.internal_state("Elsewhere"), None);
    assert!(ticketing.knows_external("closed") && !ticketing.knows_external("shut"));
}

#[test]
fn the_state_that_is_set_is_the_one_for_the_action_or_the_first_that_may_be_set() {
    let integration = good(EVERYTHING);
    let set = |internal, action| integration.ticketing.external_state(internal, action);
    assert_eq!(
        set(InternalState::New, TasAction::UpdateTicketState),
        Some("Open")
    );
    assert_eq!(set(InternalState::New, TasAction::ReopenTicket), Some("Reopened"));
    assert_eq!(
        set(InternalState::Wip, TasAction::UpdateTicketState),
        Some("Started")
    );
    assert_eq!(
        set(InternalState::WaitingForUser, TasAction::UpdateTicketState),
        None
    );
}

#[test]
fn resolve_and_reopen_set_the_state_that_names_them_whatever_it_means() {
    let map = |states: &str| {
        let yaml = EVERYTHING.split("  states:\n").next().unwrap();
        good(&format!("{yaml}  states: {states}\n"))
    };
    let set_by = |states: &str, action| {
        let integration = map(states);
        let state = integration.ticketing.state_set_by(action);
        state.map(|state| (state.name.clone(), state.internal))
    };
    let open = ("open".to_owned(), InternalState::Wip);
    let waits =
        "{new: {internal: NEW, read_only: true}, open: {internal: WIP, on: [reopen_ticket]}, done: RESOLVED}";
    assert_eq!(set_by(waits, TasAction::ReopenTicket), Some(open.clone()));
    // It comes before one that is new and does not name the action.
    let both = "{new: NEW, open: {internal: WIP, on: [reopen_ticket]}, done: RESOLVED}";
    assert_eq!(set_by(both, TasAction::ReopenTicket), Some(open));
    // Of two that name it, the one that is new is meant.
    let two = "{open: {internal: WIP, on: [reopen_ticket]}, back: {internal: NEW, on: [reopen_ticket]}, done: RESOLVED}";
    let back = ("back".to_owned(), InternalState::New);
    assert_eq!(set_by(two, TasAction::ReopenTicket), Some(back));
    let done = ("done".to_owned(), InternalState::Resolved);
    assert_eq!(set_by(two, TasAction::ResolveTicket), Some(done));
    // One that only says where reopening leads does not stand in the way of another of its meaning.
    let working = map("{new: NEW, open: {internal: WIP, on: [reopen_ticket]}, working: WIP, done: RESOLVED}");
    let wip = working
        .ticketing
        .external_state(InternalState::Wip, TasAction::UpdateTicketState);
    assert_eq!(wip, Some("working"));
}

#[test]
fn a_destination_is_found_by_name_by_ticket_or_by_default() {
    let integration = good(EVERYTHING);
    let ticketing = &integration.ticketing;
    assert_eq!(ticketing.destination("hr").unwrap().domain.as_deref(), Some("HR"));
    assert!(ticketing.destination("HR").is_none());
    assert_eq!(ticketing.destination_of_ticket("HR-12").unwrap().name, "hr");
    assert!(ticketing.destination_of_ticket("12").is_none());
    assert_eq!(ticketing.default_destination().unwrap().name, "it");
    assert_eq!(ticketing.destinations().len(), 2);
}

#[test]
fn a_single_destination_is_the_default_and_attributes_win_in_its_object() {
    let text = include_str!("../fixtures/good/minimal.yaml").to_owned()
        + "ticketing: {destinations: {it: {domain: IT, attributes: {domain: it-desk, table_name: it}}}}\n";
    let integration = good(&text);
    let destination = integration.ticketing.default_destination().unwrap();
    assert_eq!(
        serde_json::Value::Object(destination.object()),
        json!({"name": "it", "domain": "it-desk", "table_name": "it"})
    );
}

#[test]
fn the_contract_names_every_action_both_ways() {
    for action in TasAction::ALL {
        assert_eq!(TasAction::from_key(action.key()), Some(action));
        assert!(action.context_fields().any(|field| field == "requestor_info"));
        assert_eq!(action.is_list(), action.output_key() == "raw_tickets");
    }
    assert_eq!(
        TasAction::ALL.iter().filter(|action| action.is_write()).count(),
        9
    );
    for state in InternalState::ALL {
        assert_eq!(InternalState::from_code(state.code()), Some(state));
    }
}
