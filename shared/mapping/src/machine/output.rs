//! The way out: a result as a value, as JSON text, or as a text inside of the mapping.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::Machine;
use super::count::text_steps;
use crate::datum::{Datum, List, Object, ObjectIter};
use crate::environment::Limits;
use crate::fault::Fault;
use crate::plan::{MappingNode, NodeKind};

impl<'v> Machine<'v> {
    /// Evaluates a node whose value is the result.
    pub(crate) fn value(&mut self, node: &'v MappingNode) -> Result<Value, Fault> {
        let datum = self.node(node)?;
        self.finish(datum)
    }

    /// The result as a value of its own.
    pub(crate) fn finish(&self, datum: Datum<'v>) -> Result<Value, Fault> {
        let mut left = self.environment.limits.output_bytes;
        self.copy(datum, self.environment.limits.depth, &mut left)
    }

    /// Evaluates a node and writes the value, without building lists and objects that would only be written.
    ///
    /// It succeeds when [`Machine::value`] does, but may meet another error first.
    pub(crate) fn write_node(&mut self, node: &'v MappingNode, out: &mut Output<'_>) -> Result<(), Fault> {
        let result = match &node.kind {
            NodeKind::List(elements) => self.nested(|machine| {
                machine.write_list(out, elements, |machine, out, element| {
                    machine.write_node(element, out)
                })
            }),
            NodeKind::Object(fields) => self.nested(|machine| {
                machine.count_object(fields.len())?;
                out.open(machine, b'{')?;
                for (position, (name, field)) in fields.iter().enumerate() {
                    out.key(machine, position, name)?;
                    machine.write_node(field, out)?;
                }
                out.close(b'}');
                Ok(())
            }),
            NodeKind::Operator(operator) => self.nested(|machine| operator.write(machine, out)),
            NodeKind::Constant(_) | NodeKind::Expression(_) => {
                let value = self.node(node)?;
                return self.write(&value, out);
            }
        };
        result.map_err(|fault| fault.in_place(&node.place))
    }

    /// Writes a list of what is written for each element.
    pub(crate) fn write_list<T>(
        &mut self,
        out: &mut Output<'_>,
        elements: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut write: impl FnMut(&mut Self, &mut Output<'_>, T) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let elements = elements.into_iter();
        self.count_list(elements.len())?;
        out.open(self, b'[')?;
        for (position, element) in elements.enumerate() {
            out.comma(position);
            write(self, out, element)?;
        }
        out.close(b']');
        Ok(())
    }

    /// Writes a value as JSON text.
    pub(crate) fn write(&self, datum: &Datum<'v>, out: &mut Output<'_>) -> Result<(), Fault> {
        match datum {
            Datum::List(list) => {
                out.open(self, b'[')?;
                for (position, element) in list.items().enumerate() {
                    out.comma(position);
                    self.write(&element, out)?;
                }
                out.close(b']');
                Ok(())
            }
            Datum::Object(object) => {
                out.open(self, b'{')?;
                for (position, (key, field)) in object.fields().enumerate() {
                    out.key(self, position, key)?;
                    self.write(&field, out)?;
                }
                out.close(b'}');
                Ok(())
            }
            scalar => out.scalar(self, scalar),
        }
    }

    /// Takes bytes of the result from what is left for it.
    fn take(&self, bytes: usize, left: &mut usize) -> Result<(), Fault> {
        *left = left.checked_sub(bytes).ok_or_else(|| self.too_large())?;
        Ok(())
    }

    fn copy(&self, datum: Datum<'v>, depth: usize, left: &mut usize) -> Result<Value, Fault> {
        self.take(size(&datum), left)?;
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
                    List::Excerpt(elements) => {
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
                    Object::Excerpt(fields) => {
                        self.copy_fields(ObjectIter::Excerpt(fields.iter()), depth, left)?
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
            self.take(key_size(&key), left)?;
            map.insert(key.into_owned(), self.copy(value, depth, left)?);
        }
        Ok(Value::Object(map))
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
        let mut out = Vec::new();
        self.write_json(value, self.environment.limits.depth, &mut out)?;
        // It was put together of texts.
        Ok(String::from_utf8(out).unwrap_or_default())
    }

    fn write_json(&mut self, value: &Datum<'v>, depth: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        // A shared part is written as often as it is referred to: count while the text grows.
        let before = out.len();
        match value {
            Datum::Null => out.extend_from_slice(b"null"),
            Datum::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            // Writing to memory does not fail.
            Datum::Number(number) => drop(serde_json::to_writer(&mut *out, number)),
            Datum::Text(text) => quote(text, out),
            Datum::List(list) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                out.push(b'[');
                for (position, element) in list.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    self.write_json(&element, depth, out)?;
                }
                out.push(b']');
            }
            Datum::Object(object) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                out.push(b'{');
                for (position, (key, field)) in object.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    quote(&key, out);
                    out.push(b':');
                    self.write_json(&field, depth, out)?;
                }
                out.push(b'}');
            }
        }
        self.spend(1 + text_steps(out.len() - before))?;
        if out.len() > self.environment.limits.output_bytes {
            return Err(self.too_large());
        }
        Ok(())
    }
}

