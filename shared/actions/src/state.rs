//! The state of a ticket in both vocabularies: the integration's and the contract's.

use integration::contract::InternalState;

use crate::context::{Call, Context};
use crate::error::{ApiError, ErrorCode};

/// A state to set: what the ticketing system calls it, and what it means where that is known.
pub(crate) struct Chosen {
    pub(crate) external: String,
    pub(crate) internal: Option<InternalState>,
}

/// The state that a caller names in either vocabulary. The integration's own word wins where a word is
/// both. Problems go into the context under the field's name; then there is no state.
pub(crate) fn choose(
    context: &mut Context<'_>,
    state: Option<&str>,
    internal_state_code: Option<&str>,
) -> Result<Option<Chosen>, ApiError> {
    let code = match internal_state_code.map(|code| (code, InternalState::from_code(code))) {
        Some((_, None)) => {
            let codes: Vec<&str> = InternalState::ALL.iter().map(|state| state.code()).collect();
            context.problem(
                "internal_state_code",
                format!("unknown state; expected one of {}", codes.join(", ")),
            );
            return Ok(None);
        }
        Some((_, code)) => code,
        None => None,
    };
    let Some(state) = state else {
        return code.map(|internal| outgoing(context.call, internal)).transpose();
    };
    let chosen = match by_name(context, state)? {
        Some(chosen) => chosen,
        None => return Ok(None),
    };
    match (code, chosen.internal) {
        (Some(code), Some(internal)) if code != internal => {
            context.problem(
                "internal_state_code",
                format!("expected {internal}, which is what the given state means, or no code"),
            );
            Ok(None)
        }
        _ => Ok(Some(Chosen {
            internal: chosen.internal.or(code),
            ..chosen
        })),
    }
}

/// The state that `resolve_ticket` or `reopen_ticket` sets where the caller names none: the integration's choice for the
/// action, else one that means `internal`.
pub(crate) fn by_itself(call: Call<'_>, internal: InternalState) -> Result<Chosen, ApiError> {
    match call.installation.integration.ticketing.state_set_by(call.action) {
        Some(state) => Ok(Chosen {
            external: state.name.clone(),
            internal: Some(state.internal),
        }),
        None => outgoing(call, internal),
    }
}

/// The state that an action sets for an internal one.
fn outgoing(call: Call<'_>, internal: InternalState) -> Result<Chosen, ApiError> {
    let ticketing = &call.installation.integration.ticketing;
    match ticketing.external_state(internal, call.action) {
        Some(external) => Ok(Chosen {
            external: external.to_owned(),
            internal: Some(internal),
        }),
        // No map at all: the system is taken to speak the contract's words.
        None if ticketing.states().is_empty() => Ok(Chosen {
            external: internal.code().to_owned(),
            internal: Some(internal),
        }),
        None => Err(ApiError::new(
            ErrorCode::ActionNotSupported,
            format!(
                "the integration {} has no state that {} can set for {internal}; it knows {}",
                call.installation.integration.name,
                call.action,
                known(call).join(", "),
            ),
        )),
    }
}

fn by_name(context: &mut Context<'_>, name: &str) -> Result<Option<Chosen>, ApiError> {
    let call = context.call;
    let states = call.installation.integration.ticketing.states();
    let same = |external: &str| external.trim().to_lowercase() == name.trim().to_lowercase();
    if let Some(state) = states.iter().find(|state| same(&state.name)) {
        if state.read_only {
            context.problem("state", "this state can be read but not set; set another one");
            return Ok(None);
        }
        return Ok(Some(Chosen {
            external: state.name.clone(),
            internal: Some(state.internal),
        }));
    }
    if let Some(internal) = InternalState::from_code(name.trim().to_uppercase().as_str()) {
        return outgoing(call, internal).map(Some);
    }
    if states.is_empty() {
        return Ok(Some(Chosen {
            external: name.to_owned(),
            internal: None,
        }));
    }
    context.problem(
        "state",
        format!("unknown state; expected one of {}", known(call).join(", ")),
    );
    Ok(None)
}

/// Every word a caller can use: the contract's, then the integration's that can be set.
fn known(call: Call<'_>) -> Vec<&str> {
    let states = call.installation.integration.ticketing.states();
    let mut known: Vec<&str> = InternalState::ALL
        .into_iter()
        .filter(|internal| {
            call.installation
                .integration
                .ticketing
                .external_state(*internal, call.action)
                .is_some()
        })
        .map(InternalState::code)
        .collect();
    for state in states.iter().filter(|state| !state.read_only) {
        if !known.contains(&state.name.as_str()) {
            known.push(&state.name);
        }
    }
    known
}
