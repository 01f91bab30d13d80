//! The forms that names take. Each form is one pattern, used by the reader and by the JSON Schema.
//!
//! The patterns are compiled by `regex-lite`: it takes a fiftieth of the time, which a function's start-up waits for.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::LazyLock;

use mapping::{Node, Place};
use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Decode, Report};
use crate::rules;

/// The form of one kind of name.
pub(crate) trait NameForm {
    /// What is named: "a setting".
    const WHAT: &'static str;
    /// The pattern, in the syntax that Rust and JSON Schema share.
    const PATTERN: &'static str;
    /// The pattern in words.
    const WORDS: &'static str;

    fn pattern() -> &'static Regex;
}

macro_rules! name_forms {
    ($($(#[$doc:meta])* $Form:ident = $what:literal, $pattern:literal, $words:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $Form;

        impl NameForm for $Form {
            const WHAT: &'static str = $what;
            const PATTERN: &'static str = $pattern;
            const WORDS: &'static str = $words;

            #[allow(clippy::expect_used, reason = "the pattern is a literal that the tests compile")]
            fn pattern() -> &'static Regex {
                static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a valid pattern"));
                &PATTERN
            }
        }
    )*};
}

name_forms! {
    /// Becomes part of paths and of the names of secrets.
    IntegrationForm = "an integration", "^[a-z][a-z0-9-]{1,62}$",
        "2 to 63 small letters, digits and hyphens, beginning with a letter";
    /// Read in expressions as `settings.<name>`.
    SettingForm = "a setting", "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        "up to 64 letters, digits and underscores, not beginning with a digit";
    /// Read in expressions as `data.<name>`.
    OutputForm = "an output_key", "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        "up to 64 letters, digits and underscores, not beginning with a digit";
    /// Written in the log.
    HttpActionForm = "an HTTP action", "^[A-Za-z_][A-Za-z0-9_-]{0,63}$",
        "up to 64 letters, digits, underscores and hyphens, beginning with a letter or an underscore";
    /// Becomes part of an environment variable's name.
    SecretForm = "a secret", "^[A-Za-z][A-Za-z0-9_]{0,63}$",
        "the one under which the secret is kept, not the secret: up to 64 letters, digits and underscores";
    /// Named by callers.
    DestinationForm = "a destination", "^[A-Za-z0-9][A-Za-z0-9_. -]{0,63}$",
        "up to 64 letters, digits, spaces and `_.-`, beginning with a letter or a digit";
    /// A name of the ticketing system, or a parameter of its API.
    ForeignForm = "an entry", "\\S", "some text";
}

/// Whether a text can name an integration: 2 to 63 small letters, digits and hyphens, beginning with a letter.
pub fn is_name(text: &str) -> bool {
    IntegrationForm::pattern().is_match(text)
}

/// Reports a name that has not its form.
pub(crate) fn check_name<F: NameForm>(name: &str, place: &Place, report: &mut Report) -> bool {
    let fits = F::pattern().is_match(name);
    if !fits {
        let diagnostic = rules::BAD_NAME.at(place, format!("`{name}` cannot name {}", F::WHAT));
        report.push(diagnostic.help(format!("a name is {}", F::WORDS)));
    }
    fits
}

/// A name of one form, with its place.
pub(crate) struct Name<F> {
    pub(crate) value: String,
    pub(crate) place: Place,
    form: PhantomData<F>,
}

impl<F: NameForm> Decode for Name<F> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Some(text) = node.as_text() else {
            report.wrong_type(node, "text");
            return None;
        };
        check_name::<F>(text, &node.place, report);
        Some(Self {
            value: text.to_owned(),
            place: node.place.clone(),
            form: PhantomData,
        })
    }
}

impl<F: NameForm> JsonSchema for Name<F> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Name of {}", F::WHAT).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": F::PATTERN})
    }
}
