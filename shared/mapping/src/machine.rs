//! Runs a plan. Every part is counted, so that no mapping can hang or exhaust the process.

mod arithmetic;
mod compare;
mod count;
mod output;
mod path;

pub(crate) use output::Output;

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use crate::datum::{Datum, List};
use crate::dsl::BinaryOperator;
use crate::environment::Environment;
use crate::fault::{Fault, fault_code};
use crate::functions::Call;
use crate::html;
use crate::pattern::Pattern;
use crate::plan::{Expression, Kind, MappingNode, NodeKind};

/// How many computed regular expressions are kept.
const KEPT_PATTERNS: usize = 16;

/// One evaluation.
pub(crate) struct Machine<'v> {
    pub(crate) environment: &'v Environment,
    root: Datum<'v>,
    /// Names that shadow the fields of the root.
    bindings: Vec<(&'v str, Datum<'v>)>,
    locals: Vec<Datum<'v>>,
    steps_left: u64,
    /// Bytes that may still be built on the way to the result.
    bytes_left: usize,
    depth: usize,
    patterns: Vec<(String, Rc<Pattern>)>,
}

impl<'v> Machine<'v> {
    pub(crate) fn new(
        root: Datum<'v>,
        bindings: &[(&'v str, &'v Value)],
        environment: &'v Environment,
    ) -> Self {
        Machine {
            environment,
            root,
            bindings: bindings
                .iter()
                .map(|(name, value)| (*name, Datum::from(*value)))
                .collect(),
            locals: Vec::new(),
            steps_left: environment.limits.steps,
            bytes_left: environment.limits.output_bytes.saturating_mul(4),
            depth: 0,
            patterns: Vec::new(),
        }
    }

