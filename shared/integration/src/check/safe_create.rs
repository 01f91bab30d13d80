//! Checks of `safe_create`: where it stands, that the marker is written and looked for, and that looking changes
//! nothing.

use super::World;
use super::compound::check_compound;
use super::output::check_found;
use super::reads::{Scope, check_reads};
use crate::contract::TasAction;
use crate::model::compound::{Compound, Step};
use crate::model::http_action::{Cell, HttpAction};
use crate::read::Report;
use crate::rules;

/// Reports the mistakes in the `safe_create` of a compound action, if it has one.
pub(super) fn check(action: Option<TasAction>, compound: &Compound, world: &World<'_>, report: &mut Report) {
    let Some(safe_create) = compound.safe_create.as_deref() else {
        return;
    };
    let search = &safe_create.search;
    if action != Some(TasAction::CreateTicket) {
        let message = "only `create_ticket` makes a ticket that could be looked for";
        let place = compound.keys.place("safe_create").unwrap_or(&search.place);
        report.add(&rules::SAFE_CREATE_ELSEWHERE, place, message);
        return;
    }
    if let Some(when) = &safe_create.when {
        let scope = Scope {
            what: "`safe_create.when`",
            ..Scope::default()
        };
        check_reads(Cell::Mapping(when), &scope, world, report);
    }
    check_compound(action, search, check_found, world, report);
    if !report.has_error_within(&compound.place) {
        check_marker(compound, world, report);
    }
    for step in search.calls() {
        let Some(name) = step.action_name.get() else {
            continue;
        };
        let is_adding = world.adding.contains(name.value.as_str());
        if http_action(step, world).is_some_and(|action| !action.is_repeatable(is_adding)) {
            let message = format!("`{}` can change something each time it is sent", name.value);
            report.add(&rules::SEARCH_CHANGES, &name.place, message);
        }
    }
}

/// What is created carries the marker, and what is searched is compared with it.
fn check_marker(compound: &Compound, world: &World<'_>, report: &mut Report) {
    let Some(safe_create) = compound.safe_create.as_deref() else {
        return;
    };
    let place = compound
        .keys
        .place("safe_create")
        .unwrap_or(&safe_create.search.place);
    let steps = |compound: &Compound| compound.calls().any(|step| step_reads_marker(step, world));
    if !steps(compound) {
        let message =
            "the steps of `create_ticket` never read `meta_info.marker`, so the ticket cannot be found by it";
        report.add(&rules::MARKER_NOT_USED, place, message);
    }
    let answer = safe_create
        .search
        .answer()
        .and_then(|answer| answer.output_mapper.get());
    if !steps(&safe_create.search) && !answer.is_some_and(|mapper| reads_marker(Cell::Mapping(mapper))) {
        let message = "the search never reads `meta_info.marker`, so it may find another ticket";
        report.add(&rules::MARKER_NOT_USED, place, message);
    }
}

fn step_reads_marker(step: &Step, world: &World<'_>) -> bool {
    let of_step = [step.input_args.as_ref(), step.when.as_ref()];
    of_step
        .into_iter()
        .flatten()
        .any(|expression| reads_marker(Cell::Mapping(expression)))
        || http_action(step, world).is_some_and(|action| {
            let keep = action
                .paginate
                .as_ref()
                .and_then(|paginate| paginate.keep.as_ref());
            let keep = keep.map(Cell::Mapping);
            action.request_cells().into_iter().chain(keep).any(reads_marker)
        })
}

fn http_action<'d>(step: &Step, world: &World<'d>) -> Option<&'d HttpAction> {
    world.http_action(&step.action_name.get()?.value)
}

fn reads_marker(cell: Cell<'_>) -> bool {
    cell.reads().iter().any(|path| {
        let mut keys = path.keys();
        match keys.next() {
            None => true,
            Some("meta_info") => keys.next().is_none_or(|key| key == "marker"),
            Some(_) => false,
        }
    })
}
