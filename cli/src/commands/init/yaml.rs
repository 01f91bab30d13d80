//! YAML as a person would write it: comments, short objects on one line, quotes only where they are needed.

use serde_json::Value;

/// The longest line that a short object is put on.
const WIDTH: usize = 100;

/// A value that is to be written.
#[derive(Clone, Debug)]
pub(crate) enum Yaml {
    /// A text; quoted where YAML would read something else.
    Text(String),
    /// A number, a boolean or null.
    Plain(String),
    Map(Vec<Entry>),
    List(Vec<Yaml>),
}

/// A key with its value, and what is said above it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) above: Vec<String>,
    pub(crate) key: String,
    pub(crate) value: Yaml,
}

impl Yaml {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Yaml)>) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| entry(key, value))
                .collect(),
        )
    }

    /// A value of JSON as it is.
    #[cfg(test)]
    fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::text(text),
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(entries) => Self::map(entries.iter().map(|(key, value)| (key, Self::of(value)))),
            plain => Self::Plain(plain.to_string()),
        }
    }

    /// On one line, if there is no comment in it.
    fn flow(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(scalar(text, true)),
            Self::Plain(text) => Some(text.clone()),
            Self::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(Self::flow).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Self::Map(entries) => {
                let entries: Option<Vec<String>> = entries
                    .iter()
                    .map(|entry| {
                        let value = entry.value.flow()?;
                        entry
                            .above
                            .is_empty()
                            .then(|| format!("{}: {value}", scalar(&entry.key, true)))
                    })
                    .collect();
                Some(format!("{{{}}}", entries?.join(", ")))
            }
        }
    }

    /// Whether it is short and simple enough for one line.
    fn is_small(&self, indent: usize, key: &str) -> Option<String> {
        let simple = match self {
            Self::Map(entries) => {
                entries.len() <= 4
                    && entries
                        .iter()
                        .all(|entry| !matches!(entry.value, Self::Map(ref inner) if inner.len() > 1))
            }
            _ => true,
        };
        let text = simple.then(|| self.flow()).flatten()?;
        (indent + key.len() + text.len() + 2 <= WIDTH || matches!(self, Self::Text(_) | Self::Plain(_)))
            .then_some(text)
    }
}

/// A key with its value.
pub(crate) fn entry(key: impl Into<String>, value: Yaml) -> Entry {
    Entry {
        above: Vec::new(),
        key: key.into(),
        value,
    }
}

/// A key with its value, and comments above it.
pub(crate) fn remarked(above: Vec<String>, key: impl Into<String>, value: Yaml) -> Entry {
    Entry {
        above,
        key: key.into(),
        value,
    }
}

/// The text of entries at the outer level.
pub(crate) fn document(entries: &[Entry]) -> String {
    let mut text = String::new();
    write_entries(&mut text, entries, 0);
    text
}

fn write_entries(text: &mut String, entries: &[Entry], indent: usize) {
    for entry in entries {
        for remark in &entry.above {
            write_remark(text, remark, indent);
        }
        pad(text, indent);
        let key = scalar(&entry.key, false);
        text.push_str(&key);
        text.push(':');
        write_value(text, &entry.value, indent, &key);
    }
}

fn write_value(text: &mut String, value: &Yaml, indent: usize, key: &str) {
    // The outer level is a person's to fill in.
    let block = indent == 0 && matches!(value, Yaml::Map(entries) if !entries.is_empty());
    if !block && let Some(short) = value.is_small(indent, key) {
        let short = match value {
            Yaml::Text(word) => scalar(word, false),
            _ => short,
        };
        text.push(' ');
        text.push_str(&short);
        text.push('\n');
        return;
    }
    text.push('\n');
    match value {
        Yaml::Map(entries) => write_entries(text, entries, indent + 2),
        Yaml::List(items) => {
            for item in items {
                write_item(text, item, indent + 2);
            }
        }
        Yaml::Text(_) | Yaml::Plain(_) => {}
    }
}

/// The first key of an object stands behind the dash.
fn write_item(text: &mut String, item: &Yaml, indent: usize) {
    let Yaml::Map(entries) = item else {
        pad(text, indent);
        text.push_str(&format!("- {}\n", item.flow().unwrap_or_default()));
        return;
    };
    let mut inner = String::new();
    write_entries(&mut inner, entries, indent + 2);
    let mut dashed = false;
    for line in inner.lines() {
        let is_remark = line.trim_start().starts_with('#');
        if !dashed && !is_remark {
            pad(text, indent);
            text.push_str("- ");
            text.push_str(line.trim_start());
            dashed = true;
        } else if !dashed {
            pad(text, indent);
            text.push_str(line.trim_start());
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// A comment, wrapped; what a stranger's document brings is one line of plain characters.
fn write_remark(text: &mut String, remark: &str, indent: usize) {
    let mut line = String::new();
    let clean: String = remark
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    for word in clean.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + word.chars().count() + 3 > WIDTH {
            pad(text, indent);
            text.push_str(&format!("# {line}\n"));
            // What goes on is set in, so that a second remark is told from it.
            line = String::from("  ");
        }
        if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    pad(text, indent);
    text.push_str(&format!("# {line}\n"));
}

fn pad(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// A text as a scalar: plain where that is the same text in YAML, else in double quotes, which are JSON's.
fn scalar(text: &str, in_flow: bool) -> String {
    let first_fits = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || "_$/".contains(letter));
    let fits = |letter: char| {
        letter.is_ascii_alphanumeric()
            || "_-./$()<>=! ".contains(letter)
            || (!in_flow && ",'{}[]+".contains(letter))
    };
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if first_fits && !word && text.chars().all(fits) && !text.ends_with(' ') {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_what_it_was() {
        let value = serde_json::json!({
            "plain": "data.context.ticket_id", "number-like": "1e3", "word": "yes", "odd": "a: b # c", "empty": "",
            "templates": {"path": "/tickets/{{{ticket_id}}}", "list": ["{{x}}", "b, c", "'d'"], "deep": {"a": {"b": {"c": [1, true, null]}}}},
            "line break": "a\nb\u{7}",
            "items": [{"a": "b", "long": "x".repeat(90), "longer": "y".repeat(40)}],
        });
        let Yaml::Map(entries) = Yaml::of(&value) else {
            panic!()
        };
        let text = document(&entries);
        assert_eq!(
            mapping::parse("t", text.as_str()).expect(&text).to_value(),
            value,
            "{text}"
        );
    }

    #[test]
    fn a_comment_cannot_leave_its_lines() {
        let entries = [remarked(
            vec!["one\nactions: {}".to_owned()],
            "a",
            Yaml::text("b"),
        )];
        assert_eq!(document(&entries), "# one actions: {}\na: b\n");
    }
}
