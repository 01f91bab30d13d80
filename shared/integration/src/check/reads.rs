//! Which names an expression or a template may read, depending on where it stands.

use std::sync::Arc;

use mapping::{Content, InputPath, Node, Place};

use super::World;
use crate::contract::{COMPOUND_ROOTS, META_INFO_KEYS, PAGED_RESULT_KEYS, RESPONSE_KEYS, TasAction};
use crate::model::compound::ByAction;
use crate::model::http_action::Cell;
use crate::read::{Report, suggestion};
use crate::reads::expressions;
use crate::rules;

/// What can be read at one place. `settings` can be read everywhere.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scope<'s> {
    /// What to call the place in a message: "a compound action".
    pub(crate) what: &'s str,
    pub(crate) meta_info: bool,
    /// `response`, in an HTTP action after the answer.
    pub(crate) response: bool,
    /// The headers that paging sends: they are in `response.headers` under this spelling too.
    pub(crate) sent_headers: &'s [&'s str],
    /// `item`, one item of a page or of a `for_each`.
    pub(crate) item: bool,
    /// `index`, the place of the item of a `for_each`.
    pub(crate) index: bool,
    /// `secret`, in the login of a session.
    pub(crate) secret: bool,
    /// Any other name is an input argument.
    pub(crate) arguments: bool,
    /// `requestor_info`, for the identity.
    pub(crate) requestor_info: bool,
    /// `data`, in a compound action.
    pub(crate) data: Option<&'s DataBank<'s>>,
}

/// What `data` holds at one point of a compound action.
pub(crate) struct DataBank<'s> {
    /// The action, whose context `data.context` is; `None` for `describe`, which has none.
    pub(crate) action: Option<TasAction>,
    /// The results so far.
    pub(crate) results: Vec<StepResult<'s>>,
    /// The results that come later.
    pub(crate) later: Vec<&'s str>,
}

/// The result of a step.
#[derive(Clone, Copy)]
pub(crate) struct StepResult<'s> {
    pub(crate) output_key: &'s str,
    /// Whether it is `{items, next_page_token, pages}`.
    pub(crate) paged: bool,
}

/// An input argument that something reads.
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) place: Place,
}

/// Reports the paths that cannot be read in this scope. Gives the arguments that are read, and whether the
/// whole root is (which may be any argument).
pub(crate) fn check_reads(
    cell: Cell<'_>,
    scope: &Scope<'_>,
    world: &World<'_>,
    report: &mut Report,
) -> (Vec<Argument>, bool) {
    let (mut arguments, mut whole) = (Vec::new(), false);
    for path in cell.reads() {
        let found_before = report.diagnostics.len();
        let keys: Vec<&str> = path.keys().collect();
        let below = keys.get(1).copied();
        match keys.first().copied() {
            None => {
                whole = true;
                *world.settings_read.borrow_mut() = None;
            }
            Some("settings") => check_setting(below, path, world, report),
            Some("meta_info") if scope.meta_info && below == Some("dates") => {
                check_dates(keys.get(2).copied(), path, world, report);
            }
            Some("meta_info") if scope.meta_info => check_meta_info(below, path, report),
            Some("response") if scope.response => {
                check_known(below, &RESPONSE_KEYS, "response", path, report);
                if below == Some("headers") {
                    check_header(keys.get(2).copied(), scope, path, report);
                }
            }
            Some("item") if scope.item => {}
            Some("index") if scope.index => {}
            Some("secret") if scope.secret => {}
            Some("requestor_info") if scope.requestor_info => {}
            Some("data") if scope.data.is_some() => {
                if let Some(data) = scope.data {
                    check_data(&keys, data, path, world, report);
                }
            }
            Some(reserved @ ("response" | "item" | "meta_info")) => {
                let message = format!("{} does not see `{reserved}`", scope.what);
                report.push(rules::UNKNOWN_ROOT.at(&path.place, message).help(roots_of(scope)));
            }
            Some("data") if scope.arguments => {
                let message = "an HTTP action does not see `data`";
                let help =
                    "pass the value in the step's `input_args`, and read it here by the name it has there";
                report.push(rules::UNKNOWN_ROOT.at(&path.place, message).help(help));
            }
            Some(name) if scope.arguments => {
                arguments.push(Argument {
                    name: name.to_owned(),
                    place: written_at(cell, path),
                });
            }
            Some(name) => {
                let message = format!("{} does not see `{name}`", scope.what);
                report.push(
                    rules::UNKNOWN_ROOT
                        .at(&path.place, message)
                        .help(unknown_root(name, scope)),
                );
            }
        }
        // Looking for it takes long, and most paths have no mistake.
        for diagnostic in report.diagnostics.iter_mut().skip(found_before) {
            diagnostic.place = Some(written_at(cell, path));
        }
    }
    (arguments, whole)
}

