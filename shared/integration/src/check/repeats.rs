//! Checks of what is done more than once in a compound action: `for_each` and `retry_from`.

use super::World;
use crate::model::compound::{Compound, RetryFrom, Step};
use crate::model::http_action::HttpAction;
use crate::read::{Report, suggestion};
use crate::rules;

pub(crate) fn check(compound: &Compound, world: &World<'_>, report: &mut Report) {
    let steps: Vec<&Step> = compound.calls().collect();
    for (number, step) in steps.iter().enumerate() {
        check_for_each(step, world, report);
        if let Some(retry_from) = &step.retry_from {
            let before = steps.get(..number).unwrap_or_default();
            check_retry_from(step, retry_from, before, world, report);
        }
    }
}

fn check_for_each(step: &Step, world: &World<'_>, report: &mut Report) {
    if step.keys.place("for_each").is_none() {
        for key in ["max_items", "at_once"] {
            if let Some(place) = step.keys.place(key) {
                let message = format!("`{key}` says nothing without `for_each`");
                report.add(&rules::MISSING_KEY, place, message);
            }
        }
        return;
    }
    if let (Some(place), Some(at_once)) = (step.keys.place("at_once"), step.at_once)
        && at_once.0 > 1
        && http_action(step, world).is_some_and(HttpAction::may_change)
    {
        let message = "changes are made one after the other, so that it is known which were made";
        report.add(&rules::NOT_TOGETHER, place, message);
    }
    if let Some(place) = step.keys.place("retry_from") {
        let message = "a step with `for_each` has no `retry_from`";
        report.add(&rules::NOT_TOGETHER, place, message);
    }
}

fn check_retry_from(
    step: &Step,
    retry_from: &RetryFrom,
    before: &[&Step],
    world: &World<'_>,
    report: &mut Report,
) {
    let Some(name) = retry_from.step.get() else { return };
    let key_of = |step: &Step| step.output_key.get().map(|key| key.value.clone());
    let Some(first) = before
        .iter()
        .position(|step| key_of(step).as_ref() == Some(&name.value))
    else {
        let known: Vec<String> = before.iter().filter_map(|step| key_of(step)).collect();
        let known: Vec<&str> = known
            .iter()
            .map(String::as_str)
            .filter(|key| *key != "_")
            .collect();
        let message = format!("no step before this one has the `output_key` `{}`", name.value);
        let help = suggestion(&name.value, &known);
        report.push(rules::RETRY_STEP.at(&name.place, message).help(help));
        return;
    };
    for repeated in before.get(first..).unwrap_or_default() {
        if http_action(repeated, world).is_some_and(HttpAction::may_change) {
            let called = repeated
                .action_name
                .get()
                .map_or("a step", |called| called.value.as_str());
            let message = format!("`{called}` stands between, changes something, and would be done again");
            report.add(&rules::RETRY_STEP, &name.place, message);
        }
    }
    if http_action(step, world).is_some_and(|action| !action.may_change()) {
        let message = "this step only reads: nothing that it is refused for changes by reading again";
        report.add(&rules::RETRY_STEP, &retry_from.place, message);
    }
}

fn http_action<'d>(step: &Step, world: &World<'d>) -> Option<&'d HttpAction> {
    world.http_action(&step.action_name.get()?.value)
}
