//! What is built is counted here, and what is done to large values.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use super::Machine;
use crate::datum::{Built, Datum, List, Object};
use crate::fault::{Fault, fault_code};

/// What an element of a list takes, beside the texts in it.
const ELEMENT_BYTES: usize = size_of::<Datum<'_>>();

/// What a field of an object takes, beside the texts in it.
const FIELD_BYTES: usize = size_of::<(Cow<'_, str>, Datum<'_>)>();

/// Steps for going through a text once.
pub(crate) fn text_steps(bytes: usize) -> u64 {
    (bytes / 256) as u64
}

/// Steps for going through a list or an object once.
pub(crate) fn size_steps(elements: usize) -> u64 {
    (elements / 16) as u64
}

impl<'v> Machine<'v> {
    /// Uses up steps.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Fault> {
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => Err(self.out_of_steps()),
        }
    }

    #[cold]
    fn out_of_steps(&self) -> Fault {
        let limit = self.environment.limits.steps;
        Fault::new(
            fault_code::STEPS,
            format!("the mapping takes more than {limit} steps with this input"),
        )
    }

    fn build(&mut self, bytes: usize) -> Result<(), Fault> {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => {
                let limit = self.environment.limits.output_bytes.saturating_mul(4);
                let message =
                    format!("the mapping builds more than {limit} bytes on the way with this input");
                Err(Fault::new(fault_code::MEMORY, message))
            }
        }
    }

    /// A text under construction may not grow larger than a result may be.
    pub(crate) fn check_text(&self, text: &str) -> Result<(), Fault> {
        if text.len() > self.environment.limits.output_bytes {
            Err(self.too_large())
        } else {
            Ok(())
        }
    }

    /// A text that was built.
    pub(crate) fn new_text(&mut self, text: String) -> Result<Datum<'v>, Fault> {
        self.build(text.len())?;
        Ok(Datum::Text(Cow::Owned(text)))
    }

    /// Counts a list that is built, or written.
    pub(super) fn count_list(&mut self, elements: usize) -> Result<(), Fault> {
        self.build(elements.saturating_mul(ELEMENT_BYTES))
    }

    /// Counts an object that is built, or written.
    pub(super) fn count_object(&mut self, fields: usize) -> Result<(), Fault> {
        self.build(fields.saturating_mul(FIELD_BYTES))
    }

    /// A list that was built.
    pub(crate) fn new_list(&mut self, items: Vec<Datum<'v>>) -> Result<Datum<'v>, Fault> {
        self.count_list(items.len())?;
        let depth = self.depth_above(items.iter())?;
        Ok(Datum::List(List::Built(Rc::new(Built { items, depth }))))
    }

    /// An object that was built. Its keys are distinct.
    pub(crate) fn new_object(&mut self, items: Vec<(Cow<'v, str>, Datum<'v>)>) -> Result<Datum<'v>, Fault> {
        self.count_object(items.len())?;
        let depth = self.depth_above(items.iter().map(|(_, value)| value))?;
        Ok(Datum::Object(Object::Built(Rc::new(Built { items, depth }))))
    }

    /// A value of which nothing can be borrowed.
    pub(crate) fn new_value(&mut self, value: Value) -> Result<Datum<'v>, Fault> {
        match value {
            Value::Null => Ok(Datum::Null),
            Value::Bool(value) => Ok(Datum::Bool(value)),
            Value::Number(number) => Ok(Datum::Number(number)),
            Value::String(text) => self.new_text(text),
            Value::Array(elements) => {
                let items = elements
                    .into_iter()
                    .map(|element| self.new_value(element))
                    .collect::<Result<_, _>>()?;
                self.new_list(items)
            }
            Value::Object(entries) => {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| Ok((Cow::Owned(key), self.new_value(value)?)));
                let entries = entries.collect::<Result<_, _>>()?;
                self.new_object(entries)
            }
        }
    }

    /// How deep something is that has these parts. The limit also keeps dropping it from running out of stack.
    fn depth_above<'d>(&self, parts: impl Iterator<Item = &'d Datum<'v>>) -> Result<usize, Fault>
    where
        'v: 'd,
    {
        let depth = 1 + parts.map(Datum::built_depth).max().unwrap_or(0);
        if depth > self.environment.limits.depth {
            Err(self.too_deep())
        } else {
            Ok(depth)
        }
    }

    #[cold]
    pub(super) fn too_large(&self) -> Fault {
        let limit = self.environment.limits.output_bytes;
        Fault::new(
            fault_code::OUTPUT,
            format!("the result is larger than {limit} bytes"),
        )
    }
}
