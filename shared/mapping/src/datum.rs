//! A value while a mapping runs: borrowed from the input where it can be, built where it must be.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Number, Value};

use crate::projection::{Excerpt, Fields};

/// A value of an evaluation. Cloning is cheap except for a text that was built.
#[derive(Clone, Debug)]
pub(crate) enum Datum<'v> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'v, str>),
    List(List<'v>),
    Object(Object<'v>),
}

/// A list: a part of the input, or built by the mapping.
#[derive(Clone, Debug)]
pub(crate) enum List<'v> {
    Borrowed(&'v [Value]),
    Excerpt(&'v [Excerpt<'v>]),
    Built(Rc<Built<Datum<'v>>>),
}

/// An object: a part of the input, or built by the mapping.
#[derive(Clone, Debug)]
pub(crate) enum Object<'v> {
    Borrowed(&'v Map<String, Value>),
    Excerpt(&'v Fields<'v>),
    Built(Rc<Built<(Cow<'v, str>, Datum<'v>)>>),
}

/// What was built, and how many built lists and objects lie inside one another in it.
#[derive(Debug)]
pub(crate) struct Built<T> {
    pub(crate) items: Vec<T>,
    pub(crate) depth: usize,
}

impl<'v> From<&'v Value> for Datum<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Datum::Null,
            Value::Bool(value) => Datum::Bool(*value),
            Value::Number(number) => Datum::Number(number.clone()),
            Value::String(text) => Datum::Text(Cow::Borrowed(text)),
            Value::Array(elements) => Datum::List(List::Borrowed(elements)),
            Value::Object(entries) => Datum::Object(Object::Borrowed(entries)),
        }
    }
}

impl<'v> From<&'v Excerpt<'v>> for Datum<'v> {
    fn from(excerpt: &'v Excerpt<'v>) -> Self {
        match excerpt {
            Excerpt::Null => Datum::Null,
            Excerpt::Bool(value) => Datum::Bool(*value),
            Excerpt::Number(number) => Datum::Number(number.clone()),
            Excerpt::Text(text) => Datum::Text(Cow::Borrowed(text)),
            Excerpt::List(elements) => Datum::List(List::Excerpt(elements)),
            Excerpt::Object(fields) => Datum::Object(Object::Excerpt(fields)),
        }
    }
}

impl<'v> Datum<'v> {
    /// A text that is part of the input or of the mapping.
    pub(crate) fn borrowed(text: &'v str) -> Self {
        Datum::Text(Cow::Borrowed(text))
    }

    /// A whole number.
    pub(crate) fn integer(number: impl Into<Number>) -> Self {
        Datum::Number(number.into())
    }

    /// What this is, as messages call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Datum::Null => "null",
            Datum::Bool(_) => "boolean",
            Datum::Number(_) => "number",
            Datum::Text(_) => "text",
            Datum::List(_) => "list",
            Datum::Object(_) => "object",
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }

    /// Everything except `""`, `0`, `NULL`, `FALSE`, `[]` and `{}`.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Datum::Null => false,
            Datum::Bool(value) => *value,
            Datum::Number(number) => number.as_f64() != Some(0.0),
            Datum::Text(text) => !text.is_empty(),
            Datum::List(list) => list.len() > 0,
            Datum::Object(object) => object.len() > 0,
        }
    }

    /// How many built lists and objects lie inside one another here. What is borrowed counts as flat.
    pub(crate) fn built_depth(&self) -> usize {
        match self {
            Datum::List(List::Built(built)) => built.depth,
            Datum::Object(Object::Built(built)) => built.depth,
            _ => 0,
        }
    }
}

