//! From a document to a plan. Every mistake is found, not only the first.

mod expression;
mod object;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Severity, code};
use crate::document::{Content, MAX_DEPTH, Node};
use crate::plan::{Expression, Kind, MappingNode, NodeKind, Origin, Path, loop_slot};
use crate::{Place, operators};

/// What is known while a mapping is compiled.
#[derive(Default)]
pub(crate) struct Compiler {
    /// The mistakes.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What works, but is hardly what was meant.
    pub(crate) warnings: Vec<Diagnostic>,
    scope: Vec<Local>,
    /// How many values are alive where the scope ends.
    slots: usize,
    depth: usize,
}

/// A name that is seen in a part of the mapping.
pub(crate) struct Local {
    name: String,
    slot: usize,
    is_loop: bool,
    /// Whether anything read it.
    pub(crate) is_read: bool,
}

/// How the values of one turn of a loop are called.
pub(crate) struct LoopNames {
    /// Name and slot.
    pub(crate) values: Vec<(String, usize)>,
    /// The name of the iterator.
    pub(crate) iterator: String,
}

impl Default for LoopNames {
    fn default() -> Self {
        LoopNames {
            values: vec![("item".to_owned(), loop_slot::ITEM)],
            iterator: "loop".to_owned(),
        }
    }
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Resolved {
    Local(usize),
    Loop(usize),
    Root,
}

impl Compiler {
    /// Compiles a document; a mistake in it is noted and leaves a null.
    pub(crate) fn node(&mut self, node: &Node) -> MappingNode {
        let kind = self.nested(|compiler| compiler.content(node)).unwrap_or_else(|| {
            self.too_deep(&node.place);
            NodeKind::Constant(Value::Null)
        });
        MappingNode {
            place: node.place.clone(),
            kind,
        }
    }

    fn expression_node(&mut self, text: &str, place: &Place) -> MappingNode {
        let kind = match self.expression(text, place) {
            // A constant has no errors whose place would have to be known.
            Expression {
                kind: Kind::Constant(value),
                ..
            } => NodeKind::Constant(value),
            expression => NodeKind::Expression(expression),
        };
        MappingNode {
            place: place.clone(),
            kind,
        }
    }

    /// Compiles a mapping that is nothing but one expression.
    pub(crate) fn whole_expression(&mut self, text: &str, place: &Place) -> MappingNode {
        self.depth += 1;
        let node = self.expression_node(text, place);
        self.depth -= 1;
        node
    }

    fn content(&mut self, node: &Node) -> NodeKind {
        match &node.content {
            Content::Null | Content::Bool(_) | Content::Number(_) => NodeKind::Constant(node.to_value()),
            Content::Text(text) => self.expression_node(text, &node.place).kind,
            Content::List(elements) => {
                NodeKind::List(elements.iter().map(|element| self.node(element)).collect())
            }
            Content::Object(entries) => match operators::of(entries, self) {
                operators::Use::Operator(operator) => NodeKind::Operator(operator),
                operators::Use::Object => self.object(entries),
                operators::Use::Mistake => NodeKind::Constant(Value::Null),
            },
        }
    }

    /// Compiles something one level deeper, unless that is too deep.
    fn nested<R>(&mut self, compile: impl FnOnce(&mut Self) -> R) -> Option<R> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let result = compile(self);
        self.depth -= 1;
        Some(result)
    }

    fn too_deep(&mut self, place: &Place) {
        let message = format!("more than {MAX_DEPTH} levels inside one another");
        self.report(Diagnostic::error(code::TOO_DEEP, message).at(place));
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.diagnostics.push(diagnostic),
            Severity::Warning => self.warnings.push(diagnostic),
        }
    }

    /// Compiles something that sees more locals. They take consecutive slots, and are given back in their order.
    pub(crate) fn with_locals<R>(
        &mut self,
        names: &[&str],
        compile: impl FnOnce(&mut Self) -> R,
    ) -> (R, Vec<Local>) {
        let (scope, slots) = (self.scope.len(), self.slots);
        for name in names {
            self.scope.push(Local {
                name: (*name).to_owned(),
                slot: self.slots,
                is_loop: false,
                is_read: false,
            });
            self.slots += 1;
        }
        let result = compile(self);
        self.slots = slots;
        (result, self.scope.split_off(scope))
    }

    /// Compiles the body of a loop.
    pub(crate) fn with_loop<R>(&mut self, names: &LoopNames, compile: impl FnOnce(&mut Self) -> R) -> R {
        let (scope, base) = (self.scope.len(), self.slots);
        self.slots += loop_slot::COUNT;
        self.scope.push(Local {
            name: names.iterator.clone(),
            slot: base,
            is_loop: true,
            is_read: false,
        });
        for (name, slot) in &names.values {
            self.scope.push(Local {
                name: name.clone(),
                slot: base + slot,
                is_loop: false,
                is_read: false,
            });
        }
        let result = compile(self);
        self.scope.truncate(scope);
        self.slots = base;
        result
    }

    /// What a name stands for where the compiler is. It is read there.
    pub(crate) fn resolve(&mut self, name: &str) -> Resolved {
        let Some(local) = self.scope.iter_mut().rev().find(|local| local.name == name) else {
            return Resolved::Root;
        };
        local.is_read = true;
        match local.is_loop {
            true => Resolved::Loop(local.slot),
            false => Resolved::Local(local.slot),
        }
    }

    /// The names of all locals that can be seen where the compiler is.
    pub(crate) fn locals(&self) -> Vec<String> {
        let mut names: Vec<String> = self.scope.iter().map(|local| local.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The value of a name where the compiler is.
    pub(crate) fn name(&mut self, name: &str) -> Kind {
        let origin = match self.resolve(name) {
            Resolved::Local(slot) => Origin::Local(slot),
            Resolved::Loop(slot) => Origin::Loop(slot),
            Resolved::Root => Origin::Name(name.to_owned()),
        };
        Kind::Path(Path {
            origin,
            segments: Vec::new(),
        })
    }
}
