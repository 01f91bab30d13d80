//! What a caller sends and no step looks at: it is lost, and the answer says success.

use super::World;
use crate::contract::TasAction;
use crate::model::compound::{Block, ByAction, Compound};
use crate::model::http_action::{FailWhen, all};
use crate::read::{Expression, Report};
use crate::rules;

/// The fields of which a step reads at least one of each group.
fn groups(action: TasAction) -> &'static [&'static [&'static str]] {
    match action {
        TasAction::CreateTicket | TasAction::UpdateTicketFields => &[&["payload"]],
        TasAction::UpdateTicketState => &[&["state", "internal_state_code"]],
        TasAction::UpdateTicketAssignment => &[&["assignment_group"], &["assignee"]],
        TasAction::AddPublicComment | TasAction::AddInternalComment => &[&["comment"]],
        TasAction::AddAttachment => &[&["comment"]],
        TasAction::ResolveTicket => &[&["comment", "resolution"]],
        TasAction::ReopenTicket => &[&["comment"]],
        // Without these nothing would work, which the first try shows.
        TasAction::QueryTicketById
        | TasAction::QueryTicketsByRequestor
        | TasAction::QueryTicketsByTimeRange => &[],
    }
}

/// Warns of it.
pub(super) fn check(world: &World<'_>, report: &mut Report) {
    // What a mapping with a mistake reads is not known.
    if report.has_uncompiled() {
        return;
    }
    for (action, key, compound) in world.document.actions.get().into_iter().flat_map(ByAction::read) {
        if compound.calls().next().is_none() || report.has_error_within(&compound.place) {
            continue;
        }
        for group in groups(action) {
            if group.iter().any(|field| reads(compound, field)) {
                continue;
            }
            let names: Vec<String> = group.iter().map(|field| format!("`{field}`")).collect();
            let message = format!(
                "no step of `{action}` reads {}: it would be lost",
                names.join(" or ")
            );
            let help = match group {
                ["payload"] => {
                    "send its fields, `data.context.payload.short_description` and those that the system has"
                        .to_owned()
                }
                [field] => format!(
                    "send `data.context.{field}`, or refuse it with `fail_when: data.context.{field}`"
                ),
                _ => "send it, or refuse it with `fail_when`".to_owned(),
            };
            report.push(rules::CONTEXT_NOT_READ.at(&key.place, message).help(help));
        }
    }
}

/// Whether a step or a condition looks at this field of the context. What the answer repeats was not sent.
fn reads(compound: &Compound, field: &str) -> bool {
    let mut mappings = compound.with_search().flat_map(before_the_answer);
    mappings.any(|expression| expression.reads_context(field))
}

fn before_the_answer(compound: &Compound) -> Vec<&Expression> {
    let mut found: Vec<&Expression> = Vec::new();
    let mut rules: Vec<&FailWhen> = all(&compound.fail_when).iter().collect();
    for block in compound.blocks() {
        match block {
            Block::Action(step) => {
                let own = [&step.input_args, &step.when, &step.for_each];
                found.extend(own.into_iter().flatten());
                rules.extend(all(&step.fail_when));
            }
            Block::Check(check) => rules.extend(check.fail_when.get().into_iter().flat_map(|rules| &rules.0)),
            Block::Return(..) | Block::Unusable => {}
        }
    }
    rules.extend(compound.answer().iter().flat_map(|answer| all(&answer.fail_when)));
    found.extend(rules.into_iter().filter_map(FailWhen::condition));
    found
}
