use serde_json::Value;

use super::Span;

/// An expression as it is written.
#[derive(Debug)]
pub(crate) struct Ast {
    pub(crate) span: Span,
    /// How many levels lie below this one.
    pub(crate) height: usize,
    pub(crate) kind: AstKind,
}

#[derive(Debug)]
pub(crate) enum AstKind {
    /// A literal that is not a list or an object.
    Constant(Value),
    /// `$`
    Root,
    Name(String),
    /// `a.b[0][1:]`
    Path {
        base: Box<Ast>,
        segments: Vec<AstSegment>,
    },
    /// `$F(x)` or `x.$F()`; the receiver is the first argument.
    Call {
        name: String,
        name_span: Span,
        arguments: Vec<Ast>,
    },
    /// `x => e`, only as an argument of a call.
    Lambda {
        parameters: Vec<(String, Span)>,
        body: Box<Ast>,
    },
    List(Vec<Ast>),
    Object(Vec<(Ast, Ast)>),
    Negate(Box<Ast>),
    Not(Box<Ast>),
    Binary {
        operator: BinaryOperator,
        left: Box<Ast>,
        right: Box<Ast>,
    },
    And(Vec<Ast>),
    Or(Vec<Ast>),
    If {
        condition: Box<Ast>,
        then: Box<Ast>,
        otherwise: Option<Box<Ast>>,
    },
}

#[derive(Debug)]
pub(crate) enum AstSegment {
    /// `.key`
    Key(String, Span),
    /// `[e]`
    Index(Ast),
    /// `[from:to]`
    Slice { from: Option<Ast>, to: Option<Ast> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

impl BinaryOperator {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Equal => "==",
            BinaryOperator::NotEqual => "!=",
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            BinaryOperator::In => "IN",
            BinaryOperator::NotIn => "NOT IN",
        }
    }
}