fn check_setting(name: Option<&str>, path: &InputPath, world: &World<'_>, report: &mut Report) {
    let Some(name) = name else {
        *world.settings_read.borrow_mut() = None;
        return;
    };
    check_declared(name, &path.place, world, report);
}

/// Notes that something reads a setting, and reports one that there is not.
pub(crate) fn check_declared(name: &str, place: &Place, world: &World<'_>, report: &mut Report) {
    world.note_read(name);
    if !world.settings.contains(&name) {
        // The setting that was meant is not unused.
        let meant = mapping::did_you_mean(name, world.settings.iter().copied());
        if let Some(meant) = meant {
            world.note_read(meant);
        }
        let message = format!("`settings` declares no `{name}`");
        report.unknown_word(&rules::UNKNOWN_SETTING, place, message, name, &world.settings);
    }
}

fn check_meta_info(key: Option<&str>, path: &InputPath, report: &mut Report) {
    if key == Some("user") {
        let message = "`meta_info.user` is always null in a ticket gateway";
        report.push(
            rules::IGNORED
                .at(&path.place, message)
                .help("read `data.context.requestor_info.requestor`"),
        );
    } else {
        check_known(key, &META_INFO_KEYS, "meta_info", path, report);
    }
}

/// `meta_info.dates`: the range of a list as the ticketing system writes times.
fn check_dates(key: Option<&str>, path: &InputPath, world: &World<'_>, report: &mut Report) {
    let connector = world.document.connector.get();
    if connector.is_some_and(|connector| connector.keys.place("dates").is_none()) {
        let message = "`meta_info.dates` is there only with `connector.dates`";
        let help = "say under `connector.dates` how the ticketing system writes times";
        report.push(rules::UNKNOWN_FIELD.at(&path.place, message).help(help));
    } else {
        check_known(
            key,
            &["updated_start_ts", "updated_end_ts"],
            "meta_info.dates",
            path,
            report,
        );
    }
}

fn check_known(key: Option<&str>, known: &[&str], what: &str, path: &InputPath, report: &mut Report) {
    if let Some(key) = key.filter(|key| !known.contains(key)) {
        let message = format!("`{what}` has no `{key}`");
        report.unknown_word(&rules::UNKNOWN_FIELD, &path.place, message, key, known);
    }
}

fn check_header(name: Option<&str>, scope: &Scope<'_>, path: &InputPath, report: &mut Report) {
    if let Some(name) =
        name.filter(|name| name.contains(char::is_uppercase) && !scope.sent_headers.contains(name))
    {
        let message = format!("`response.headers` has no `{name}`: header names in it are in small letters");
        let help = format!("write `response.headers[\"{}\"]`", name.to_lowercase());
        report.push(rules::UNKNOWN_FIELD.at(&path.place, message).help(help));
    }
}

fn check_data(keys: &[&str], data: &DataBank<'_>, path: &InputPath, world: &World<'_>, report: &mut Report) {
    let Some(name) = keys.get(1).copied() else { return };
    let below = keys.get(2).copied();
    if name == "context" {
        check_context(below, data, path, world, report);
    } else if let Some(result) = data.results.iter().find(|result| result.output_key == name) {
        if result.paged {
            check_known(below, &PAGED_RESULT_KEYS, &format!("data.{name}"), path, report);
        }
    } else {
        let known: Vec<&str> = std::iter::once("context")
            .chain(data.results.iter().map(|result| result.output_key))
            .collect();
        let in_context = data
            .action
            .is_some_and(|action| action.context_fields().any(|field| field == name));
        let help = if data.later.contains(&name) {
            format!("`{name}` is the result of a later step; move that step before this one")
        } else if in_context {
            format!("write `data.context.{name}`")
        } else {
            suggestion(name, &known)
        };
        report.push(
            rules::UNKNOWN_DATA
                .at(&path.place, format!("`data` has no `{name}` here"))
                .help(help),
        );
    }
}

