//! The further fields that the ticket was made with.

use actions::TasAction;
use serde_json::Value;

use super::Trip;
use super::alike::{has_word_of, shows};
use super::changes::EVERY_CHANGE_KEEPS;
use super::texts::Amiss;
use crate::commands::doctor::check::Check;
use crate::commands::doctor::fields::at;
use crate::live::cause;
use crate::live::runs::Run;

/// Compared as texts, or not what a caller sets.
const OTHERWISE: [&str; 5] = [
    "short_description",
    "description",
    "state",
    "internal_state_code",
    "comments",
];

/// What an assignment is there to change.
const ASSIGNED: [&str; 2] = ["assigned_to_user", "assignment_group"];

impl Trip<'_> {
    /// Tells of fields of `--payload` that the new ticket does not show as they were given.
    pub(super) fn tell_payload(&self, check: &mut Check, ticket: &Value, runs: &[Run<'_>]) {
        for (name, given) in self.further() {
            let (path, shown) = field(ticket, name);
            if shows(given, shown) {
                continue;
            }
            if shown.is_null() && !cause::is_made(runs, &format!("raw_ticket.{path}")) {
                check.notes.push(format!(
                    "whether `{name}` was set cannot be seen: the ticket has no such field"
                ));
                continue;
            }
            // What was sent is the word of the ticketing system: the integration translates.
            if has_word_of(&self.sent, shown) && !has_word_of(&self.sent, given) {
                check.notes.push(format!(
                    "`{name}` is {given} in the payload, and {shown} in the ticket"
                ));
                continue;
            }
            let said = format!("`{name}`: sent {given}, read {shown}");
            self.tell(
                check,
                TasAction::CreateTicket,
                Amiss::new(path, said),
                runs,
                &self.maker,
            );
        }
    }

    /// The fields of `--payload` to which a change of something else gave another value.
    pub(super) fn payload_changed(&self, action: TasAction, before: &Value, after: &Value) -> Vec<String> {
        let changed = self.further().filter_map(|(name, _)| {
            let ((_, was), (_, is)) = (field(before, name), field(after, name));
            let is_named = action == TasAction::UpdateTicketAssignment && ASSIGNED.contains(&name.as_str());
            let is_told = is.is_null() && EVERY_CHANGE_KEEPS.contains(&name.as_str());
            (!is_named && !is_told && !was.is_null() && was != is)
                .then(|| format!("`{name}` was changed by a change of something else: from {was} to {is}"))
        });
        changed.collect()
    }

    fn further(&self) -> impl Iterator<Item = (&String, &Value)> {
        let given = self.plan.payload.iter();
        given.filter(|(name, value)| !OTHERWISE.contains(&name.as_str()) && !value.is_null())
    }
}

/// A field of the ticket, or that of the same name among what its owner added; and where it is.
fn field<'t>(ticket: &'t Value, name: &str) -> (String, &'t Value) {
    let added = at(at(ticket, "custom_data"), name);
    match (at(ticket, name), added) {
        (Value::Null, added) if !added.is_null() => (format!("custom_data.{name}"), added),
        (own, _) => (name.to_owned(), own),
    }
}
