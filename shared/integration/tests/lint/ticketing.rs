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
