//! The writes that move the ticket from one state to another.

use actions::{ErrorCode, TasAction};
use integration::InternalState;
use serde_json::json;

use super::Trip;
use super::seen::state_amiss;
use super::texts;
use crate::commands::doctor::check::{Check, Verdict};
use crate::commands::doctor::fields::at;

const OPEN: [InternalState; 3] = [
    InternalState::Wip,
    InternalState::WaitingForUser,
    InternalState::New,
];

impl Trip<'_> {
    pub(super) async fn states(&mut self, id: &str) {
        let mut refused = Vec::new();
        let mut is_set = self.set_one_of(id, &OPEN, &mut refused).await;
        self.with_comment(
            id,
            TasAction::ResolveTicket,
            "Resolved",
            &[InternalState::Resolved],
        )
        .await;
        self.with_comment(id, TasAction::ReopenTicket, "Opened again", &OPEN)
            .await;
        // Where there is but one open state, only the closed ones are a change.
        let closed = [InternalState::Closed, InternalState::Resolved];
        is_set = is_set || self.set_one_of(id, &closed, &mut refused).await;
        if is_set {
            return;
        }
        match (
            OPEN.into_iter().find(|state| self.is_settable(*state)),
            refused.pop(),
        ) {
            (_, Some(check)) if check.verdict == Verdict::Failed => self.checks.push(check),
            (Some(state), _) => {
                self.set_state(id, state).await;
            }
            (None, Some(check)) => self.checks.push(check),
            (None, None) => self.skip(
                TasAction::UpdateTicketState,
                "`ticketing.states` has no state that can be set",
            ),
        }
    }

    /// Sets the first of the states that the ticket is not in and that is not refused; says whether there is one.
    async fn set_one_of(&mut self, id: &str, states: &[InternalState], refused: &mut Vec<Check>) -> bool {
        let present = at(&self.last, "internal_state_code").as_str().map(str::to_owned);
        for state in states {
            if Some(state.code()) == present.as_deref() || !self.is_settable(*state) {
                continue;
            }
            let failed = self.set_state(id, *state).await;
            let Some(mut check) = self.checks.pop() else { break };
            if matches!(failed, Some(ErrorCode::ActionNotSupported | ErrorCode::Conflict)) {
                refused.push(check);
                continue;
            }
            let told = refused
                .iter()
                .map(|other| format!("another state is refused: {}", other.told()));
            check.notes.extend(told);
            self.checks.push(check);
            return true;
        }
        false
    }

    async fn set_state(&mut self, id: &str, state: InternalState) -> Option<ErrorCode> {
        let input = self.of_ticket(id, json!({"state": state.code()}), true);
        self.change(TasAction::UpdateTicketState, id, input, None, |_, after| {
            state_amiss(after, &[state]).into_iter().collect()
        })
        .await
    }

    async fn with_comment(&mut self, id: &str, action: TasAction, done: &str, wanted: &[InternalState]) {
        let mark = texts::mark();
        let comment = texts::text(&format!("{done} by the doctor, {mark}:"));
        let input = self.of_ticket(id, json!({"comment": comment}), true);
        self.change(action, id, input, Some(&mark), |_, after| {
            state_amiss(after, wanted).into_iter().collect()
        })
        .await;
    }

    fn is_settable(&self, state: InternalState) -> bool {
        let ticketing = &self.live.installed.installation.integration.ticketing;
        let action = TasAction::UpdateTicketState;
        ticketing.states().is_empty() || ticketing.external_state(state, action).is_some()
    }
}
