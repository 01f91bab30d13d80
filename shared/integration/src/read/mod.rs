//! Reads a positioned YAML tree into the model. Reading goes on after a mistake, so that one run reports
//! them all: a value that cannot be read becomes `None`, and its siblings are still read.

mod names;
mod numbers;
mod text;
mod tree;

use std::sync::Arc;

use mapping::{Content, Diagnostic, Key, Node, Place, Severity, did_you_mean};
use serde_json::Value;

use crate::rules::{self, Rule};

pub use names::is_name;
pub(crate) use names::{
    DestinationForm, HttpActionForm, IntegrationForm, Name, OutputForm, SecretForm, SettingForm,
};
pub(crate) use numbers::{Count, Flag, Seconds, is_set};
pub(crate) use text::{EscapedText, Expression, Literal, TemplateText, Text};
pub(crate) use tree::{Entries, Ignored, Items, OneOrMany};

/// The findings so far.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(crate) fn add(&mut self, rule: &Rule, place: &Place, message: impl Into<String>) {
        self.push(rule.at(place, message));
    }

    /// Whether a mistake was found at this place or in it, so that what it holds is not fully known.
    pub(crate) fn has_error_within(&self, place: &Place) -> bool {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .any(|diagnostic| {
                diagnostic.place.as_ref().is_some_and(|there| {
                    Arc::ptr_eq(&there.source, &place.source)
                        && (place.start..=place.end).contains(&there.start)
                        && there.end <= place.end
                })
            })
    }

    /// Whether a mapping or a template could not be compiled, so that what it reads is not known.
    pub(crate) fn has_uncompiled(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.code.starts_with("TG01"))
    }

    /// "expected a whole number, found text"
    pub(crate) fn wrong_type(&mut self, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", kind_of(node));
        let diagnostic = rules::WRONG_TYPE.at(&node.place, message);
        let quoted = node.as_text().is_some_and(|text| {
            serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_number() || value.is_boolean())
        });
        let wants_text = expected.starts_with("text");
        let scalar = matches!(node.content, Content::Number(_) | Content::Bool(_));
        self.push(match () {
            () if quoted && !wants_text => diagnostic.help("write it without quotes"),
            () if scalar && wants_text => diagnostic.help("put it in quotes"),
            () => diagnostic,
        });
    }

    /// A word that is none of the known ones: says which it may have been, or all of them.
    pub(crate) fn unknown_word(
        &mut self,
        rule: &Rule,
        place: &Place,
        message: String,
        wrong: &str,
        known: &[&str],
    ) {
        self.push(rule.at(place, message).help(suggestion(wrong, known)));
    }
}