impl<'v> List<'v> {
    pub(crate) fn len(&self) -> usize {
        match self {
            List::Borrowed(elements) => elements.len(),
            List::Excerpt(elements) => elements.len(),
            List::Built(built) => built.items.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Datum<'v>> {
        match self {
            List::Borrowed(elements) => elements.get(index).map(Datum::from),
            List::Excerpt(elements) => elements.get(index).map(Datum::from),
            List::Built(built) => built.items.get(index).cloned(),
        }
    }

    /// The elements, to look at: a text that was built is not copied.
    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'_, 'v>> {
        (0..self.len()).filter_map(move |index| match self {
            List::Built(built) => built.items.get(index).map(Item::Built),
            input => input.get(index).map(Item::Input),
        })
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Datum<'v>> + use<'_, 'v> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// An element of a list, to look at.
pub(crate) enum Item<'l, 'v> {
    Built(&'l Datum<'v>),
    Input(Datum<'v>),
}

impl<'v> Deref for Item<'_, 'v> {
    type Target = Datum<'v>;

    fn deref(&self) -> &Datum<'v> {
        match self {
            Item::Built(element) => element,
            Item::Input(element) => element,
        }
    }
}

impl<'v> Object<'v> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Object::Borrowed(entries) => entries.len(),
            Object::Excerpt(fields) => fields.len(),
            Object::Built(built) => built.items.len(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Datum<'v>> {
        match self {
            Object::Borrowed(entries) => field(entries, key).map(Datum::from),
            Object::Excerpt(fields) => fields.get(key).map(Datum::from),
            Object::Built(built) => built
                .items
                .iter()
                .find(|(k, _)| k == key)
                .map(|(_, value)| value.clone()),
        }
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        match self {
            Object::Borrowed(entries) => field(entries, key).is_some(),
            Object::Excerpt(fields) => fields.get(key).is_some(),
            Object::Built(built) => built.items.iter().any(|(k, _)| k == key),
        }
    }

    /// The fields, to look at: a text that was built is not copied.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, Item<'_, 'v>)> {
        let (borrowed, excerpt, built) = match self {
            Object::Borrowed(entries) => (Some(entries.iter()), None, None),
            Object::Excerpt(fields) => (None, Some(fields.iter()), None),
            Object::Built(built) => (None, None, Some(built.items.iter())),
        };
        let input = |(key, value)| (key, Item::Input(value));
        let borrowed = borrowed
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), Datum::from(value)));
        let excerpt = excerpt
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_ref(), Datum::from(value)));
        let built = built
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_ref(), Item::Built(value)));
        borrowed.map(input).chain(excerpt.map(input)).chain(built)
    }

    pub(crate) fn iter(&self) -> ObjectIter<'_, 'v> {
        match self {
            Object::Borrowed(entries) => ObjectIter::Borrowed(entries.iter()),
            Object::Excerpt(fields) => ObjectIter::Excerpt(fields.iter()),
            Object::Built(built) => ObjectIter::Built(built.items.iter()),
        }
    }
}

/// How many fields are looked through before hashing the key takes less time.
const SEARCHED: usize = 8;

fn field<'v>(entries: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    if entries.len() > SEARCHED {
        return entries.get(key);
    }
    entries
        .iter()
        .find(|(known, _)| *known == key)
        .map(|(_, value)| value)
}

/// The entries of an [`Object`], in order.
pub(crate) enum ObjectIter<'o, 'v> {
    Borrowed(serde_json::map::Iter<'v>),
    Excerpt(std::slice::Iter<'v, (Cow<'v, str>, Excerpt<'v>)>),
    Built(std::slice::Iter<'o, (Cow<'v, str>, Datum<'v>)>),
}

impl<'v> Iterator for ObjectIter<'_, 'v> {
    type Item = (Cow<'v, str>, Datum<'v>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            ObjectIter::Borrowed(entries) => entries
                .next()
                .map(|(key, value)| (Cow::Borrowed(key.as_str()), Datum::from(value))),
            ObjectIter::Excerpt(fields) => fields
                .next()
                .map(|(key, value)| (Cow::Borrowed(key.as_ref()), Datum::from(value))),
            ObjectIter::Built(entries) => entries.next().cloned(),
        }
    }
}

/// Whether a condition holds for a value: everything except `""`, `0`, `null`, `false`, `[]` and `{}`.
pub fn is_truthy(value: &Value) -> bool {
    Datum::from(value).is_truthy()
}
