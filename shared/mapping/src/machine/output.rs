//! The way out: a result as a value, as JSON text, or as a text inside of the mapping.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::Machine;
use super::count::text_steps;
use crate::datum::{Datum, List, Object, ObjectIter};
use crate::fault::Fault;

impl<'v> Machine<'v> {
    /// The result as a value of its own.
    pub(crate) fn finish(&mut self, datum: Datum<'v>) -> Result<Value, Fault> {
        let mut left = self.environment.limits.output_bytes;
        self.copy(datum, self.environment.limits.depth, &mut left)
    }

    /// The result as JSON text.
    pub(crate) fn write(&mut self, datum: &Datum<'v>, output: &mut Vec<u8>) -> Result<(), Fault> {
        let mut left = self.environment.limits.output_bytes;
        self.put(datum, self.environment.limits.depth, &mut left, output)
    }

    fn put(
        &self,
        datum: &Datum<'v>,
        depth: usize,
        left: &mut usize,
        output: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        self.take(size(datum), left)?;
        match datum {
            Datum::Null => output.extend_from_slice(b"null"),
            Datum::Bool(true) => output.extend_from_slice(b"true"),
            Datum::Bool(false) => output.extend_from_slice(b"false"),
            // Writing to memory does not fail.
            Datum::Number(number) => drop(serde_json::to_writer(output, number)),
            Datum::Text(text) => quote(text, output),
            Datum::List(list) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                output.push(b'[');
                for (position, element) in list.iter().enumerate() {
                    if position > 0 {
                        output.push(b',');
                    }
                    self.put(&element, depth, left, output)?;
                }
                output.push(b']');
            }
            Datum::Object(object) => {
                let depth = depth.checked_sub(1).ok_or_else(|| self.too_deep())?;
                output.push(b'{');
                for (position, (key, field)) in object.iter().enumerate() {
                    if position > 0 {
                        output.push(b',');
                    }
                    self.take(key.len() + 4, left)?;
                    quote(&key, output);
                    output.push(b':');
                    self.put(&field, depth, left, output)?;
                }
                output.push(b'}');
            }
        }
        Ok(())
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
            self.take(key.len() + 4, left)?;
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

/// What a value takes of the result, without what lies in it.
fn size(datum: &Datum<'_>) -> usize {
    match datum {
        Datum::Text(text) => text.len() + 2,
        Datum::Number(_) => 8,
        _ => 4,
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
