//! How a result came about, for the person who writes the mapping: part by part, which paths were followed and where one
//! of them ended. It walks the same plan as the evaluation and evaluates its parts again; the evaluation itself knows
//! nothing of it.

mod expression;
mod path;

use serde_json::Value;

use crate::datum::Datum;
use crate::fault::Fault;
use crate::machine::{Machine, Turn};
use crate::plan::{MappingNode, NodeKind};
use crate::{EvaluationError, Place};

/// Of a loop, so many turns are explained; the others are made in the same way.
const TURNS: usize = 2;

/// What one node of a mapping gave, and of what.
#[derive(Debug)]
pub struct Explanation {
    /// Where it is written.
    pub place: Place,
    /// What is written there.
    pub kind: ExplainedKind,
    /// Its value, or why it has none.
    pub result: Result<Value, EvaluationError>,
    /// What it is made of, in the order in which it is evaluated. What is not evaluated with this input is not here.
    pub parts: Vec<(Role, Explanation)>,
    /// The paths that an expression followed, in its order. Those inside a lambda, which is run for each element, are
    /// not among them.
    pub paths: Vec<FollowedPath>,
}

/// What a node of a mapping is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainedKind {
    /// A value that does not depend on the input.
    Constant,
    /// An expression.
    Expression,
    /// A list of nodes.
    List,
    /// An object of nodes.
    Object,
    /// An operator; its name, such as `MAP()`.
    Operator(&'static str),
}

/// What a part is to the node that it is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The value of a field of the result.
    Field(String),
    /// An element of the result, counted from 0.
    Element(usize),
    /// An argument of an operator, such as `items`, or a name that it binds.
    Argument(String),
    /// One of several candidates or sources that an operator went through, counted from 0.
    Candidate(usize),
}

/// A path of an expression, and where it led.
#[derive(Debug, Clone)]
pub struct FollowedPath {
    /// The path as it is written.
    pub path: String,
    /// Where.
    pub place: Place,
    /// What is at its end; null where nothing is.
    pub value: Value,
    /// Why that is null: which part of the path is missing, and what there is instead.
    pub missing: Option<String>,
}

/// Explains a plan over an input.
pub(crate) fn explain<'v>(machine: &mut Machine<'v>, node: &'v MappingNode) -> Explanation {
    let (mut parts, mut paths) = (Parts::default(), Vec::new());
    let kind = match &node.kind {
        NodeKind::Constant(_) => ExplainedKind::Constant,
        NodeKind::Expression(expression) => {
            expression::follow(machine, expression, &node.place, &mut paths);
            ExplainedKind::Expression
        }
        NodeKind::List(elements) => {
            for (index, element) in elements.iter().enumerate() {
                parts.add(machine, Role::Element(index), element);
            }
            ExplainedKind::List
        }
        NodeKind::Object(fields) => {
            for (name, field) in fields {
                parts.add(machine, Role::Field(name.clone()), field);
            }
            ExplainedKind::Object
        }
        NodeKind::Operator(operator) => ExplainedKind::Operator(operator.explain(machine, &mut parts)),
    };
    let result = machine
        .aside(|machine| machine.node(node).and_then(|value| machine.finish(value)))
        .map_err(|fault| fault.into_error(Some(&node.place)));
    Explanation {
        place: node.place.clone(),
        kind,
        result,
        parts: parts.0,
        paths,
    }
}

/// The parts of an operator, as it explains itself.
#[derive(Default)]
pub(crate) struct Parts(Vec<(Role, Explanation)>);

impl Parts {
    fn add<'v>(&mut self, machine: &mut Machine<'v>, role: Role, node: &'v MappingNode) {
        let explanation = explain(machine, node);
        self.0.push((role, explanation));
    }

    /// An argument; gives its value, where it has one.
    pub(crate) fn argument<'v>(
        &mut self,
        machine: &mut Machine<'v>,
        name: &str,
        node: &'v MappingNode,
    ) -> Option<Datum<'v>> {
        self.add(machine, Role::Argument(name.to_owned()), node);
        value(machine, node)
    }

    /// Candidate `index`; gives its value, where it has one.
    pub(crate) fn candidate<'v>(
        &mut self,
        machine: &mut Machine<'v>,
        index: usize,
        node: &'v MappingNode,
    ) -> Option<Datum<'v>> {
        self.add(machine, Role::Candidate(index), node);
        value(machine, node)
    }

    /// A loop over the value of `items`: that, and the first turns of `body`, whose results are elements of the
    /// operator's own result where `makes_elements`, else arguments called `name`.
    pub(crate) fn turns<'v>(
        &mut self,
        machine: &mut Machine<'v>,
        operator: &str,
        items: &'v MappingNode,
        (name, body): (&str, Option<&'v MappingNode>),
        makes_elements: bool,
    ) {
        let (Some(list), Some(body)) = (self.argument(machine, "items", items), body) else {
            return;
        };
        let turns = machine.aside(|machine| machine.turns(&list, operator, &items.place));
        for (index, turn) in turns.into_iter().flatten().take(TURNS).enumerate() {
            let role = match makes_elements {
                true => Role::Element(index),
                false => Role::Argument(format!("{name}[{index}]")),
            };
            self.turn(machine, turn, role, body);
        }
    }

    /// One turn of a loop.
    pub(crate) fn turn<'v>(
        &mut self,
        machine: &mut Machine<'v>,
        turn: Turn<'v>,
        role: Role,
        body: &'v MappingNode,
    ) {
        // Explaining never faults; what it explains may.
        let explained: Result<Explanation, Fault> =
            machine.with_turn(turn, |machine| Ok(explain(machine, body)));
        if let Ok(explanation) = explained {
            self.0.push((role, explanation));
        }
    }
}

/// The value of a node, where it has one.
fn value<'v>(machine: &mut Machine<'v>, node: &'v MappingNode) -> Option<Datum<'v>> {
    machine.aside(|machine| machine.node(node)).ok()
}