fn check_context(
    field: Option<&str>,
    data: &DataBank<'_>,
    path: &InputPath,
    world: &World<'_>,
    report: &mut Report,
) {
    let Some(action) = data.action else {
        report.add(&rules::UNKNOWN_CONTEXT, &path.place, "`describe` has no context");
        return;
    };
    let known: Vec<&str> = action.context_fields().collect();
    if let Some(field) = field.filter(|field| !known.contains(field)) {
        if action.shares_context_field(field) {
            if is_read_where_it_is_given(field, path, world) {
                return;
            }
            let message = format!("`data.context.{field}` is always null in `{action}`");
            let help = "use one of this action's own fields; steps that several actions share are written once, with an anchor";
            report.push(rules::CONTEXT_ALWAYS_NULL.at(&path.place, message).help(help));
            return;
        }
        let message = format!("the context of `{action}` has no `{field}`");
        report.unknown_word(&rules::UNKNOWN_CONTEXT, &path.place, message, field, &known);
    }
}

/// Whether the same text, by an anchor of YAML, is a part of an action whose context has the field.
fn is_read_where_it_is_given(field: &str, path: &InputPath, world: &World<'_>) -> bool {
    let is_same = |other: &InputPath| {
        let (here, there) = (&path.place, &other.place);
        Arc::ptr_eq(&here.source, &there.source)
            && (here.start, here.end) == (there.start, there.end)
            && path.segments == other.segments
    };
    let actions = world.document.actions.get().into_iter().flat_map(ByAction::read);
    actions
        .filter(|(action, ..)| action.context_fields().any(|given| given == field))
        .flat_map(|(_, _, compound)| compound.with_search())
        .flat_map(expressions)
        .any(|expression| expression.mapping.reads().iter().any(is_same))
}

fn roots_of(scope: &Scope<'_>) -> String {
    let seen = [
        ("data", scope.data.is_some()),
        ("the step's input arguments", scope.arguments),
        ("response", scope.response),
        ("item", scope.item),
        ("index", scope.index),
        ("secret", scope.secret),
        ("requestor_info", scope.requestor_info),
        ("meta_info", scope.meta_info),
        ("settings", true),
    ];
    let seen: Vec<&str> = seen
        .into_iter()
        .filter(|(_, seen)| *seen)
        .map(|(name, _)| name)
        .collect();
    format!("it sees {}", seen.join(", "))
}

fn unknown_root(name: &str, scope: &Scope<'_>) -> String {
    let Some(data) = scope.data else {
        return roots_of(scope);
    };
    if data
        .action
        .is_some_and(|action| action.context_fields().any(|field| field == name))
    {
        format!("write `data.context.{name}`")
    } else if name == "context" || data.results.iter().any(|result| result.output_key == name) {
        format!("write `data.{name}`")
    } else if let Some(near) = mapping::did_you_mean(name, COMPOUND_ROOTS) {
        format!("did you mean `{near}`?")
    } else {
        format!("{}; text is quoted twice: \"'{name}'\"", roots_of(scope))
    }
}

/// Where a path is written. What a mapping reads is known for its parts as a whole; the line to correct is the
/// one with the name in it, so the name is looked for in the texts of the mapping.
fn written_at(cell: Cell<'_>, path: &InputPath) -> Place {
    let Cell::Mapping(expression) = cell else {
        return path.place.clone();
    };
    let names: Vec<&str> = path.keys().collect();
    let prefixes = (1..=names.len()).rev().filter_map(|length| names.get(..length));
    prefixes
        .map(|names| names.join("."))
        .find_map(|words| find_name(&expression.node, &words))
        .unwrap_or_else(|| path.place.clone())
}

/// The first text below a node that holds these words as a name of their own.
fn find_name(node: &Node, words: &str) -> Option<Place> {
    match &node.content {
        Content::Text(text) => {
            let (start, _) = text.match_indices(words).find(|(start, _)| {
                let before = text.get(..*start).and_then(|before| before.chars().next_back());
                let after = text
                    .get(start + words.len()..)
                    .and_then(|after| after.chars().next());
                let part_of_name = |next: char| next.is_alphanumeric() || next == '_';
                !before.is_some_and(|next| part_of_name(next) || matches!(next, '.' | '\'' | '"'))
                    && !after.is_some_and(part_of_name)
            })?;
            Some(node.place.within(start, words.len()))
        }
        Content::List(items) => items.iter().find_map(|item| find_name(item, words)),
        Content::Object(entries) => entries.iter().find_map(|(_, value)| find_name(value, words)),
        Content::Null | Content::Bool(_) | Content::Number(_) => None,
    }
}
