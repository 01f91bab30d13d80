//! A compiled mapping: names are resolved to the root or to a local's slot, constants are values, functions and
//! operators are found. Nothing is compiled while a mapping runs.

mod reads;

use serde_json::Value;

use crate::Place;
use crate::dsl::{BinaryOperator, Span};
use crate::functions::{Argument, Function};
use crate::operators::Evaluate;

pub use reads::{InputPath, Segment};
pub(crate) use reads::{Shape, Tracer};

/// A node of the mapping document.
#[derive(Debug)]
pub(crate) struct MappingNode {
    pub(crate) place: Place,
    pub(crate) kind: NodeKind,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    Constant(Value),
    Expression(Expression),
    List(Vec<MappingNode>),
    Object(Vec<(String, MappingNode)>),
    Operator(Box<dyn Evaluate>),
}

/// A part of an expression.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Constant(Value),
    Path(Path),
    Call {
        function: &'static Function,
        arguments: Vec<Argument>,
    },
    List(Vec<Expression>),
    Object(Vec<(Expression, Expression)>),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    Binary {
        operator: BinaryOperator,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    And(Vec<Expression>),
    Or(Vec<Expression>),
    If {
        condition: Box<Expression>,
        then: Box<Expression>,
        otherwise: Option<Box<Expression>>,
    },
}

/// A value and the way down from it.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) origin: Origin,
    pub(crate) segments: Vec<PathSegment>,
}

#[derive(Debug)]
pub(crate) enum Origin {
    /// `$`: the input, never what shadows it.
    Root,
    /// A name that no local has: a binding of the evaluation, else a field of the input.
    Name(String),
    /// A local, by its position among those that are alive.
    Local(usize),
    /// `loop` as a whole, by the slot of its first field.
    Loop(usize),
    Value(Box<Expression>),
}

#[derive(Debug)]
pub(crate) enum PathSegment {
    Key(String),
    Index(i64),
    Computed(Expression),
    Slice {
        from: Option<Expression>,
        to: Option<Expression>,
    },
}

/// The slots of one turn of a loop, counted from the first.
pub(crate) mod loop_slot {
    pub(crate) const ITEM: usize = 0;
    pub(crate) const INDEX0: usize = 1;
    pub(crate) const INDEX1: usize = 2;
    pub(crate) const KEY: usize = 3;
    pub(crate) const LENGTH: usize = 4;
    /// How many there are.
    pub(crate) const COUNT: usize = 5;
    /// The fields of `loop` and their slots.
    pub(crate) const FIELDS: [(&str, usize); 4] = [
        ("index0", INDEX0),
        ("index1", INDEX1),
        ("key", KEY),
        ("length", LENGTH),
    ];
}
