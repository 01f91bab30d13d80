use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::Number;

use super::Function;
use crate::datum::Datum;
use crate::environment::Environment;
use crate::fault::{Fault, fault_code};
use crate::machine::Machine;
use crate::pattern::Pattern;
use crate::plan::Expression;

/// An argument as it is compiled.
#[derive(Debug)]
pub(crate) enum Argument {
    Value {
        expression: Expression,
        /// Compiled with the mapping when it is a constant regular expression.
        pattern: Option<Pattern>,
    },
    Lambda {
        parameters: usize,
        body: Expression,
    },
}

/// A call under way. Arguments are counted from 0 (the receiver) and evaluated when they are asked for, each time
/// they are.
pub(crate) struct Call<'c, 'v> {
    pub(crate) machine: &'c mut Machine<'v>,
    pub(crate) function: &'static Function,
    pub(crate) arguments: &'v [Argument],
}

impl<'v> Call<'_, 'v> {
    /// How many arguments were given.
    pub(crate) fn count(&self) -> usize {
        self.arguments.len()
    }

    /// Argument `index`, `null` when it was not given.
    pub(crate) fn value(&mut self, index: usize) -> Result<Datum<'v>, Fault> {
        Ok(self.optional(index)?.unwrap_or(Datum::Null))
    }

    /// Argument `index`, when it was given.
    pub(crate) fn optional(&mut self, index: usize) -> Result<Option<Datum<'v>>, Fault> {
        let arguments = self.arguments;
        match arguments.get(index) {
            None => Ok(None),
            Some(Argument::Value { expression, .. }) => self.machine.expression(expression).map(Some),
            Some(Argument::Lambda { .. }) => Err(self.fault("a lambda is not a value")),
        }
    }

    /// Argument `index` as a text; `None` when it is null or was not given.
    pub(crate) fn text(&mut self, index: usize) -> Result<Option<Cow<'v, str>>, Fault> {
        match self.value(index)? {
            Datum::Null => Ok(None),
            Datum::Text(text) => Ok(Some(text)),
            other => Err(self.expected("text", index, &other)),
        }
    }

    /// Argument `index` as a number; `None` when it is null or was not given.
    pub(crate) fn number(&mut self, index: usize) -> Result<Option<Number>, Fault> {
        match self.value(index)? {
            Datum::Null => Ok(None),
            Datum::Number(number) => Ok(Some(number)),
            other => Err(self.expected("number", index, &other)),
        }
    }

    /// Applies the lambda that is argument `index` to as many values as it has parameters.
    pub(crate) fn apply<const N: usize>(
        &mut self,
        index: usize,
        values: [Datum<'v>; N],
    ) -> Result<Datum<'v>, Fault> {
        let arguments = self.arguments;
        match arguments.get(index) {
            Some(Argument::Lambda { parameters, body }) if *parameters == N => self
                .machine
                .with_locals(values, |machine| machine.expression(body)),
            _ => Err(self.fault("a lambda is needed")),
        }
    }

    /// Argument `index` as a regular expression; `None` when it is null or was not given.
    pub(crate) fn regex(&mut self, index: usize) -> Result<Option<Known<'v>>, Fault> {
        let arguments = self.arguments;
        if let Some(Argument::Value {
            pattern: Some(pattern),
            ..
        }) = arguments.get(index)
        {
            return Ok(Some(Known::Compiled(pattern)));
        }
        match self.text(index)? {
            Some(pattern) => match self.machine.regex(&pattern) {
                Ok(pattern) => Ok(Some(Known::Computed(pattern))),
                Err(message) => Err(Fault::new(
                    fault_code::PATTERN,
                    format!("bad pattern in {}: {message}", self.function.name),
                )),
            },
            None => Ok(None),
        }
    }

    /// A type error: `type error in $TRIM: <message>`.
    pub(crate) fn fault(&self, message: impl std::fmt::Display) -> Fault {
        Fault::types(self.function.name, message)
    }

    /// A value of the right type that cannot be used: `$INTEGER: <message>`.
    pub(crate) fn bad_value(&self, message: impl std::fmt::Display) -> Fault {
        Fault::new(
            fault_code::VALUE,
            format!("bad value in {}: {message}", self.function.name),
        )
    }

    /// `type error in $SPLIT: expected text, found object` and, behind the receiver, which argument.
    pub(crate) fn expected(&self, expected: &str, index: usize, found: &Datum<'_>) -> Fault {
        let found = found.kind();
        match index {
            0 => self.fault(format_args!("expected {expected}, found {found}")),
            _ => self.fault(format_args!(
                "expected {expected} as argument {}, found {found}",
                index + 1
            )),
        }
    }

    /// The time and the limits.
    pub(crate) fn environment(&self) -> &'v Environment {
        self.machine.environment
    }

    /// Counts work that grows with the data: one step for about every 256 bytes or 16 elements looked at.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Fault> {
        self.machine.spend(steps)
    }

    /// A text that was built; its bytes are counted.
    pub(crate) fn new_text(&mut self, text: String) -> Result<Datum<'v>, Fault> {
        self.machine.new_text(text)
    }

    /// A list that was built; its elements are counted.
    pub(crate) fn new_list(&mut self, items: Vec<Datum<'v>>) -> Result<Datum<'v>, Fault> {
        self.machine.new_list(items)
    }

    /// An object that was built of entries with distinct keys; they are counted.
    pub(crate) fn new_object(&mut self, entries: Vec<(Cow<'v, str>, Datum<'v>)>) -> Result<Datum<'v>, Fault> {
        self.machine.new_object(entries)
    }

    /// A value of which nothing can be borrowed, such as parsed JSON; it is counted.
    pub(crate) fn new_value(&mut self, value: serde_json::Value) -> Result<Datum<'v>, Fault> {
        self.machine.new_value(value)
    }

    /// The value as a text: texts as they are, numbers and booleans as JSON writes them, lists and objects as
    /// compact JSON, null as `null`.
    pub(crate) fn text_form(&mut self, value: &Datum<'v>) -> Result<Cow<'v, str>, Fault> {
        self.machine.text_form(value)
    }

    /// The value as compact JSON.
    pub(crate) fn json(&mut self, value: &Datum<'v>) -> Result<String, Fault> {
        self.machine.json(value)
    }
}

/// A regular expression: part of the mapping, or computed from data.
pub(crate) enum Known<'v> {
    Compiled(&'v Pattern),
    Computed(Rc<Pattern>),
}

impl Deref for Known<'_> {
    type Target = Pattern;

    fn deref(&self) -> &Pattern {
        match self {
            Known::Compiled(pattern) => pattern,
            Known::Computed(pattern) => pattern,
        }
    }
}
