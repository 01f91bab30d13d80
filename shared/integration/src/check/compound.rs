//! Checks of the compound actions: their order, their names, and what their expressions read.

use mapping::{Content, Node};

use super::World;
use super::output::check_output;
use super::reads::{DataBank, Scope, StepResult, check_reads};
use super::repeats;
use super::safe_create;
use crate::contract::TasAction;
use crate::model::compound::{Block, ByAction, Compound, Return, Step};
use crate::model::http_action::{Cell, FailWhen, all};
use crate::read::{Expression, OneOrMany, Report, suggestion};
use crate::rules;

pub(crate) fn check(world: &World<'_>, report: &mut Report) {
    for (action, _, compound) in world.document.actions.get().into_iter().flat_map(ByAction::read) {
        check_compound(Some(action), compound, check_output, world, report);
        safe_create::check(Some(action), compound, world, report);
    }
    if let Some(describe) = &world.document.describe {
        check_compound(None, describe, check_output, world, report);
        safe_create::check(None, describe, world, report);
    }
    for (_, _, capability) in world.document.capabilities.iter().flat_map(ByAction::read) {
        if let Some(when) = &capability.when {
            let scope = Scope {
                what: "a capability",
                ..Scope::default()
            };
            check_reads(Cell::Mapping(when), &scope, world, report);
        }
    }
}

impl Compound {
    pub(crate) fn blocks(&self) -> &[Block] {
        self.steps.as_ref().map_or(&[], |steps| steps.0.as_slice())
    }

    /// The calls that could be read.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Step> {
        self.blocks().iter().filter_map(|block| match block {
            Block::Action(step) => Some(step.as_ref()),
            Block::Return(..) | Block::Check(_) | Block::Unusable => None,
        })
    }

    /// This one, and the search of its `safe_create`.
    pub(crate) fn with_search(&self) -> impl Iterator<Item = &Compound> {
        let search = self.safe_create.iter().map(|safe_create| &safe_create.search);
        std::iter::once(self).chain(search)
    }

    /// The answer, wherever it stands.
    pub(crate) fn answer(&self) -> Option<&Return> {
        let in_steps = self.blocks().iter().find_map(|block| match block {
            Block::Return(answer, _) => Some(answer),
            Block::Action(_) | Block::Check(_) | Block::Unusable => None,
        });
        in_steps.or(self.r#return.as_ref())
    }
}

/// `check_answer` looks at the `output_mapper` of a ticket action.
pub(super) fn check_compound(
    action: Option<TasAction>,
    compound: &Compound,
    check_answer: fn(TasAction, &Node, &mut Report),
    world: &World<'_>,
    report: &mut Report,
) {
    check_order(compound, report);
    let mut data = DataBank {
        action,
        results: Vec::new(),
        later: output_keys(compound),
    };
    check_fail_when(&compound.fail_when, &data, world, report);
    for block in compound.blocks() {
        match block {
            Block::Action(step) => check_step(step, &mut data, world, report),
            Block::Check(check) => check_rules(
                check.fail_when.get().into_iter().flat_map(|rules| &rules.0),
                &data,
                false,
                world,
                report,
            ),
            Block::Return(..) | Block::Unusable => {}
        }
    }
    repeats::check(compound, world, report);
    check_refilter(action, compound, report);
    data.later.clear();
    if let Some(answer) = compound.answer() {
        check_fail_when(&answer.fail_when, &data, world, report);
        check_expression(answer.output_mapper.get(), &data, world, report);
        if let (Some(action), Some(mapper)) = (action, answer.output_mapper.get()) {
            check_answer(action, &mapper.node, report);
        }
    }
}

/// `return` is there once and last.
fn check_order(compound: &Compound, report: &mut Report) {
    let blocks = compound.blocks();
    let returns: Vec<_> = blocks
        .iter()
        .enumerate()
        .filter_map(|(index, block)| match block {
            Block::Return(_, place) => Some((index, place)),
            Block::Action(_) | Block::Check(_) | Block::Unusable => None,
        })
        .collect();
    let unusable = blocks.iter().any(|block| matches!(block, Block::Unusable));
    match (returns.as_slice(), &compound.r#return) {
        // What could not be read may have been the `return`.
        ([], None) if !unusable => {
            let message = "this action has no `return`, so it would have no answer";
            let help = "end `steps` with `- return: {output_mapper: ...}`";
            report.push(rules::NO_RETURN.at(&compound.place, message).help(help));
        }
        ([(_, place), ..], Some(_)) => {
            report.add(
                &rules::AFTER_RETURN,
                place,
                "there is a `return` here and another beside `steps`",
            );
        }
        ([(index, place), rest @ ..], None) => {
            if index + 1 < blocks.len() {
                let message = "what stands after `return` would never run";
                report.push(
                    rules::AFTER_RETURN
                        .at(place, message)
                        .help("move `return` to the end of `steps`"),
                );
            }
            for (_, place) in rest {
                report.add(&rules::AFTER_RETURN, place, "there is more than one `return`");
            }
        }
        _ => {}
    }
}

