//! One ticket read, and what the actions that write to one have in common.

use integration::TasAction;

use super::super::operation::Operation;
use super::super::paging::access;
use super::super::resource::likeness;
use super::super::shape::{Kind, Shape};
use super::super::ticket;
use super::super::yaml::Yaml;
use super::{Proposal, Written, step};

impl<'a> Proposal<'a> {
    pub(super) fn get(&mut self, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let request = self.request(index, operation);
        written.steps.push(step(
            &request.name,
            &[("ticket_id", "data.context.ticket_id".to_owned())],
            "found",
        ));
        self.map_ticket(&mut written, "data.found");
        written
    }

    /// The fields of the ticket that stands at `base`.
    pub(super) fn map_ticket(&self, written: &mut Written, base: &str) {
        let (fields, unknown) = ticket::fields(&self.ticket, base, self.resource, &self.hints);
        written.output = fields;
        written.fields_unknown(&unknown);
    }

    /// Says what the body must have that no ticket action sends.
    pub(super) fn still_needed(&self, written: &mut Written, index: usize, body: &Shape) {
        let request = self.requests.iter().find(|request| request.operation == index);
        let needed: Vec<String> = body
            .leaves
            .iter()
            .filter(|leaf| leaf.required && !leaf.read_only && leaf.path.len() == 1)
            .filter(|leaf| {
                !request.is_some_and(|request| request.sends(&leaf.path) || request.sends_below(&leaf.path))
            })
            .map(|leaf| match leaf.format.contains('/') {
                true => format!("`{}` ({})", leaf.dotted(), leaf.format),
                false => format!("`{}`", leaf.dotted()),
            })
            .collect();
        if !needed.is_empty() {
            written
                .todos
                .push(format!("the API needs {}, too", needed.join(", ")));
        }
    }

    /// Says which few fields stand beside those that are sent: the kind of a comment, the part that a person plays.
    pub(super) fn also_takes(&self, written: &mut Written, index: usize, body: &Shape) {
        let request = self.requests.iter().find(|request| request.operation == index);
        let beside: Vec<String> = body
            .leaves
            .iter()
            .filter(|leaf| !leaf.required && !leaf.read_only && leaf.kind != Kind::Object)
            .filter(|leaf| {
                request.is_some_and(|request| request.sends_beside(&leaf.path) && !request.sends(&leaf.path))
            })
            .map(|leaf| match leaf.values.as_slice() {
                [] => format!("`{}`", leaf.dotted()),
                values => format!("`{}` ({})", leaf.dotted(), values.join(", ")),
            })
            .collect();
        if (1..=3).contains(&beside.len()) {
            written.unknown(
                "what else the body needs",
                format!("the body takes {}, too: needed?", beside.join(", ")),
            );
        }
    }

    /// Whether several ticket actions use the request, so that each leaves out what the others send.
    pub(super) fn is_shared(&self, index: usize) -> bool {
        let used = self.choices.iter().filter_map(|(_, choice)| choice.as_ref());
        used.filter(|choice| choice.operation == index).count() > 1
    }

    /// The request that reads one ticket.
    pub(super) fn reads_one(&self) -> Option<(usize, &'a Operation)> {
        let (_, choice) = self
            .choices
            .iter()
            .find(|(action, _)| *action == TasAction::QueryTicketById)?;
        let index = choice.as_ref()?.operation;
        Some((index, self.operations.get(index)?))
    }

    /// What a write answers with: the ticket in its own answer, or read again.
    pub(super) fn answer(&mut self, written: &mut Written, answer: &Shape, key: &str, made: bool) {
        if likeness(answer) > 0.6 {
            let (fields, unknown) =
                ticket::fields(answer, &format!("data.{key}"), self.resource, &self.hints);
            written.output = fields;
            written.fields_unknown(&unknown);
            return;
        }
        let id = if made {
            let path = ticket::id_path(answer, self.resource).unwrap_or_else(|| {
                written.unknown(
                    "the id of the new ticket",
                    "find out where the id of the new ticket is in the answer",
                );
                vec!["id".to_owned()]
            });
            access(&format!("data.{key}"), &path)
        } else {
            "data.context.ticket.id".to_owned()
        };
        if let Some((index, operation)) = self.reads_one() {
            // The answer does not show the ticket as it is now.
            let name = self.request(index, operation).name.clone();
            written.steps.push(step(&name, &[("ticket_id", id)], "ticket"));
            self.map_ticket(written, "data.ticket");
        } else {
            self.map_ticket(written, &format!("data.{key}"));
            if !made && let Some(first) = written.output.first_mut() {
                first.value = Yaml::text(id);
            }
        }
    }
}
