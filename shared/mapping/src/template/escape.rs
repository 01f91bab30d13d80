use serde_json::Value;

/// Puts literal text and values into the output of a template. It is shown all of both in their order, so that it
/// can know where a value stands: in a quoted JSON text, in a query, in a path.
pub trait Escape {
    /// Text of the template itself.
    fn literal(&mut self, text: &str, out: &mut String) {
        out.push_str(text);
    }

    /// A value that a tag gives, never null. `raw` is true for `{{{x}}}` and `{{&x}}`.
    ///
    /// # Errors
    /// Why the value cannot stand there, without the value itself.
    fn value(&mut self, value: &Value, raw: bool, out: &mut String) -> Result<(), String>;

    /// Is told why the template's own [`Replacements`] refused a value, which this then does not see.
    fn refused(&mut self, _reason: &str) {}
}

/// What standard Mustache does: `{{x}}` has `&`, `"`, `<` and `>` escaped for HTML, `{{{x}}}` is put out as it is.
/// Numbers and booleans are written as in JSON, lists and objects as compact JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct HtmlEscape;

impl Escape for HtmlEscape {
    fn value(&mut self, value: &Value, raw: bool, out: &mut String) -> Result<(), String> {
        let json;
        let text = match value {
            Value::String(text) => text.as_str(),
            other => {
                json = other.to_string();
                &json
            }
        };
        if raw {
            out.push_str(text);
        } else {
            html_escape::encode_double_quoted_attribute_to_string(text, out);
        }
        Ok(())
    }
}

/// What is replaced in a value before it is put into a template: the escaping of a language that the template's text is
/// written in, such as a query language's strings.
///
/// All are looked for in one pass, the longest first, so that what one puts in is not replaced by another.
#[derive(Clone, Debug, Default)]
pub struct Replacements(Vec<(String, Option<String>)>);

impl Replacements {
    /// From pairs of a text and what stands for it; a value that holds a text without one is refused. An empty text is
    /// never found.
    pub fn new(pairs: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        pairs.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self(pairs)
    }

    /// The text with the replacements made.
    ///
    /// # Errors
    /// Why the text is refused, without the text.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let found = self
                .0
                .iter()
                .find(|(sought, _)| rest.starts_with(sought.as_str()));
            let length = match found {
                Some((sought, Some(instead))) => {
                    replaced.push_str(instead);
                    sought.len()
                }
                Some((sought, None)) => {
                    return Err(format!(
                        "a value must not hold {sought:?} here: `escape` refuses it"
                    ));
                }
                None => {
                    replaced.push(next);
                    next.len_utf8()
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(replaced)
    }
}

/// Makes replacements in values, then hands them to another escape.
pub(super) struct Replacing<'a> {
    pub(super) replacements: &'a Replacements,
    pub(super) escape: &'a mut dyn Escape,
}

impl Escape for Replacing<'_> {
    fn literal(&mut self, text: &str, out: &mut String) {
        self.escape.literal(text, out);
    }

    fn value(&mut self, value: &Value, raw: bool, out: &mut String) -> Result<(), String> {
        let text = match value {
            Value::String(text) => self.replacements.apply(text),
            Value::Number(_) | Value::Bool(_) => self.replacements.apply(&value.to_string()),
            Value::Null => return self.escape.value(value, raw, out),
            Value::Array(_) | Value::Object(_) => {
                Err("a list or an object cannot be escaped; make it text first".to_owned())
            }
        };
        let text = text.inspect_err(|reason| self.escape.refused(reason))?;
        self.escape.value(&Value::String(text), raw, out)
    }
}
