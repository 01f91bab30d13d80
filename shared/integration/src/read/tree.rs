//! Lists and objects whose keys the writer chooses.

use std::borrow::Cow;
use std::marker::PhantomData;

use mapping::{Content, Key, Node};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::names::{ForeignForm, NameForm, check_name};
use super::{Decode, Report};
use crate::rules;

/// An object whose keys are names of the form `F`. An entry that could not be read keeps its name.
pub(crate) struct Entries<T, F = ForeignForm> {
    pub(crate) entries: Vec<(Key, Option<T>)>,
    form: PhantomData<F>,
}

impl<T, F> Entries<T, F> {
    /// The entries that could be read.
    pub(crate) fn read(&self) -> impl Iterator<Item = (&Key, &T)> {
        self.entries
            .iter()
            .filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }
}

impl<T: Decode, F: NameForm> Decode for Entries<T, F> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Object(entries) = &node.content else {
            report.wrong_type(node, "an object");
            return None;
        };
        let entries = entries
            .iter()
            .map(|(key, value)| {
                check_name::<F>(&key.name, &key.place, report);
                (key.clone(), T::decode(value, report))
            })
            .collect();
        Some(Self {
            entries,
            form: PhantomData,
        })
    }
}

impl<T: JsonSchema, F: NameForm> JsonSchema for Entries<T, F> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("EntriesOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({"type": "object", "propertyNames": {"pattern": F::PATTERN}, "additionalProperties": value})
    }
}

/// A list. An item that could not be read is left out, and already reported.
pub(crate) struct Items<T>(pub(crate) Vec<T>);

impl<T: Decode> Decode for Items<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::List(items) = &node.content else {
            report.wrong_type(node, "a list");
            return None;
        };
        Some(Self(
            items.iter().filter_map(|item| T::decode(item, report)).collect(),
        ))
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ItemsOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({"type": "array", "items": item})
    }
}

/// One value, or a list of them.
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match &node.content {
            Content::List(_) => Items::decode(node, report).map(|items| Self(items.0)),
            _ => Some(Self(T::decode(node, report).into_iter().collect())),
        }
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrManyOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({"anyOf": [item, {"type": "array", "items": item}]})
    }
}

/// A value that is accepted and does nothing here.
pub(crate) struct Ignored;

impl Decode for Ignored {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        report.add(
            &rules::IGNORED,
            &node.place,
            "this key is accepted, but has no effect in a ticket gateway",
        );
        Some(Self)
    }
}

impl JsonSchema for Ignored {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ignored".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"deprecated": true})
    }
}
