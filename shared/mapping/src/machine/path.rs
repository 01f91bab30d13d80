use std::borrow::Cow;

use super::{Machine, count};
use crate::datum::{Datum, List, Object};
use crate::fault::Fault;
use crate::plan::{Expression, Origin, Path, PathSegment, loop_slot};

impl<'v> Machine<'v> {
    /// The value at the end of a path. What is not there is null; a path never fails.
    pub(super) fn path(&mut self, path: &'v Path) -> Result<Datum<'v>, Fault> {
        let mut value = self.origin(&path.origin)?;
        for segment in &path.segments {
            value = self.segment(value, segment)?;
        }
        Ok(value)
    }

    /// The value that a path begins with.
    pub(crate) fn origin(&mut self, origin: &'v Origin) -> Result<Datum<'v>, Fault> {
        match origin {
            Origin::Name(name) => Ok(self.name(name)),
            Origin::Root => Ok(self.root.clone()),
            Origin::Local(slot) => self.local(*slot),
            Origin::Loop(slot) => self.iterator(*slot),
            Origin::Value(value) => self.expression(value),
        }
    }

    /// One step down a path.
    pub(crate) fn segment(&mut self, value: Datum<'v>, segment: &'v PathSegment) -> Result<Datum<'v>, Fault> {
        match segment {
            PathSegment::Key(key) => self.member(&value, key),
            PathSegment::Index(index) => self.element(&value, *index),
            PathSegment::Computed(index) => self.computed(&value, index),
            PathSegment::Slice { from, to } => self.slice(value, from.as_ref(), to.as_ref()),
        }
    }

    fn name(&self, name: &str) -> Datum<'v> {
        let bound = self
            .bindings
            .iter()
            .find(|(bound, _)| *bound == name)
            .map(|(_, value)| value.clone());
        bound.unwrap_or_else(|| match &self.root {
            Datum::Object(object) => object.get(name).unwrap_or(Datum::Null),
            _ => Datum::Null,
        })
    }

    pub(crate) fn local(&mut self, slot: usize) -> Result<Datum<'v>, Fault> {
        let value = self.locals.get(slot).cloned().unwrap_or(Datum::Null);
        // The one clone that copies.
        if let Datum::Text(Cow::Owned(text)) = &value {
            self.spend(count::text_steps(text.len()))?;
        }
        Ok(value)
    }

    /// `loop` as an object.
    pub(crate) fn iterator(&mut self, slot: usize) -> Result<Datum<'v>, Fault> {
        let field = |(name, offset): (&'static str, usize)| {
            (
                Cow::Borrowed(name),
                self.locals.get(slot + offset).cloned().unwrap_or(Datum::Null),
            )
        };
        let entries = loop_slot::FIELDS.into_iter().map(field).collect();
        self.new_object(entries)
    }

    fn member(&mut self, value: &Datum<'v>, key: &str) -> Result<Datum<'v>, Fault> {
        let Datum::Object(object) = value else {
            return Ok(Datum::Null);
        };
        if let Object::Built(built) = object {
            // A field of a built object is searched for.
            self.spend(count::size_steps(built.items.len()))?;
        }
        Ok(object.get(key).unwrap_or(Datum::Null))
    }

    fn element(&mut self, value: &Datum<'v>, index: i64) -> Result<Datum<'v>, Fault> {
        match value {
            Datum::List(list) => Ok(position(index, list.len())
                .and_then(|index| list.get(index))
                .unwrap_or(Datum::Null)),
            Datum::Text(text) => {
                self.spend(count::text_steps(text.len()))?;
                let length = text.chars().count();
                Ok(match position(index, length) {
                    Some(index) => part(text, index, index + 1),
                    None => Datum::Null,
                })
            }
            _ => Ok(Datum::Null),
        }
    }

    fn computed(&mut self, value: &Datum<'v>, index: &'v Expression) -> Result<Datum<'v>, Fault> {
        match self.expression(index)? {
            Datum::Text(key) => self.member(value, &key),
            Datum::Number(number) => match whole(&number) {
                Some(index) => self.element(value, index),
                None => Ok(Datum::Null),
            },
            Datum::Null => Ok(Datum::Null),
            other => {
                let message = format!("expected number or text, found {}", other.kind());
                Err(Fault::types("an index", message).in_span(index.span))
            }
        }
    }

    fn slice(
        &mut self,
        value: Datum<'v>,
        from: Option<&'v Expression>,
        to: Option<&'v Expression>,
    ) -> Result<Datum<'v>, Fault> {
        let length = match &value {
            Datum::List(list) => list.len(),
            Datum::Text(text) => {
                self.spend(count::text_steps(text.len()))?;
                text.chars().count()
            }
            _ => return Ok(Datum::Null),
        };
        let from = self.bound(from, length)?.unwrap_or(0);
        let to = self.bound(to, length)?.unwrap_or(length).max(from);
        match value {
            Datum::List(List::Borrowed(elements)) => Ok(Datum::List(List::Borrowed(
                elements.get(from..to).unwrap_or_default(),
            ))),
            Datum::List(List::Excerpt(elements)) => Ok(Datum::List(List::Excerpt(
                elements.get(from..to).unwrap_or_default(),
            ))),
            Datum::List(List::Built(built)) => {
                let items = built.items.get(from..to).unwrap_or_default().to_vec();
                self.new_list(items)
            }
            Datum::Text(text) => Ok(part(&text, from, to)),
            _ => Ok(Datum::Null),
        }
    }

    /// A bound of a slice, cut to the length. Null is no bound.
    fn bound(&mut self, bound: Option<&'v Expression>, length: usize) -> Result<Option<usize>, Fault> {
        let Some(expression) = bound else { return Ok(None) };
        let number = match self.expression(expression)? {
            Datum::Null => return Ok(None),
            Datum::Number(number) => whole(&number).ok_or("number that is not whole"),
            other => Err(other.kind()),
        };
        match number {
            Ok(bound) => {
                let distance = usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX);
                Ok(Some(if bound < 0 {
                    length.saturating_sub(distance)
                } else {
                    distance.min(length)
                }))
            }
            Err(found) => {
                let message = format!("expected a whole number, found {found}");
                Err(Fault::types("a slice", message).in_span(expression.span))
            }
        }
    }
}

/// The position that an index means; negative ones count from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 {
        length.checked_sub(distance)
    } else {
        (distance < length).then_some(distance)
    }
}

fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        // Beyond this, floats skip whole numbers.
        (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
    })
}

/// Characters `from..to` of a text, borrowed if the text is.
fn part<'v>(text: &Cow<'v, str>, from: usize, to: usize) -> Datum<'v> {
    let byte = |character: usize| {
        text.char_indices()
            .nth(character)
            .map_or(text.len(), |(at, _)| at)
    };
    let range = byte(from)..byte(to);
    match text {
        Cow::Borrowed(text) => Datum::borrowed(text.get(range).unwrap_or_default()),
        Cow::Owned(text) => Datum::Text(Cow::Owned(text.get(range).unwrap_or_default().to_owned())),
    }
}