fn output_keys(compound: &Compound) -> Vec<&str> {
    compound
        .calls()
        .filter_map(|step| step.output_key.get())
        .map(|key| key.value.as_str())
        .collect()
}

fn check_step<'s>(step: &'s Step, data: &mut DataBank<'s>, world: &World<'s>, report: &mut Report) {
    let http_action = step.action_name.get().and_then(|name| {
        let names = world.http_action_names();
        if !names.contains(&name.value.as_str()) {
            let message = format!("there is no HTTP action `{}`", name.value);
            let help = suggestion(&name.value, &names);
            report.push(rules::UNKNOWN_HTTP_ACTION.at(&name.place, message).help(help));
        }
        world.http_action(&name.value)
    });
    let of_element = step.keys.place("for_each").is_some();
    check_expression(step.for_each.as_ref(), data, world, report);
    for expression in [&step.when, &step.input_args].into_iter().flatten() {
        check_in_step(expression, data, of_element, world, report);
    }
    if let Some(args) = &step.input_args
        && matches!(
            args.node.content,
            Content::List(_) | Content::Number(_) | Content::Bool(_)
        )
    {
        report.wrong_type(&args.node, "an object, one key for each variable");
    }
    if let Some(key) = step.output_key.get() {
        let name = key.value.as_str();
        if name == "context" {
            let message = "`data.context` is the action's input";
            report.push(
                rules::BAD_NAME
                    .at(&key.place, message)
                    .help("choose another `output_key`"),
            );
        } else if name != "_" && data.results.iter().any(|result| result.output_key == name) {
            let message = format!("an earlier step has stored its result as `{name}`");
            report.add(&rules::OUTPUT_KEY_TAKEN, &key.place, message);
        }
        if name != "_" {
            let paged = !of_element && http_action.is_some_and(|action| action.paginate.is_some());
            data.results.push(StepResult {
                output_key: name,
                paged,
            });
            if let Some(position) = data.later.iter().position(|later| *later == name) {
                data.later.remove(position);
            }
        }
    }
    check_rules(all(&step.fail_when), data, of_element, world, report);
}

fn check_refilter(action: Option<TasAction>, compound: &Compound, report: &mut Report) {
    if let Some(place) = compound.keys.place("refilter")
        && !action.is_some_and(TasAction::is_list)
    {
        let message = "only a list of tickets has a range to filter by";
        report.add(&rules::NOT_TOGETHER, place, message);
    }
}

fn check_fail_when(
    conditions: &Option<OneOrMany<FailWhen>>,
    data: &DataBank<'_>,
    world: &World<'_>,
    report: &mut Report,
) {
    check_rules(all(conditions), data, false, world, report);
}

/// `of_element` says whether they are asked for each element of a `for_each`.
fn check_rules<'m>(
    rules: impl IntoIterator<Item = &'m FailWhen>,
    data: &DataBank<'_>,
    of_element: bool,
    world: &World<'_>,
    report: &mut Report,
) {
    for fail_when in rules {
        for expression in [fail_when.condition(), fail_when.message()].into_iter().flatten() {
            check_in_step(expression, data, of_element, world, report);
        }
    }
}

fn check_in_step(
    expression: &Expression,
    data: &DataBank<'_>,
    of_element: bool,
    world: &World<'_>,
    report: &mut Report,
) {
    let scope = Scope {
        what: "a compound action",
        meta_info: true,
        item: of_element,
        index: of_element,
        data: Some(data),
        ..Scope::default()
    };
    check_reads(Cell::Mapping(expression), &scope, world, report);
}

fn check_expression(
    expression: Option<&Expression>,
    data: &DataBank<'_>,
    world: &World<'_>,
    report: &mut Report,
) {
    if let Some(expression) = expression {
        check_in_step(expression, data, false, world, report);
    }
}
