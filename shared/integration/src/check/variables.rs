//! The variables of each HTTP action against what the steps that call it give.

use mapping::{Content, Key, Node};

use super::World;
use super::reads::{Argument, Scope, check_reads};
use crate::model::compound::{Block, ByAction, Compound, Step};
use crate::model::http_action::{Cell, FailWhen, HttpAction, PathTemplate, all};
use crate::model::paginate::Otherwise;
use crate::read::{Expression, OneOrMany, Report, suggestion};
use crate::rules;

/// What a step gives an HTTP action.
enum Given<'d> {
    /// These arguments.
    Known(Vec<&'d Key>),
    /// Known when it runs.
    Computed,
}

/// What an HTTP action reads.
#[derive(Default)]
struct Wanted {
    /// The arguments, each once for every place that reads it.
    arguments: Vec<Argument>,
    /// Those that the path cannot do without.
    of_path: Vec<String>,
    /// Those that can be nothing else, such as a field of a section's value.
    certain: Vec<String>,
    /// Whether it may read any argument.
    anything: bool,
}

/// The names that an argument cannot have, because they mean something else in an HTTP action.
const TAKEN: [&str; 5] = ["settings", "meta_info", "response", "item", "data"];

pub(crate) fn check(world: &World<'_>, report: &mut Report) {
    let calls = calls(world);
    for step in &calls {
        if let Given::Known(keys) = given(step) {
            for key in keys.into_iter().filter(|key| TAKEN.contains(&argument_name(key))) {
                let message = format!("`{}` means something else in an HTTP action", key.name);
                report.push(
                    rules::BAD_NAME
                        .at(&key.place, message)
                        .help("give the argument another name"),
                );
            }
        }
    }
    let meant = meant_by_mistake(&calls, world);
    let http_actions = world
        .document
        .http_actions
        .get()
        .into_iter()
        .flat_map(|actions| &actions.entries);
    for (name, action) in http_actions {
        let steps: Vec<&Step> = calls
            .iter()
            .copied()
            .filter(|step| calls_action(step, &name.name))
            .collect();
        if steps.is_empty() && !meant.contains(&name.name.as_str()) && all_calls_known(world) {
            report.add(
                &rules::HTTP_ACTION_NOT_USED,
                &name.place,
                format!("no step calls `{}`", name.name),
            );
        }
        if let Some(action) = action {
            check_action(&name.name, action, &steps, world, report);
        }
    }
}

fn calls<'d>(world: &World<'d>) -> Vec<&'d Step> {
    let actions = world.document.actions.get().into_iter().flat_map(ByAction::read);
    actions
        .flat_map(|(_, _, compound)| compound.with_search())
        .flat_map(Compound::calls)
        .chain(world.document.describe.iter().flat_map(Compound::calls))
        .collect()
}

/// The HTTP actions that a misspelt `action_name` probably means: they are not unused.
fn meant_by_mistake<'d>(calls: &[&Step], world: &World<'d>) -> Vec<&'d str> {
    let names = world.http_action_names();
    let called = calls.iter().filter_map(|step| step.action_name.get());
    called
        .filter(|name| !names.contains(&name.value.as_str()))
        .filter_map(|name| mapping::did_you_mean(&name.value, names.iter().copied()))
        .collect()
}

/// Whether every step could be read, so that an HTTP action without a call is truly unused.
fn all_calls_known(world: &World<'_>) -> bool {
    let actions = world
        .document
        .actions
        .get()
        .into_iter()
        .flat_map(|actions| &actions.entries);
    let unread = actions.clone().any(|(_, _, compound)| compound.is_none());
    let compounds = actions
        .filter_map(|(_, _, compound)| compound.as_ref())
        .flat_map(Compound::with_search)
        .chain(&world.document.describe);
    !unread
        && !compounds
            .flat_map(Compound::blocks)
            .any(|block| matches!(block, Block::Unusable))
}

fn calls_action(step: &Step, name: &str) -> bool {
    step.action_name
        .get()
        .is_some_and(|action_name| action_name.value == name)
}

