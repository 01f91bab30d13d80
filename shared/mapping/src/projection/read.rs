use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::outline::Use;
use super::{Excerpt, Fields, Outline};

/// Reads what an outline says of a JSON text.
///
/// # Errors
/// The text is not JSON.
pub(crate) fn read<'t>(outline: &'t Outline, json: &'t str) -> Result<Excerpt<'t>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let excerpt = Part(outline).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(excerpt)
}

/// Reads a value as an outline says.
struct Part<'t>(&'t Outline);

impl<'t> DeserializeSeed<'t> for Part<'t> {
    type Value = Excerpt<'t>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Excerpt<'t>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Part<'t> {
    type Value = Excerpt<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Excerpt<'t>, E> {
        Ok(Excerpt::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Excerpt<'t>, E> {
        Ok(Excerpt::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Excerpt<'t>, E> {
        Ok(Excerpt::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Excerpt<'t>, E> {
        Ok(Excerpt::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Excerpt<'t>, E> {
        Ok(Number::from_f64(value).map_or(Excerpt::Null, Excerpt::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<Excerpt<'t>, E> {
        Ok(Excerpt::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Excerpt<'t>, E> {
        Ok(Excerpt::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<Excerpt<'t>, A::Error> {
        let Part(outline) = self;
        let mut elements = Vec::new();
        if !outline.has_elements() {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Excerpt::List(elements));
        }
        loop {
            let element = match outline.element(elements.len()) {
                Use::Read(outline) => list.next_element_seed(Part(outline))?,
                Use::Count | Use::Skip => list.next_element::<IgnoredAny>()?.map(|_| Excerpt::Null),
            };
            match element {
                Some(element) => elements.push(element),
                None => return Ok(Excerpt::List(elements)),
            }
        }
    }

    fn visit_map<A: MapAccess<'t>>(self, mut object: A) -> Result<Excerpt<'t>, A::Error> {
        let mut fields = Vec::with_capacity(self.0.fields());
        while let Some(field) = object.next_key_seed(Field(self.0))? {
            match field {
                Some((key, Some(outline))) => fields.push((key, object.next_value_seed(Part(outline))?)),
                Some((key, None)) => {
                    object.next_value::<IgnoredAny>()?;
                    fields.push((key, Excerpt::Null));
                }
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Excerpt::Object(Fields::new(fields)))
    }
}

/// Reads a key of an object and finds what becomes of its field: the outline by which it is read, none where only
/// its being there counts, or nothing at all.
struct Field<'t>(&'t Outline);

impl<'t> Field<'t> {
    fn found(
        self,
        key: &str,
        spelled: impl FnOnce() -> Cow<'t, str>,
    ) -> <Self as DeserializeSeed<'t>>::Value {
        let (used, name) = self.0.key(key);
        let name = || name.map_or_else(spelled, Cow::Borrowed);
        match used {
            Use::Read(outline) => Some((name(), Some(outline))),
            Use::Count => Some((name(), None)),
            Use::Skip => None,
        }
    }
}

impl<'t> DeserializeSeed<'t> for Field<'t> {
    type Value = Option<(Cow<'t, str>, Option<&'t Outline>)>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Field<'t> {
    type Value = <Self as DeserializeSeed<'t>>::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'t str) -> Result<Self::Value, E> {
        Ok(self.found(key, || Cow::Borrowed(key)))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.found(key, || Cow::Owned(key.to_owned())))
    }
}
