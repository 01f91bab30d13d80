//! What the functions have in common: reading the value they are called on, and paying for the work.

use std::borrow::Cow;

use regex::Regex;

use super::Call;
use crate::datum::{Datum, List, Object};
use crate::fault::{Fault, fault_code};
use crate::pattern::Pattern;

/// Argument `index` as a text, paid for; `None` when it is null. For numbers and booleans the error says how to
/// make a text of them: nothing is converted behind the author's back.
pub(super) fn text<'v>(call: &mut Call<'_, 'v>, index: usize) -> Result<Option<Cow<'v, str>>, Fault> {
    match call.value(index)? {
        Datum::Null => Ok(None),
        Datum::Text(text) => {
            spend_on(call, &text)?;
            Ok(Some(text))
        }
        other @ (Datum::Number(_) | Datum::Bool(_)) => {
            let found = other.kind();
            Err(call.fault(format_args!(
                "expected text, found {found}; convert it with $TEXT() first"
            )))
        }
        other => Err(call.expected("text", index, &other)),
    }
}

/// What a function with a lambda goes through.
pub(super) enum Elements<'v> {
    List(List<'v>),
    Object(Object<'v>),
}

/// Argument 0 as a list or an object; null is an empty list.
pub(super) fn elements<'v>(call: &mut Call<'_, 'v>) -> Result<Elements<'v>, Fault> {
    match call.value(0)? {
        Datum::Null => Ok(Elements::List(List::Borrowed(&[]))),
        Datum::List(list) => Ok(Elements::List(list)),
        Datum::Object(object) => Ok(Elements::Object(object)),
        other => Err(call.expected("list or object", 0, &other)),
    }
}

impl<'v> Elements<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Elements::List(list) => list.len(),
            Elements::Object(object) => object.len(),
        }
    }

    /// The elements of the list, or the values of the object.
    pub(super) fn iter(&self) -> impl Iterator<Item = Datum<'v>> + '_ {
        let (list, object) = match self {
            Elements::List(list) => (Some(list), None),
            Elements::Object(object) => (None, Some(object)),
        };
        let elements = list.into_iter().flat_map(List::iter);
        elements.chain(object.into_iter().flat_map(Object::iter).map(|(_, value)| value))
    }
}

/// Pays for reading a text once.
pub(super) fn spend_on(call: &mut Call<'_, '_>, text: &str) -> Result<(), Fault> {
    call.spend(text.len() as u64 / 256)
}

/// Pays for a search of a text by a pattern, and gives the price of every match in bytes a step.
///
/// A search may look at everything behind its match before it settles, and the next one at the same again, so each
/// match is charged with a part of what remains. `\b` beside letters outside ASCII keeps the library from its fast
/// engine.
pub(super) fn spend_on_search(call: &mut Call<'_, '_>, text: &str, pattern: &Pattern) -> Result<u64, Fault> {
    call.spend(text.len() as u64 / 16)?;
    let written = pattern.groups().map_or("", Regex::as_str);
    let boundary = written.contains("\\b") || written.contains("\\B");
    Ok(if boundary && !text.is_ascii() { 16 } else { 256 })
}

/// Pays for one match out of many, `remaining` bytes from the end.
pub(super) fn spend_on_match(call: &mut Call<'_, '_>, remaining: usize, price: u64) -> Result<(), Fault> {
    call.spend(1 + remaining as u64 / price)
}

/// Adds to a text under construction, which may not grow larger than a result may be.
pub(super) fn append(call: &Call<'_, '_>, out: &mut String, piece: &str) -> Result<(), Fault> {
    let most = call.environment().limits.output_bytes;
    if out.len() + piece.len() > most {
        return Err(Fault::new(
            fault_code::OUTPUT,
            format!("a text of more than {most} bytes"),
        ));
    }
    out.push_str(piece);
    Ok(())
}

/// Pays for a list of short texts before it is built.
pub(super) fn reserve(call: &mut Call<'_, '_>, elements: usize) -> Result<(), Fault> {
    call.spend(elements as u64 / 16)?;
    // As JSON an element takes at least two quotes and a comma.
    let most = call.environment().limits.output_bytes;
    if elements > most / 3 {
        return Err(Fault::new(
            fault_code::OUTPUT,
            format!("a list of more than {most} bytes"),
        ));
    }
    Ok(())
}
