//! Which paths of an expression are followed with this input.

use super::FollowedPath;
use super::path;
use crate::Place;
use crate::functions::Argument;
use crate::machine::Machine;
use crate::plan::{Expression, Kind, Origin, PathSegment};

/// Notes the paths of an expression that its evaluation follows. `whole` is the place of the whole expression.
pub(super) fn follow<'v>(
    machine: &mut Machine<'v>,
    expression: &'v Expression,
    whole: &Place,
    paths: &mut Vec<FollowedPath>,
) {
    match &expression.kind {
        Kind::Constant(_) => {}
        Kind::Path(written) => {
            if let Origin::Value(origin) = &written.origin {
                follow(machine, origin, whole, paths);
            }
            for segment in &written.segments {
                let inside = match segment {
                    PathSegment::Key(_) | PathSegment::Index(_) => [None, None],
                    PathSegment::Computed(index) => [Some(index), None],
                    PathSegment::Slice { from, to } => [from.as_ref(), to.as_ref()],
                };
                for inner in inside.into_iter().flatten() {
                    follow(machine, inner, whole, paths);
                }
            }
            paths.push(path::follow(machine, written, expression.span, whole));
        }
        Kind::Call { arguments, .. } => {
            for argument in arguments {
                // The names of a lambda have values only while it runs.
                if let Argument::Value { expression, .. } = argument {
                    follow(machine, expression, whole, paths);
                }
            }
        }
        Kind::List(elements) => {
            for element in elements {
                follow(machine, element, whole, paths);
            }
        }
        Kind::Object(entries) => {
            for (key, value) in entries {
                follow(machine, key, whole, paths);
                follow(machine, value, whole, paths);
            }
        }
        Kind::Negate(operand) | Kind::Not(operand) => follow(machine, operand, whole, paths),
        Kind::Binary { left, right, .. } => {
            follow(machine, left, whole, paths);
            follow(machine, right, whole, paths);
        }
        Kind::And(operands) => up_to(machine, operands, false, whole, paths),
        Kind::Or(operands) => up_to(machine, operands, true, whole, paths),
        Kind::If {
            condition,
            then,
            otherwise,
        } => {
            follow(machine, condition, whole, paths);
            let branch = match holds(machine, condition) {
                Some(true) => Some(then),
                Some(false) => otherwise.as_ref(),
                None => None,
            };
            if let Some(branch) = branch {
                follow(machine, branch, whole, paths);
            }
        }
    }
}

/// The operands up to the first that is truthy, or is not.
fn up_to<'v>(
    machine: &mut Machine<'v>,
    operands: &'v [Expression],
    truthy: bool,
    whole: &Place,
    paths: &mut Vec<FollowedPath>,
) {
    for operand in operands {
        follow(machine, operand, whole, paths);
        if holds(machine, operand).is_none_or(|holds| holds == truthy) {
            break;
        }
    }
}

fn holds<'v>(machine: &mut Machine<'v>, expression: &'v Expression) -> Option<bool> {
    let value = machine.aside(|machine| machine.expression(expression));
    value.ok().map(|value| value.is_truthy())
}