/// "did you mean `x`?" or, where nothing is near, the list.
pub(crate) fn suggestion(wrong: &str, known: &[&str]) -> String {
    match did_you_mean(wrong, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "nothing is known here".to_owned(),
        None => format!(
            "known here: {}",
            known
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// The kind of a node in words; null is called by what the writer sees.
fn kind_of(node: &Node) -> &'static str {
    match node.content {
        Content::Null => "nothing",
        _ => node.kind(),
    }
}

/// A type that can be read from a node.
pub(crate) trait Decode: Sized {
    /// Reads the node; reports and gives `None` where it cannot.
    fn decode(node: &Node, report: &mut Report) -> Option<Self>;
}

/// A key that must be there. Holds nothing after a mistake, which is then already reported.
pub(crate) struct Required<T>(pub(crate) Option<T>);

impl<T> Required<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Required<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// A field of an object: required or optional, by its type.
pub(crate) trait Field: Sized {
    fn read(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Self;
}

impl<T: Decode> Field for Required<T> {
    fn read(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Self {
        match fields.take(key) {
            Some(node) => Self(T::decode(node, report)),
            None => {
                let (rule, what) = (&rules::MISSING_KEY, fields.what);
                let key = key.trim_start_matches("r#");
                report.add(rule, &fields.place, format!("{what} needs `{key}`"));
                Self(None)
            }
        }
    }
}

impl<T: Decode> Field for Option<T> {
    fn read(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Self {
        let node = fields.take(key)?;
        // `key:` with nothing after it is how people leave an optional key open.
        if matches!(node.content, Content::Null) {
            None
        } else {
            T::decode(node, report)
        }
    }
}

/// The keys that were written in an object, also those whose values could not be read.
pub(crate) struct Keys(Vec<Key>);

impl Keys {
    pub(crate) fn of(node: &Node) -> Self {
        Self(node.entries().iter().map(|(key, _)| key.clone()).collect())
    }

    /// Where a key is written, if it is.
    pub(crate) fn place(&self, name: &str) -> Option<&Place> {
        self.0.iter().find(|key| key.name == name).map(|key| &key.place)
    }
}

/// Reads the keys of one object and remembers which were asked for.
pub(crate) struct Fields<'n> {
    what: &'static str,
    place: Place,
    entries: &'n [(Key, Node)],
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The node's keys; reports where it is no object. `what` names the object in messages: "an action".
    pub(crate) fn of(node: &'n Node, what: &'static str, report: &mut Report) -> Option<Self> {
        match &node.content {
            Content::Object(entries) => Some(Self {
                what,
                place: node.place.clone(),
                entries,
                known: Vec::new(),
            }),
            _ => {
                report.wrong_type(node, &format!("an object ({what})"));
                None
            }
        }
    }

    /// The value of a key, which from now on counts as known.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        // Field names that are Rust keywords are written `r#in`.
        let key = key.trim_start_matches("r#");
        self.known.push(key);
        self.entries
            .iter()
            .find(|(entry, _)| entry.name == key)
            .map(|(_, node)| node)
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(self, report: &mut Report) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.name.as_str()) {
                let message = format!("{} has no key `{}`", self.what, key.name);
                if key.name.contains(char::is_whitespace) {
                    let help = "a comma in `{ }` ends a text: put the text before it in quotes";
                    report.push(rules::UNKNOWN_KEY.at(&key.place, message).help(help));
                    continue;
                }
                report.unknown_word(&rules::UNKNOWN_KEY, &key.place, message, &key.name, &self.known);
            }
        }
    }
}

/// Declares an object of the YAML once: the struct, its JSON Schema and its reader. `Required<T>` and
/// `Option<T>` fields say whether the key must be there.
macro_rules! object {
    (
        $(#[$meta:meta])*
        struct $Name:ident, $what:literal {
            $($(#[$field_meta:meta])* $field:ident: $Type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        #[allow(dead_code, reason = "not every object is pointed at, and some keys only steer the reader")]
        pub(crate) struct $Name {
            $($(#[$field_meta])* pub(crate) $field: $Type,)*
            #[schemars(skip)]
            pub(crate) place: mapping::Place,
            #[schemars(skip)]
            pub(crate) keys: $crate::read::Keys,
        }

        impl $crate::read::Decode for $Name {
            fn decode(node: &mapping::Node, report: &mut $crate::read::Report) -> Option<Self> {
                let mut fields = $crate::read::Fields::of(node, $what, report)?;
                $(let $field = $crate::read::Field::read(&mut fields, stringify!($field), report);)*
                fields.finish(report);
                let keys = $crate::read::Keys::of(node);
                Some(Self { $($field,)* place: node.place.clone(), keys })
            }
        }
    };
}

/// Declares a fixed set of words: the enum, its JSON Schema and its reader.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        enum $Name:ident, $what:literal { $($(#[$doc:meta])* $Variant:ident = $word:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $Name { $($(#[$doc])* $Variant,)* }

        impl $Name {
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),*];
        }

        impl $crate::read::Decode for $Name {
            fn decode(node: &mapping::Node, report: &mut $crate::read::Report) -> Option<Self> {
                match node.as_text() {
                    $(Some($word) => Some(Self::$Variant),)*
                    Some(other) => {
                        let message = format!("`{other}` is no {}", $what);
                        report.unknown_word(&$crate::rules::UNKNOWN_WORD, &node.place, message, other, Self::WORDS);
                        None
                    }
                    None => {
                        report.wrong_type(node, concat!("text (", $what, ")"));
                        None
                    }
                }
            }
        }

        impl schemars::JsonSchema for $Name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "enum": Self::WORDS})
            }
        }
    };
}

pub(crate) use {choice, object};
