//! The expression language as it is written: text to tokens to a tree. What the names mean is not known here.

mod ast;
mod lexer;
mod number;
mod parser;

pub(crate) use ast::{Ast, AstKind, AstSegment, BinaryOperator};
pub(crate) use lexer::{dashed_words, is_name};
pub(crate) use parser::parse;

/// Whether a word is one of the language and so no name, whatever its case.
pub(crate) fn is_keyword(word: &str) -> bool {
    parser::keyword(word).is_some()
}

/// How deep an expression may nest. Also the bound on recursion over its tree.
pub(crate) const MAX_HEIGHT: usize = 128;

/// A stretch of an expression, in bytes of its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // Longer expressions are refused before they are read.
        Span {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    pub(crate) fn len(self) -> usize {
        self.end().saturating_sub(self.start())
    }

    /// From the start of this to the end of that.
    pub(crate) fn to(self, that: Span) -> Self {
        Span {
            start: self.start,
            end: that.end,
        }
    }
}

/// Why a text is not an expression.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) too_deep: bool,
}

impl SyntaxError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        SyntaxError {
            span,
            message: message.into(),
            help: None,
            too_deep: false,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
