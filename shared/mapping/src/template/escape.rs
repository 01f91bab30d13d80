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
