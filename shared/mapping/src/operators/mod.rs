//! The operators of a mapping document: one file each, with its documentation.

mod arguments;
mod coalesce;
mod concat;
mod conditional;
mod eval;
mod filter;
mod flatten;
mod lookup;
mod map;
mod merge;
mod named;
mod render;
mod sort;
mod strip_html;
mod with;

use std::fmt::Debug;

use crate::compile::Compiler;
use crate::datum::Datum;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::document::{Key, Node};
use crate::documentation::Documentation;
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::{Machine, Output};
use crate::plan::{Shape, Tracer};

/// Every operator, in the order of the guide; those that are ours behind the one that they are most like.
pub(crate) static OPERATORS: &[&Operator] = &[
    &eval::EVAL,
    &with::WITH,
    &map::MAP,
    &filter::FILTER,
    &sort::SORT,
    &coalesce::COALESCE,
    &flatten::FLATTEN,
    &merge::MERGE,
    &conditional::CONDITIONAL,
    &lookup::LOOKUP,
    &concat::CONCAT,
    &render::RENDER,
    &strip_html::STRIP_HTML,
];

/// An operator of a mapping document.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) documentation: Documentation,
    /// Compiles what is written under the operator; nothing when that has a mistake, which is noted.
    pub(crate) compile: fn(&Node, &mut Compiler) -> Option<Box<dyn Evaluate>>,
}

/// An operator with its arguments.
pub(crate) trait Evaluate: Debug + Send + Sync {
    /// The value.
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault>;

    /// Writes the value as JSON text. For operators that can do so without building it.
    fn write<'v>(&'v self, machine: &mut Machine<'v>, out: &mut Output<'_>) -> Result<(), Fault> {
        let value = self.evaluate(machine)?;
        machine.write(&value, out)
    }

    /// Explains its arguments and the mappings in it that are evaluated; gives the operator's name.
    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str;

    /// Notes what is read of the input.
    fn trace(&self, tracer: &mut Tracer) -> Shape;
}

/// What an object in a mapping is.
pub(crate) enum Use {
    Operator(Box<dyn Evaluate>),
    Object,
    /// Neither; the mistake is noted.
    Mistake,
}

/// Finds out what an object in a mapping is, and compiles it if it is an operator.
pub(crate) fn of(entries: &[(Key, Node)], compiler: &mut Compiler) -> Use {
    let Some((key, arguments)) = entries.iter().find(|(key, _)| is_operator_key(&key.name)) else {
        if let [(key, arguments)] = entries {
            warn_of_missing_parentheses(key, arguments, compiler);
        }
        return Use::Object;
    };
    let known = OPERATORS
        .iter()
        .find(|operator| operator.documentation.name == key.name);
    if known.is_none() {
        let names = OPERATORS.iter().map(|operator| operator.documentation.name);
        let help = match did_you_mean(&key.name, names.clone()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        compiler.report(
            Diagnostic::error(
                code::UNKNOWN_OPERATOR,
                format!("there is no operator {}", key.name),
            )
            .at(&key.place)
            .help(help),
        );
    }
    if entries.len() > 1 {
        let message = format!("{} stands among other keys", key.name);
        compiler.report(Diagnostic::error(code::MIXED_KEYS, message).at(&key.place).help(
            "an operator is the only key of its object; MERGE() joins what it returns with other fields",
        ));
    }
    let operator = known.and_then(|operator| (operator.compile)(arguments, compiler));
    match operator {
        Some(operator) if entries.len() == 1 => Use::Operator(operator),
        _ => Use::Mistake,
    }
}

/// `MAP: {items: ..., converter: ...}` is a field with an object, and hardly meant as one.
fn warn_of_missing_parentheses(key: &Key, arguments: &Node, compiler: &mut Compiler) {
    let meant = OPERATORS.iter().find(|operator| {
        let documentation = &operator.documentation;
        let needed = documentation
            .parameters
            .iter()
            .filter(|parameter| !parameter.name.ends_with('?'));
        documentation.name.strip_suffix("()") == Some(key.name.as_str())
            && needed
                .into_iter()
                .all(|parameter| arguments.get(parameter.name).is_some())
    });
    if meant.is_some() {
        let message = format!("{0} is a field here, and not the operator {0}()", key.name);
        compiler.report(
            Diagnostic::warning(code::NO_PARENTHESES, message)
                .at(&key.place)
                .help(format!("write {}(): to use the operator", key.name)),
        );
    }
}

/// The fields when a node is an object constructor, not an operator.
pub(crate) fn constructor(node: &Node) -> Option<&[(Key, Node)]> {
    let is_object = matches!(node.content, crate::Content::Object(_));
    let entries = node.entries();
    (is_object && !entries.iter().any(|(key, _)| is_operator_key(&key.name))).then_some(entries)
}

/// Whether a node is a call of an operator that exists.
pub(crate) fn is_call(node: &Node) -> bool {
    match node.entries() {
        [(key, _)] => OPERATORS
            .iter()
            .any(|operator| operator.documentation.name == key.name),
        _ => false,
    }
}

/// Refuses an object of fields or another thing written directly under an operator that cannot take it.
pub(crate) fn refuse(operator: &str, expected: &str, node: &Node, compiler: &mut Compiler) {
    let message = format!("{operator} takes {expected}, found {}", node.kind());
    compiler.report(
        Diagnostic::error(code::ARGUMENT_KIND, message)
            .at(&node.place)
            .help(format!("it stands directly under {operator}, without a key")),
    );
}

fn is_operator_key(key: &str) -> bool {
    key.ends_with("()")
}
