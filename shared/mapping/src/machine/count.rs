//! What is built is counted here, and what is done to large values.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::Machine;
use crate::datum::{Built, Datum, List, Object, ObjectIter};
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

    /// A list that was built.
    pub(crate) fn new_list(&mut self, items: Vec<Datum<'v>>) -> Result<Datum<'v>, Fault> {
        self.build(items.len().saturating_mul(ELEMENT_BYTES))?;
        let depth = self.depth_above(items.iter())?;
        Ok(Datum::List(List::Built(Rc::new(Built { items, depth }))))
    }

    /// An object that was built. Its keys are distinct.
    pub(crate) fn new_object(&mut self, items: Vec<(Cow<'v, str>, Datum<'v>)>) -> Result<Datum<'v>, Fault> {
        self.build(items.len().saturating_mul(FIELD_BYTES))?;
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

    /// The result as a value of its own.
    pub(crate) fn finish(&mut self, datum: Datum<'v>) -> Result<Value, Fault> {
        let mut left = self.environment.limits.output_bytes;
        self.copy(datum, self.environment.limits.depth, &mut left)
    }

    fn copy(&self, datum: Datum<'v>, depth: usize, left: &mut usize) -> Result<Value, Fault> {
        let bytes = match &datum {
            Datum::Text(text) => text.len() + 2,
            Datum::Number(_) => 8,
            _ => 4,
        };
        *left = left.checked_sub(bytes).ok_or_else(|| self.too_large())?;
        Ok(match datum {
            Datum::Null => Value::Null,
            Datum::Bool(value) => Value::Bool(value),
            Datum::Number(number) => Value::Number(number),
            Datum::Text(text) => Value::String(text.into_owned()),
            Datum::List(list) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                match list {
                    List::Built(built) => match Rc::try_unwrap(built) {
                        Ok(built) => self.copy_all(built.items.into_iter(), depth, left)?,
                        Err(shared) => self.copy_all(shared.items.iter().cloned(), depth, left)?,
                    },
                    List::Borrowed(elements) => {
                        self.copy_all(elements.iter().map(Datum::from), depth, left)?
                    }
                }
            }
            Datum::Object(object) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                match object {
                    Object::Built(built) => match Rc::try_unwrap(built) {
                        Ok(built) => self.copy_fields(built.items.into_iter(), depth, left)?,
                        Err(shared) => {
                            self.copy_fields(ObjectIter::Built(shared.items.iter()), depth, left)?
                        }
                    },
                    Object::Borrowed(entries) => {
                        self.copy_fields(ObjectIter::Borrowed(entries.iter()), depth, left)?
                    }
                }
            }
        })
    }

    fn copy_all(
        &self,
        items: impl ExactSizeIterator<Item = Datum<'v>>,
        depth: usize,
        left: &mut usize,
    ) -> Result<Value, Fault> {
        let mut elements = Vec::with_capacity(items.len());
        for item in items {
            elements.push(self.copy(item, depth, left)?);
        }
        Ok(Value::Array(elements))
    }

    fn copy_fields(
        &self,
        entries: impl Iterator<Item = (Cow<'v, str>, Datum<'v>)>,
        depth: usize,
        left: &mut usize,
    ) -> Result<Value, Fault> {
        let mut map = Map::with_capacity(entries.size_hint().0);
        for (key, value) in entries {
            *left = left.checked_sub(key.len() + 4).ok_or_else(|| self.too_large())?;
            map.insert(key.into_owned(), self.copy(value, depth, left)?);
        }
        Ok(Value::Object(map))
    }

    #[cold]
    fn too_large(&self) -> Fault {
        let limit = self.environment.limits.output_bytes;
        Fault::new(
            fault_code::OUTPUT,
            format!("the result is larger than {limit} bytes"),
        )
    }

    /// The value as a text: texts as they are, everything else as compact JSON.
    pub(crate) fn text_form(&mut self, value: &Datum<'v>) -> Result<Cow<'v, str>, Fault> {
        match value {
            Datum::Text(text) => Ok(text.clone()),
            Datum::Null => Ok(Cow::Borrowed("null")),
            Datum::Bool(true) => Ok(Cow::Borrowed("true")),
            Datum::Bool(false) => Ok(Cow::Borrowed("false")),
            other => self.json(other).map(Cow::Owned),
        }
    }

    /// The value as compact JSON, fields in order.
    pub(crate) fn json(&mut self, value: &Datum<'v>) -> Result<String, Fault> {
        let mut out = String::new();
        self.write_json(value, self.environment.limits.depth, &mut out)?;
        Ok(out)
    }

    fn write_json(&mut self, value: &Datum<'v>, depth: usize, out: &mut String) -> Result<(), Fault> {
        // A shared part is written as often as it is referred to: count while the text grows.
        let before = out.len();
        match value {
            Datum::Null => out.push_str("null"),
            Datum::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            // Writing to a text does not fail.
            Datum::Number(number) => drop(write!(out, "{number}")),
            Datum::Text(text) => quote(text, out),
            Datum::List(list) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                out.push('[');
                for (position, element) in list.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    self.write_json(&element, depth, out)?;
                }
                out.push(']');
            }
            Datum::Object(object) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                out.push('{');
                for (position, (key, field)) in object.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    quote(&key, out);
                    out.push(':');
                    self.write_json(&field, depth, out)?;
                }
                out.push('}');
            }
        }
        self.spend(1 + text_steps(out.len() - before))?;
        if out.len() > self.environment.limits.output_bytes {
            return Err(self.too_large());
        }
        Ok(())
    }
}

fn quote(text: &str, out: &mut String) {
    // The only error would be a key that is not text.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
