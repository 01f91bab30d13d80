use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// How many fields an object may have before looking one up goes by an index.
const SEARCHED: usize = 16;

/// The part of a JSON text that an outline keeps.
#[derive(Debug)]
pub(crate) enum Excerpt<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
    List(Vec<Excerpt<'t>>),
    Object(Fields<'t>),
}

/// The fields of an object, each key once, in the order in which the keys first came.
#[derive(Debug)]
pub(crate) struct Fields<'t> {
    entries: Vec<(Cow<'t, str>, Excerpt<'t>)>,
    /// The positions by key, where there are many.
    #[expect(clippy::box_collection, reason = "most objects have none")]
    index: Option<Box<Vec<u32>>>,
}

impl<'t> Fields<'t> {
    /// Of keys that come several times, the first place and the last value count.
    pub(super) fn new(mut entries: Vec<(Cow<'t, str>, Excerpt<'t>)>) -> Self {
        if entries.len() <= SEARCHED {
            let mut settled = 1;
            while let Some((before, [entry, ..])) = entries.split_at_mut_checked(settled) {
                match before.iter_mut().find(|(key, _)| *key == entry.0) {
                    None => settled += 1,
                    Some(known) => {
                        std::mem::swap(&mut known.1, &mut entry.1);
                        entries.remove(settled);
                    }
                }
            }
            return Fields { entries, index: None };
        }
        let mut index = sorted(&entries);
        let key = |at: u32| entries.get(at as usize).map(|(key, _)| key);
        if index
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if key(*a) == key(*b)))
        {
            entries = without_repeats(entries, &index);
            index = sorted(&entries);
        }
        Fields {
            entries,
            index: Some(Box::new(index)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Excerpt<'t>> {
        let Some(index) = &self.index else {
            return self
                .entries
                .iter()
                .find(|(known, _)| known == key)
                .map(|(_, value)| value);
        };
        let at = index.binary_search_by(|at| {
            let known = self.entries.get(*at as usize);
            known.map_or("", |(known, _)| known.as_ref()).cmp(key)
        });
        let at = index.get(at.ok()?)?;
        self.entries.get(*at as usize).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, (Cow<'t, str>, Excerpt<'t>)> {
        self.entries.iter()
    }
}

/// Positions by key; of equal keys the first comes first.
fn sorted(entries: &[(Cow<'_, str>, Excerpt<'_>)]) -> Vec<u32> {
    // A text of more than 2^32 fields does not fit in memory.
    let mut index: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
    let key = |at: &u32| entries.get(*at as usize).map(|(key, _)| key.as_ref());
    index.sort_by(|a, b| key(a).cmp(&key(b)));
    index
}

fn without_repeats<'t>(
    entries: Vec<(Cow<'t, str>, Excerpt<'t>)>,
    index: &[u32],
) -> Vec<(Cow<'t, str>, Excerpt<'t>)> {
    let mut slots: Vec<Option<(Cow<'t, str>, Excerpt<'t>)>> = entries.into_iter().map(Some).collect();
    let mut first = 0;
    for at in index {
        let at = *at as usize;
        let repeats = {
            let key = |at: usize| slots.get(at).and_then(Option::as_ref).map(|(key, _)| key);
            first != at && key(first) == key(at)
        };
        if !repeats {
            first = at;
        } else if let Some(last) = slots.get_mut(at).and_then(Option::take)
            && let Some(Some(kept)) = slots.get_mut(first)
        {
            kept.1 = last.1;
        }
    }
    slots.into_iter().flatten().collect()
}

impl From<Excerpt<'_>> for Value {
    fn from(excerpt: Excerpt<'_>) -> Self {
        match excerpt {
            Excerpt::Null => Value::Null,
            Excerpt::Bool(value) => Value::Bool(value),
            Excerpt::Number(number) => Value::Number(number),
            Excerpt::Text(text) => Value::String(text.into_owned()),
            Excerpt::List(elements) => Value::Array(elements.into_iter().map(Value::from).collect()),
            Excerpt::Object(fields) => {
                let fields = fields.entries.into_iter();
                Value::Object(
                    fields
                        .map(|(key, value)| (key.into_owned(), value.into()))
                        .collect::<Map<_, _>>(),
                )
            }
        }
    }
}
