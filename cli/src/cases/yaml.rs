//! Writes data as YAML, the way people write cases.

use serde_json::Value;

/// Shorter lists and objects of plain values stand on one line.
const ONE_LINE: usize = 100;
/// Words that YAML or its older versions read as something else than text.
const NOT_TEXT: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];

/// The value as a YAML document.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => block(value, 0, &mut out),
        Value::Array(items) if !items.is_empty() => block(value, 0, &mut out),
        _ => {
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
    out
}

fn block(value: &Value, indentation: usize, out: &mut String) {
    let margin = " ".repeat(indentation);
    match value {
        Value::Object(fields) => {
            for (index, (key, field)) in fields.iter().enumerate() {
                // The first field of a list's element stands behind the dash.
                if index > 0 || !out.ends_with("- ") {
                    out.push_str(&margin);
                }
                out.push_str(&scalar(key));
                out.push(':');
                below(field, indentation + 2, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str(&margin);
                out.push_str("- ");
                if stays_inline(item, indentation + 2) {
                    out.push_str(&inline(item));
                    out.push('\n');
                } else if item.is_array() {
                    out.truncate(out.len() - 1);
                    out.push('\n');
                    block(item, indentation + 2, out);
                } else {
                    block(item, indentation + 2, out);
                }
            }
        }
        _ => {}
    }
}

/// A value after its key.
fn below(value: &Value, indentation: usize, out: &mut String) {
    if let Value::String(text) = value
        && is_prose(text)
    {
        let margin = " ".repeat(indentation);
        out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
        for line in text.lines() {
            if !line.is_empty() {
                out.push_str(&margin);
                out.push_str(line);
            }
            out.push('\n');
        }
    } else if stays_inline(value, indentation) {
        out.push(' ');
        out.push_str(&inline(value));
        out.push('\n');
    } else {
        out.push('\n');
        block(value, indentation, out);
    }
}

/// Text of several lines that a block holds without loss.
fn is_prose(text: &str) -> bool {
    let plain = |c: char| c == '\n' || !c.is_control();
    text.contains('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n'])
        && text.chars().all(plain)
        && text.lines().all(|line| !line.ends_with(' '))
}

fn stays_inline(value: &Value, indentation: usize) -> bool {
    let simple = |value: &Value| match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(fields) => {
            fields.values().all(simple) && (indentation + inline(value).len()) < ONE_LINE
        }
        Value::Array(items) => items.iter().all(simple) && (indentation + inline(value).len()) < ONE_LINE,
        _ => true,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, field)| format!("{}: {}", scalar(key), inline(field)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// Text: bare where nothing else can be read in it, else as JSON writes it, which YAML reads too.
fn scalar(text: &str) -> String {
    let bare = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '@' | '(' | ')');
    let begins_well = text
        .chars()
        .next()
        .is_some_and(|first| first.is_alphabetic() || matches!(first, '/' | '_'));
    let is_bare = begins_well
        && !text.ends_with(' ')
        && text.chars().all(bare)
        && !NOT_TEXT.contains(&text.to_ascii_lowercase().as_str());
    if is_bare {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let value = json!({
            "name": "A case: with \"quotes\" and # signs",
            "yes": "no",
            "number as text": "0042",
            "time": "2026-01-05T12:00:00Z",
            "null": null,
            "empty": {"list": [], "object": {}, "text": ""},
            "prose": "One line\n\n  another\nthe last",
            "prose that ends": "One line\nanother\n",
            "no prose": "One line \nanother\n\n",
            "control": "a\u{7}b\tc\u{2028}d",
            "list": [1, 2.5, -3, true, [1, [2]], {"a": 1, "b": {"c": [{"d": "x"}]}}, "- dash", "{{api_key}}"],
            "lists in lists": [[{"a": {"b": 1}}], ["x".repeat(120)], []],
            "{{key}}": " spaces ",
        });
        let written = text(&value);
        let read = mapping::parse("case.yaml", written.as_str()).unwrap();
        assert_eq!(read.to_value(), value, "{written}");
    }

    #[test]
    fn it_looks_as_a_person_writes_it() {
        let value = json!({
            "action": "create_ticket",
            "exchanges": [{"request": {"method": "GET", "path": "/tickets/7"}, "response": {"status": 200,
                "body": {"items": [{"id": "7", "title": "It's: broken"}]}}}],
        });
        let written = "action: create_ticket\n\
                       exchanges:\n\
                       \u{20} - request: {method: GET, path: /tickets/7}\n\
                       \u{20}   response:\n\
                       \u{20}     status: 200\n\
                       \u{20}     body:\n\
                       \u{20}       items:\n\
                       \u{20}         - {id: \"7\", title: \"It's: broken\"}\n";
        assert_eq!(text(&value), written);
    }
}