    /// Where names that are no locals are looked up, the last first: the input, and the names that shadow its fields.
    pub(crate) fn outside(&mut self) -> Result<Vec<Datum<'v>>, Fault> {
        let bindings = self
            .bindings
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), value.clone()))
            .collect();
        Ok(vec![self.root.clone(), self.new_object(bindings)?])
    }

    /// Runs something without its counting towards the limits of what comes after it.
    pub(crate) fn aside<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        let before = (self.steps_left, self.bytes_left);
        let result = run(self);
        (self.steps_left, self.bytes_left) = before;
        result
    }

    /// Evaluates a node of the mapping.
    pub(crate) fn node(&mut self, node: &'v MappingNode) -> Result<Datum<'v>, Fault> {
        match &node.kind {
            NodeKind::Constant(value) => {
                self.spend(1)?;
                Ok(Datum::from(value))
            }
            kind => {
                let result = self.nested(|machine| machine.node_kind(kind));
                result.map_err(|fault| fault.in_place(&node.place))
            }
        }
    }

    fn node_kind(&mut self, kind: &'v NodeKind) -> Result<Datum<'v>, Fault> {
        match kind {
            NodeKind::Constant(value) => Ok(Datum::from(value)),
            NodeKind::Expression(expression) => self.expression(expression),
            NodeKind::List(elements) => {
                let items = elements
                    .iter()
                    .map(|element| self.node(element))
                    .collect::<Result<Vec<_>, _>>()?;
                self.new_list(items)
            }
            NodeKind::Object(fields) => {
                let mut entries = Vec::with_capacity(fields.len());
                for (name, field) in fields {
                    entries.push((Cow::Borrowed(name.as_str()), self.node(field)?));
                }
                self.new_object(entries)
            }
            NodeKind::Operator(operator) => operator.evaluate(self),
        }
    }

    /// Evaluates a part of an expression.
    pub(crate) fn expression(&mut self, expression: &'v Expression) -> Result<Datum<'v>, Fault> {
        let result = match &expression.kind {
            Kind::Constant(value) => return Ok(Datum::from(value)),
            kind => self.nested(|machine| machine.kind(kind)),
        };
        result.map_err(|fault| fault.in_span(expression.span))
    }

    fn kind(&mut self, kind: &'v Kind) -> Result<Datum<'v>, Fault> {
        match kind {
            Kind::Constant(value) => Ok(Datum::from(value)),
            Kind::Path(path) => self.path(path),
            Kind::Call { function, arguments } => (function.evaluate)(&mut Call {
                machine: self,
                function,
                arguments,
            }),
            Kind::List(elements) => {
                let items = elements
                    .iter()
                    .map(|element| self.expression(element))
                    .collect::<Result<Vec<_>, _>>()?;
                self.new_list(items)
            }
            Kind::Object(entries) => self.object(entries),
            Kind::Negate(operand) => {
                let operand = self.expression(operand)?;
                arithmetic::negate(&operand)
            }
            Kind::Not(operand) => Ok(Datum::Bool(!self.expression(operand)?.is_truthy())),
            Kind::Binary {
                operator,
                left,
                right,
            } => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                self.binary(*operator, &left, &right)
            }
            Kind::And(operands) => self.first(operands, false),
            Kind::Or(operands) => self.first(operands, true),
            Kind::If {
                condition,
                then,
                otherwise,
            } => {
                if self.expression(condition)?.is_truthy() {
                    return self.expression(then);
                }
                match otherwise {
                    Some(otherwise) => self.expression(otherwise),
                    None => Ok(Datum::Null),
                }
            }
        }
    }

    /// The first operand that is truthy (or is not); else the last. What stands behind it is not evaluated.
    fn first(&mut self, operands: &'v [Expression], truthy: bool) -> Result<Datum<'v>, Fault> {
        let mut value = Datum::Null;
        for operand in operands {
            value = self.expression(operand)?;
            if value.is_truthy() == truthy {
                break;
            }
        }
        Ok(value)
    }

    fn object(&mut self, entries: &'v [(Expression, Expression)]) -> Result<Datum<'v>, Fault> {
        let mut built: Vec<(Cow<'v, str>, Datum<'v>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = match self.expression(key)? {
                Datum::Text(text) => text,
                Datum::Null => {
                    let message = "a key is null; a key that is meant as a text needs quotes";
                    return Err(Fault::types("an object", message).in_span(key.span));
                }
                scalar @ (Datum::Bool(_) | Datum::Number(_)) => self.text_form(&scalar)?,
                other => {
                    let message = format!("a key must be text, found {}", other.kind());
                    return Err(Fault::types("an object", message).in_span(key.span));
                }
            };
            let value = self.expression(value)?;
            match built.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => built.push((name, value)),
            }
        }
        self.new_object(built)
    }

    fn binary(
        &mut self,
        operator: BinaryOperator,
        left: &Datum<'v>,
        right: &Datum<'v>,
    ) -> Result<Datum<'v>, Fault> {
        use BinaryOperator as B;
        let result = match operator {
            B::Add | B::Subtract | B::Multiply | B::Divide => {
                return arithmetic::apply(operator, left, right);
            }
            B::Equal => self.equal(left, right)?,
            B::NotEqual => !self.equal(left, right)?,
            B::In => self.contains(right, left)?,
            B::NotIn => !self.contains(right, left)?,
            B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual => {
                compare::ordered(operator, left, right)?
            }
        };
        Ok(Datum::Bool(result))
    }

    /// Runs something while more locals are alive.
    pub(crate) fn with_locals<R>(
        &mut self,
        values: impl IntoIterator<Item = Datum<'v>>,
        run: impl FnOnce(&mut Self) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let before = self.locals.len();
        self.locals.extend(values);
        let result = run(self);
        self.locals.truncate(before);
        result
    }

    /// Runs something with the values of one turn of a loop.
    pub(crate) fn with_turn<R>(
        &mut self,
        turn: Turn<'v>,
        run: impl FnOnce(&mut Self) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        // In the order of the slots.
        let index = Datum::integer(turn.index);
        let next = Datum::integer(turn.index + 1);
        let key = turn.key.map_or(Datum::Null, Datum::Text);
        self.with_locals([turn.item, index, next, key, Datum::integer(turn.length)], run)
    }

    /// What a loop goes over: the elements of a list or the values of an object; null is no elements.
    pub(crate) fn turns(
        &mut self,
        items: &Datum<'v>,
        operator: &str,
        place: &crate::Place,
    ) -> Result<Turns<'v>, Fault> {
        let length = match items {
            Datum::Null => 0,
            Datum::List(list) => list.len(),
            Datum::Object(object) => object.len(),
            other => {
                let message = format!("items must be a list or an object, found {}", other.kind());
                return Err(Fault::types(operator, message).in_place(place));
            }
        };
        self.spend(count::size_steps(length))?;
        let parts = match items {
            Datum::List(list) => Parts::Elements(list.clone()),
            Datum::Object(object) => Parts::Fields(object.iter().collect::<Vec<_>>().into_iter()),
            _ => Parts::Elements(List::Borrowed(&[])),
        };
        Ok(Turns {
            parts,
            length,
            next: 0,
        })
    }

    /// Whether a condition holds in one turn of a loop; without one, whether the item is truthy.
    pub(crate) fn holds(
        &mut self,
        condition: Option<&'v MappingNode>,
        turn: Turn<'v>,
    ) -> Result<bool, Fault> {
        match condition {
            Some(condition) => Ok(self
                .with_turn(turn, |machine| machine.node(condition))?
                .is_truthy()),
            None => Ok(turn.item.is_truthy()),
        }
    }

    /// One list of many: elements that are lists are replaced by their elements, one level deep.
    pub(crate) fn flat(&mut self, list: &List<'v>) -> Result<Datum<'v>, Fault> {
        let mut flat = Vec::with_capacity(list.len());
        for element in list.iter() {
            match element {
                Datum::List(inner) => {
                    self.spend(1 + count::size_steps(inner.len()))?;
                    flat.extend(inner.iter());
                }
                other => flat.push(other),
            }
        }
        self.new_list(flat)
    }

    /// The text of HTML.
    pub(crate) fn stripped(&mut self, html: &str) -> Result<Datum<'v>, Fault> {
        self.spend(html.len() as u64 / 64)?;
        self.new_text(html::strip(html))
    }

    /// The elements of what must be a list; null is an empty one.
    pub(crate) fn elements(
        &mut self,
        items: &Datum<'v>,
        operator: &str,
        written: &MappingNode,
    ) -> Result<List<'v>, Fault> {
        match items {
            Datum::Null => Ok(List::Borrowed(&[])),
            Datum::List(list) => {
                self.spend(count::size_steps(list.len()))?;
                Ok(list.clone())
            }
            other => {
                let message = format!("expected a list, found {}", other.kind());
                Err(Fault::types(operator, message).in_place(&written.place))
            }
        }
    }

    /// A computed regular expression.
    pub(crate) fn regex(&mut self, pattern: &str) -> Result<Rc<Pattern>, String> {
        if let Some((_, regex)) = self.patterns.iter().find(|(known, _)| known == pattern) {
            return Ok(Rc::clone(regex));
        }
        // Compiling takes about as long as some hundred steps.
        self.steps_left = self.steps_left.saturating_sub(500);
        let regex = Rc::new(Pattern::new(pattern, self.environment.limits.regex_bytes)?);
        if self.patterns.len() >= KEPT_PATTERNS {
            self.patterns.remove(0);
        }
        self.patterns.push((pattern.to_owned(), Rc::clone(&regex)));
        Ok(regex)
    }

    fn nested<R>(&mut self, run: impl FnOnce(&mut Self) -> Result<R, Fault>) -> Result<R, Fault> {
        self.spend(1)?;
        if self.depth >= self.environment.limits.depth {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    #[cold]
    fn too_deep(&self) -> Fault {
        let limit = self.environment.limits.depth;
        Fault::new(
            fault_code::DEPTH,
            format!("more than {limit} levels inside one another"),
        )
    }
}

/// One turn of a loop.
pub(crate) struct Turn<'v> {
    pub(crate) item: Datum<'v>,
    /// The field, when the loop goes over an object.
    pub(crate) key: Option<Cow<'v, str>>,
    pub(crate) index: usize,
    pub(crate) length: usize,
}

/// All turns of a loop.
pub(crate) struct Turns<'v> {
    parts: Parts<'v>,
    length: usize,
    next: usize,
}

enum Parts<'v> {
    Elements(List<'v>),
    Fields(std::vec::IntoIter<(Cow<'v, str>, Datum<'v>)>),
}

impl<'v> Iterator for Turns<'v> {
    type Item = Turn<'v>;

    fn next(&mut self) -> Option<Turn<'v>> {
        let index = self.next;
        self.next += 1;
        let (key, item) = match &mut self.parts {
            Parts::Elements(list) => (None, list.get(index)?),
            Parts::Fields(fields) => fields.next().map(|(key, item)| (Some(key), item))?,
        };
        Some(Turn {
            item,
            key,
            index,
            length: self.length,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.length.saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Turns<'_> {}
