//! Reads of a JSON text only what mappings use.
//!
//! The plan of a mapping knows the paths that it can touch. They become an [`Outline`](outline::Outline), the outline
//! drives the deserialiser, and what comes out is an [`Excerpt`]: a tree of the parts that are used, with texts
//! borrowed from the input. Everything else is skipped without being built. The evaluator takes an excerpt for the
//! input as it takes a [`Value`]; nothing else of it knows of this module.
//!
//! What is skipped is still checked: it must be JSON by the grammar of RFC 8259. Three faults that only show when a
//! value is built are not found there: a number beyond the range of a double, half a surrogate pair in an escape, and
//! more than 128 levels inside one another. A text without such faults gives exactly what it gives when it is read
//! whole, errors included; of keys that are there several times the last counts, as it does there.

mod excerpt;
mod outline;
mod read;

use serde_json::Value;

use crate::Mapping;

pub(crate) use excerpt::{Excerpt, Fields};
pub(crate) use outline::Outline;
pub(crate) use read::read;

/// What of an input some mappings use.
#[derive(Clone, Debug, Default)]
pub struct Projection(Outline);

impl Projection {
    /// Of nothing: only whether a text is JSON, and of what kind it is.
    pub fn new() -> Projection {
        Projection::default()
    }

    /// Of everything.
    pub fn everything() -> Projection {
        Projection(Outline::everything())
    }

    /// What any of these mappings uses.
    pub fn of<'m>(mappings: impl IntoIterator<Item = &'m Mapping>) -> Projection {
        let mut all = Projection::new();
        for mapping in mappings {
            all = all.or(mapping.projection());
        }
        all
    }

    /// What this or the other uses.
    #[must_use]
    pub fn or(&self, other: &Projection) -> Projection {
        Projection(self.0.or(&other.0))
    }

    /// What is used of the value under some keys, such as `["response", "body"]`: the projection of a text that
    /// is that value.
    #[must_use]
    pub fn under(&self, keys: &[&str]) -> Projection {
        Projection(self.0.under(keys))
    }

    /// Reads a JSON text. Parts of lists that are not used are null, so that the others keep their places; of objects
    /// they are left out, or null where it matters that they are there.
    ///
    /// # Errors
    /// The text is not JSON. See the list of what is not noticed where it is skipped: numbers beyond the range of a
    /// double, halves of surrogate pairs, and more than 128 levels.
    pub fn parse(&self, json: &str) -> Result<Value, serde_json::Error> {
        read(&self.0, json).map(Value::from)
    }

    pub(crate) fn outline(&self) -> &Outline {
        &self.0
    }
}

impl From<Outline> for Projection {
    fn from(outline: Outline) -> Self {
        Projection(outline)
    }
}
