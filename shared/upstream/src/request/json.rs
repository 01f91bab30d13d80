//! Mustache JSON text: a value is escaped by the place where it stands.

use mapping::Escape;
use serde_json::Value;

/// Follows the text that is written, to know whether a value stands inside quotes.
///
/// Inside quotes a value is JSON-escaped, in `{{x}}` as in `{{{x}}}`. Outside quotes a value is written as
/// JSON; text must be a JSON value itself. So no value can end its string or add a key.
#[derive(Default)]
pub(super) struct ByPlace {
    in_string: bool,
    after_backslash: bool,
}

impl Escape for ByPlace {
    fn literal(&mut self, text: &str, out: &mut String) {
        for c in text.chars() {
            match c {
                _ if self.after_backslash => self.after_backslash = false,
                '\\' if self.in_string => self.after_backslash = true,
                '"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
        out.push_str(text);
    }

    fn value(&mut self, value: &Value, _raw: bool, out: &mut String) -> Result<(), String> {
        if self.after_backslash {
            return Err("a value must not follow a backslash".to_owned());
        }
        if self.in_string {
            out.push_str(inside_quotes(&super::render::text_or_json(value)).as_str());
            return Ok(());
        }
        let Value::String(text) = value else {
            out.push_str(&value.to_string());
            return Ok(());
        };
        if serde_json::from_str::<Value>(text).is_err() {
            let why = "a text stands outside quotes and is not JSON; write \"{{…}}\" with quotes around it";
            return Err(why.to_owned());
        }
        out.push_str(text);
        Ok(())
    }
}

/// A text as it is written between the quotes of a JSON string.
fn inside_quotes(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}
