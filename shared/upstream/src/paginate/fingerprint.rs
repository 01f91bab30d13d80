//! Tells pages apart without keeping them, by all that the items are made of: what of it nobody looks at, too.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use mapping::{Mapping, Segment};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A hash of the parts of a body that `items` reads; of the whole text where it is not JSON.
pub(super) fn fingerprint(body: &str, items: &Mapping) -> u64 {
    let of_body = |path: &'_ [Segment]| -> Option<Vec<Segment>> {
        let names = ["response", "body"];
        let above = path.iter().zip(names);
        let leads_there = |(segment, name): (&Segment, &str)| match segment {
            Segment::Key(key) => key == name,
            Segment::Index(_) | Segment::Any => true,
        };
        let leads_there = above.into_iter().all(leads_there);
        leads_there.then(|| path.iter().skip(names.len()).cloned().collect())
    };
    let paths: Vec<Vec<Segment>> = items
        .reads()
        .iter()
        .filter_map(|path| of_body(&path.segments))
        .collect();
    let mut hasher = DefaultHasher::new();
    if paths.is_empty() {
        // The items come from elsewhere, such as a header: all of the body is what tells pages apart.
        body.hash(&mut hasher);
        return hasher.finish();
    }
    let part = Part {
        paths: paths.iter().map(Vec::as_slice).collect(),
        hasher: &mut hasher,
    };
    let mut json = serde_json::Deserializer::from_str(body);
    // A text that only begins with JSON is none: `2024-05-01,INC1`.
    if part.deserialize(&mut json).and_then(|()| json.end()).is_err() {
        hasher = DefaultHasher::new();
        body.hash(&mut hasher);
    }
    hasher.finish()
}

/// What a hash is made of: values with their kinds, lists and objects behind what is in them, with how much that is.
#[derive(Clone, Copy, Hash)]
enum Token<'v> {
    Null,
    Bool(bool),
    Negative(i64),
    Whole(u64),
    /// The bits of a double.
    Fraction(u64),
    Text(&'v str),
    List(usize),
    Object(usize),
}

/// A value of which these paths count.
struct Part<'h> {
    paths: Vec<&'h [Segment]>,
    hasher: &'h mut DefaultHasher,
}

impl<'h> Part<'h> {
    /// Whether all of the value counts. The elements of a list do together.
    fn is_whole(&self) -> bool {
        let mut paths = self.paths.iter();
        paths.any(|path| !matches!(path.first(), Some(Segment::Key(_))))
    }

    /// The paths that go on below a field.
    fn below(&self, key: &str) -> Vec<&'h [Segment]> {
        let paths = self.paths.iter().copied();
        let below = paths.filter_map(|path| match path.split_first() {
            Some((Segment::Key(name), deeper)) => (name == key).then_some(deeper),
            _ => Some([].as_slice()),
        });
        below.collect()
    }

    fn scalar(self, value: Token<'_>) {
        if self.is_whole() {
            value.hash(self.hasher);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(Token::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(Token::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(Token::Negative(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(Token::Whole(value));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(Token::Fraction(value.to_bits()));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.scalar(Token::Text(value));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.is_whole() {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut length = 0_usize;
        loop {
            let element = Part {
                paths: vec![&[]],
                hasher: self.hasher,
            };
            match list.next_element_seed(element)? {
                Some(()) => length += 1,
                None => break,
            }
        }
        Token::List(length).hash(self.hasher);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut fields = 0_usize;
        while let Some(key) = object.next_key::<String>()? {
            let paths = self.below(&key);
            if paths.is_empty() {
                object.next_value::<IgnoredAny>()?;
                continue;
            }
            fields += 1;
            Token::Text(&key).hash(self.hasher);
            object.next_value_seed(Part {
                paths,
                hasher: self.hasher,
            })?;
        }
        Token::Object(fields).hash(self.hasher);
        Ok(())
    }
}
