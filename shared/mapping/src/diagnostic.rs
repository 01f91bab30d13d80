//! What is wrong, where, and what to do about it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::Place;

/// The codes of mistakes that are found before a mapping runs. They are stable: tools and people rely on them.
pub mod code {
    /// The text is not a YAML (or JSON) document that can be read.
    pub const DOCUMENT: &str = "TG0100";
    /// A syntax error in an expression.
    pub const SYNTAX: &str = "TG0101";
    /// A `$FUNCTION` that does not exist.
    pub const UNKNOWN_FUNCTION: &str = "TG0102";
    /// An `OPERATOR()` that does not exist.
    pub const UNKNOWN_OPERATOR: &str = "TG0103";
    /// An argument that an operator does not have.
    pub const UNKNOWN_ARGUMENT: &str = "TG0104";
    /// An argument that an operator needs and was not given.
    pub const MISSING_ARGUMENT: &str = "TG0105";
    /// Too many or too few arguments of a function.
    pub const ARGUMENT_COUNT: &str = "TG0106";
    /// A lambda where there can be none, none where there must be one, or one of the wrong number of parameters.
    pub const LAMBDA: &str = "TG0107";
    /// An operator among other keys.
    pub const MIXED_KEYS: &str = "TG0108";
    /// An argument that is written as another kind of thing than it must be.
    pub const ARGUMENT_KIND: &str = "TG0109";
    /// Two keys of an object that build the same field.
    pub const KEY_CLASH: &str = "TG0110";
    /// A mistake in a template.
    pub const TEMPLATE: &str = "TG0111";
    /// A regular expression that is not one, or is too large.
    pub const PATTERN: &str = "TG0112";
    /// Deeper or longer than a mapping may be.
    pub const TOO_DEEP: &str = "TG0113";
    /// A field that `loop` does not have.
    pub const LOOP_FIELD: &str = "TG0114";
    /// A warning: a dash inside what looks like one name, or like a date, is a minus.
    pub const DASH: &str = "TG0115";
    /// A warning: the name of an operator without its parentheses is a field.
    pub const NO_PARENTHESES: &str = "TG0116";
    /// A warning: a name is given to a value and nothing reads it.
    pub const UNREAD_NAME: &str = "TG0117";
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot work.
    Error,
    /// It works, but is hardly what was meant.
    Warning,
}

/// One mistake, for the person who made it.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code, `TG` and four digits.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Where it is.
    pub place: Option<Place>,
    /// A few words that stand beside the underlined place.
    pub label: Option<Box<str>>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Something that cannot work.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Diagnostic {
            severity: Severity::Error,
            code,
            message,
            place: None,
            label: None,
            help: None,
        }
    }

    /// Something that is hardly what was meant.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, message)
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// Says a few words beside the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into().into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The report as a terminal shows it: `file:line:column`, the line, the place underlined, the help.
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str()).id(self.code);
        let mut group = match &self.place {
            Some(place) => {
                // An empty span is drawn nowhere.
                let next = place
                    .source
                    .text
                    .get(place.start..)
                    .and_then(|rest| rest.chars().next());
                let end = if place.end > place.start {
                    place.end
                } else {
                    place.start + next.map_or(0, char::len_utf8)
                };
                let annotation = AnnotationKind::Primary
                    .span(place.start..end)
                    .label(self.label.as_deref());
                title.element(
                    Snippet::source(place.source.text.as_str())
                        .path(place.source.name.as_str())
                        .annotation(annotation),
                )
            }
            None => Group::with_title(title),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }

    /// `{severity, code, message, file, line, column, help}`; what is not known is `null`.
    pub fn to_json(&self) -> Value {
        let at = self.place.as_ref().map(Place::line_column);
        json!({
            "severity": match self.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "code": self.code,
            "message": self.message,
            "file": self.place.as_ref().map(|place| place.source.name.as_str()),
            "line": at.map(|(line, _)| line),
            "column": at.map(|(_, column)| column),
            "help": self.help,
        })
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(place) = &self.place {
            write!(f, " {place}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// The known word that is closest to a wrong one, if one is close enough to be what was meant.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wrong.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&folded, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 1 + word.chars().count().min(wrong.chars().count()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
