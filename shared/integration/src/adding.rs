//! The HTTP actions that add something to a ticket: what was done twice is seen twice, whatever the method.

use std::collections::BTreeSet;

use crate::contract::TasAction;
use crate::model::Document;
use crate::model::compound::{ByAction, Step};

/// The names of the HTTP actions that some step adds a comment or a file with: every step of the actions that
/// are for nothing else, and in the others one that is given the caller's comment.
pub(crate) fn adding(document: &Document) -> BTreeSet<&str> {
    let actions = document.actions.get().into_iter().flat_map(ByAction::read);
    let steps = actions.flat_map(|(action, _, compound)| {
        let adding = move |step: &&Step| is_adding(action) || is_given_comment(action, step);
        compound.calls().filter(adding)
    });
    steps
        .filter_map(|step| Some(step.action_name.get()?.value.as_str()))
        .collect()
}

fn is_adding(action: TasAction) -> bool {
    matches!(
        action,
        TasAction::AddPublicComment | TasAction::AddInternalComment | TasAction::AddAttachment
    )
}

fn is_given_comment(action: TasAction, step: &Step) -> bool {
    let mut given = [&step.input_args, &step.for_each].into_iter().flatten();
    action.own_context_fields().contains(&"comment")
        && given.any(|expression| expression.reads_context("comment"))
}
