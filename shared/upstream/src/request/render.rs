//! Renders templates and evaluates mappings over what an action sees.

use mapping::{Environment, Escape, InputPath, Mapping, Segment, Template};
use serde_json::Value;

use crate::error::{Outcome, UpstreamError};

/// What the templates and mappings of a request see.
pub(crate) struct Root<'a> {
    /// The input arguments, `settings` and `meta_info`.
    pub(crate) scope: &'a Value,
    pub(crate) environment: &'a Environment,
}

impl Root<'_> {
    /// Renders a template. `what` names it for the error: "the path of `get_ticket`".
    pub(crate) fn render(
        &self,
        template: &Template,
        escape: &mut dyn Escape,
        what: &str,
    ) -> Result<String, UpstreamError> {
        let mut watched = Watched {
            escape,
            refused: None,
        };
        template
            .render(self.scope, &mut watched, self.environment)
            .map_err(|error| match watched.refused {
                Some(reason) => super::refused(&format!("{what}, `{}`", template.source()), &reason),
                None => UpstreamError::mapping(what, error, Outcome::NotSent),
            })
    }

    /// Renders a template whose values need no escaping.
    pub(crate) fn plain(&self, template: &Template, what: &str) -> Result<String, UpstreamError> {
        self.render(template, &mut Plain, what)
    }

    /// Evaluates a mapping of the request.
    pub(crate) fn evaluate(&self, mapping: &Mapping, what: &str) -> Result<Value, UpstreamError> {
        mapping
            .evaluate(self.scope, self.environment)
            .map_err(|error| UpstreamError::mapping(what, error, Outcome::NotSent))
    }
}

/// Remembers that the escape refused a value, to tell that from an expression that failed.
struct Watched<'a> {
    escape: &'a mut dyn Escape,
    refused: Option<String>,
}

impl Escape for Watched<'_> {
    fn literal(&mut self, text: &str, out: &mut String) {
        self.escape.literal(text, out);
    }

    fn value(&mut self, value: &Value, raw: bool, out: &mut String) -> Result<(), String> {
        self.escape
            .value(value, raw, out)
            .inspect_err(|reason| self.refused = Some(reason.clone()))
    }

    fn refused(&mut self, reason: &str) {
        self.refused = Some(reason.to_owned());
    }
}

/// Values as they are: text as text, anything else as JSON, null as nothing.
pub(super) struct Plain;

impl Escape for Plain {
    fn literal(&mut self, text: &str, out: &mut String) {
        out.push_str(text);
    }

    fn value(&mut self, value: &Value, _raw: bool, out: &mut String) -> Result<(), String> {
        out.push_str(&text_or_json(value));
        Ok(())
    }
}

/// Text as text, null as nothing, anything else as JSON.
pub(crate) fn text_or_json(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the whole template is made of sections, the sign of an optional parameter: when it renders to
/// nothing, the parameter is left out.
pub(super) fn is_optional(template: &Template) -> bool {
    let source = template.source().trim();
    let opens = source.starts_with("{{#") || source.starts_with("{{^");
    let closes = source
        .rfind("{{")
        .and_then(|at| source.get(at..))
        .is_some_and(|tag| tag.starts_with("{{/"));
    opens && closes && source.ends_with("}}")
}

/// A path as people write it: `a.b[0]`.
pub(crate) fn show_path(path: &InputPath) -> String {
    let mut shown = String::new();
    for segment in &path.segments {
        match segment {
            Segment::Key(key) => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(key);
            }
            Segment::Index(index) => shown.push_str(&format!("[{index}]")),
            Segment::Any => shown.push_str("[…]"),
        }
    }
    if shown.is_empty() { "$".to_owned() } else { shown }
}