fn check_action(name: &str, action: &HttpAction, steps: &[&Step], world: &World<'_>, report: &mut Report) {
    let wanted = wanted(action, world, report);
    let given: Vec<(&Step, Given<'_>)> = steps.iter().map(|step| (*step, given(step))).collect();
    let computed = given.iter().any(|(_, given)| matches!(given, Given::Computed));
    let all_given: Vec<&str> = given
        .iter()
        .filter_map(|(_, given)| match given {
            Given::Known(keys) => Some(keys.iter().map(|key| argument_name(key))),
            Given::Computed => None,
        })
        .flatten()
        .collect();

    let mut reported: Vec<&str> = Vec::new();
    for argument in &wanted.arguments {
        let nowhere = !steps.is_empty() && !computed && !all_given.contains(&argument.name.as_str());
        let certain = wanted.certain.contains(&argument.name);
        if nowhere && certain && !reported.contains(&argument.name.as_str()) {
            reported.push(&argument.name);
            let message = format!("no step that calls `{name}` gives `{}`", argument.name);
            let help = match mapping::did_you_mean(&argument.name, all_given.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{}` to the `input_args` of the steps", argument.name),
            };
            report.push(rules::VARIABLE_NOT_GIVEN.at(&argument.place, message).help(help));
        }
    }
    for (step, given) in &given {
        let Given::Known(keys) = given else { continue };
        check_step(name, step, keys, &wanted, &reported, report);
    }
}

fn check_step(
    name: &str,
    step: &Step,
    keys: &[&Key],
    wanted: &Wanted,
    reported: &[&str],
    report: &mut Report,
) {
    let is_given = |argument: &str| keys.iter().any(|key| argument_name(key) == argument);
    for argument in wanted
        .of_path
        .iter()
        .filter(|argument| !reported.contains(&argument.as_str()))
    {
        if !is_given(argument) {
            let message = format!("the path of `{name}` needs `{argument}`, and this step does not give it");
            let place = step
                .input_args
                .as_ref()
                .map_or(&step.place, |args| &args.node.place);
            report.add(&rules::PATH_VARIABLE_NOT_GIVEN, place, message);
        }
    }
    if wanted.anything {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    for argument in &wanted.arguments {
        if !names.contains(&argument.name.as_str()) {
            names.push(&argument.name);
        }
    }
    for key in keys.iter().filter(|key| !TAKEN.contains(&argument_name(key))) {
        if !names.contains(&argument_name(key)) {
            let message = format!("`{name}` never reads `{}`", key.name);
            report.push(
                rules::ARGUMENT_NOT_READ
                    .at(&key.place, message)
                    .help(suggestion(&key.name, &names)),
            );
        }
    }
}

fn given(step: &Step) -> Given<'_> {
    let Some(args) = &step.input_args else {
        // What is there and wrong may give anything.
        return match step.keys.place("input_args") {
            Some(_) => Given::Computed,
            None => Given::Known(Vec::new()),
        };
    };
    match &args.node {
        Node {
            content: Content::Object(entries),
            ..
        } if !entries.iter().any(|(key, _)| key.name.ends_with("()")) => {
            Given::Known(entries.iter().map(|(key, _)| key).collect())
        }
        _ => Given::Computed,
    }
}

/// The argument that a key builds: a key `a.b` builds the field `b` of `a`.
fn argument_name(key: &Key) -> &str {
    key.name.split('.').next().unwrap_or_default()
}

/// Collects what an HTTP action reads, and reports what it cannot.
fn wanted(action: &HttpAction, world: &World<'_>, report: &mut Report) -> Wanted {
    let request = Scope {
        what: "a request",
        meta_info: true,
        arguments: true,
        ..Scope::default()
    };
    let sent_headers = sent_headers(action);
    let answer = Scope {
        sent_headers: &sent_headers,
        what: "this expression",
        response: true,
        ..request
    };
    let item = Scope { item: true, ..answer };
    let mut wanted = Wanted {
        anything: report.has_error_within(&action.place),
        ..Wanted::default()
    };
    let mut read = |cell: Cell<'_>, scope: &Scope<'_>, report: &mut Report| {
        let (arguments, whole) = check_reads(cell, scope, world, report);
        let certain = cell
            .certain_reads()
            .iter()
            .filter_map(|path| path.keys().next().map(str::to_owned));
        wanted.certain.extend(certain);
        wanted.anything |= whole;
        wanted.arguments.extend(arguments);
    };

    for cell in action.request_cells() {
        read(cell, &request, report);
    }
    let fallback = action.fallback.as_ref();
    let when = fallback.and_then(|fallback| fallback.when.as_ref());
    let after = when.into_iter().chain(&action.result).chain(&action.null_when);
    for expression in after.chain(conditions(&action.fail_when)) {
        read(Cell::Mapping(expression), &answer, report);
    }
    if let Some(paginate) = &action.paginate {
        let otherwise = paginate
            .otherwise
            .as_ref()
            .and_then(|otherwise| otherwise.next.as_ref());
        let of_page = [
            paginate.next.as_ref(),
            paginate.items.get(),
            paginate.stop_when.as_ref(),
            paginate.end_when.as_ref(),
            otherwise,
        ];
        for expression in of_page.into_iter().flatten() {
            read(Cell::Mapping(expression), &answer, report);
        }
        if let Some(start_from) = &paginate.start_from {
            read(Cell::Mapping(start_from), &request, report);
        }
        let otherwise = paginate.otherwise.as_ref().map(Otherwise::paging);
        for paging in [Some(paginate.paging()), otherwise].into_iter().flatten() {
            let scope = if paging.asks_for_range() {
                &request
            } else {
                &answer
            };
            if let Some(page_size) = paging.page_size {
                read(Cell::Mapping(page_size), scope, report);
            }
        }
        for expression in [&paginate.keep, &paginate.unique_by].into_iter().flatten() {
            read(Cell::Mapping(expression), &item, report);
        }
    }

    wanted.of_path = action.paths().flat_map(path_arguments).collect();
    wanted
}

fn conditions(fail_when: &Option<OneOrMany<FailWhen>>) -> impl Iterator<Item = &Expression> {
    all(fail_when)
        .iter()
        .flat_map(|fail_when| [fail_when.condition(), fail_when.message()])
        .flatten()
}

/// The headers that paging sends its position in.
fn sent_headers(action: &HttpAction) -> Vec<&str> {
    let paginate = action.paginate.as_ref();
    let otherwise = paginate.and_then(|paginate| paginate.otherwise.as_ref());
    let sends = [
        paginate.and_then(|paginate| paginate.send.as_ref()),
        otherwise.and_then(|otherwise| otherwise.send.as_ref()),
    ];
    let headers = sends
        .into_iter()
        .flatten()
        .filter_map(|send| send.header.as_ref());
    headers.map(|header| header.value.as_str()).collect()
}

fn path_arguments(path: &PathTemplate) -> Vec<String> {
    if path.has_sections {
        return Vec::new();
    }
    let names = path
        .template
        .reads()
        .iter()
        .filter_map(|read| read.keys().next().map(str::to_owned));
    names.filter(|name| !TAKEN.contains(&name.as_str())).collect()
}
