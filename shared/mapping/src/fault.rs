//! Why an evaluation stopped.

use std::fmt;

use crate::dsl::Span;
use crate::{Diagnostic, Place};

/// The codes of evaluation errors. They are stable.
pub mod fault_code {
    /// A value of the wrong type.
    pub const TYPE: &str = "TG0301";
    /// Arithmetic without a result: division by zero, a number too large.
    pub const ARITHMETIC: &str = "TG0302";
    /// A value of the right type that cannot be used: text that is no number, no time, no JSON.
    pub const VALUE: &str = "TG0303";
    /// A regular expression, computed from data, that is not one or is too large.
    pub const PATTERN: &str = "TG0304";
    /// An input that is not JSON.
    pub const INPUT: &str = "TG0305";
    /// Values or evaluations too deep inside one another.
    pub const DEPTH: &str = "TG0310";
    /// Too many steps.
    pub const STEPS: &str = "TG0311";
    /// The result is too large.
    pub const OUTPUT: &str = "TG0312";
    /// What was built on the way is too large.
    pub const MEMORY: &str = "TG0313";
}

/// Why an evaluation stops; the place is added on the way out.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: &'static str,
    message: String,
    span: Option<Span>,
    place: Option<Place>,
}

impl Fault {
    #[cold]
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Fault(Box::new(Inner {
            code,
            message: message.into(),
            span: None,
            place: None,
        }))
    }

    /// `type error in $TRIM: expected text, found object`
    #[cold]
    pub(crate) fn types(subject: &str, message: impl fmt::Display) -> Self {
        Fault::new(fault_code::TYPE, format!("type error in {subject}: {message}"))
    }

    /// Says which part of the expression it was, unless a smaller part is known.
    pub(crate) fn in_span(mut self, span: Span) -> Self {
        if self.0.place.is_none() {
            self.0.span.get_or_insert(span);
        }
        self
    }

    /// Says which node of the mapping it was, unless a smaller one is known.
    pub(crate) fn in_place(mut self, place: &Place) -> Self {
        if self.0.place.is_none() {
            self.0.place = Some(match self.0.span {
                Some(span) => place.within(span.start(), span.len()),
                None => place.clone(),
            });
        }
        self
    }

    /// The error, at a place if no smaller one is known.
    pub(crate) fn into_error(self, place: Option<&Place>) -> EvaluationError {
        let fault = match place {
            Some(place) => self.in_place(place),
            None => self,
        };
        let Inner {
            code, message, place, ..
        } = *fault.0;
        EvaluationError(Box::new(Details { code, message, place }))
    }
}

/// An evaluation that has no result.
#[derive(Debug)]
pub struct EvaluationError(Box<Details>);

#[derive(Debug)]
struct Details {
    code: &'static str,
    message: String,
    place: Option<Place>,
}

impl EvaluationError {
    /// The stable code, `TG03xx` (see [`fault_code`]).
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What is wrong, in one line, without the place. It names types, never values of the input.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The part of the mapping that could not be evaluated.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// Whether the evaluation was stopped by a limit, not by a mistake.
    pub fn is_limit(&self) -> bool {
        use fault_code::{DEPTH, MEMORY, OUTPUT, STEPS};
        matches!(self.0.code, DEPTH | STEPS | OUTPUT | MEMORY)
    }

    /// The same as a report with the line and the place underlined.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.0.code, self.0.message.clone());
        match &self.0.place {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        }
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.place {
            Some(place) => write!(f, "{} {place}: {}", self.0.code, self.0.message),
            None => write!(f, "{}: {}", self.0.code, self.0.message),
        }
    }
}

impl std::error::Error for EvaluationError {}