/// JSON text under construction, and what of the limits is left for it.
pub(crate) struct Output<'o> {
    text: &'o mut Vec<u8>,
    bytes_left: usize,
    levels_left: usize,
}

impl<'o> Output<'o> {
    /// At the end of a text.
    pub(crate) fn new(text: &'o mut Vec<u8>, limits: &Limits) -> Self {
        Output {
            text,
            bytes_left: limits.output_bytes,
            levels_left: limits.depth,
        }
    }

    fn take(&mut self, machine: &Machine<'_>, bytes: usize) -> Result<(), Fault> {
        machine.take(bytes, &mut self.bytes_left)
    }

    fn open(&mut self, machine: &Machine<'_>, bracket: u8) -> Result<(), Fault> {
        self.take(machine, COLLECTION_BYTES)?;
        self.levels_left = self
            .levels_left
            .checked_sub(1)
            .ok_or_else(|| machine.too_deep())?;
        self.text.push(bracket);
        Ok(())
    }

    fn close(&mut self, bracket: u8) {
        self.levels_left += 1;
        self.text.push(bracket);
    }

    fn comma(&mut self, position: usize) {
        if position > 0 {
            self.text.push(b',');
        }
    }

    fn key(&mut self, machine: &Machine<'_>, position: usize, key: &str) -> Result<(), Fault> {
        self.take(machine, key_size(key))?;
        self.comma(position);
        quote(key, self.text);
        self.text.push(b':');
        Ok(())
    }

    fn scalar(&mut self, machine: &Machine<'_>, value: &Datum<'_>) -> Result<(), Fault> {
        self.take(machine, size(value))?;
        match value {
            Datum::Bool(true) => self.text.extend_from_slice(b"true"),
            Datum::Bool(false) => self.text.extend_from_slice(b"false"),
            // Writing to memory does not fail.
            Datum::Number(number) => drop(serde_json::to_writer(&mut *self.text, number)),
            Datum::Text(text) => quote(text, self.text),
            _ => self.text.extend_from_slice(b"null"),
        }
        Ok(())
    }
}

/// What a list or an object takes of the result, without what lies in it.
const COLLECTION_BYTES: usize = 4;

fn key_size(key: &str) -> usize {
    key.len() + 4
}

/// What a value takes of the result, without what lies in it.
fn size(datum: &Datum<'_>) -> usize {
    match datum {
        Datum::Text(text) => text.len() + 2,
        Datum::Number(_) => 8,
        _ => COLLECTION_BYTES,
    }
}

/// A text as JSON.
fn quote(text: &str, out: &mut Vec<u8>) {
    if needs_escape(text.as_bytes()) {
        // Writing to memory does not fail.
        drop(serde_json::to_writer(out, text));
    } else {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}

/// Whether JSON writes any of the bytes otherwise than as it is. Looks at all of them, so that the compiler can take
/// many at a time.
fn needs_escape(text: &[u8]) -> bool {
    text.iter().fold(false, |found, byte| {
        found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\')
    })
}
